"""Whether two mathematical answers are equal: structure first, then value."""

import re
import string
from collections.abc import Callable, Iterable
from functools import lru_cache

import sympy
from math_verify import verify

from repro.verify import math_values
from repro.verify.latex import squeeze
from repro.verify.math_expressions import is_number, relation, same_number
from repro.verify.math_values import Items, Named, Reals, as_set, is_kind

_COMPOUND = re.compile(r"(?<!\^\{)[-+/]|\\(?:cdot|times|frac)")

read = lru_cache(maxsize=1000)(math_values.parse)  # a gold answer meets every response


def compare(gold: str, prediction: str) -> bool:
    """Tell whether two answers are equal; a lone percentage is itself or its hundredth.

    math-verify compares single expressions and relations, but not what it is too generous with:
    rounded decimals, numbers closer than 1e-15, and equations without solution.
    """
    g, p = read(gold.removesuffix(r"\%")), read(prediction.removesuffix(r"\%"))
    if equal(g, p):
        return True
    if gold.endswith(r"\%") == prediction.endswith(r"\%"):
        return False
    return equal(g / 100, p) if gold.endswith(r"\%") else equal(g, p / 100)


def equal(g: object, p: object) -> bool:
    """Tell whether two answers, as `math_values.parse` gives them, are equal in value and form."""
    for form, compare_form in ((Named, _equal_names), (Reals, _equal_sets), (Items, _equal_items)):
        if isinstance(g, form) or isinstance(p, form):
            return compare_form(g, p)
    if is_number(g) and is_number(p):
        return same_number(g, p)
    for matrix, other in ((g, p), (p, g)):
        if isinstance(matrix, sympy.MatrixBase) and not isinstance(other, sympy.MatrixBase):
            return matrix == _multiple_of_identity(other, matrix.rows)
    return verify(g, p, timeout_seconds=None)


def _multiple_of_identity(value: sympy.Expr, rows: int) -> sympy.MatrixBase | None:
    """Return the matrix that is written c I, or c I_n with its own number n of rows."""
    symbols = value.free_symbols
    # As `math_expressions` spells I.
    if len(symbols) != 1 or str(*symbols) not in ("Upsilon_0", f"Upsilon_{{0{rows}}}"):
        return None
    return value.subs(symbols.pop(), 1) * sympy.eye(rows)


def _equal_names(g: object, p: object) -> bool:
    if isinstance(g, Named) and isinstance(p, Named):
        ours, theirs = _by_name(g), _by_name(p)
        if ours and ours.keys() == theirs.keys():
            return all(equal(ours[name], theirs[name]) for name in ours)
        return bool(g.latex and p.latex) and _equal_relations(g.latex, p.latex)
    named, other = (g, p) if isinstance(g, Named) else (p, g)
    values = _by_name(named)
    if len(values) == 1:
        ((name, value),) = values.items()
        if named is g and _COMPOUND.search(name) and named.latex:
            return False  # x + y = 1 is no 1
        if is_kind("list", value) and is_kind("tuple", other):
            return False  # x = 1, x = 2 is not the point (1, 2)
        return equal(value, other) if named is g else equal(other, value)
    if not values or not is_kind("list tuple", other):
        return False
    are_numbered = len({name.split("_")[0] for name in values}) == 1  # x_1, x_2
    if are_numbered and other.kind == "list":
        return _equal_items(Items("list", tuple(values.values())), other)
    # A point has its values in the order of x, y, z, or of the alphabet. Other names leave a doubt,
    # unless they were written in this order: m = 1, b = 2.
    ordered = sorted(values, key=lambda name: _ORDER.get(name, name))
    successive = len(max(values, key=len)) == 1 and "".join(ordered) in string.ascii_letters
    if not (are_numbered or successive or ordered == list(values)):
        return False
    return _equal_items(Items("tuple", tuple(values[name] for name in ordered)), other)


_ORDER = {r"\theta": "s", r"\rho": "r", r"\phi": "t", r"\varphi": "t"}  # as r, \theta


def _by_name(named: Named) -> dict[str, object]:
    """Return the values by single names: (x, y) = (1, 2) as x = 1, y = 2."""
    name, value = named.values[0] if named.values else ("", None)
    if name.startswith("(") and len(named.values) == 1 and is_kind("tuple", value):
        return dict(zip(name[1:-1].split(","), value.values, strict=True))
    return dict(named.values)


def _equal_relations(gold: str, prediction: str) -> bool:
    if squeeze(gold) == squeeze(prediction):
        return True
    g, p = relation(gold), relation(prediction)
    if not (g.free_symbols and p.free_symbols):  # f(2) = 7: nothing to solve for
        return g == p
    if not verify(g, p, allow_set_relation_comp=True, timeout_seconds=None):
        return False
    # math-verify compares solutions, and so takes any two equations without one for equal.
    return not isinstance(g, sympy.Eq) or bool(sympy.solve(g))


def _equal_sets(g: object, p: object) -> bool:
    names = {value.name for value in (g, p) if isinstance(value, Reals) and value.name}
    are_points = is_kind("list", g) and all(is_kind("tuple", value) for value in g.values)
    if len(names) > 1 or are_points:  # points, not intervals
        return False
    finite = [isinstance(value, Reals) and value.members.is_FiniteSet for value in (g, p)]
    try:
        ours, theirs = as_set(g, points=finite[1]), as_set(p, points=finite[0])
    except ValueError:
        return False
    # Beside a set of two numbers math-verify takes an open interval for a pair.
    return ours.is_FiniteSet == theirs.is_FiniteSet and verify(ours, theirs, timeout_seconds=None)


def _equal_items(g: object, p: object) -> bool:
    """Compare lists, sets, tuples and ratios: a list, without brackets, may stand for others."""
    if not (isinstance(g, Items) and isinstance(p, Items)):
        items, other = (g, p) if isinstance(g, Items) else (p, g)
        of_two = items.kind == "ratio" and len(items.values) == 2
        return of_two and equal(1 / items.values[1], other)
    kinds = {g.kind, p.kind}
    if kinds <= {"list", "set"}:
        return _match(g.values, p.values, equal)
    in_order = kinds in ({"tuple"}, {"tuple", "list"}, {"ratio"}) and len(g.values) == len(p.values)
    return in_order and all(map(equal, g.values, p.values))


def _match(ours: Iterable, theirs: Iterable, same: Callable) -> bool:
    """Tell whether each element has its own equal one on the other side."""
    ours, rest = list(ours), list(theirs)
    if len(ours) != len(rest):
        return False
    for a in ours:
        found = next((index for index, b in enumerate(rest) if same(a, b)), None)
        if found is None:
            return False
        del rest[found]
    return True
