r"""Find the answer in a response, give it one spelling, and decide what its text alone decides."""

import re
from typing import NamedTuple

from repro.verify import patterns
from repro.verify.latex import closing_brace, spell, squeeze
from repro.verify.units import conversion, split_unit

THINK_OPEN = "<think>"
THINK_CLOSE = "</think>"
FINAL_ANSWER = r"\boxed{"
_TABLES = patterns.read("answers")
_RE = patterns.compiled(_TABLES)


def split_thought(text: str) -> tuple[str, str | None]:
    """Split a response at the first ``</think>`` into its thought and its answer.

    A leading ``<think>`` is taken off: R1-style templates put it into the prompt, Qwen3-style ones
    leave it to the model. The answer is None where the thought was never closed: a draft is none.
    """
    thought, closed, answer = text.partition(THINK_CLOSE)
    if thought.lstrip().startswith(THINK_OPEN):
        thought = thought.lstrip()[len(THINK_OPEN) :]
    return thought, answer if closed else None


def last_box(text: str) -> str | None:
    r"""Return the content of the last balanced ``\boxed{...}``, or None where there is none.

    Escaped braces (``\{``, ``\}``) are content, not structure. Of nested boxes the inner counts.
    """
    for box in reversed([*re.finditer(r"\\boxed\s*\{", text)]):
        closing = closing_brace(text, box.end() - 1)
        if closing is not None:
            return text[box.end() : closing]
    return None


class Answer(NamedTuple):
    """An answer in one spelling: its LaTeX without the unit, and the unit ("" where none is)."""

    value: str
    unit: str


def read(answer: str) -> Answer:
    r"""Return an answer in one spelling (`latex.spell`), without full stop, unit and currency."""
    if answer.count("$") - answer.count(r"\$") == 1:  # no delimiter of mathematics: dollars
        answer = re.sub(r"(?<!\\)\$", r"\\$", answer)
    text = spell(answer)
    if text.endswith((".", ",", ";")) and not text.endswith(".."):
        text = text[:-1].rstrip()
    return Answer(*split_unit(text.removeprefix("=").lstrip()))


def _numeral(value: str) -> str:
    """Return a numeral in a base as digits, ``_`` and the base."""
    found = _RE.IN_BASE.fullmatch(_RE.numeral(value))
    base = _TABLES["bases"].get(found[2], found[2]) if found else ""
    if not base.isdigit() or not re.search(r"\d|^[A-F]+$", found[1]):
        return value
    return f"{found[1].upper()}_{base}" if int(base) > 10 or found[1].isdigit() else value


def decide(gold: Answer, prediction: Answer) -> bool | None:
    """Return the verdict where the text settles it, or None where mathematics has to.

    Settled here: identical texts, integers, numerals in a base (equal to the same numeral in the
    same base only), times of day, words and choices, units that contradict each other.
    """
    a, b = gold.value, prediction.value
    factor = conversion(gold.unit, prediction.unit)
    if not a or not b or factor is None:
        return False
    if _RE.INTEGER.fullmatch(a) and _RE.INTEGER.fullmatch(b):
        return int(a) == int(b) * factor
    if "=" not in a:
        b = _RE.ASSIGNED.sub("", b)
    a, b = _numeral(a), _numeral(b)
    if squeeze(a) == squeeze(b):
        return factor == 1
    if _RE.NUMERAL.fullmatch(a) or _RE.SUBSCRIPTED.search(a) or _RE.SUBSCRIPTED.search(b):
        return False  # the parser would ignore the base
    if one := _RE.CLOCK.fullmatch(a):  # the parser would read 12:30 as 12/30
        other = _RE.CLOCK.fullmatch(b)
        halves = {half.lower() for half in (one[3], other and other[3]) if half}
        return bool(other) and one.group(1, 2) == other.group(1, 2) and len(halves) < 2
    if re.fullmatch("[A-J]", a) and (choice := _RE.CHOICE.fullmatch(b)):
        return a in choice.groups()
    if _RE.TEXT.fullmatch(a) or _RE.TEXT.fullmatch(b):
        return _words(a) == _words(b)
    return None


def converted(gold: Answer, prediction: Answer) -> str:
    """Return the prediction's value in the gold answer's unit, as LaTeX."""
    factor = conversion(gold.unit, prediction.unit)
    if factor in (None, 1):
        return prediction.value
    return rf"({prediction.value}) \cdot \frac{{{factor.numerator}}}{{{factor.denominator}}}"


def _words(value: str) -> list[str]:
    r"""Return what ``\text{}`` holds, without an article; a list of choices has no order."""
    parts = [part.strip() for part in re.split(",| and ", _RE.words(value))]
    return sorted(part.casefold() if len(part) > 1 else part for part in parts)
