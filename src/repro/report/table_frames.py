"""The numbers of each table, as one frame that all of its formats are written from."""

import itertools

import numpy as np
import pandas as pd

from repro.measure.behaviours import BEHAVIOURS
from repro.report import collect, compare, names
from repro.report.collect import Scores

# Columns of the main table after the benchmarks; both are means over the benchmarks.
POOLED = ("tokens", "backtracking_per_1k")
_KEYS = ["backbone", "method"]


def main_frame(
    summary: pd.DataFrame, published: dict[tuple[str, str, str], float] | None = None
) -> pd.DataFrame:
    """Return the main table's numbers: one row per backbone and method.

    Args:
        summary: the frame of `compare.summarise`.
        published: (backbone, method, benchmark) -> accuracy in percent.

    Returns:
        Columns backbone, method, seeds; for each benchmark of `names.shown` its accuracy in percent
        and, as ``NAME_se``, its standard error (NaN where it was not run), and where any of these
        methods has published numbers ``NAME_published`` and ``NAME_difference`` (ours minus it, in
        points); tokens and backtracking_per_1k, averaged over the benchmarks, with their ``_se``.
        Where a run lacks scores also ``missing``: the row's missing benchmarks, blanks between.
    """
    frame = _rows(summary)
    present = set(frame.index)
    published = {key: value for key, value in (published or {}).items() if key[:2] in present}
    for name in names.shown(set(summary["benchmark"])):
        _add(frame, name, summary, "accuracy", name)
        if published:
            stated = [published.get((*row, name), np.nan) for row in frame.index]
            frame[f"{name}_published"] = stated
            frame[f"{name}_difference"] = frame[name] - stated
    for metric in POOLED:
        _add(frame, metric, summary, metric, "all")
    return _with_missing(frame, summary)


def tokens_frame(summary: pd.DataFrame, responses: pd.DataFrame) -> pd.DataFrame:
    """Return reasoning tokens per benchmark, from `compare.summarise` and `Scores.responses`.

    Returns:
        One row per backbone and method: backbone, method, seeds; for each of `names.shown`
        ``NAME_mean`` (problems count equally), ``NAME_mean_se`` and ``NAME_median`` (responses
        count equally); and ``missing`` as in `main_frame`.
    """
    frame = _rows(summary)
    for name in names.shown(set(summary["benchmark"])):
        _add(frame, f"{name}_mean", summary, "tokens", name)
        of_benchmark = responses[responses["benchmark"] == name]
        frame[f"{name}_median"] = of_benchmark.groupby(_KEYS)["tokens"].median()
    return _with_missing(frame, summary)


def backtracking_frame(scores: Scores) -> pd.DataFrame:
    """Return how often responses backtrack, verify and hesitate.

    Returns:
        One row per backbone, benchmark, method and ``of`` (all, correct or wrong responses):
        responses (their number, over all seeds; 0 throughout where the scores are not there);
        backtracking_per_1k, verification_per_1k and hesitation_per_1k (segments per 1,000 reasoning
        tokens), backtracking_responses (percent of the responses with such a segment), each with
        its ``_se`` over problems. NaN where there is no such response.
    """
    keys, rows = ["backbone", "benchmark", "method"], []
    cells = dict(tuple(scores.responses.groupby(keys, sort=False)))
    for backbone, pairs in itertools.groupby(scores.grid.methods, key=lambda pair: pair[0]):
        for benchmark, (_, method) in itertools.product(scores.grid.benchmarks, pairs):
            cell = (backbone, benchmark, method)
            frame = cells.get(cell, scores.responses.iloc[:0])
            for of, verdicts in collect.VERDICTS.items():
                chosen = frame[frame["correct"].isin(verdicts)]
                rows.append(dict(zip(keys, cell, strict=True), of=of) | _behaviour(chosen))
    return pd.DataFrame(rows)


def _behaviour(responses: pd.DataFrame) -> dict[str, float]:
    """Return the numbers of one row of `backtracking_frame`."""
    found = {f"{name}_per_1k": compare.rate(responses, name) for name in BEHAVIOURS}
    backtracks = (responses["backtracking"] > 0).groupby(responses["doc_id"])
    found["backtracking_responses"] = compare.ratio(100 * backtracks.sum(), backtracks.size())
    row = {"responses": len(responses)}
    for name, estimate in found.items():
        row |= {name: estimate.mean, f"{name}_se": estimate.se}
    return row


def _rows(summary: pd.DataFrame) -> pd.DataFrame:
    """Return a row per backbone and method, which index it, with the number of seeds."""
    return summary.groupby(_KEYS, sort=False)[["seeds"]].max()


def _add(frame: pd.DataFrame, column: str, summary: pd.DataFrame, metric: str, scope: str) -> None:
    """Add a column with the means of a metric on a benchmark or pool, and their errors."""
    chosen = summary[(summary["metric"] == metric) & (summary["benchmark"] == scope)]
    frame[[column, f"{column}_se"]] = chosen.set_index(_KEYS)[["mean", "se"]]


def _with_missing(frame: pd.DataFrame, summary: pd.DataFrame) -> pd.DataFrame:
    """Name what each row lacks, where any does, and make the keys columns."""
    of_benchmarks = (summary["metric"] == "accuracy") & summary["benchmark"].isin(names.BENCHMARKS)
    lacking = summary[of_benchmarks & (summary["n"] == 0)]
    if len(lacking):
        frame["missing"] = lacking.groupby(_KEYS)["benchmark"].agg(" ".join)
        frame = frame.fillna({"missing": ""})
    return frame.reset_index()
