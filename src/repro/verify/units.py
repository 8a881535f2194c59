r"""Units of measurement and currencies behind (or before) a number, and what they convert to."""

import re
from collections import Counter
from fractions import Fraction

from repro.verify import patterns
from repro.verify.latex import split

_TABLES = patterns.read("units")
_UNITS = {
    word: (dimension, Fraction(size))
    for dimension, units in _TABLES["sizes"].items()
    for words, size in units.items()
    for word in words.split()
}
_FILLERS = ("times", "cdot", "of", "the", "a", "an", "each", "in")
_TEMPERATURES = {frozenset({name}) for name in ("angle", "Celsius", "Fahrenheit")}

# Outside \text a single letter may be a variable: only these words are units there.
_BARE = "|".join([word for word in _UNITS if word.isalpha() and len(word) > 2])
_BARE += "|USD|EUR|GBP|mm|cm|km|kg|ft|mph|units?|inches"
_RE = patterns.compiled(_TABLES, BARE=_BARE)


def split_unit(text: str) -> tuple[str, str]:
    """Return spelled LaTeX as its value and its unit, ``""`` where there is none.

    A list of values has the unit that all its elements share or, where they share none, no unit.
    """
    if text.startswith(r"\{") and text.endswith(r"\}") and "|" not in text:
        value, unit = split_unit(text[2:-2])
        return (rf"\{{{value}\}}", unit) if unit else (text, "")
    parts = split(text, _RE.SEPARATOR)
    parts[::2], units = zip(*(_split_one(part) for part in parts[::2]), strict=True)
    named = {unit for unit in units if unit}
    if len({frozenset(measure(unit)[0].items()) for unit in named}) != 1:
        return text, ""
    return "".join(parts), sorted(named)[0]


def _split_one(text: str) -> tuple[str, str]:
    currencies = set(_RE.PREFIX.findall(text))
    if len(currencies) == 1:
        text, unit = _RE.PREFIX.sub("", text), currencies.pop()
        return _split_one(text)[0], unit
    found = _RE.TAIL.search(text) or _RE.NOUN.search(text)
    if not found or _RE.NO_UNIT.search(re.sub(r"\\text|[{}]", " ", found[0]).replace("per", "/")):
        return text, ""
    value = text[: found.start()].rstrip()
    if not re.search(r"[^\W_]$|[)}\]!%]$", value) or (
        found.re is _RE.NOUN and not _RE.COUNTED.search(value)
    ):
        return text, ""
    if "circ" in found[0]:
        if _RE.ANGLE.search(value):  # the sine of 20 degrees is not in degrees
            return text, ""
        value = re.sub(r" ?\^ ?\\circ", "", value)
    return value, found[0]


def measure(unit: str) -> tuple[Counter, Fraction, bool]:
    r"""Return a unit's dimensions with their powers, its size, and whether all words are known.

    ``\text{ km/h}``: ``({"length": 1, "time": -1}, 5/18, True)``; an unknown word, such as
    ``apples``, is a dimension too.
    """
    factors, known, sign = [], True, 1  # each factor: its dimension, size and power
    for token in re.findall(r"\^ *-?\d|/|[a-z]+|\\\$|[€£¥₹¢]", _RE.respelled(unit.lower())):
        if token == "/":
            sign = -1
        elif token[0] == "^":
            if factors:
                factors[-1][2] *= int(token[1:])
        elif token not in _FILLERS or (token == "in" and known and not factors):
            spellings = [token, token.removesuffix("s"), token.removesuffix("es")]
            found = next((_UNITS[one] for one in spellings if one in _UNITS), None)
            known &= found is not None
            factors.append([*(found or (spellings[1], Fraction(1))), sign])
    dimensions, size = Counter(), Fraction(1)
    for name, of_size, power in factors:
        dimensions[name] += power
        size *= of_size**power
    return Counter({name: power for name, power in dimensions.items() if power}), size, known


def conversion(gold: str, prediction: str) -> Fraction | None:
    """Return by what to multiply the prediction's value, or None where the units contradict.

    A missing unit agrees with all, and a counted thing (``7 ways``) with a measure.
    """
    (ours, size, known), (theirs, other_size, others_known) = measure(gold), measure(prediction)
    if not ours or not theirs or known != others_known:
        return Fraction(1)
    if {frozenset(ours), frozenset(theirs)} <= _TEMPERATURES and "angle" in {*ours, *theirs}:
        return Fraction(1)  # degrees of temperature are often written as degrees alone
    return other_size / size if ours == theirs else None
