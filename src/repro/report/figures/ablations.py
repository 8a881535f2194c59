"""What one setting of the process reward does to accuracy and length."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from repro import methods
from repro.report.figures import style

_PANELS = {"accuracy": "Accuracy, in-domain (%)", "tokens": "Reasoning tokens, in-domain"}
_MARGIN = 0.08  # of the range of values, at either end
_CHARACTER = 0.0275  # of that range: about the width of a digit below a panel


def ablation(
    key: str, summary: pd.DataFrame, values: Mapping[str, float], note: str = ""
) -> Figure:
    """In-domain accuracy (left) and reasoning tokens (right) over one RePro setting.

    A row a backbone; error bars and bands: 95 % over problems. The dashed line is the algorithm
    without RePro; the ring marks the default value. ``summary`` is the frame of
    `compare.summarise`, ``values`` the setting ``key`` (alpha, w or k) of every method with RePro
    in the figure, all of one algorithm, and ``note`` a sentence below.

    Raises:
        ValueError: no in-domain benchmark is scored.
    """
    summary = summary[summary["benchmark"] == "in-domain"].dropna(subset="mean")
    if summary.empty:
        raise ValueError(f"ablation_{key}: no in-domain benchmark in the scores")
    values = dict(sorted(values.items(), key=lambda item: item[1]))
    tried = sorted(set(values.values()))
    wide = tried[0] > 0 and tried[-1] / tried[0] >= 10
    backbones, label = summary["backbone"].unique(), f"RePro's {methods.ABLATED[key]}"
    figure, panels = style.panels(backbones, _PANELS, label, "")
    for (backbone, metric), axis in panels.items():
        rows = summary[(summary["backbone"] == backbone) & (summary["metric"] == metric)]
        _line(axis, rows.set_index("method"), values)
        axis.set_xscale("log" if wide else "linear")
        axis.margins(x=_MARGIN)
        axis.set_xticks(tried, _staggered(tried, np.log10(tried) if wide else np.array(tried)))
        axis.minorticks_off()
        style.thousands(axis)
    explanation = f"Bars and band: {style.INTERVALS}."
    return style.finish(figure, panels.values(), explanation, note, last="default")


def _line(axis: Axes, rows: pd.DataFrame, values: Mapping[str, float]) -> None:
    """Draw the values with their intervals, and the algorithm without RePro as a band."""
    algorithm = methods.plain_algorithm(next(iter(values)))
    name, (colour, marker) = methods.label(algorithm), style.ALGORITHMS[algorithm]
    if algorithm in rows.index:
        plain = rows.loc[algorithm]
        axis.axhspan(plain["low"], plain["high"], color=style.PLAIN, alpha=0.12, linewidth=0)
        axis.axhline(plain["mean"], color=style.PLAIN, linestyle="--", label=f"{name} alone")
    points = rows.loc[[method for method in values if method in rows.index]]
    if len(points):
        axis.errorbar(
            points.index.map(values),
            points["mean"],
            yerr=style.errors(points),
            color=colour,
            marker=marker,
            markersize=5,
            capsize=3,
            elinewidth=1,
            label=f"{name} + RePro",
        )
    default = f"{algorithm}{methods.REPRO}"
    if default in points.index:
        ring = {"marker": "o", "markersize": 11, "color": "black", "markerfacecolor": "none"}
        mean = points.loc[default, "mean"]
        axis.plot(values[default], mean, linestyle="none", label="default", **ring)


def _staggered(values: Sequence[float], places: np.ndarray) -> list[str]:
    """Write values below their ticks, a line lower where one would touch the one before it."""
    labels = [f"{value:g}" for value in values]
    for number, distance in enumerate(np.diff(places) / np.ptp(places), start=1):
        before, this = labels[number - 1], labels[number]
        touches = distance < _CHARACTER * ((len(before) + len(this)) / 2 + 1)
        if touches and not before.startswith("\n"):
            labels[number] = f"\n{this}"
    return labels
