r"""Multiple-choice answers: the last ``ANSWER: X`` or ``\boxed{X}`` after the thought."""

import re

from repro.verify.answers import split_thought

_OPENING = r"(?:[\s*_$({\[]|\\(?:boxed|text|textbf|mathbf|mathrm)\s*\{|\\\()*"
# The letter stands alone: no word ("Because"), no hedge ("A or B", "A, B", "A/B").
_LETTER = r"([A-Z])(?![A-Za-z0-9'])(?!\W*(?:or|and|/|,|&)\W*[A-Z]\b)"
_ANSWER = re.compile(r"\b[Aa](?:nswer|NSWER)\b[\s*_]*[::]" + _OPENING + _LETTER)
_BOX = re.compile(r"\\boxed\s*\{" + _OPENING + _LETTER)


def chosen_letter(response: str) -> str | None:
    """Return the capital letter a response settles on, or None (also for an unclosed thought)."""
    answer = split_thought(response)[1]
    if answer is None:
        return None
    matches = [*_ANSWER.finditer(answer), *_BOX.finditer(answer)]
    return max(matches, key=lambda match: match.start(1))[1] if matches else None


def verify(response: str, letter: str) -> bool:
    """Tell whether the response chooses ``letter``."""
    return chosen_letter(response) == letter
