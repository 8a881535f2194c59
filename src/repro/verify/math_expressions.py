"""Single mathematical expressions: latex2sympy with what it reads wrongly put right first."""

from fractions import Fraction

import sympy
from latex2sympy2_extended import NormalizationConfig, latex2sympy, normalize_latex
from latex2sympy2_extended.latex2sympy2 import ConversionConfig
from sympy.core.relational import Relational

from repro.verify import patterns
from repro.verify.latex import closing_brace

DIGITS = 100  # equal numbers agree in 80 of them

_NORMALIZATION = NormalizationConfig(
    basic_latex=True, units=False, malformed_operators=True, nits=False, boxed="none"
)
_IMAGINARY = sympy.Symbol("i", real=True)  # as the parser reads i
_RE = patterns.compiled(patterns.read("math_expressions"))


def relation(latex: str) -> sympy.Basic:
    """Parse LaTeX without evaluating it, so that an equation stays one; errors as `expression`."""
    text = _with_braces(latex)
    if _RE.TWO_NUMBERS.search(text) or _RE.NOT_CALCULATED.search(text):
        raise ValueError(f"not to be calculated: {latex}")
    for pattern, replacement in _RE.rewritten:
        text = pattern.sub(replacement, text)
    text = _RE.DECIMAL.sub(lambda decimal: _as_fraction(*decimal.groups("")), text)
    return latex2sympy(
        normalize_latex(text, _NORMALIZATION),
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
    if isinstance(parsed, sympy.FiniteSet) and len(parsed.args) == 1 and latex[:1] != "\\":
        (parsed,) = parsed.args  # {1/2}: braces that only group
    if isinstance(parsed, sympy.Set | sympy.Tuple | Relational | list | bool):
        raise ValueError(f"no single expression: {latex}")
    if _IMAGINARY in parsed.free_symbols:
        parsed = parsed.subs(_IMAGINARY, sympy.I)
    if parsed.has(sympy.Sum, sympy.Product, sympy.Integral, sympy.Limit, sympy.UnevaluatedExpr):
        parsed = parsed.doit()
    if r"\sqrt" not in latex:
        return parsed
    return parsed.replace(
        _is_odd_root_of_negative, lambda root: (-1) ** root.exp.p * (-root.base) ** root.exp
    )


def _with_braces(text: str) -> str:
    r"""Return ``\frac`` and the like with braces around their arguments: ``\frac\pi2``."""
    position = 0
    while command := _RE.COMMAND.search(text, position):
        position = end = command.end()
        for _ in range(1 if command[1] == "sqrt" else 2):
            if group := _RE.GROUP.match(text, end):
                end = (closing_brace(text, group.end() - 1) or len(text)) + 1
            elif argument := _RE.ARGUMENT.match(text, end):
                text = f"{text[:end]}{{{argument[1]}}}{text[argument.end() :]}"
                end += len(argument[1]) + 2
    return text


def _as_fraction(whole: str, once: str, again: str) -> str:
    value = Fraction(f"{whole or 0}.{once or 0}")
    if again:
        value += Fraction(int(again), 10 ** len(once) * (10 ** len(again) - 1))
    if value.denominator == 1:
        return str(value)
    return rf"{{\frac{{{value.numerator}}}{{{value.denominator}}}}}"


def _is_odd_root_of_negative(value: sympy.Basic) -> bool:
    if not (value.is_Pow and value.exp.is_Rational and value.exp.q % 2 and value.exp.q > 1):
        return False
    if not value.base.is_number:
        return value.base.could_extract_minus_sign()  # -x, and so that x - y is y - x
    return bool(value.base.is_real) and bool(sympy.N(value.base) < 0)


def is_number(value: object) -> bool:
    """Tell whether a value is one number, complex ones included."""
    return isinstance(value, sympy.Expr) and value.is_number


def same_number(g: sympy.Expr, p: sympy.Expr) -> bool:
    """Compare two numbers by 100 digits, or exactly where digits would leave a doubt."""
    a, b = sympy.N(g, DIGITS), sympy.N(p, DIGITS)
    if a in (sympy.oo, -sympy.oo):
        return a == b
    scale = max(sympy.Abs(a), sympy.Abs(b))
    if 10**-60 < scale < 10**60:
        return bool(sympy.Abs(a - b) <= scale / 10 ** (DIGITS * 4 // 5))
    # Outside, digits leave a doubt: 3^{300} and 3^{300} + 1, 0 and a difference of equal roots.
    return sympy.simplify(g - p) == 0
