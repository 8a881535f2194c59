"""Single mathematical expressions: latex2sympy with what it reads wrongly put right first."""

import re
from fractions import Fraction

import sympy
from latex2sympy2_extended import latex2sympy
from latex2sympy2_extended.latex2sympy2 import ConversionConfig
from sympy.core.relational import Relational

from repro.verify import patterns

_IMAGINARY = sympy.Symbol("i", real=True)  # as the parser reads i
_RE = patterns.compiled(patterns.read("math_expressions"))


def relation(latex: str) -> sympy.Basic:
    """Parse LaTeX without evaluating it, so that an equation stays one; errors as `expression`."""
    text = _RE.braced(latex)
    if _RE.TWO_NUMBERS.search(text) or _RE.NOT_CALCULATED.search(text):
        raise ValueError(f"not to be calculated: {latex}")
    text = _RE.DECIMAL.sub(_as_fraction, _RE.corrected(text))
    return latex2sympy(
        text,
        is_real=True,
        normalization_config=None,
        conversion_config=ConversionConfig(lowercase_symbols=False),
    )


def expression(latex: str) -> sympy.Basic:
    r"""Parse an expression; decimals, repeating ones too, become fractions, degrees radians.

    Roots of odd degree are real: ``\sqrt[3]{-8}`` is -2. Exceptions of many kinds where the text is
    no mathematics.
    """
    parsed = relation(latex)
    if isinstance(parsed, sympy.Set | sympy.Tuple | Relational | list | bool):
        raise ValueError(f"no single expression: {latex}")
    parsed = parsed.subs(_IMAGINARY, sympy.I).doit()
    return sympy.real_root(parsed) if r"\sqrt" in latex else parsed


def _as_fraction(decimal: re.Match) -> str:
    whole, once, again = decimal.groups("")
    value = Fraction(f"{whole or 0}.{once or 0}")
    if again:
        value += Fraction(int(again), 10 ** len(once) * (10 ** len(again) - 1))
    return rf"(\frac{{{value.numerator}}}{{{value.denominator}}})"


def is_number(value: object) -> bool:
    """Tell whether a value is one number, complex ones included."""
    return isinstance(value, sympy.Expr) and value.is_number


def same_number(g: sympy.Expr, p: sympy.Expr) -> bool:
    """Compare two numbers; those are equal that no digit of 1,000 tells apart."""
    if sympy.oo in (g, p) or -sympy.oo in (g, p):
        return g == p
    # A part of the difference of which no digit could be found has a precision of one bit.
    parts = sympy.N(g - p, maxn=1000).as_real_imag()
    return all(part == 0 or part._prec == 1 for part in parts)
