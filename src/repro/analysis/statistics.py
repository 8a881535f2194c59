"""Estimates with their uncertainty over problems: the problem is the unit, never the sample.

Every function takes one number per problem. Several samples of a problem are averaged first
(avg@n), several seeds of a method too: they share the problem and are not independent of it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats


class Estimate(NamedTuple):
    """A mean over problems: its standard error, its interval, and the number of problems.

    ``se``, ``low`` and ``high`` are NaN where a single problem leaves them undefined.
    """

    mean: float
    se: float
    low: float
    high: float
    n: int


def avg_at_n(correct: Sequence[Sequence[float]]) -> np.ndarray:
    """Return avg@n of each problem: the share of its n samples that are correct.

    Args:
        correct: (problems, n) verdicts, 0 or 1; n may differ between problems.

    Returns:
        (problems,) values in [0, 1].
    """
    if any(len(samples) == 0 for samples in correct):
        raise ValueError("avg@n: a problem has no samples")
    return np.array([float(np.mean(samples)) for samples in correct])


def estimate(values: Sequence[float], level: float = 0.95) -> Estimate:
    """Return mean, standard error and t interval over problems.

    mean = Σ x_i / N,  SE = sd / √N  with sd² = Σ (x_i - mean)² / (N - 1),
    interval = mean ± t_{N-1, (1+level)/2} · SE.

    Args:
        values: (N,) one number per problem, for instance avg@n.
        level: coverage of the interval.
    """
    x = np.asarray(values, dtype=float)  # (N,)
    if x.ndim != 1 or x.size == 0:
        raise ValueError(f"estimate: expected one number per problem, got shape {x.shape}")
    mean = float(x.mean())
    if x.size == 1:
        return Estimate(mean, np.nan, np.nan, np.nan, 1)
    se = float(x.std(ddof=1) / np.sqrt(x.size))
    return _with_interval(mean, se, x.size - 1, x.size, level)


def paired_difference(
    ours: Sequence[float], theirs: Sequence[float], level: float = 0.95
) -> Estimate:
    """Return the mean difference ``ours - theirs`` over the same problems.

    d_i = ours_i - theirs_i;  mean, SE and t interval of d as in `estimate`. Pairing removes the
    spread of difficulty between problems, which both methods share.

    Args:
        ours: (N,) values of one method.
        theirs: (N,) values of the other, in the same order of problems.
        level: coverage of the interval.
    """
    a, b = _same_length(ours, theirs)
    return estimate(a - b, level)


def ratio_values(numerators: Sequence[float], denominators: Sequence[float]) -> np.ndarray:
    """Return per-problem values whose mean is the ratio of totals R = Σ b_i / Σ t_i.

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


def relative_change(
    ours: Sequence[float], theirs: Sequence[float], level: float = 0.95
) -> Estimate:
    """Return 100 · (Σ ours / Σ theirs - 1) in percent, with the interval over problems.

    Uses the linearised ratio of `ratio_values`. NaN throughout where ``theirs`` sums to 0.
    """
    a, b = _same_length(ours, theirs)
    if b.sum() == 0:
        return Estimate(np.nan, np.nan, np.nan, np.nan, a.size)
    return estimate(100 * (ratio_values(a, b) - 1), level)


def mean_over_benchmarks(estimates: Sequence[Estimate], level: float = 0.95) -> Estimate:
    """Pool benchmarks with equal weight, whatever their numbers of problems.

    mean = Σ_b mean_b / B,  SE = √(Σ_b SE_b²) / B  (benchmarks are fixed, problems are drawn), with
    Welch-Satterthwaite degrees of freedom  (Σ SE_b²)² / Σ (SE_b⁴ / (N_b - 1)).
    """
    if not estimates:
        raise ValueError("mean_over_benchmarks: no benchmark given")
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
    return _with_interval(mean, se, freedom, n, level)


def _with_interval(mean: float, se: float, freedom: float, n: int, level: float) -> Estimate:
    half = float(stats.t.ppf((1 + level) / 2, freedom)) * se
    return Estimate(mean, se, mean - half, mean + half, n)


def _same_length(a: Sequence[float], b: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError(f"values of different problems: {a.size} against {b.size}")
    return a, b
