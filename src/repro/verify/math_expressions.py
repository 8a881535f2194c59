"""Single mathematical expressions: latex2sympy with what it reads wrongly put right first."""

import re
from fractions import Fraction

import sympy
from latex2sympy2_extended import NormalizationConfig, latex2sympy, normalize_latex
from latex2sympy2_extended.latex2sympy2 import ConversionConfig
from sympy.core.relational import Relational

from repro.verify.latex import closing_brace

DIGITS = 100  # equal numbers agree in 80 of them

_NORMALIZATION = NormalizationConfig(
    basic_latex=True, units=False, malformed_operators=True, nits=False, boxed="none"
)
_COMMAND = re.compile(r"\\(frac|binom|sqrt)(?![A-Za-z]) *(?:\[[^\[\]]*\])?")
_GROUP = re.compile(r" *\{")
_ARGUMENT = re.compile(r" *(\\[A-Za-z]+|\d|[A-Za-z])")
_TWO_NUMBERS = re.compile(r"(?<![_\d])(?<![A-Za-z]\^)\d+ \{?\d")
_NOT_CALCULATED = re.compile(
    r"\\(?:gcd|lcm).*[A-Za-z]|\\pmod|\\equiv|\\begin *\{cases|\\p(?:erp|arallel)"
)
_DECIMAL = re.compile(
    r"(?<![\d.])(\d*)\.(\d*)(?:\\(?:overline|bar|dot) ?\{(\d+)\}|(?<=\d))(?![\d.])"
)
_IMAGINARY = sympy.Symbol("i", real=True)  # as the parser reads i
_REWRITTEN = [
    (re.compile(pattern), replacement)
    for pattern, replacement in [
        (r"(?<![A-Za-z\\_])I(?:_\{?(\d+)\}?)?(?![A-Za-z])", r"\\Upsilon_{0\1}"),  # not i
        (r"(?:(\d+(?:\.\d+)?|[A-Za-z])|\{(\d+(?:\.\d+)?)\}) ?\^ ?\\circ",
         r"{(\\frac{\1\2 \\pi}{180})}"),
        (_DECIMAL, lambda decimal: _as_fraction(*decimal.groups(""))),
        (r"(?<![\w^])(\d+) ?(?=\(|\\binom)|(?<=\d\)) ?(?=\(-?\d)", r"\1\\cdot "),
        (r"\\log_ ?\{?e\}?", r"\\ln "),
    ]
]  # fmt: skip


def relation(latex: str) -> sympy.Basic:
    """Parse LaTeX without evaluating it, so that an equation stays one.

    Raises:
        Exception: of many kinds, where the text is no mathematics.
    """
    text = _with_braces(latex)
    if _TWO_NUMBERS.search(text) or _NOT_CALCULATED.search(text):
        raise ValueError(f"not to be calculated: {latex}")
    for pattern, replacement in _REWRITTEN:
        text = pattern.sub(replacement, text)
    return latex2sympy(
        normalize_latex(text, _NORMALIZATION),
        is_real=True,
        normalization_config=None,
        conversion_config=ConversionConfig(lowercase_symbols=False),
    )


def expression(latex: str) -> sympy.Basic:
    r"""Parse an expression; decimals, repeating ones too, become fractions, degrees radians.

    Roots of odd degree are real: ``\sqrt[3]{-8}`` is -2.

    Raises:
        Exception: of many kinds, where the text is no mathematics.
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
    while command := _COMMAND.search(text, position):
        position = end = command.end()
        for _ in range(1 if command[1] == "sqrt" else 2):
            if group := _GROUP.match(text, end):
                end = (closing_brace(text, group.end() - 1) or len(text)) + 1
            elif argument := _ARGUMENT.match(text, end):
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
