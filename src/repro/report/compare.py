"""From per-problem results to what tables, figures and claims show: means and paired differences.

A pool of benchmarks counts each equally and needs all of them, so that methods are never compared
over different ones; over several benchmarks or methods, on the seeds that all of them have.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from repro import methods
from repro.measure.intervals import Estimate, interval, ratio_values
from repro.report import names
from repro.report.collect import RUN_KEYS, Grid

# Pooled "benchmarks": in-domain, out-of-domain, all. Each counts its benchmarks equally.
POOLS = {**names.DOMAINS, "all": tuple(names.BENCHMARKS)}
METRICS = ("accuracy", "tokens", "backtracking_per_1k")  # in percent; reasoning tokens; segments
EFFECTS = {  # metric of a difference -> its title, its unit and its digits in tables
    "accuracy": ("Accuracy", "points", 1),
    "tokens_percent": ("Reasoning tokens", "percent", 1),  # of the baseline's
    "backtracking_per_1k": ("Backtracking", "per 1,000 reasoning tokens", 2),
}
MISSING = Estimate(np.nan, np.nan, np.nan, np.nan, 0)

Cells = dict[tuple[str, str, str], dict[int, np.ndarray]]


def by_cell(problems: pd.DataFrame) -> Cells:
    """Return (backbone, method, benchmark) -> seed -> (3, P) of `Scores.problems`.

    The three are accuracy (in [0, 1]), reasoning tokens and backtracking segments.
    """
    cells: Cells = {}
    runs = problems.sort_values("doc_id").groupby([*RUN_KEYS, "benchmark"], sort=False)
    for (backbone, method, seed, benchmark), frame in runs:
        numbers = frame[["accuracy", "tokens", "backtracking"]].to_numpy(dtype=float).T
        cells.setdefault((backbone, method, benchmark), {})[seed] = numbers
    return cells


def stack(
    cells: Cells, backbone: str, chosen: Sequence[str], benchmarks: Collection[str]
) -> tuple[list[int], list[np.ndarray]]:
    """Return the seeds that all methods have on all benchmarks, and (3, M, S, P) of each."""
    found = [[cells.get((backbone, of, name), {}) for of in chosen] for name in benchmarks]
    seeds = sorted(set.intersection(*(set(by_seed) for row in found for by_seed in row)))
    if not seeds:
        return [], []
    tables = [np.array([[by_seed[s] for s in seeds] for by_seed in row]) for row in found]
    return seeds, [np.moveaxis(table, 2, 0) for table in tables]


def measure(metric: str, numbers: np.ndarray) -> np.ndarray:
    """Return (S, P), whose mean is a metric of one method, or of two the first minus the second.

    ``numbers`` are (3, M, S, P), as from `stack`. NaN where a number is unknown, or a percentage is
    of nothing.
    """
    accuracy, tokens, backtracking = numbers
    if metric == "tokens_percent":
        change = 100 * (ratio_values(*tokens) - 1)
        return change if tokens[1].any() else np.full_like(change, np.nan)
    if metric == "backtracking_per_1k":
        each = [1000 * ratio_values(*pair) for pair in zip(backtracking, tokens, strict=True)]
    else:
        each = tokens if metric == "tokens" else 100 * accuracy
    return each[0] - each[1] if len(each) > 1 else each[0]


def summarise(problems: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Return the mean of `Scores.problems` in every metric, per method, benchmark and pool.

    Columns backbone, method, benchmark, metric, mean, se, low, high (95 %), n (problems) and seeds.
    Every row of the grid is there; where scores are not, it has no numbers, and n = 0.
    """
    cells, rows = by_cell(problems), []
    for backbone, method in grid.methods:
        keys = {"backbone": backbone, "method": method}
        rows += _rows(cells, keys, [method], METRICS, grid)
    return pd.DataFrame(rows)


def effects(problems: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Return paired differences by problem and seed, in each metric of `EFFECTS`.

    Every trained method is compared with `original`, and every method with RePro with its plain
    algorithm, where the backbone has both. Columns as of `summarise`, with baseline, and difference
    for mean; they are there without any pair, too.
    """
    cells, rows = by_cell(problems), []
    for backbone, method in grid.methods:
        for baseline in (methods.ORIGINAL, methods.plain_algorithm(method)):
            if method != methods.ORIGINAL and (backbone, baseline) in grid.methods:
                keys = {"backbone": backbone, "method": method, "baseline": baseline}
                rows += _rows(cells, keys, [method, baseline], EFFECTS, grid)
    columns = ["backbone", "method", "baseline", "benchmark", "metric", *Estimate._fields, "seeds"]
    return pd.DataFrame(rows, columns=columns).rename(columns={"mean": "difference"})


def rates(responses: pd.DataFrame, above: str, below: str, seeds: Sequence[int]) -> np.ndarray:
    """Return (S, P) of one method's responses, whose mean is the ratio of two columns' sums."""
    sums = responses.groupby(["seed", "doc_id"])[[above, below]].sum()
    sums = sums.unstack(fill_value=0).reindex(seeds, fill_value=0)
    return ratio_values(sums[above], sums[below])


def _rows(
    cells: Cells, keys: dict[str, str], chosen: Sequence[str], metrics: Iterable[str], grid: Grid
) -> Iterator[dict]:
    pools = {pool: [b for b in of if b in grid.benchmarks] for pool, of in POOLS.items()}
    for name, members in ({b: [b] for b in grid.benchmarks} | pools).items():
        if members:
            seeds, tables = stack(cells, keys["backbone"], chosen, members)
            for metric in metrics:
                found = MISSING
                if seeds:
                    found = interval([measure(metric, table) for table in tables])
                row = {"benchmark": name, "metric": metric, **found._asdict()}
                yield keys | row | {"seeds": len(seeds)}
