"""The forms of a mathematical answer, and which of them are sets of real numbers."""

from dataclasses import dataclass

import sympy

from repro.verify.math_expressions import is_number

LISTED = 1000  # a range of fewer integers is a list of them


@dataclass(frozen=True)
class Items:
    """Several values: ``kind`` is list (no brackets, no order), tuple or set."""

    kind: str
    values: tuple


@dataclass(frozen=True)
class Reals:
    """A set of real numbers, with the variable that lies in it where one was named."""

    members: sympy.Set
    name: str = ""


@dataclass(frozen=True)
class Named:
    """Values by what they are called, in the order written: ``x = 1, y = 2``."""

    values: tuple[tuple[str, object], ...]
    equation: str = ""  # LaTeX of a single one, which may also be meant as an equation


@dataclass(frozen=True)
class Relation:
    """An equation or inequality that names no value: ``2x + 3y = 5``, ``a < b < c``."""

    latex: str


@dataclass(frozen=True)
class Ratio:
    """``1 : 2 : 3``."""

    parts: tuple


def interval(start: sympy.Expr, end: sympy.Expr, *is_open: bool) -> sympy.Set:
    """Return the numbers between two ends; ``is_open`` tells of each whether it is left out.

    Raises:
        ValueError: the start is not below the end.
    """
    if start.is_number and end.is_number and not start < end:
        raise ValueError(f"no interval: from {start} to {end}")
    return sympy.Interval(start, end, *is_open)


def as_set(value: object, points: bool = False) -> sympy.Set:
    """Return the real numbers a value stands for; (1, 2) is the interval.

    Args:
        value: an answer as `math_values.parse` returns it.
        points: numbers without braces are elements too.

    Raises:
        ValueError: it stands for no set of real numbers.
    """
    if isinstance(value, Reals):
        is_listed = isinstance(value.members, sympy.Range) and value.members.size < LISTED
        return sympy.FiniteSet(*value.members) if is_listed else value.members
    if isinstance(value, Named) and len(value.values) == 1:
        return as_set(value.values[0][1], points=True)
    if isinstance(value, Items):
        if value.kind == "tuple" and len(value.values) == 2 and all(map(is_number, value.values)):
            return interval(*value.values, True, True)
        if value.kind == "set" and all(map(is_number, value.values)):
            return sympy.FiniteSet(*value.values)
        if value.kind == "list":
            return sympy.Union(*(as_set(one, points) for one in value.values))
    if points and is_number(value):
        return sympy.FiniteSet(value)
    raise ValueError(f"no set of real numbers: {value}")
