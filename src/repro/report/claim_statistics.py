"""The statistics of config/claims.yaml: from a test of a claim to its parts, each with an interval.

Problems and seeds both vary. A part is one table (seeds, problems) per benchmark, whose mean is the
effect; where it takes several benchmarks, each counts equally. Methods are compared on the problems
and the seeds that they share. In training logs, steps stand where problems stand.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy

from repro import methods
from repro.measure import intervals
from repro.measure.intervals import Estimate
from repro.report import claim_inputs, names
from repro.report.claim_inputs import TOKENS, Cells, Data

EACH = "each"  # benchmarks: a part for each of `names.shown`
ANY = "any"  # methods: all that have an objective.jsonl
PLAIN = "plain"  # against: the method's algorithm without RePro
METRICS = {  # of paired differences, and their units
    "accuracy": "points",
    "tokens_percent": "percent",
    "backtracking_per_1k": "per 1,000 reasoning tokens",
}
ORDERS = {"slope": 1, "curvature": 2}  # the derivative of a polynomial of that degree
SCALES = {"linear": np.asarray, "log2": np.log2}


class Part(NamedTuple):
    """One comparison of a claim; without an interval it is not tested and the remark says why."""

    name: str
    unit: str
    interval: Callable[[float], Estimate] | None = None  # of a level such as 0.95
    of: str = "problems"  # what the interval's n counts
    seeds: int = 0
    runs: tuple[str, ...] = ()
    remark: str = ""


class Statistic(NamedTuple):
    """How a statistic is computed, where it looks, and the keys that its tests have."""

    parts: Callable[[Data, dict], list[Part]]
    looks_at: str
    keys: tuple[str, ...]


def interval(tables: Sequence[np.ndarray], level: float) -> Estimate:
    """Return the mean of the benchmarks' means, with a t interval over problems and seeds.

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
    assert len({len(table) for table in tables}) == 1
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


def difference(data: Data, test: dict) -> list[Part]:
    """Mean paired difference of each method against its baseline, on each benchmark or pool."""
    return [
        _difference(data, backbone, method, test, pool)
        for backbone in claim_inputs.backbones(data)
        for method in test["methods"]
        for pool in _pools(data, test)
    ]


def difference_at_values(data: Data, test: dict) -> list[Part]:
    """The same for every value of an ablated setting."""
    parts = [
        _difference(data, backbone, method, test, pool, f"{test['setting']} = {value:g}: ")
        for backbone, values in claim_inputs.ablations(data, test["setting"])
        for method, value in values.items()
        for pool in _pools(data, test)
    ]
    return parts or [_no_ablation(test, METRICS[test["metric"]])]


def accuracy_trend(data: Data, test: dict) -> list[Part]:
    """Least-squares slope of accuracy over a setting, or its curvature: the change of the slope."""
    order = ORDERS[test["order"]]
    unit = f"points per {'doubling' if test['scale'] == 'log2' else 'unit'} of {test['setting']}"
    unit += ", change from one to the next" if test["order"] == "curvature" else ""

    def weights(values: list[float]) -> np.ndarray:
        if test["scale"] == "log2" and min(values) <= 0:
            raise ValueError(f"{test['setting']} = {min(values):g}: log2 needs values above 0")
        powers = np.vander(SCALES[test["scale"]](values), order + 1, increasing=True)
        return math.factorial(order) * np.linalg.pinv(powers)[order]

    return _accuracy_contrasts(data, test, test["order"], unit, order + 1, weights)


def accuracy_gain(data: Data, test: dict) -> list[Part]:
    """Accuracy at the largest value of a setting minus accuracy at the smallest."""

    def weights(values: list[float]) -> np.ndarray:
        return np.array([-1.0, *[0.0] * (len(values) - 2), 1.0])

    return _accuracy_contrasts(data, test, "last minus first", "points", 2, weights)


def accuracy_spread(data: Data, test: dict) -> list[Part]:
    """Largest minus smallest accuracy over the values of a setting; see `spread`."""

    def pairs(groups: list, values: list[float]):
        tables = [
            [_accuracy(group[j]) - _accuracy(group[i]) for group in groups]
            for i, j in itertools.combinations(range(len(values)), 2)
        ]
        return partial(spread, tables)

    return _over_values(data, test, "best minus worst", "points", 2, pairs)


def training_change(data: Data, test: dict) -> list[Part]:
    """Reasoning tokens in the last quarter of the steps against the first, in percent."""
    return [
        _training(data, backbone, [method], "last quarter of training vs first")
        for backbone in claim_inputs.backbones(data)
        for method in test["methods"]
    ]


def training_difference(data: Data, test: dict) -> list[Part]:
    """Reasoning tokens in the last quarter of the steps against the baseline's, in percent."""
    return [
        _training(data, backbone, [method, _baseline(method, test)], "last quarter of training")
        for backbone in claim_inputs.backbones(data)
        for method in test["methods"]
    ]


def rank_correlation(data: Data, test: dict) -> list[Part]:
    """Spearman's rank correlation of position and -J in correct responses, averaged by problem."""

    def per_problem(frame: pd.DataFrame) -> pd.Series:
        right = frame[frame["correct"] & frame["rank_correlation"].notna()]
        return right.groupby(["seed", "problem"])["rank_correlation"].mean()

    return _objective(
        data, test, "rank correlation of position and -J", "Spearman's rho", per_problem
    )


def label_difference(data: Data, test: dict) -> list[Part]:
    """Mean process reward of labelled segments minus that of the others of the same problem."""

    def per_problem(frame: pd.DataFrame) -> pd.Series:
        sums = frame.groupby(["seed", "problem"])[
            ["flagged", "flagged_reward", "others", "others_reward"]
        ].sum()
        sums = sums[(sums["flagged"] > 0) & (sums["others"] > 0)]
        flagged = sums["flagged_reward"] / sums["flagged"]
        return flagged - sums["others_reward"] / sums["others"]

    return _objective(data, test, "labelled minus other segments", "process reward", per_problem)


def _part(cells: Cells, name: str, unit: str, interval_of: Callable | None, of="problems") -> Part:
    return Part(name, unit, interval_of, of, len(cells.seeds), cells.runs, cells.remark)


def _difference(
    data: Data, backbone: str, method: str, test: dict, pool: str, prefix: str = ""
) -> Part:
    baseline, metric = _baseline(method, test), test["metric"]
    cells = claim_inputs.score_cells(data, backbone, [method, baseline], pool)
    versus = f"{methods.label(method)} vs {methods.label(baseline)}"
    name = f"{backbone}, {prefix}{versus}, {names.BENCHMARKS.get(pool, pool)}"
    if metric == "tokens_percent" and any(
        theirs["tokens"].sum() == 0 for _, theirs in cells.groups
    ):
        return Part(name, METRICS[metric], remark="the baseline has no reasoning tokens")
    tables = [_paired(ours, theirs, metric) for ours, theirs in cells.groups]
    if any(np.isnan(table).any() for table in tables):
        return Part(name, METRICS[metric], remark="the numbers of some responses are unknown")
    return _part(cells, name, METRICS[metric], partial(interval, tables) if tables else None)


def _paired(ours: dict, theirs: dict, metric: str) -> np.ndarray:
    """Return (seeds, problems) whose mean is the difference of a metric."""
    if metric == "accuracy":
        return _accuracy(ours) - _accuracy(theirs)
    if metric == "tokens_percent":
        return _relative(ours["tokens"], theirs["tokens"])
    return _backtracking(ours) - _backtracking(theirs)


def _accuracy(cell: dict) -> np.ndarray:
    return 100 * cell["accuracy"]


def _backtracking(cell: dict) -> np.ndarray:
    return 1000 * _ratio(cell["backtracking"], cell["tokens"])


def _relative(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return values whose mean is the change of the sum, in percent."""
    return 100 * (_ratio(ours, theirs) - 1)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return intervals.ratio_values(above.ravel(), below.ravel()).reshape(above.shape)


def _accuracy_contrasts(data: Data, test: dict, what: str, unit: str, least: int, weights) -> list:
    """Return parts whose effect is Σ weight x accuracy over a setting's values."""

    def contrast(groups: list, values: list[float]):
        c, tables = weights(values), []  # (methods,)
        for group in groups:
            accuracies = np.array([_accuracy(cell) for cell in group])  # (methods, S, P)
            # Weights sum to 0 up to rounding only: what all methods share must not count.
            tables.append(np.tensordot(c, accuracies - accuracies[0], 1))
        return partial(interval, tables)

    return _over_values(data, test, what, unit, least, contrast)


def _over_values(
    data: Data, test: dict, what: str, unit: str, least: int, interval_of: Callable
) -> list[Part]:
    """Return a part per ablation and pool; ``interval_of`` makes its interval from the groups."""
    parts, key = [], test["setting"]
    for backbone, by_method in claim_inputs.ablations(data, key):
        values = list(by_method.values())
        if len(set(values)) < len(values):
            raise ValueError(f"{backbone}: two methods have the same {key}: {', '.join(by_method)}")
        shown = ", ".join(f"{value:g}" for value in values)
        algorithm = methods.parse(next(iter(by_method))).algorithm
        label = methods.label(f"{algorithm}{methods.REPRO}")
        for pool in _pools(data, test):
            title = names.BENCHMARKS.get(pool, pool)
            name = f"{backbone}, {label}, {key} = {shown}, {title}: {what}"
            if len(values) < least:
                parts.append(Part(name, unit, remark=f"needs {least} values of {key} or more"))
                continue
            cells = claim_inputs.score_cells(data, backbone, list(by_method), pool)
            made = interval_of(cells.groups, values) if cells.groups else None
            parts.append(_part(cells, name, unit, made))
    return parts or [_no_ablation(test, unit)]


def _no_ablation(test: dict, unit: str) -> Part:
    method = f"ALGORITHM{methods.REPRO}~{test['setting']}=VALUE"
    return Part(f"ablation of {test['setting']}", unit, remark=f"no run of a method {method}")


def _training(data: Data, backbone: str, chosen: list[str], what: str) -> Part:
    """Compare a method's last quarter with its first, or with the baseline's last."""
    cells = claim_inputs.training_cells(data, backbone, chosen)
    name = f"{backbone}, {' vs '.join(map(methods.label, chosen))}, {what}"
    if not cells.groups:
        return _part(cells, name, "percent", None, "steps")
    logs = [log[TOKENS] for log in cells.groups[0]]  # (seeds, steps) each
    quarter = max(1, logs[0].shape[1] // 4)
    theirs = logs[1][:, -quarter:] if len(logs) > 1 else logs[0][:, :quarter]
    if theirs.sum() == 0:
        return Part(name, "percent", of="steps", remark="nothing to compare with: no tokens")
    table = _relative(logs[0][:, -quarter:], theirs)
    return _part(cells, name, "percent", partial(interval, [table]), "steps")


def _objective(data: Data, test: dict, what: str, unit: str, per_problem: Callable) -> list[Part]:
    """Return a part per backbone and method with an objective.jsonl, or per chosen method."""
    if test["methods"] == ANY:
        if data.objective.empty:
            return [Part(what, unit, remark="no run has an objective.jsonl")]
        pairs = data.objective[["backbone", "method"]].drop_duplicates().to_numpy().tolist()
    else:
        pairs = itertools.product(claim_inputs.backbones(data), test["methods"])
    parts = []
    for backbone, method in pairs:
        cells = claim_inputs.objective_cells(data, backbone, method, per_problem)
        tables = [group[0]["value"] for group in cells.groups]
        name = f"{backbone}, {methods.label(method)}: {what}"
        parts.append(_part(cells, name, unit, partial(interval, tables) if tables else None))
    return parts


def _baseline(method: str, test: dict) -> str:
    return methods.plain_algorithm(method) if test["against"] == PLAIN else test["against"]


def _pools(data: Data, test: dict) -> list[str]:
    scored = set(data.scores["benchmark"])
    return names.shown(scored) if test["benchmarks"] == EACH else test["benchmarks"]


STATISTICS = {
    "difference": Statistic(difference, "scores", ("methods", "against", "metric", "benchmarks")),
    "difference_at_values": Statistic(
        difference_at_values, "scores", ("setting", "against", "metric", "benchmarks")
    ),
    "accuracy_trend": Statistic(
        accuracy_trend, "scores", ("setting", "order", "scale", "benchmarks")
    ),
    "accuracy_gain": Statistic(accuracy_gain, "scores", ("setting", "benchmarks")),
    "accuracy_spread": Statistic(accuracy_spread, "scores", ("setting", "benchmarks")),
    "training_change": Statistic(training_change, "training logs", ("methods",)),
    "training_difference": Statistic(training_difference, "training logs", ("methods", "against")),
    "rank_correlation": Statistic(rank_correlation, "objective", ("methods",)),
    "label_difference": Statistic(label_difference, "objective", ("methods",)),
}
