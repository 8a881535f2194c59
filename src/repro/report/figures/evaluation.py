"""Evaluation at a glance: each algorithm beside itself with RePro, benchmark by benchmark."""

import itertools
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from repro import methods
from repro.measure import intervals
from repro.report import collect, compare, names
from repro.report.figures import style

_VERDICTS = {"all": "all responses", "correct": "correct", "wrong": "wrong"}
_EXPLANATION = f"Bars: {style.INTERVALS}, of each method by itself."
# An algorithm and itself with RePro share a column of the legend, if what has no pair comes last.
_LEGEND = {"columns": 5, "last": "Original", "handlelength": 1, "columnspacing": 1.2}
_PAIR, _ALGORITHM = 0.7, 1.2  # between dots of the same algorithm, and of different ones
_GROUP = 0.84  # of the distance between groups is taken by dots
_LOG_FROM = 4  # times the smallest: from this range on an axis is logarithmic


def tokens_per_benchmark(
    summary: pd.DataFrame, benchmarks: Sequence[str], note: str = ""
) -> Figure:
    """Mean reasoning tokens on each benchmark, each algorithm with and without RePro.

    A panel a backbone. All ``benchmarks`` are shown; the place of one without scores says so.
    ``summary`` is the frame of `compare.summarise`, ``note`` a sentence below.
    """
    groups = {name: title for name, title in names.BENCHMARKS.items() if name in benchmarks}
    tokens = summary[(summary["metric"] == "tokens") & summary["benchmark"].isin(groups)]
    places = _places(summary["method"])
    figure, panels = style.panels(
        summary["backbone"].unique(), {"all": ""}, "", "Reasoning tokens", across=1
    )
    for (backbone, _), axis in panels.items():
        rows = tokens[tokens["backbone"] == backbone]
        _dots(axis, rows.set_index(["method", "benchmark"]), groups, places, "not scored")
        if rows["mean"].max() >= _LOG_FROM * rows["mean"].min() > 0:  # a percentage looks alike
            axis.set_yscale("log")
            axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.yaxis.set_major_formatter(ScalarFormatter())
            axis.yaxis.set_minor_formatter(NullFormatter())
        style.thousands(axis)
    return style.finish(figure, panels.values(), _EXPLANATION, note, **_LEGEND)


def backtracking_at_evaluation(rates: pd.DataFrame, note: str = "") -> Figure:
    """Backtracking per 1,000 reasoning tokens in all, in correct and in wrong responses.

    ``rates`` is the frame of `backtracking_rates`, ``note`` a sentence below.
    """
    places = _places(rates["method"])
    figure, panels = style.panels(
        rates["backbone"].unique(), {"all": ""}, "", "Backtracking per\n1,000 reasoning tokens"
    )
    for (backbone, _), axis in panels.items():
        rows = rates[rates["backbone"] == backbone].set_index(["method", "responses"])
        _dots(axis, rows, _VERDICTS, places, "none")
        top = max(axis.get_ylim()[1], 0.1)
        axis.set_ylim(-0.04 * top, top)  # a dot at 0 is seen whole
    which = "Mean of the benchmarks that have such responses from every method."
    return style.finish(figure, panels.values(), which, _EXPLANATION, note, **_LEGEND)


def backtracking_rates(responses: pd.DataFrame) -> pd.DataFrame:
    """Return backtracking segments per 1,000 reasoning tokens, by the verdict on the response.

    Per benchmark `compare.rate` of those of `Scores.responses` with that verdict, all seeds
    together; then the mean over the benchmarks where all of the backbone's methods that have such
    responses have them, each counting equally: else benchmarks would differ by method.

    Returns:
        Columns backbone, method, responses (a key of `collect.VERDICTS`), mean, low, high (95 %
        over problems). No row where a method has no such responses, or no benchmark is left.

    Raises:
        ValueError: no row is left.
    """
    rows = []
    thoughts = responses[responses["tokens"] > 0]
    for verdict, verdicts in collect.VERDICTS.items():
        chosen = thoughts[thoughts["correct"].isin(verdicts)]
        for backbone, of_backbone in chosen.groupby("backbone", sort=False):
            cells = of_backbone.groupby(["method", "benchmark"], sort=False)
            found = {cell: compare.rate(frame, "backtracking") for cell, frame in cells}
            present = of_backbone["method"].unique()
            shared = [b for b in names.BENCHMARKS if all((m, b) in found for m in present)]
            for method in present if shared else ():
                pooled = intervals.mean_over_benchmarks([found[method, b] for b in shared])
                keys = {"backbone": backbone, "method": method, "responses": verdict}
                rows.append(keys | pooled._asdict())
    if not rows:
        raise ValueError("backtracking_at_evaluation: no benchmark that all methods answered")
    return pd.DataFrame(rows).drop(columns=["se", "n"])


def _dots(
    axis: Axes,
    rows: pd.DataFrame,
    groups: Mapping[str, str],
    places: Mapping[str, float],
    nothing: str,
) -> None:
    """Draw a dot and its interval for each method in each group of the horizontal axis.

    ``rows`` has mean, low and high, indexed by method and group; what is missing or NaN is left
    out. ``groups`` are in order, each with its title; an empty one says ``nothing``.
    """
    for method, place in places.items():
        line = rows.reindex([(method, group) for group in groups])
        parts = methods.parse(method)
        colour, marker = style.ALGORITHMS.get(parts.algorithm, ("#000000", "X"))
        axis.errorbar(
            np.arange(len(groups)) + place,
            line["mean"],
            yerr=style.errors(line),
            color=colour,
            marker=marker,
            markersize=4,
            markerfacecolor=colour if parts.repro or not parts.algorithm else "white",
            linestyle="none",
            elinewidth=0.9,
            label=methods.label(method),
        )
    present = rows["mean"].dropna().index.get_level_values(1)
    for number, group in enumerate(groups):
        if group not in present:
            style.gap(axis, nothing, number)
    axis.set_xlim(-0.5, len(groups) - 0.5)
    axis.set_xticks(range(len(groups)), groups.values())
    axis.tick_params(axis="x", length=0)
    axis.grid(False, axis="x")
    for edge in range(1, len(groups)):
        axis.axvline(edge - 0.5, color="#B0B0B0", linewidth=0.6, zorder=0)


def _places(present: Collection[str]) -> dict[str, float]:
    """Return where each method is drawn in its group: next to its algorithm, apart from others.

    A method has the same place in every panel of a figure.
    """
    pairs = [(name, name + methods.REPRO) for name in methods.ALGORITHMS]
    known = [methods.ORIGINAL, *itertools.chain(*pairs)]
    shown = [method for method in known if method in set(present)]
    at = [0.0]
    for before, method in itertools.pairwise(shown):
        at.append(at[-1] + (_PAIR if methods.plain_algorithm(method) == before else _ALGORITHM))
    middle, width = at[-1] / 2, at[-1] + _ALGORITHM
    return {m: (x - middle) * _GROUP / width for m, x in zip(shown, at, strict=True)}
