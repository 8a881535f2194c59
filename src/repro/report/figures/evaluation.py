"""Evaluation at a glance: each algorithm beside itself with RePro, and one setting at a time."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from repro import methods
from repro.report import names
from repro.report.figures import style

_EXPLANATION = f"Bars: {style.INTERVALS}, of each method by itself."
# An algorithm and itself with RePro share a column of the legend, if what has no pair comes last.
_LEGEND = {"columns": 5, "last": "Original", "handlelength": 1, "columnspacing": 1.2}
_ABLATED = {"accuracy": "Accuracy, in-domain (%)", "tokens": "Reasoning tokens, in-domain"}


def tokens_per_benchmark(
    summary: pd.DataFrame, benchmarks: Sequence[str], note: str = ""
) -> Figure:
    """Mean reasoning tokens on each of ``benchmarks``, from `compare.summarise`."""
    groups = {name: title for name, title in names.BENCHMARKS.items() if name in benchmarks}
    tokens = summary[(summary["metric"] == "tokens") & summary["benchmark"].isin(groups)]
    places = _places(summary["method"])
    figure, panels = style.panels(
        summary["backbone"].unique(), {"all": ""}, "", "Reasoning tokens", across=1
    )
    for (backbone, _), axis in panels.items():
        rows = tokens[tokens["backbone"] == backbone]
        _dots(axis, rows.set_index(["method", "benchmark"]), groups, places, "not scored")
        style.thousands(axis)
    return style.finish(figure, panels.values(), _EXPLANATION, note, **_LEGEND)


def ablation(
    key: str, summary: pd.DataFrame, values: Mapping[str, float], note: str = ""
) -> Figure:
    """In-domain accuracy (left) and reasoning tokens (right) at each value of one RePro setting.

    The dashed line is the algorithm without RePro. ``summary`` is the frame of
    `compare.summarise`, ``values`` the setting ``key`` of every method with RePro in the figure,
    all of one algorithm. ValueError where no in-domain benchmark is scored.
    """
    summary = summary[summary["benchmark"] == "in-domain"].dropna(subset="mean")
    if summary.empty:
        raise ValueError(f"ablation of {key}: no in-domain benchmark in the scores")
    tried = sorted(set(values.values()))  # they are equally far apart in the figure
    places = {method: tried.index(values[method]) for method in sorted(values, key=values.get)}
    default = values.get(methods.plain_algorithm(next(iter(values))) + methods.REPRO)
    labels = [methods.as_text(value) + "\n(default)" * (value == default) for value in tried]
    backbones, label = summary["backbone"].unique(), f"RePro's {methods.ABLATED[key]}"
    figure, panels = style.panels(backbones, _ABLATED, label, "")
    for (backbone, metric), axis in panels.items():
        rows = summary[(summary["backbone"] == backbone) & (summary["metric"] == metric)]
        _line(axis, rows.set_index("method"), places)
        axis.set_xlim(-0.5, len(tried) - 0.5)
        axis.set_xticks(range(len(tried)), labels)
        style.thousands(axis)
    return style.finish(figure, panels.values(), f"Bars and band: {style.INTERVALS}.", note)


def _dots(
    axis: Axes,
    rows: pd.DataFrame,
    groups: Mapping[str, str],
    places: Mapping[str, float],
    nothing: str,
) -> None:
    """Draw a dot and its interval for each method in each group; an empty one says ``nothing``."""
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


def _line(axis: Axes, rows: pd.DataFrame, places: Mapping[str, int]) -> None:
    """Draw accuracy or tokens with their intervals, and the algorithm without RePro as a band."""
    algorithm = methods.plain_algorithm(next(iter(places)))
    name, (colour, marker) = methods.label(algorithm), style.ALGORITHMS[algorithm]
    if algorithm in rows.index:
        plain = rows.loc[algorithm]
        axis.axhspan(plain["low"], plain["high"], color=style.PLAIN, alpha=0.12, linewidth=0)
        axis.axhline(plain["mean"], color=style.PLAIN, linestyle="--", label=f"{name} alone")
    points = rows.loc[[method for method in places if method in rows.index]]
    if len(points):
        axis.errorbar(
            points.index.map(places),
            points["mean"],
            yerr=style.errors(points),
            color=colour,
            marker=marker,
            markersize=5,
            capsize=3,
            elinewidth=1,
            label=f"{name} + RePro",
        )


def _places(present: Collection[str]) -> dict[str, float]:
    """Return where each method is drawn in its group, which is the same in all panels."""
    known = [method for name in methods.ALGORITHMS for method in (name, name + methods.REPRO)]
    shown = [method for method in (methods.ORIGINAL, *known) if method in set(present)]
    return dict(zip(shown, np.linspace(-0.5, 0.5, len(shown) + 2)[1:-1].tolist(), strict=True))
