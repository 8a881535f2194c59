"""Whether two mathematical answers are equal: structure first, then value."""

import re
from functools import lru_cache

import sympy
from math_verify import verify

from repro.verify import math_values
from repro.verify.latex import squeeze
from repro.verify.math_expressions import is_number, relation, same_number
from repro.verify.math_forms import Items, Named, Ratio, Reals, Relation, as_set

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
    if isinstance(g, Named) or isinstance(p, Named):
        return _equal_names(g, p)
    if isinstance(g, Relation) or isinstance(p, Relation):
        return type(g) is type(p) and _equal_relations(g.latex, p.latex)
    if isinstance(g, Reals) or isinstance(p, Reals):
        return _equal_sets(g, p)
    if isinstance(g, Ratio) or isinstance(p, Ratio):
        return _equal_ratios(g, p)
    if isinstance(g, Items) or isinstance(p, Items):
        return isinstance(g, Items) and isinstance(p, Items) and _equal_items(g, p)
    if is_number(g) and is_number(p):
        return same_number(g, p)
    for matrix, other in ((g, p), (p, g)):
        factor = _multiple_of_identity(other, matrix)
        if factor is not None:
            return matrix == factor * sympy.eye(matrix.rows)
    return verify(g, p, timeout_seconds=None)


def _multiple_of_identity(value: sympy.Expr, matrix: sympy.Basic) -> sympy.Expr | None:
    """Return c where a value beside a matrix is c I, or c I_n with the matrix's n."""
    if not isinstance(matrix, sympy.MatrixBase) or isinstance(value, sympy.MatrixBase):
        return None
    names = {"Upsilon_0", f"Upsilon_{{0{matrix.rows}}}"}  # as `math_expressions` spells I
    symbols = value.free_symbols
    if len(symbols) != 1 or str(*symbols) not in names:
        return None
    factor = sympy.simplify(value / symbols.pop())
    return factor if factor.is_number else None


def _equal_names(g: object, p: object) -> bool:
    if isinstance(g, Named) and isinstance(p, Named):
        ours, theirs = dict(_by_name(g)), dict(_by_name(p))
        if ours.keys() == theirs.keys():
            return all(equal(ours[name], theirs[name]) for name in ours)
        return bool(g.equation and p.equation) and _equal_relations(g.equation, p.equation)
    named, other = (g, p) if isinstance(g, Named) else (p, g)
    if isinstance(other, Relation):
        return bool(named.equation) and _equal_relations(named.equation, other.latex)
    named_values = _by_name(named)
    if len(named_values) == 1:
        name, value = named_values[0]
        if named is g and _COMPOUND.search(name) and named.equation:
            return False  # x + y = 1 is no 1
        if isinstance(value, Items) and value.kind == "list" and _kind(other) == "tuple":
            return False  # x = 1, x = 2 is not the point (1, 2)
        return equal(value, other) if named is g else equal(other, value)
    if not isinstance(other, Items) or other.kind == "set":
        return False
    values = _in_order_of_names(named_values)
    if other.kind == "list" and _are_numbered(named_values):
        return _equal_items(Items("list", tuple(value for _, value in named_values)), other)
    return values is not None and _equal_items(Items("tuple", values), other)


def _kind(value: object) -> str:
    return value.kind if isinstance(value, Items) else ""


def _by_name(named: Named) -> tuple[tuple[str, object], ...]:
    """Return the values by single names: (x, y) = (1, 2) as x = 1, y = 2."""
    name, value = named.values[0]
    if name.startswith("(") and len(named.values) == 1 and _kind(value) == "tuple":
        return tuple(zip(name[1:-1].split(","), value.values, strict=True))
    return named.values


def _are_numbered(values: tuple[tuple[str, object], ...]) -> bool:
    """Tell whether the names are those of several values of one thing: x_1, x_2."""
    return len({name.split("_")[0] for name, _ in values}) == 1


def _in_order_of_names(named: tuple[tuple[str, object], ...]) -> tuple | None:
    """Return the values of x, y, z in this order; of other names, in the order of the alphabet.

    None where the order of the names leaves a doubt: m = 1, b = 2.
    """
    names = [name for name, _ in named]
    ordered = sorted(names, key=lambda name: _ORDER.get(name, name))
    if names != ordered and not _are_numbered(named):
        letters = [ord(name) for name in ordered if len(name) == 1]
        if letters != [*range(letters[0], letters[0] + len(names))] if letters else True:
            return None
    values = dict(named)
    return tuple(values[name] for name in ordered)


_ORDER = {r"\theta": "s", r"\rho": "r", r"\phi": "t", r"\varphi": "t"}  # as r, \theta


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
    if len(names) > 1:
        return False
    if _kind(g) == "list" and all(_kind(value) == "tuple" for value in g.values):
        return False  # points, not intervals
    try:
        ours, theirs = (as_set(x, points=_is_finite(y)) for x, y in ((g, p), (p, g)))
    except ValueError:
        return False
    return ours == theirs or _same_parts(ours, theirs)


def _is_finite(value: object) -> bool:
    return isinstance(value, Reals) and value.members.is_FiniteSet


def _same_parts(ours: sympy.Set, theirs: sympy.Set) -> bool:
    """Compare two sets part by part: equal bounds may be spelled in different ways."""
    parts = [list(one.args) if isinstance(one, sympy.Union) else [one] for one in (ours, theirs)]
    return _match(*parts, _same_part)


def _same_part(a: sympy.Set, b: sympy.Set) -> bool:
    if isinstance(a, sympy.Interval) and isinstance(b, sympy.Interval):
        ends = (a.left_open, a.right_open) == (b.left_open, b.right_open)
        return ends and same_number(a.start, b.start) and same_number(a.end, b.end)
    if a.is_FiniteSet and b.is_FiniteSet:
        return _match(list(a), list(b), same_number)
    return a == b


def _match(ours: list, theirs: list, same: object) -> bool:
    """Tell whether each element has its own equal one on the other side."""
    if len(ours) != len(theirs):
        return False
    rest = list(theirs)
    for a in ours:
        found = next((index for index, b in enumerate(rest) if same(a, b)), None)
        if found is None:
            return False
        del rest[found]
    return True


def _equal_ratios(g: object, p: object) -> bool:
    if isinstance(g, Ratio) and isinstance(p, Ratio):
        if len(g.parts) != len(p.parts):
            return False
        a, b = g.parts[0], p.parts[0]
        return all(equal(x * b, y * a) for x, y in zip(g.parts, p.parts, strict=True))
    ratio, other = (g, p) if isinstance(g, Ratio) else (p, g)
    return len(ratio.parts) == 2 and equal(ratio.parts[0] / ratio.parts[1], other)


def _equal_items(g: Items, p: Items) -> bool:
    """Compare lists, sets and tuples: a list, without brackets, may stand for either other."""
    if len(g.values) != len(p.values):
        return False
    kinds = {g.kind, p.kind}
    if "tuple" in kinds:
        in_order = zip(g.values, p.values, strict=True)
        return "set" not in kinds and all(equal(a, b) for a, b in in_order)
    return _match(list(g.values), list(p.values), equal)
