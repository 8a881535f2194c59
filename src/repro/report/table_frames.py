"""The numbers of each table, as one frame that all of its formats are written from."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from repro.measure import intervals
from repro.report import collect, names
from repro.report.compare import Grid

# Columns of the main table after the benchmarks; both are means over the benchmarks.
POOLED = ("tokens", "backtracking_per_1k")


def main_frame(
    summary: pd.DataFrame, published: dict[tuple[str, str, str], float] | None = None
) -> pd.DataFrame:
    """Return the main table's numbers: one row per backbone and method.

    Args:
        summary: the frame of `compare.summarise`.
        published: (backbone, method, benchmark) -> accuracy in percent.

    Returns:
        Columns backbone, method, seeds; for each benchmark of `names.shown` its accuracy in percent
        and, as ``NAME_se``, its standard error (NaN where the benchmark was not run); tokens and
        backtracking_per_1k, averaged over the benchmarks, with their ``_se``. Where a number of any
        of these methods is published also, after each benchmark, ``NAME_published`` and
        ``NAME_difference`` (ours minus it, in points). Where a run lacks scores also ``missing``:
        the benchmarks that the row lacks, separated by blanks.
    """
    present = set(summary[["backbone", "method"]].itertuples(index=False, name=None))
    published = {key: value for key, value in (published or {}).items() if key[:2] in present}
    columns = names.shown(set(summary["benchmark"]))
    rows = []
    for row, cells, missing in _by_method(summary):
        for name in columns:
            row |= _mean(cells, "accuracy", name, name)
            if published:
                stated = published.get((row["backbone"], row["method"], name), np.nan)
                row |= {f"{name}_published": stated, f"{name}_difference": row[name] - stated}
        for metric in POOLED:
            row |= _mean(cells, metric, "all", metric)
        rows.append(row | missing)
    return _without_empty_missing(rows)


def tokens_frame(summary: pd.DataFrame, responses: pd.DataFrame) -> pd.DataFrame:
    """Return reasoning tokens per benchmark: one row per backbone and method.

    Args:
        summary: the frame of `compare.summarise`.
        responses: those of `collect.read_scores`.

    Returns:
        Columns backbone, method, seeds; for each of `names.shown` ``NAME_mean`` (problems
        count equally), ``NAME_mean_se`` and ``NAME_median`` (responses count equally); and
        ``missing`` as in `main_frame`.
    """
    medians = responses.groupby(["backbone", "method", "benchmark"])["tokens"].median().to_dict()
    columns, rows = names.shown(set(summary["benchmark"])), []
    for row, cells, missing in _by_method(summary):
        for name in columns:
            row |= _mean(cells, "tokens", name, f"{name}_mean")
            row[f"{name}_median"] = medians.get((row["backbone"], row["method"], name), np.nan)
        rows.append(row | missing)
    return _without_empty_missing(rows)


def backtracking_frame(responses: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Return how often responses backtrack, verify and hesitate.

    Args:
        responses: those of `collect.read_scores`.
        grid: which rows to return.

    Returns:
        One row per backbone, benchmark, method and ``of`` (all, correct or wrong responses):
        responses (their number, over all seeds; 0 throughout where the scores are not there);
        backtracking_per_1k, verification_per_1k and hesitation_per_1k (segments per 1,000 reasoning
        tokens), backtracking_responses (percent of the responses with such a segment), each with
        its ``_se`` over problems. NaN where there is no such response.
    """
    cells = dict(tuple(responses.groupby(["backbone", "benchmark", "method"], sort=False)))
    nothing = responses.iloc[:0]
    rows = []
    for backbone in dict.fromkeys(backbone for backbone, _ in grid.methods):
        for benchmark in grid.benchmarks:
            for method in (method for of, method in grid.methods if of == backbone):
                frame = cells.get((backbone, benchmark, method), nothing)
                for of, verdicts in collect.VERDICTS.items():
                    chosen = frame[frame["correct"].isin(verdicts)]
                    row = {"backbone": backbone, "benchmark": benchmark, "method": method, "of": of}
                    rows.append(row | _behaviour(chosen))
    return pd.DataFrame(rows)


def _behaviour(responses: pd.DataFrame) -> dict[str, float]:
    """Return the numbers of one row of `backtracking_frame`."""
    columns = ["tokens", *collect.BEHAVIOURS]
    by_problem = responses.assign(backtracks=responses["backtracking"] > 0).groupby("doc_id")
    sums = by_problem[[*columns, "backtracks"]].sum()
    ratios = {f"{kind}_per_1k": (1000 * sums[kind], sums["tokens"]) for kind in collect.BEHAVIOURS}
    ratios["backtracking_responses"] = (100 * sums["backtracks"], by_problem.size())
    row = {"responses": len(responses)}
    for name, (numerators, denominators) in ratios.items():
        row |= {name: np.nan, f"{name}_se": np.nan}
        if len(responses):
            found = intervals.estimate(intervals.ratio_values(numerators, denominators))
            row |= {name: found.mean, f"{name}_se": found.se}
    return row


def _by_method(summary: pd.DataFrame) -> Iterator[tuple[dict, pd.DataFrame, dict]]:
    """Yield the first columns of a row, its means by metric and benchmark, and its last column."""
    for (backbone, method), frame in summary.groupby(["backbone", "method"], sort=False):
        cells = frame.set_index(["metric", "benchmark"]).sort_index()
        counts = cells.loc["accuracy", "n"]
        lacking = " ".join(name for name in names.BENCHMARKS if counts.get(name) == 0)
        keys = {"backbone": backbone, "method": method, "seeds": int(cells["seeds"].max())}
        yield keys, cells, {"missing": lacking}


def _mean(cells: pd.DataFrame, metric: str, benchmark: str, column: str) -> dict[str, float]:
    key = (metric, benchmark)
    mean, se = cells.loc[key, ["mean", "se"]] if key in cells.index else (np.nan, np.nan)
    return {column: mean, f"{column}_se": se}


def _without_empty_missing(rows: list[dict]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    return frame if frame["missing"].any() else frame.drop(columns="missing")
