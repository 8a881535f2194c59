r"""What a mathematical answer says: its structure, read from spelled LaTeX.

Lists, tuples, sets, intervals, inequalities, named values and ``\pm`` are taken apart here, since
latex2sympy, which reads their parts, takes (1, 2) for an interval, keeps no order and drops signs.
"""

import re
from dataclasses import dataclass

import sympy

from repro.verify import patterns
from repro.verify.latex import depths, split, squeeze
from repro.verify.math_expressions import expression, is_number, same_number

_RE = patterns.compiled(patterns.read("math_values"))
_HOLDS = {"<": sympy.Lt, ">": sympy.Gt, r"\le": sympy.Le, r"\ge": sympy.Ge, r"\ne": sympy.Ne}
_COMBINED = {r"\cup": sympy.Union, r"\cap": sympy.Intersection, r"\setminus": sympy.Complement}
_DOMAINS = {"R": sympy.S.Reals, "Z": sympy.S.Integers, "Q": sympy.S.Rationals}
_LISTED = 1000  # a range of fewer integers is a list of them


@dataclass(frozen=True)
class Items:
    """Several values: a list (no brackets, no order), tuple, set or ratio (first part: 1)."""

    kind: str
    values: tuple


@dataclass(frozen=True)
class Reals:
    """A set of real numbers, with the variable that lies in it where one was named."""

    members: sympy.Set
    name: str = ""


@dataclass(frozen=True)
class Named:
    """Values by what they are called, in the order written: ``x = 1, y = 2``.

    There is none in an equation or inequality that names no value: ``2x + 3y = 5``, ``a < b < c``.
    """

    values: tuple[tuple[str, object], ...] = ()
    latex: str = ""  # of what may (also) be meant as an equation or inequality


def is_kind(kinds: str, value: object) -> bool:
    """Tell whether a value is `Items` of one of the kinds."""
    return isinstance(value, Items) and value.kind in kinds.split()


def as_set(value: object, points: bool = False) -> sympy.Set:
    """Return the real numbers that an answer of `parse` stands for; (1, 2) is the interval.

    With ``points``, numbers without braces are elements too. ValueError: it is no such set.
    """
    if isinstance(value, Reals):
        is_listed = isinstance(value.members, sympy.Range) and value.members.size < _LISTED
        return sympy.FiniteSet(*value.members) if is_listed else value.members
    if isinstance(value, Named) and len(value.values) == 1:
        return as_set(value.values[0][1], points=True)
    if is_kind("list", value):
        return sympy.Union(*(as_set(one, points) for one in value.values))
    if is_kind("tuple", value) and len(value.values) == 2 and all(map(is_number, value.values)):
        return _interval(*value.values, True, True)
    if is_kind("set", value) and all(map(is_number, value.values)):
        return sympy.FiniteSet(*value.values)
    if points and is_number(value):
        return sympy.FiniteSet(value)
    raise ValueError(f"no set of real numbers: {value}")


def _interval(start: sympy.Expr, end: sympy.Expr, *is_open: bool) -> sympy.Set:
    if start.is_number and end.is_number and not start < end:
        raise ValueError(f"no interval: from {start} to {end}")
    return sympy.Interval(start, end, *is_open)


def parse(text: str) -> object:
    """Return the value of an answer; exceptions of many kinds where it is no mathematics."""
    text = _respelled(text)
    if re.search(r"\\dots|\.\.", text):
        raise ValueError(f"an ellipsis: {text}")
    if len(parts := split(text, _RE.OR)) == 1:
        return _listed(split(text, _RE.AND))
    values = [parse(part) for part in parts]
    if not any(isinstance(value, Reals) for value in values):
        return _together(values)
    names = {name for name in map(_name, values) if name}
    if len(names) > 1:
        raise ValueError(f"conditions on {sorted(names)}")
    return Reals(sympy.Union(*map(as_set, values)), *names)


def _respelled(text: str) -> str:
    text = text.strip()
    while text.startswith("{") and text.endswith("}") and all(depths(text)[1:-1]):
        if text[-2] == "\\" or re.search(r"\\(?:choose|over|atop)\b", text):
            break
        text = text[1:-1].strip()
    return _RE.respelled(text)


def _listed(parts: list[str]) -> object:
    """Return the value of parts with their separators (commas, "and") between them."""
    values = [value for piece in parts[::2] for value in _signs(piece)]
    if len(values) == 1:
        return values[0]
    names = {value.name if isinstance(value, Reals) else "" for value in values}
    if len(names) > 1 or "" in names:
        return _together(values)
    # Conditions side by side; where none could meet all, a comma stands for or.
    members = [condition.members for condition in values]
    common = sympy.Intersection(*members)
    if common is sympy.S.EmptySet and all(len(link) == 1 for link in parts[1::2]):
        common = sympy.Union(*members)
    return Reals(common, *names)


def _together(values: list) -> object:
    """Combine values side by side: named ones by name, others as a list."""
    flat = []
    for value in values:
        flat += value.values if is_kind("list", value) else [value]
    named = [value for value in flat if isinstance(value, Named) and value.values]
    if not named:
        return Items("list", tuple(flat))
    if len({value.values[0][0] for value in named}) == 1 and flat[0] is named[0]:
        bare = [value.values[0][1] if isinstance(value, Named) else value for value in flat]
        return Named(((named[0].values[0][0], _together(bare)),))
    merged = [pair for value in named for pair in value.values]
    if len(named) < len(flat) or len(dict(merged)) < len(merged):
        raise ValueError("values without a name beside others, or two of one name")
    return Named(tuple(merged))


def _name(value: object) -> str:
    if isinstance(value, Named):
        return value.values[0][0] if len(value.values) == 1 else ""
    return value.name if isinstance(value, Reals) else ""


def _signs(piece: str) -> list:
    r"""Return the values of a piece, two where it has ``\pm``: all signs change together."""
    if r"\{" in piece or not _RE.SIGN.search(piece):  # the elements of a set come here later
        return [_piece(piece)]
    upper = _RE.SIGN.sub(lambda sign: "+" if sign[1] == "pm" else "-", piece)
    lower = _RE.SIGN.sub(lambda sign: "-" if sign[1] == "pm" else "+", piece)
    return [_piece(upper), _piece(lower)]


def _piece(text: str) -> object:
    text = _respelled(text)
    if len(parts := split(text, _RE.APPROX)) > 1:
        return _piece(f"{parts[0]} = {parts[1]}" if _is_name(parts[0]) else parts[0])
    if len(parts := split(text, "=")) > 1:
        return _equation(text, parts)
    if len(parts := split(text, _RE.IN)) == 2:
        name, value = squeeze(parts[0]), _piece(parts[1])
        if not (_is_name(parts[0]) or _RE.POINT.fullmatch(parts[0].strip())):
            raise ValueError(f"no name: {parts[0]}")
        return Named(((name, value),)) if is_kind("set", value) else Reals(as_set(value), name)
    if len(parts := split(text, _RE.COMPARISON)) > 1:
        return _inequality(text, parts)
    if len(parts := split(text, _RE.OPERATOR)) > 1 or _RE.DOMAIN.match(text):
        members, *others = map(_operand, parts[::2])
        for operator, other in zip(parts[1::2], others, strict=True):  # from left to right
            members = _COMBINED[operator.strip()](members, other)
        return Reals(members)
    if len(parts := split(text, _RE.COLON)) > 1:
        parts = [expression(part) for part in parts]
        return Items("ratio", tuple(part / parts[0] for part in parts))
    return _bracketed(text)


def _bracketed(text: str) -> object:
    if cases := _RE.CASES.fullmatch(text):
        return _cases(cases[1])
    if column := _RE.TRANSPOSED.fullmatch(text):
        rows = r" \\ ".join(split(column[1], ","))
        return expression(rf"\begin{{pmatrix}}{rows}\end{{pmatrix}}")
    depth = depths(text)
    whole = len(text) > 1 and all(depth[1:-1])
    if text.startswith(r"\{") and text.endswith(r"\}") and all(depth[2:-2]):
        return _braced(text[2:-2])
    parts = split(text[1:-1], _RE.AND) if whole and text[0] in "([" and text[-1] in ")]" else []
    if len(parts) > 1:
        inside = [_piece(part) for part in parts[::2]]
        if any(link.strip() not in (",", ";") for link in parts[1::2]):
            raise ValueError(f"words in brackets: {text}")
        if text[0] + text[-1] == "()" and sympy.oo not in inside and -sympy.oo not in inside:
            return Items("tuple", tuple(inside))
        if len(inside) != 2:
            raise ValueError(f"an interval has two ends: {text}")
        return Reals(_interval(*inside, text[0] == "(", text[-1] == ")"))
    if whole and text[0] + text[-1] == "()" and re.search(r"[=<>]|\\(?:in|cup)\b", text):
        return parse(text[1:-1])
    if text[:1] in "+-" and text[1:].lstrip()[:1] == "(":  # -(1, 2)
        value = _bracketed(text[1:].strip())
        if isinstance(value, Items):
            return Items(value.kind, tuple(-x if text[0] == "-" else x for x in value.values))
    return expression(text)


def _cases(inside: str) -> object:
    """Return the values with their conditions as a set of pairs, or a system's named values."""
    rows = [row.strip(" ,;.") for row in split(inside, r"\\\\")]
    pairs = [[cell.strip(" ,") for cell in split(row, "&")] for row in rows if row]
    if any(len(pair) == 1 for pair in pairs):
        return _together([_piece("".join(pair)) for pair in pairs])
    pairs = [(a, re.sub(r"^\\text\{ *(?:if|when|for) *\}", "", b)) for a, b in pairs]
    return Items("set", tuple(Items("tuple", (_piece(a), parse(b))) for a, b in pairs))


def _braced(inside: str) -> object:
    if not inside.strip():
        return Items("set", ())
    if len(parts := split(inside, r"\||:")) == 2:  # {x in R : x > 2}
        domain = _piece(parts[0]) if len(split(parts[0], _RE.IN)) == 2 else None
        condition = parse(parts[1])
        name = domain.name if domain else squeeze(parts[0])
        if name != _name(condition):
            raise ValueError(f"a condition on {_name(condition)} for {name}")
        members = as_set(condition)
        return Reals(members.intersect(domain.members) if domain else members)
    value = _listed(split(inside, _RE.AND))
    if isinstance(value, Reals):
        return Reals(value.members)
    if isinstance(value, Named) and len(value.values) > 1:
        return value
    return Items("set", value.values if is_kind("list", value) else (value,))


def _is_name(text: str) -> bool:
    """Tell ``x``, ``f(2)``, ``|AB|``, ``m + n`` from ``2x``, whose value is not that of x."""
    outside = re.sub(r"\(.*\)", "", text)
    return bool(_RE.NAME.fullmatch(text.strip())) and not _RE.NO_NAME.search(outside)


def _equation(text: str, parts: list[str]) -> object:
    """Return a named value, the value of a true chain such as 2 + 3 = 5, or a relation."""
    value = _piece(parts[-1])
    if isinstance(value, Named):
        raise ValueError(f"a relation on the right of an equation: {text}")
    first = parts[0].strip()
    if _RE.POINT.fullmatch(first) and isinstance(value, Items) and len(parts) == 2:
        return Named(((squeeze(first), value),))
    for part in parts[:-1]:
        if _is_name(part):
            continue
        middle = expression(part)
        if is_number(middle) and is_number(value):
            if not same_number(middle, value):
                raise ValueError(f"not true: {text}")
        elif is_number(middle) or len(parts) == 2:
            return Named(latex=text)
    return Named(((squeeze(first), value),), text) if _is_name(first) else value


def _inequality(text: str, parts: list[str]) -> Reals | Named:
    """Return the numbers that satisfy a chain such as 0 < x <= 5, where it speaks of one name."""
    variable = sympy.Dummy(real=True)
    named, terms = [], []
    for term in parts[::2]:
        if _is_name(term) and "|" not in term and term.strip() != "e":
            named.append(squeeze(term))
            terms.append(variable)
            continue
        value = expression(term)
        symbols = value.free_symbols
        # -x, 2x + 1 and |x - 1|, but nothing that still has to be solved
        inside = value.args[0] if isinstance(value, sympy.Abs) else value
        is_polynomial = len(symbols) == 1 and inside.is_polynomial(*symbols)
        if not is_number(value) and not (is_polynomial and sympy.degree(inside, *symbols) == 1):
            return Named(latex=text)
        named += map(str, symbols)
        terms.append(value.subs(dict.fromkeys(symbols, variable)))
    if len(named) != 1:
        return Named(latex=text)
    signs = [_HOLDS[sign.strip()] for sign in parts[1::2]]
    pairs = zip(signs, terms, terms[1:], strict=False)
    sets = [sympy.sympify(holds(a, b)).as_set() for holds, a, b in pairs]
    return Reals(sympy.Intersection(sympy.S.Reals, *sets), named[0])


def _operand(text: str) -> sympy.Set:
    found = _RE.DOMAIN.fullmatch(text.strip())
    if not found:
        return as_set(_piece(text), points=True)
    half = {"+": (0, sympy.oo), "-": (-sympy.oo, 0)}.get(found[2])
    domain = _DOMAINS[found[1]]
    return domain.intersect(sympy.Interval.open(*half)) if half else domain
