"""From per-problem results to what tables and figures show: summaries and paired effects.

Both cover a `Grid`: every method of it has a row for every benchmark of it and for the `POOLS`.
Where the scores are not there the row has no numbers, and n = 0. A pool counts its benchmarks
equally and needs all of them, so that methods are never compared over different ones.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from repro import methods
from repro.measure import intervals
from repro.measure.intervals import Estimate
from repro.report import names

# Pooled "benchmarks": in-domain, out-of-domain, all. Each counts its benchmarks equally.
POOLS = {**names.DOMAINS, "all": tuple(names.BENCHMARKS)}
_MISSING = Estimate(np.nan, np.nan, np.nan, np.nan, 0)
_EFFECT_COLUMNS = [
    *("backbone", "method", "baseline", "benchmark", "metric"),
    *("difference", "low", "high", "n", "seeds"),
]


class Effect(NamedTuple):
    """How an effect is called and rounded in tables."""

    title: str
    digits: int


METRICS = ("accuracy", "tokens", "backtracking_per_1k")  # in percent; reasoning tokens; segments
EFFECTS = {
    "accuracy": Effect("Accuracy (points)", 1),
    "tokens_percent": Effect("Reasoning tokens (%)", 1),  # percent of the baseline's
    "backtracking_per_1k": Effect("Backtracking per 1k tokens", 2),  # reasoning tokens
}


class Grid(NamedTuple):
    """What is to be compared, in order."""

    methods: list[tuple[str, str]]  # backbone and method
    benchmarks: list[str]


def grid_of(problems: pd.DataFrame) -> Grid:
    """Return the methods and benchmarks that have scores.

    Args:
        problems: the frame of `collect.problems`.
    """
    pairs = problems[["backbone", "method"]].drop_duplicates().itertuples(index=False, name=None)
    scored = set(problems["benchmark"])
    return Grid(list(pairs), [name for name in names.BENCHMARKS if name in scored])


def summarise(problems: pd.DataFrame, grid: Grid | None = None) -> pd.DataFrame:
    """Return the mean of every metric, per backbone, method and benchmark and over `POOLS`.

    Args:
        problems: the frame of `collect.problems`.
        grid: which rows to return; by default those that have scores.

    Returns:
        One row each, with columns backbone, method, benchmark, metric, mean, se, low, high
        (95 %), n (problems) and seeds. Accuracy is in percent. Seeds are averaged per problem.

    Raises:
        ValueError: the seeds of a method were scored on different problems.
    """
    grid = grid or grid_of(problems)
    cells = _by_cell(problems)
    rows = []
    for backbone, method in grid.methods:
        found = {}
        for benchmark in grid.benchmarks:
            frame = cells.get((backbone, method, benchmark))
            if frame is not None:
                found[benchmark] = ([_averaged(frame)], frame["seed"].nunique())
        keys = {"backbone": backbone, "method": method}
        rows += _rows(keys, found, METRICS, _mean, grid)
    return pd.DataFrame(rows)


def effects(problems: pd.DataFrame, grid: Grid | None = None) -> pd.DataFrame:
    """Return paired differences by problem, with 95 % intervals, in each metric of `EFFECTS`.

    Every trained method is compared with `original`, and every method with RePro with its plain
    algorithm, where the backbone has both; on the seeds that both have.

    Args:
        problems: the frame of `collect.problems`.
        grid: which rows to return; by default those that have scores.

    Returns:
        Columns backbone, method, baseline, benchmark (or one of `POOLS`), metric, difference,
        low, high, n (problems), seeds. Empty, with these columns, where no pair exists.

    Raises:
        ValueError: the methods, or the seeds of a method, were scored on different problems.
    """
    grid = grid or grid_of(problems)
    cells = _by_cell(problems)
    rows = []
    for backbone, method, baseline in _pairs(grid):
        found = {}
        for benchmark in grid.benchmarks:
            both = [cells.get((backbone, name, benchmark)) for name in (method, baseline)]
            if any(frame is None for frame in both):
                continue
            shared = set.intersection(*(set(frame["seed"]) for frame in both))
            if shared:
                frames = [_averaged(frame[frame["seed"].isin(shared)]) for frame in both]
                ours, theirs = (frame.index for frame in frames)
                if not ours.equals(theirs):
                    raise ValueError(
                        f"{backbone}, {benchmark}: {method} and {baseline} were scored on "
                        f"different problems ({len(ours)} and {len(theirs)}, "
                        f"{len(ours.intersection(theirs))} shared)"
                    )
                found[benchmark] = (frames, len(shared))
        keys = {"backbone": backbone, "method": method, "baseline": baseline}
        rows += _rows(keys, found, EFFECTS, _difference, grid)
    frame = pd.DataFrame(rows).rename(columns={"mean": "difference"})
    return frame.reindex(columns=_EFFECT_COLUMNS)


def _pairs(grid: Grid) -> Iterator[tuple[str, str, str]]:
    """Yield backbone, method and baseline of every comparison."""
    for backbone, method in grid.methods:
        for baseline in (methods.ORIGINAL, methods.plain_algorithm(method)):
            if method != methods.ORIGINAL and (backbone, baseline) in grid.methods:
                yield backbone, method, baseline


def _rows(
    keys: dict[str, str],
    found: dict[str, tuple[list[pd.DataFrame], int]],
    metrics: Iterable[str],
    estimate: Callable[..., Estimate],
    grid: Grid,
) -> Iterator[dict]:
    """Yield a row for every metric and every benchmark of the grid and pool.

    Args:
        keys: of the method, or of the two that are compared.
        found: benchmark -> their frames (of `_averaged`) and the number of seeds.
        metrics: what to estimate.
        estimate: from a metric and the frames.
        grid: the benchmarks that have rows.
    """
    scopes = {benchmark: [benchmark] for benchmark in grid.benchmarks}
    for pool, members in POOLS.items():
        scopes[pool] = [benchmark for benchmark in members if benchmark in grid.benchmarks]
    for metric in metrics:
        results = {name: estimate(metric, *frames) for name, (frames, _) in found.items()}
        for name, members in scopes.items():
            if not members:
                continue
            pooled, seeds = _MISSING, 0
            if all(benchmark in results for benchmark in members):
                pooled = intervals.mean_over_benchmarks([results[b] for b in members])
                seeds = min(found[b][1] for b in members)
            yield {**keys, "benchmark": name, "metric": metric, **pooled._asdict(), "seeds": seeds}


def _by_cell(problems: pd.DataFrame) -> dict[tuple[str, str, str], pd.DataFrame]:
    return dict(tuple(problems.groupby(["backbone", "method", "benchmark"], sort=False)))


def _averaged(frame: pd.DataFrame) -> pd.DataFrame:
    """Average the seeds of one method on one benchmark: a row a problem, indexed by doc_id."""
    by_problem = frame.groupby("doc_id", sort=True)
    if (by_problem["seed"].nunique() != frame["seed"].nunique()).any():
        which = "/".join(frame[["backbone", "method"]].iloc[0])
        raise ValueError(
            f"{which}, {frame['benchmark'].iloc[0]}: the seeds were not scored on the same problems"
        )
    return by_problem[["accuracy", "tokens", "backtracking"]].mean()


def _values(frame: pd.DataFrame, metric: str) -> pd.Series:
    if metric == "accuracy":
        return 100 * frame["accuracy"]
    if metric == "tokens":
        return frame["tokens"]
    rate = intervals.ratio_values(frame["backtracking"], frame["tokens"])
    return pd.Series(1000 * rate, index=frame.index)


def _mean(metric: str, frame: pd.DataFrame) -> Estimate:
    return intervals.estimate(_values(frame, metric))


def _difference(metric: str, ours: pd.DataFrame, theirs: pd.DataFrame) -> Estimate:
    if metric == "tokens_percent":
        return intervals.relative_change(ours["tokens"], theirs["tokens"])
    return intervals.paired_difference(_values(ours, metric), _values(theirs, metric))
