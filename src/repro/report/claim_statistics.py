"""The statistics of the claims: from tables of numbers to effects with intervals.

A table is (S, P): the seeds of a method, and the problems of a benchmark or, in training logs, the
steps. Its mean is the effect; where there are several tables, one per benchmark, each counts
equally. Ablations have tables (M, S, P), with one method for each of the M values of a setting.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import scipy

from repro.measure import intervals
from repro.measure.intervals import Estimate


def interval(tables: Sequence[np.ndarray], level: float) -> Estimate:
    """Return the mean of the tables' means, with a t interval over problems and seeds.

    SE² = Σ_b (sd_b² / P_b) / B² + sd_seeds² / S, with sd_b over the P_b problems (seeds averaged)
    and sd_seeds over the S seeds (problems and benchmarks averaged); degrees of freedom after Welch
    and Satterthwaite. With one seed the second term is missing, and the interval says nothing about
    other seeds. The noise of single responses is in both terms: where seeds hardly differ, the
    interval is somewhat wide. Seeds are not resampled (bootstrap): of two or three, that misses a
    half or a third of their variance.

    Args:
        tables: (S, P_b), one per benchmark, the same seeds in each; NaN where a seed has no value.
        level: coverage of the interval.

    Returns:
        n is the number of problems. The interval is NaN where a benchmark has a single problem.
    """
    per_problem = [np.nanmean(table, axis=0) for table in tables]  # (P_b,) each
    per_seed = np.mean([np.nanmean(table, axis=1) for table in tables], axis=0)  # (S,)
    n = sum(x.size for x in per_problem)
    mean = float(np.mean([x.mean() for x in per_problem]))
    if min(x.size for x in per_problem) < 2:
        return Estimate(mean, np.nan, np.nan, np.nan, n)
    terms = [(x.var(ddof=1) / x.size / len(tables) ** 2, x.size - 1) for x in per_problem]
    if per_seed.size > 1:
        terms.append((per_seed.var(ddof=1) / per_seed.size, per_seed.size - 1))
    variance = sum(v for v, _ in terms)
    if variance == 0:
        return Estimate(mean, 0.0, mean, mean, n)
    freedom = variance**2 / sum(v**2 / df for v, df in terms)
    half = float(scipy.stats.t.ppf((1 + level) / 2, freedom)) * math.sqrt(variance)
    return Estimate(mean, math.sqrt(variance), mean - half, mean + half, n)


def spread(pairs: Sequence[Sequence[np.ndarray]], level: float) -> Estimate:
    """Return the largest minus the smallest of several means, for a claim that they are equal.

    The upper end is the furthest end of all pairs' intervals. Below a margin, it says that every
    pair passes two one-sided tests (TOST) of equivalence; all must pass, so that their number needs
    no correction. The lower end is the nearest end of the pair furthest apart, at a level corrected
    for the number of pairs (Bonferroni): one pair beyond the margin refutes.

    Args:
        pairs: the differences of each pair, as for `interval`.
        level: coverage of the interval.
    """
    plain = [interval(tables, level) for tables in pairs]
    strict = [interval(tables, 1 - (1 - level) / len(pairs)) for tables in pairs]
    high = np.max([(e.high, -e.low) for e in plain]) + 0.0  # NaN stays NaN, -0 becomes 0
    low = np.max([(0.0, e.low, -e.high) for e in strict])
    effect = max(abs(e.mean) for e in plain)
    return Estimate(effect, np.nan, float(low), float(high), plain[0].n)


def slope(values: Sequence[float], tables: Sequence[np.ndarray], level: float) -> Estimate:
    """Return the least-squares slope over the values, which ascend, (M,)."""
    return _contrast(_derivative(values, 1), tables, level)


def curvature(values: Sequence[float], tables: Sequence[np.ndarray], level: float) -> Estimate:
    """Return how the slope over doublings of the values changes from one to the next."""
    return _contrast(_derivative(np.log2(values), 2), tables, level)


def gain(values: Sequence[float], tables: Sequence[np.ndarray], level: float) -> Estimate:
    """Return the mean at the last value minus that at the first."""
    return _contrast(np.array([-1.0, *[0.0] * (len(values) - 2), 1.0]), tables, level)


def stability(values: Sequence[float], tables: Sequence[np.ndarray], level: float) -> Estimate:
    """Return the `spread` of the means at all values."""
    pairs = itertools.combinations(range(len(values)), 2)
    return spread([[table[j] - table[i] for table in tables] for i, j in pairs], level)


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return a table whose mean is the ratio of the sums of two tables."""
    return intervals.ratio_values(above.ravel(), below.ravel()).reshape(above.shape)


def _derivative(positions: Sequence[float], order: int) -> np.ndarray:
    """Return weights (M,) of means, for the derivative of the polynomial of that order."""
    powers = np.vander(positions, order + 1, increasing=True)
    return math.factorial(order) * np.linalg.pinv(powers)[order]


def _contrast(weights: np.ndarray, tables: Sequence[np.ndarray], level: float) -> Estimate:
    # Weights sum to 0 up to rounding only: what all methods share must not count.
    return interval([np.tensordot(weights, table - table[0], 1) for table in tables], level)
