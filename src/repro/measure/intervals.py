"""Estimates with their uncertainty over problems: the problem is the unit, never the sample.

Most functions take one number per problem. Several samples of a problem are averaged first
(avg@n), several seeds of a method too: they share the problem and are not independent of it.
This is the standard error clustered by problem (Miller, arXiv 2411.00640).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy

from repro.measure.behaviours import BEHAVIOURS

MATH_VERIFY = "math_verify"  # the field of score files with the verdicts of plain math-verify
UPPER = 0.975  # the quantile at the upper end of every interval, which covers 95 %


class Estimate(NamedTuple):
    """A statistic over problems; `se`, `low` and `high` are NaN where there is one problem."""

    mean: float  # the value, whichever statistic it is
    se: float
    low: float
    high: float
    n: int  # problems


def pass_at_k(correct: Sequence[Sequence[float]], k: int) -> np.ndarray:
    """Return the unbiased pass@k of each problem, that k of its n samples hold a correct one.

    1 - C(n - c, k) / C(n, k)  for c correct of n, as the stable product
    1 - prod_{i = n-c+1}^{n} (1 - k / i)   (Chen et al., arXiv 2107.03374, section 2.1).

    `correct` are (problems, n) verdicts, 0 or 1; n may differ between problems; k is at most n.
    """
    smallest = min(map(len, correct), default=0)
    if not 1 <= k <= smallest:
        raise ValueError(f"pass@k: k = {k} for {smallest} samples of a problem")
    values = []
    for samples in correct:
        n, c = len(samples), round(sum(samples))
        terms = 1 - k / np.arange(n - c + 1, n + 1)
        values.append(1.0 if n - c < k else 1 - float(np.prod(terms)))
    return np.array(values)


def estimate(values: Sequence[float]) -> Estimate:
    """Return mean, standard error and t interval over problems.

    mean = Σ x_i / N,  SE = sd / √N  with sd² = Σ (x_i - mean)² / (N - 1),
    interval = mean ± t_{N-1, 0.975} · SE.

    Args:
        values: (N,) one number per problem, for instance avg@n.
    """
    x = np.asarray(values, dtype=float)  # (N,)
    if x.ndim != 1 or x.size == 0:
        raise ValueError(f"estimate: expected one number per problem, got shape {x.shape}")
    mean = float(x.mean())
    if x.size == 1:
        return Estimate(mean, np.nan, np.nan, np.nan, 1)
    se = float(x.std(ddof=1) / np.sqrt(x.size))
    return _with_interval(mean, se, x.size - 1, x.size)


def within_unit(found: Estimate) -> Estimate:
    """Replace the t interval of a mean of shares in [0, 1] by one that stays in [0, 1].

    It is Wilson's for p = mean and the effective sample size m = p (1 - p) / SE², with the t
    quantile of N - 1 for z (compared with others by Franco et al., Journal of Survey Statistics and
    Methodology 7, 2019):  (p + z²/2m ± z √(p (1 - p)/m + z²/4m²)) / (1 + z²/m).
    Where no problem differs from the others, m is N: all 0 or all 1 leaves a doubt of about 4/N.
    """
    if found.n == 1:
        return found
    p = min(max(found.mean, 0.0), 1.0)  # a mean of ones may exceed 1 by rounding
    varies = found.se > 0 and 0 < p < 1
    m = p * (1 - p) / found.se**2 if varies else found.n
    z = float(scipy.stats.t.ppf(UPPER, found.n - 1))
    middle = (p + z**2 / (2 * m)) / (1 + z**2 / m)
    half = z * math.sqrt(p * (1 - p) / m + z**2 / (4 * m**2)) / (1 + z**2 / m)
    return found._replace(low=max(0.0, middle - half), high=min(1.0, middle + half))


def run_standard_error(samples: Sequence[Sequence[float]]) -> float:
    """Return the standard error of avg@n from run to run: sampling noise on fixed problems.

    √(Σ_i s_i² / n_i) / N  with s_i² the variance of problem i's samples (divided by n_i - 1), NaN
    where it has a single one; the problems are the same in every run and add nothing (the
    conditional variance of Miller, arXiv 2411.00640). For AIME's 30 problems and n = 16 it is
    typically 1.7 points, against 5.9 over problems.
    """
    if min(map(len, samples)) == 1:
        return math.nan
    return math.sqrt(sum(np.var(x, ddof=1) / len(x) for x in samples)) / len(samples)


def paired_difference(ours: Sequence[float], theirs: Sequence[float]) -> Estimate:
    """Return the mean difference `ours` - `theirs` over the same N problems, as `estimate` does.

    Pairing removes the spread of difficulty between problems, which both methods share.
    """
    a, b = _same_length(ours, theirs)
    return estimate(a - b)


def ratio_values(numerators: Sequence[float], denominators: Sequence[float]) -> np.ndarray:
    """Return per-problem values, (N,), whose mean is the ratio of totals R = Σ b_i / Σ t_i.

    z_i = R + (b_i - R·t_i) / mean(t)   (linearisation of a ratio; Cochran, Sampling Techniques,
    1977, section 6.3). Their mean is R exactly and their spread gives R's standard error, so that
    rates (backtracking per 1,000 tokens) and relative changes (tokens against tokens) go through
    `estimate` and `paired_difference` like anything else.

    Args:
        numerators: (N,) b_i, one per problem.
        denominators: (N,) t_i; where all are 0 the result is zeros.
    """
    b, t = _same_length(numerators, denominators)
    total = t.sum()
    if total == 0:
        return np.zeros_like(b)
    ratio = b.sum() / total
    return ratio + (b - ratio * t) / t.mean()


def relative_change(ours: Sequence[float], theirs: Sequence[float]) -> Estimate:
    """Return 100 · (Σ ours / Σ theirs - 1) in percent, with the interval over problems.

    Uses the linearised ratio of `ratio_values`. NaN throughout where ``theirs`` sums to 0.
    """
    if np.sum(theirs) == 0:
        return Estimate(np.nan, np.nan, np.nan, np.nan, len(theirs))
    return estimate(100 * (ratio_values(ours, theirs) - 1))


def mean_over_benchmarks(estimates: Sequence[Estimate]) -> Estimate:
    """Pool benchmarks, at least one, with equal weight, whatever their numbers of problems.

    mean = Σ_b mean_b / B,  SE = √(Σ_b SE_b²) / B  (benchmarks are fixed, problems are drawn), with
    Welch-Satterthwaite degrees of freedom  (Σ SE_b²)² / Σ (SE_b⁴ / (N_b - 1)).
    """
    if len(estimates) == 1:
        return estimates[0]
    mean = float(np.mean([e.mean for e in estimates]))
    n = sum(e.n for e in estimates)
    variances = np.array([e.se**2 for e in estimates])  # (B,)
    se = float(np.sqrt(variances.sum()) / len(estimates))
    if not se > 0:  # 0: nothing varies; NaN: a benchmark of a single problem
        return Estimate(mean, se, mean - se, mean + se, n)
    freedom = variances.sum() ** 2 / sum(
        v**2 / (e.n - 1) for v, e in zip(variances, estimates, strict=True)
    )
    return _with_interval(mean, se, freedom, n)


def median(samples: Sequence[Sequence[float]], resamples: int = 2000, seed: int = 0) -> Estimate:
    """Return the median over all responses, with a percentile bootstrap interval over problems.

    A drawn problem brings all its responses (Davison and Hinkley, Bootstrap Methods, 1997, 3.8);
    `se` is the resamples' sd. The interval has width 0 where no resample changes the median.
    `samples` are (N, n) numbers, such as reasoning tokens; n may differ between problems.
    """
    value, n = float(np.median(np.concatenate(samples))), len(samples)
    if n == 1:
        return Estimate(value, np.nan, np.nan, np.nan, n)
    drawn = np.random.default_rng(seed).integers(n, size=(resamples, n))  # of the problems
    medians = [np.median(np.concatenate([samples[i] for i in problems])) for problems in drawn]
    if np.ptp(medians) == 0:  # their sd would be of rounding
        return Estimate(value, 0.0, value, value, n)
    low, high = scipy.stats.quantile(np.array(medians), [1 - UPPER, UPPER])
    return Estimate(value, float(np.std(medians, ddof=1)), float(low), float(high), n)


def summary(problems: Sequence[dict]) -> dict[str, dict | None]:
    """Return the statistics of one score file, ready for JSON.

    Args:
        problems: a score file's ``problems``: each has the lists correct (0 or 1), tokens
            (reasoning tokens; None where unknown), truncated (0 or 1), and segments by behaviour,
            over its samples.

    Returns:
        name -> {"value", "se", "low", "high", "n"}; docs/metrics.md explains each. A number is None
        where a single problem or sample leaves it undefined, all of a statistic is None where
        nothing has it (no wrong response, unknown tokens). Problems count equally, but in
        tokens_median responses do.
    """
    if not problems:
        raise ValueError("summary: no problems")
    correct = [problem["correct"] for problem in problems]
    run_se = run_standard_error(correct)
    found = {
        "accuracy": within_unit(estimate([np.mean(verdicts) for verdicts in correct])),
        "accuracy_run_se": Estimate(run_se, np.nan, np.nan, np.nan, len(problems)),
    }
    for power in range(min(map(len, correct)).bit_length()):
        found[f"pass_at_{2**power}"] = within_unit(estimate(pass_at_k(correct, 2**power)))
    truncated = [np.mean(problem["truncated"]) for problem in problems]
    found["truncation"] = within_unit(estimate(truncated))
    backtracking = [np.asarray(problem["backtracking"]) for problem in problems]
    backtracks = [np.mean(segments > 0) for segments in backtracking]
    found["backtracking_responses"] = within_unit(estimate(backtracks))
    marked = [sum(sum(problem[kind]) for kind in BEHAVIOURS) for problem in problems]
    of_marked = _ratio([x.sum() for x in backtracking], marked)
    found["backtracking_of_marked"] = of_marked and within_unit(of_marked)
    tokens = [np.asarray(problem["tokens"], dtype=float) for problem in problems]  # None: NaN
    known = not np.isnan(np.concatenate(tokens)).any()
    found["tokens_mean"] = estimate([x.mean() for x in tokens]) if known else None
    found["tokens_median"] = median(tokens) if known else None
    for suffix, verdicts in (("", (0, 1)), ("_correct", (1,)), ("_wrong", (0,))):
        chosen = [np.isin(x, verdicts) for x in correct]
        b = [1000 * x[keep].sum() for x, keep in zip(backtracking, chosen, strict=True)]
        t = [x[keep].sum() for x, keep in zip(tokens, chosen, strict=True)]
        found[f"backtracking_per_1k{suffix}"] = _ratio(b, t) if known else None
    return {name: result and _json_ready(result) for name, result in found.items()}


def _ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Estimate | None:
    """Estimate Σ b / Σ t over the problems with t > 0; None where there is none."""
    b, t = _same_length(numerators, denominators)
    return estimate(ratio_values(b[t > 0], t[t > 0])) if (t > 0).any() else None


def _json_ready(found: Estimate) -> dict[str, float | int | None]:
    numbers = [None if math.isnan(x) else float(x) for x in found[:4]]
    return dict(zip(("value", "se", "low", "high"), numbers, strict=True), n=found.n)


def _with_interval(mean: float, se: float, freedom: float, n: int) -> Estimate:
    half = float(scipy.stats.t.ppf(UPPER, freedom)) * se
    return Estimate(mean, se, mean - half, mean + half, n)


def _same_length(first: Sequence[float], second: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if a.shape != b.shape:
        raise ValueError(f"values of different problems: {a.size} against {b.size}")
    return a, b
