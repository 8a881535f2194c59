"""Evaluation at a glance: each algorithm beside itself with RePro, benchmark by benchmark."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullFormatter, ScalarFormatter

from repro import methods
from repro.measure import intervals
from repro.report import collect, names
from repro.report.figures import style

_VERDICTS = {"all": "all responses", "correct": "correct", "wrong": "wrong"}
_EXPLANATION = f"Bars: {style.INTERVALS}, of each method by itself."
_LEGEND = {"columns": 7, "handlelength": 1, "columnspacing": 1.2}
_APART = {"pair": 0.7, "algorithm": 1.2}  # between dots
_GROUP = 0.84  # of the distance between groups is taken by dots
_LOG_FROM = 4  # times the smallest: from this range on an axis is logarithmic


def tokens_per_benchmark(
    summary: pd.DataFrame, benchmarks: Sequence[str], note: str = ""
) -> Figure:
    """Mean reasoning tokens on each benchmark, each algorithm with and without RePro.

    A panel a backbone. Benchmarks without scores keep their place, which says so.

    Args:
        summary: the frame of `compare.summarise`.
        benchmarks: those to show.
        note: a sentence that stands below.
    """
    tokens = summary[summary["metric"] == "tokens"]
    groups = {name: title for name, title in names.BENCHMARKS.items() if name in benchmarks}
    backbones = list(tokens["backbone"].unique())
    with matplotlib.rc_context(style.STYLE):
        figure, axes = style.panels(len(backbones), 1, width=style.WIDTH, height=2.4)
        for axis, backbone in zip(axes.flat, backbones, strict=True):
            rows = tokens[tokens["backbone"] == backbone].rename(columns={"benchmark": "group"})
            _dots(axis, rows, groups, list(tokens["method"].unique()), "not scored")
            axis.set_title(backbone)
            axis.set_ylabel("Reasoning tokens")
            _many_or_few(axis, rows[rows["group"].isin(groups)])
            style.thousands(axis)
        figure.align_ylabels()
        style.legend_and_note(figure, _legend(tokens["method"]), _EXPLANATION, note, **_LEGEND)
    return figure


def backtracking_at_evaluation(rates: pd.DataFrame, note: str = "") -> Figure:
    """Backtracking per 1,000 reasoning tokens in all, in correct and in wrong responses.

    Args:
        rates: the frame of `backtracking_rates`.
        note: a sentence that stands below.
    """
    label = "Backtracking per\n1,000 reasoning tokens"
    with matplotlib.rc_context(style.STYLE):
        figure, panels = style.backbone_panels(
            list(rates["backbone"].unique()), {"all": ""}, "", label, width=style.WIDTH
        )
        for (backbone, _), axis in panels.items():
            rows = rates[rates["backbone"] == backbone].rename(columns={"responses": "group"})
            _dots(axis, rows, _VERDICTS, list(rates["method"].unique()), "none")
            top = max(axis.get_ylim()[1], 0.1)
            axis.set_ylim(-0.04 * top, top)  # a dot at 0 is seen whole
        explanation = (
            f"Mean of the benchmarks that have such responses from every method. {_EXPLANATION}"
        )
        style.legend_and_note(figure, _legend(rates["method"]), explanation, note, **_LEGEND)
    return figure


def backtracking_rates(responses: pd.DataFrame) -> pd.DataFrame:
    """Return backtracking segments per 1,000 reasoning tokens, by the verdict on the response.

    Per benchmark a ratio of totals, Σ segments / Σ tokens of the responses with that verdict, all
    seeds together; then the mean over those benchmarks where all of the backbone's methods that
    have such responses have them, each counting equally: else benchmarks would differ by method.

    Args:
        responses: those of `collect.read_scores`.

    Returns:
        Columns backbone, method, responses (a key of `collect.VERDICTS`), mean, low, high (95 %
        over problems), benchmarks (how many). No row where a method has no such responses, or no
        benchmark is left.

    Raises:
        ValueError: no row is left.
    """
    rows = []
    for verdict, verdicts in collect.VERDICTS.items():
        chosen = responses[responses["correct"].isin(verdicts)]
        for backbone, of_backbone in chosen.groupby("backbone", sort=False):
            estimates: dict[str, dict[str, intervals.Estimate]] = {}
            for (method, benchmark), frame in of_backbone.groupby(
                ["method", "benchmark"], sort=False
            ):
                sums = frame.groupby("doc_id")[["backtracking", "tokens"]].sum()
                sums = sums[sums["tokens"] > 0]
                if not sums.empty:
                    values = 1000 * intervals.ratio_values(sums["backtracking"], sums["tokens"])
                    estimates.setdefault(method, {})[benchmark] = intervals.estimate(values)
            shared = [b for b in names.BENCHMARKS if all(b in of for of in estimates.values())]
            for method, found in estimates.items() if shared else ():
                pooled = intervals.mean_over_benchmarks([found[b] for b in shared])
                keys = {"backbone": backbone, "method": method, "responses": verdict}
                rows.append(keys | pooled._asdict() | {"benchmarks": len(shared)})
    if not rows:
        raise ValueError("backtracking_at_evaluation: no benchmark that all methods answered")
    return pd.DataFrame(rows).drop(columns=["se", "n"])


def _dots(
    axis: Axes,
    rows: pd.DataFrame,
    groups: Mapping[str, str],
    all_methods: Sequence[str],
    nothing: str,
) -> None:
    """Draw a dot and its interval for each method in each group of the horizontal axis.

    Args:
        axis: a panel.
        rows: columns group, method, mean, low, high; what is missing, or NaN, leaves its place
            empty.
        groups: in order, and what each is called.
        all_methods: those of the whole figure: a method has the same place in every panel.
        nothing: what stands in an empty group.
    """
    for method, place in _places(all_methods).items():
        line = rows[rows["method"] == method].set_index("group").reindex(list(groups))
        colour, marker, hollow = _look(method)
        axis.errorbar(
            np.arange(len(groups)) + place,
            line["mean"],
            yerr=style.errors(line),
            color=colour,
            marker=marker,
            markersize=4,
            markerfacecolor="white" if hollow else colour,
            linestyle="none",
            elinewidth=0.9,
            label=methods.label(method),
        )
    present = set(rows.dropna(subset="mean")["group"])
    for number, group in enumerate(groups):
        if group not in present:
            style.gap(axis, nothing, number)
    axis.set_xlim(-0.5, len(groups) - 0.5)
    axis.set_xticks(range(len(groups)), groups.values())
    axis.xaxis.set_minor_locator(FixedLocator(np.arange(len(groups) - 1) + 0.5))
    axis.tick_params(axis="x", which="both", length=0)
    axis.grid(False, axis="x", which="major")
    axis.grid(True, axis="x", which="minor", color="#B0B0B0", linewidth=0.6)


def _places(all_methods: Sequence[str]) -> dict[str, float]:
    """Return where each method stands in its group: beside its own algorithm, apart from others."""
    places, at, before = {}, 0.0, None
    for method in sorted(all_methods, key=_rank):
        algorithm = methods.parse(method).algorithm
        if places:
            at += _APART["pair" if algorithm == before else "algorithm"]
        places[method], before = at, algorithm
    scale = _GROUP / (at + _APART["algorithm"])
    return {method: (place - at / 2) * scale for method, place in places.items()}


def _rank(method: str) -> tuple[int, bool]:
    parts = methods.parse(method)
    assert parts.ablated is None, "two methods would share a place"
    order = [None, *methods.ALGORITHMS]
    return order.index(parts.algorithm), parts.repro


def _look(method: str) -> tuple[str, str, bool]:
    """Return colour, marker, and whether it is hollow, which an algorithm alone is."""
    parts = methods.parse(method)
    if parts.algorithm is None:
        return "#000000", "X", False
    return *style.ALGORITHMS[parts.algorithm], not parts.repro


def _legend(of_methods: pd.Series) -> dict[str, Artist]:
    """Return an entry per algorithm, and what hollow and filled mean where both are there."""
    present = [methods.parse(method) for method in of_methods.unique()]
    entries = {}
    for algorithm in (None, *methods.ALGORITHMS):
        if any(parts.algorithm == algorithm for parts in present):
            name = algorithm or methods.ORIGINAL
            colour, marker, _ = _look(name)
            entries[methods.label(name)] = _dot(colour, marker, colour)
    for label, repro, fill in (
        (style.WITHOUT, False, "white"),
        (style.WITH, True, style.PLAIN),
    ):
        if any(parts.algorithm and parts.repro == repro for parts in present):
            entries[label] = _dot(style.PLAIN, "o", fill)
    return entries


def _dot(colour: str, marker: str, fill: str) -> Line2D:
    return Line2D(
        [], [], color=colour, marker=marker, markerfacecolor=fill, markersize=5, linestyle="none"
    )


def _many_or_few(axis: Axes, rows: pd.DataFrame) -> None:
    """Make the axis logarithmic where benchmarks differ a lot, so that a percentage looks alike."""
    if not rows.empty and rows["mean"].max() >= _LOG_FROM * rows["mean"].min() > 0:
        axis.set_yscale("log")
        low, high = axis.get_ylim()
        ticks = [m * 10.0**e for e in range(-1, 7) for m in (1, 2, 5)]
        axis.yaxis.set_major_locator(FixedLocator([t for t in ticks if low <= t <= high]))
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.yaxis.set_major_formatter(ScalarFormatter())
