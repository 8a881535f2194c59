"""Estimates with their uncertainty over problems: the problem is the unit, never the sample.

Several samples of a problem are averaged first (avg@n), which gives the standard error clustered by
problem (Miller, arXiv 2411.00640). `interval` covers the spread of seeds as well.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy

from repro.measure.behaviours import BEHAVIOURS

MATH_VERIFY = "math_verify"  # the field of score files with the verdicts of plain math-verify
LEVEL = 0.95  # what intervals cover


class Estimate(NamedTuple):
    """A statistic over problems; `se`, `low` and `high` are NaN where there is one problem."""

    mean: float  # the value, whichever statistic it is
    se: float = math.nan
    low: float = math.nan
    high: float = math.nan
    n: int = 0  # problems
    freedom: float = math.nan  # degrees of freedom of a t interval


class Spread(NamedTuple):
    """The variance of one seed's mean from seed to seed, and its degrees of freedom."""

    variance: float
    freedom: float


def estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of (N,) numbers, one per problem, with SE sd / √N and a t interval."""
    return interval([np.reshape(values, (1, -1))])


def seed_means(tables: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean of each seed, (S,), over problems and then over tables, (S, P_b) each."""
    return np.mean([table.mean(axis=1) for table in tables], axis=0)


def interval(
    tables: Sequence[np.ndarray], level: float = LEVEL, spread: Spread | None = None
) -> Estimate:
    """Return the mean of the tables' means, with a t interval over problems and seeds.

    SE² = Σ_b (sd_b² / P_b) / B² + sd_seeds² / S, with sd_b over the P_b problems (seeds averaged)
    and sd_seeds over the S seeds (problems and benchmarks averaged); degrees of freedom after Welch
    and Satterthwaite. Benchmarks are fixed and count equally, problems and seeds are drawn; the
    noise of single responses is in both terms.

    `tables` are (S, P_b), one per benchmark, the same seeds in each. ``spread`` takes the place of
    sd_seeds². With one seed and no spread the second term is missing, and nothing is said about
    other seeds; of one problem the first term is missing. With neither, and of NaN, all is NaN.
    """
    per_problem = [table.mean(axis=0) for table in tables]  # (P_b,) each
    per_seed = seed_means(tables)
    n = sum(x.size for x in per_problem)
    mean = float(np.mean([x.mean() for x in per_problem]))
    if spread is None and per_seed.size > 1:
        spread = Spread(per_seed.var(ddof=1), per_seed.size - 1)
    drawn = [x for x in per_problem if x.size > 1]
    if spread is None and len(drawn) < len(per_problem):
        return Estimate(mean, n=n)
    terms = [(x.var(ddof=1) / x.size / len(tables) ** 2, x.size - 1) for x in drawn]
    terms += [(spread.variance / per_seed.size, spread.freedom)] if spread else []
    variance = sum(v for v, _ in terms)
    if variance == 0:
        return Estimate(mean, 0.0, mean, mean, n)
    freedom = float(variance**2 / sum(v**2 / df for v, df in terms))
    # That of t, as in scipy.stats, which takes a second to import.
    half = float(scipy.special.stdtrit(freedom, (1 + level) / 2)) * math.sqrt(variance)
    return Estimate(mean, math.sqrt(variance), mean - half, mean + half, n, freedom)


def p_value(found: Estimate) -> float:
    """Return the two-sided p of a t test that the mean is 0; NaN without an interval."""
    if found.se == 0:
        return float(found.mean == 0)
    return float(2 * scipy.special.stdtr(found.freedom, -abs(found.mean) / found.se))


def within_unit(found: Estimate) -> Estimate:
    """Replace the t interval of a mean of shares in [0, 1] by one that stays in [0, 1].

    (p + z²/2m ± z √(p (1 - p)/m + z²/4m²)) / (1 + z²/m)  is Wilson's for p = mean, the effective
    sample size m = p (1 - p) / SE² (N where no problem differs from the others) and for z the t
    quantile of N - 1 (Franco et al., Journal of Survey Statistics and Methodology 7, 2019).
    """
    if found.n == 1:
        return found
    p = min(max(found.mean, 0.0), 1.0)  # a mean of ones may exceed 1 by rounding
    varies = found.se > 0 and 0 < p < 1
    m = p * (1 - p) / found.se**2 if varies else found.n
    z = float(scipy.special.stdtrit(found.n - 1, (1 + LEVEL) / 2))
    middle = (p + z**2 / (2 * m)) / (1 + z**2 / m)
    half = z * math.sqrt(p * (1 - p) / m + z**2 / (4 * m**2)) / (1 + z**2 / m)
    return found._replace(low=max(0.0, middle - half), high=min(1.0, middle + half))


def run_standard_error(samples: Sequence[Sequence[float]]) -> float:
    """Return the standard error of avg@n from run to run: sampling noise on fixed problems.

    √(Σ_i s_i² / n_i) / N  with s_i² the variance of problem i's samples (divided by n_i - 1), NaN
    where it has a single one (the conditional variance of Miller, arXiv 2411.00640).
    """
    if min(map(len, samples)) == 1:
        return math.nan
    return math.sqrt(sum(np.var(x, ddof=1) / len(x) for x in samples)) / len(samples)


def ratio_values(numerators: np.ndarray, denominators: np.ndarray) -> np.ndarray:
    """Return values of the same shape whose mean is the ratio of totals R = Σ b_i / Σ t_i.

    z_i = R + (b_i - R·t_i) / mean(t)   (linearisation of a ratio; Cochran, Sampling Techniques,
    1977, section 6.3). Their spread gives R's standard error. Zeros where all denominators are 0.
    """
    b, t = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    if t.sum() == 0:
        return np.zeros_like(b)
    ratio = b.sum() / t.sum()
    return ratio + (b - ratio * t) / t.mean()


def summary(problems: Sequence[dict]) -> dict[str, dict | None]:
    """Return name -> {"value", "se", "low", "high", "n"} of one score file; see docs/metrics.md.

    Its ``problems`` have the lists correct, tokens (None: unknown), truncated, and segments by
    behaviour, over their samples. A number is None where a single problem or sample leaves it
    undefined, all of a statistic where nothing has it (no wrong response, unknown tokens).
    """
    if not problems:
        raise ValueError("summary: no problems")
    correct = [problem["correct"] for problem in problems]
    found = {
        "accuracy": within_unit(estimate([np.mean(verdicts) for verdicts in correct])),
        "accuracy_run_se": Estimate(run_standard_error(correct), n=len(problems)),
    }
    truncated = estimate([np.mean(problem["truncated"]) for problem in problems])
    found["truncation"] = within_unit(truncated)
    backtracking = [np.asarray(problem["backtracking"]) for problem in problems]
    backtracks = estimate([np.mean(segments > 0) for segments in backtracking])
    found["backtracking_responses"] = within_unit(backtracks)
    marked = [sum(sum(problem[kind]) for kind in BEHAVIOURS) for problem in problems]
    of_marked = _ratio([x.sum() for x in backtracking], marked)
    found["backtracking_of_marked"] = of_marked and within_unit(of_marked)
    tokens = [np.asarray(problem["tokens"], dtype=float) for problem in problems]  # None: NaN
    known = not np.isnan(np.concatenate(tokens)).any()
    found["tokens_mean"] = estimate([x.mean() for x in tokens]) if known else None
    middle = float(np.median(np.concatenate(tokens)))  # over responses
    found["tokens_median"] = Estimate(middle, n=len(tokens)) if known else None
    for suffix, verdicts in (("", (0, 1)), ("_correct", (1,)), ("_wrong", (0,))):
        chosen = [np.isin(x, verdicts) for x in correct]
        b = [1000 * x[keep].sum() for x, keep in zip(backtracking, chosen, strict=True)]
        t = [x[keep].sum() for x, keep in zip(tokens, chosen, strict=True)]
        found[f"backtracking_per_1k{suffix}"] = _ratio(b, t) if known else None
    return {name: result and _json_ready(result) for name, result in found.items()}


def _ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Estimate | None:
    """Estimate Σ b / Σ t over the problems with t > 0; None where there is none."""
    b, t = np.asarray(numerators), np.asarray(denominators)
    return estimate(ratio_values(b[t > 0], t[t > 0])) if (t > 0).any() else None


def _json_ready(found: Estimate) -> dict[str, float | int | None]:
    numbers = [None if math.isnan(x) else float(x) for x in found[:4]]
    return dict(zip(("value", "se", "low", "high"), numbers, strict=True), n=found.n)
