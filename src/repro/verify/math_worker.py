"""The process that compares two mathematical answers, started by ``repro.verify.math``.

Imports nothing of repro. Protocol: one JSON list ``[gold, prediction]`` a line in (LaTeX as
``answers.read`` spells it), ``true`` or ``false`` a line out; an empty line out says that the
imports are done. The worker ends with its standard input.

latex2sympy reads and math-verify compares, but not what they are too generous with: rounded
decimals, numbers closer than 1e-15, tuples and sets, 2(3) read as 2 + 3, equations without solution
and text that does not parse.
"""

import json
import logging
import re
import resource
import signal
import sys
from fractions import Fraction
from functools import lru_cache

import sympy
from latex2sympy2_extended import (
    NormalizationConfig,
    is_expr_of_only_symbols,
    latex2sympy,
    normalize_latex,
)
from latex2sympy2_extended.latex2sympy2 import ConversionConfig
from latex2sympy2_extended.sets import FiniteSet as List  # what `1, 2` and `\{1, 2\}` are read as
from math_verify import verify
from sympy.core.function import AppliedUndef

MEMORY_BYTES = 2 << 30
DIGITS = 100  # equal numbers agree in 80 of them

_DECIMAL = re.compile(
    r"(?<![\d.])(\d*)\.(\d*)(?:\\(?:overline|bar|dot) ?\{(\d+)\}|(?<=\d))(?![\d.])"
)
_PRODUCT = re.compile(r"(?<![\w^])(\d+) ?(?=\(|\\binom)|(?<=\d\)) ?(?=\(-?\d)")
_IMAGINARY = sympy.Symbol("i", real=True)  # as the parser reads i
_NORMALIZATION = NormalizationConfig(
    basic_latex=True, units=False, malformed_operators=True, nits=False, boxed="none"
)


@lru_cache(maxsize=1000)  # a gold answer meets every response to its problem
def read(latex: str) -> sympy.Basic:
    """Parse an answer; decimals, repeating ones too, become fractions and braces a sympy set.

    Raises:
        Exception: of many kinds, where the answer is no mathematics.
    """
    text = re.sub(r"\\(frac|binom) ?(\d) (\d)", r"\\\1{\2}{\3}", latex)
    if re.search(r"(?<![_\d])\d+ \{?\d", text):
        raise ValueError(f"two numbers side by side: {latex}")
    text = _DECIMAL.sub(_as_fraction, text)
    text = _PRODUCT.sub(r"\1\\cdot ", text)
    text = re.sub(r"\\log_ ?\{?e\}?", r"\\ln ", text)
    parsed = latex2sympy(
        normalize_latex(text, _NORMALIZATION),
        is_real=True,
        normalization_config=None,
        conversion_config=ConversionConfig(lowercase_symbols=False),
    )
    if _IMAGINARY in parsed.free_symbols:
        if isinstance(parsed, sympy.Interval):  # (i, 2) is a tuple
            parsed = sympy.Tuple(parsed.start, parsed.end)
        parsed = parsed.subs(_IMAGINARY, sympy.I)
    return sympy.FiniteSet(*parsed) if text.startswith(r"\{") and type(parsed) is List else parsed


def _as_fraction(decimal: re.Match) -> str:
    whole, once, again = decimal[1] or "0", decimal[2], decimal[3]
    value = Fraction(f"{whole}.{once or 0}")
    if again:
        value += Fraction(int(again), 10 ** len(once) * (10 ** len(again) - 1))
    if value.denominator == 1:
        return str(value)
    return rf"{{\frac{{{value.numerator}}}{{{value.denominator}}}}}"


def compare(gold: str, prediction: str) -> bool:
    """Tell whether two answers are equal; a lone percentage is itself or its hundredth."""
    g, p = read(gold.removesuffix(r"\%")), read(prediction.removesuffix(r"\%"))
    if equal(g, p):
        return True
    if gold.endswith(r"\%") == prediction.endswith(r"\%"):
        return False
    return equal(g / 100, p) if gold.endswith(r"\%") else equal(g, p / 100)


def equal(gold: sympy.Basic, prediction: sympy.Basic) -> bool:
    """Tell whether two parsed answers are equal in value and form."""
    g, p = gold, prediction
    if isinstance(p, sympy.Eq) and not isinstance(g, sympy.Eq):  # x = 5 where 5 is asked for
        if not _names_its_right_side(p):
            return False
        p = p.rhs
    elif isinstance(g, sympy.Eq) and not isinstance(p, sympy.Eq):  # 5 where x = 5 is asked for
        if not isinstance(g.lhs, sympy.Symbol | sympy.Tuple | AppliedUndef):
            return False
        g = g.rhs
    elif isinstance(g, sympy.Eq) and g.lhs == p.lhs and equal(g.rhs, p.rhs):
        return True
    if _is_number(g) and _is_number(p):
        return _same_number(g, p)
    if isinstance(g, sympy.FiniteSet | sympy.Tuple) or isinstance(p, sympy.FiniteSet | sympy.Tuple):
        return _same_elements(g, p)
    if not verify(g, p, allow_set_relation_comp=True, timeout_seconds=None):
        return False
    # math-verify compares solutions, and so takes any two equations without one for equal.
    return not isinstance(g, sympy.Eq) or bool(sympy.solve(g))


def _names_its_right_side(equation: sympy.Eq) -> bool:
    """Tell `x = 5`, `a + b = 5` and `10/2 = 5` from `2x + 3y = 5`, which is no 5."""
    left = equation.lhs
    return is_expr_of_only_symbols(left) or (_is_number(left) and equal(left, equation.rhs))


def _is_number(value: sympy.Basic) -> bool:
    return isinstance(value, sympy.Expr) and value.is_number


def _same_number(g: sympy.Expr, p: sympy.Expr) -> bool:
    a, b = sympy.N(g, DIGITS), sympy.N(p, DIGITS)
    if a in (sympy.oo, -sympy.oo):
        return a == b
    scale = max(sympy.Abs(a), sympy.Abs(b))
    if 10**-60 < scale < 10**60:
        return bool(sympy.Abs(a - b) <= scale / 10 ** (DIGITS * 4 // 5))
    # Outside, digits leave a doubt: 3^{300} and 3^{300} + 1, 0 and a difference of equal roots.
    return sympy.simplify(g - p) == 0


def _same_elements(g: sympy.Basic, p: sympy.Basic) -> bool:
    """Compare lists, sets and tuples: a list, without brackets, may stand for either other."""
    if any(isinstance(x, sympy.Interval) and not _is_ordered(x) for x in (g, p)):
        return False  # [1, 2] has more elements than its ends
    ours, theirs = _elements(g), _elements(p)
    if len(ours) != len(theirs):
        return False
    if _is_ordered(g) or _is_ordered(p):
        either = all(_is_ordered(x) or type(x) is List for x in (g, p))
        return either and all(equal(a, b) for a, b in zip(ours, theirs, strict=True))
    for a in ours:
        match = next((i for i, b in enumerate(theirs) if equal(a, b)), None)
        if match is None:
            return False
        del theirs[match]
    return True


def _is_ordered(value: sympy.Basic) -> bool:
    return isinstance(value, sympy.Tuple) or (isinstance(value, sympy.Interval) and value.is_open)


def _elements(value: sympy.Basic) -> list[sympy.Basic]:
    if isinstance(value, sympy.Interval):  # (1, 2) is read as an interval, (2, 1) as a tuple
        return [value.start, value.end]
    if type(value) is List:
        return list(value._unsorted_args)
    if isinstance(value, sympy.FiniteSet | sympy.Tuple):
        return list(value.args)
    return [] if value is sympy.EmptySet else [value]


def main() -> None:
    """Answer comparisons until standard input closes; ``argv[1]`` is the CPU limit in seconds."""
    logging.disable(logging.CRITICAL)
    limit_s = float(sys.argv[1])
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    memory = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (memory, hard))
    print(flush=True)
    for line in sys.stdin:
        # The signal's default action ends the process even inside a big-number power in C, where
        # no Python handler (and so none of math-verify's own time limits) would ever run. CPU time,
        # not wall time: the verdict must not depend on what else the machine is doing.
        gold, prediction = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, limit_s)
        equal = verdict(gold, prediction)
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps(equal), flush=True)


def verdict(gold: str, prediction: str) -> bool:
    """Compare; what cannot be compared is not equal, and is named on stderr."""
    try:
        return bool(compare(gold, prediction))
    # A hostile expression makes sympy raise anything (AttributeError, NotImplementedError and its
    # tokenizer's own errors among it). Said aloud, so that a fault of ours does not pass for many
    # wrong answers.
    except Exception as error:
        said = f"{type(error).__name__}: {error}"[:200]
        print(f"not compared: {gold[:80]!r} and {prediction[:80]!r}: {said}", file=sys.stderr)
        return False


if __name__ == "__main__":
    main()
