r"""Multiple-choice answers: the last ``ANSWER: X`` or ``\boxed{X}`` after the thought."""

import re

from repro.verify import patterns
from repro.verify.answers import split_thought

_RE = patterns.compiled(patterns.read("choice"))
_ENDS_A_LINE = {"br", "p", "div", "li", "answer", "think"}


def chosen_letter(response: str) -> str | None:
    """Return the capital letter a response settles on, or None.

    None for an unclosed thought, and where the last statement names several letters. A further
    ``</think>`` in the answer is a tag like any other: the last statement counts.
    """
    answer = _RE.TAG.sub(_without_tag, split_thought(response)[1] or "")
    matches = [*_RE.ANSWER.finditer(answer), *_RE.BOX.finditer(answer)]
    last = max(matches, key=lambda match: match.start("letter"), default=None)
    return last["letter"] if last and last["spoilt"] is None else None


def _without_tag(tag: re.Match) -> str:
    if tag[0] == "<answer>":
        return "\nANSWER: "
    return "\n" if (tag["name"] or "").lower() in _ENDS_A_LINE else "*"
