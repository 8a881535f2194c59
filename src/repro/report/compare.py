"""From per-problem results to what tables and figures show: summaries and paired effects.

Both cover a `Grid`: every method of it has a row for every benchmark of it and for the `POOLS`.
Where the scores are not there the row has no numbers, and n = 0. A pool counts its benchmarks
equally and needs all of them, so that methods are never compared over different ones.
"""

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from repro import methods
from repro.measure import intervals
from repro.measure.intervals import Estimate
from repro.report import names
from repro.report.collect import Grid

# Pooled "benchmarks": in-domain, out-of-domain, all. Each counts its benchmarks equally.
POOLS = {**names.DOMAINS, "all": tuple(names.BENCHMARKS)}
METRICS = ("accuracy", "tokens", "backtracking_per_1k")  # in percent; reasoning tokens; segments
EFFECTS = ("accuracy", "tokens_percent", "backtracking_per_1k")  # tokens: % of the baseline's
MISSING = Estimate(np.nan, np.nan, np.nan, np.nan, 0)
_CELL = ["backbone", "method", "benchmark"]


def summarise(problems: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Return the mean of every metric, per backbone, method and benchmark and over `POOLS`.

    ``problems`` is the frame of `Scores.problems`, ``grid`` which rows to return.

    Returns:
        One row each, with columns backbone, method, benchmark, metric, mean, se, low, high
        (95 %), n (problems) and seeds. Accuracy is in percent. Seeds are averaged per problem.

    Raises:
        ValueError: the seeds of a method were scored on different problems.
    """
    cells = dict(tuple(problems.groupby(_CELL, sort=False)))
    rows = []
    for backbone, method in grid.methods:
        found = {}
        for benchmark in grid.benchmarks:
            frame = cells.get((backbone, method, benchmark))
            if frame is not None:
                means = _averaged(pair(frame), method)
                estimates = {metric: intervals.estimate(means[metric]) for metric in METRICS}
                found[benchmark] = (estimates, frame["seed"].nunique())
        rows += _rows({"backbone": backbone, "method": method}, found, METRICS, grid)
    return pd.DataFrame(rows)


def effects(problems: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Return paired differences by problem, with 95 % intervals, in each metric of `EFFECTS`.

    Every trained method is compared with `original`, and every method with RePro with its plain
    algorithm, where the backbone has both; on the seeds that both have. Arguments as for
    `summarise`.

    Returns:
        Columns backbone, method, baseline, benchmark (or one of `POOLS`), metric, difference,
        low, high, n (problems), seeds. Empty, with these columns, where no pair exists.

    Raises:
        ValueError: the methods, or the seeds of a method, were scored on different problems.
    """
    cells = dict(tuple(problems.groupby(_CELL, sort=False)))
    nothing, rows = problems.iloc[:0], []
    pairs = [
        (backbone, method, baseline)
        for backbone, method in grid.methods
        for baseline in (methods.ORIGINAL, methods.plain_algorithm(method))
        if method != methods.ORIGINAL and (backbone, baseline) in grid.methods
    ]
    for backbone, *both in pairs:
        found = {}
        for benchmark in grid.benchmarks:
            frames = [cells.get((backbone, method, benchmark), nothing) for method in both]
            shared = set(frames[0]["seed"]) & set(frames[1]["seed"])
            if shared:
                paired = pair(pd.concat(frame[frame["seed"].isin(shared)] for frame in frames))
                ours, theirs = (_averaged(paired, method) for method in both)
                differences = {
                    metric: intervals.paired_difference(ours[metric], theirs[metric])
                    for metric in ("accuracy", "backtracking_per_1k")
                }
                change = intervals.relative_change(ours["tokens"], theirs["tokens"])
                found[benchmark] = (differences | {"tokens_percent": change}, len(shared))
        keys = {"backbone": backbone, "method": both[0], "baseline": both[1]}
        rows += _rows(keys, found, EFFECTS, grid)
    columns = ["backbone", "method", "baseline", "benchmark", "metric"]
    columns += ["mean", "low", "high", "n", "seeds"]
    return pd.DataFrame(rows, columns=columns).rename(columns={"mean": "difference"})


def pair(problems: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `Scores.problems`, of methods on one benchmark and the same seeds, paired.

    There is a row a method and seed; columns are accuracy (in [0, 1]), tokens and backtracking,
    each by doc_id. ValueError where methods or seeds were scored on different problems.
    """
    columns = ["accuracy", "tokens", "backtracking"]
    wide = problems.pivot(index=["method", "seed"], columns="doc_id", values=columns)
    if len(problems) < wide["accuracy"].size:
        which = problems[["backbone", "benchmark"]].iloc[0].tolist()
        which += map(methods.label, problems["method"].unique())
        said = "the methods or the seeds were scored on different problems"
        raise ValueError(f"{', '.join(which)}: {said}")
    return wide


def rate(responses: pd.DataFrame, behaviour: str) -> Estimate:
    """Return segments of a behaviour per 1,000 reasoning tokens in responses on one benchmark."""
    sums = responses.groupby("doc_id")[[behaviour, "tokens"]].sum()
    return ratio(1000 * sums[behaviour], sums["tokens"])


def ratio(numerators: pd.Series, denominators: pd.Series) -> Estimate:
    """Return Σ numerators / Σ denominators over problems, `MISSING` where there is no problem."""
    if numerators.empty:
        return MISSING
    return intervals.estimate(intervals.ratio_values(numerators, denominators))


def _rows(
    keys: dict[str, str],
    found: dict[str, tuple[dict[str, Estimate], int]],
    metrics: Iterable[str],
    grid: Grid,
) -> Iterator[dict]:
    """Yield a row for every metric and every benchmark of the grid and pool.

    ``found`` has the estimates by metric and the number of seeds of each benchmark with scores.
    """
    scopes = {benchmark: [benchmark] for benchmark in grid.benchmarks}
    for pool, members in POOLS.items():
        scopes[pool] = [benchmark for benchmark in members if benchmark in grid.benchmarks]
    for metric, (name, members) in itertools.product(metrics, scopes.items()):
        pooled, seeds = MISSING, 0
        if members and found.keys() >= set(members):
            pooled = intervals.mean_over_benchmarks([found[b][0][metric] for b in members])
            seeds = min(found[b][1] for b in members)
        if members:
            yield {**keys, "benchmark": name, "metric": metric, **pooled._asdict(), "seeds": seeds}


def _averaged(paired: pd.DataFrame, method: str) -> dict[str, pd.Series | np.ndarray]:
    """Return each of `METRICS` of a method of `pair`, (P,): its seeds are averaged."""
    means = paired.loc[method].mean()
    rates = 1000 * intervals.ratio_values(means["backtracking"], means["tokens"])
    accuracy = 100 * means["accuracy"]
    return {"accuracy": accuracy, "tokens": means["tokens"], "backtracking_per_1k": rates}
