"""What one setting of the process reward does to accuracy and length."""

from collections.abc import Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from repro import methods
from repro.records.experiment import RunFolder
from repro.report import collect
from repro.report.figures import style

_PANELS = {"accuracy": "Accuracy,\nin-domain (%)", "tokens": "Reasoning tokens,\nin-domain"}
_MARGIN = 0.08  # of the range of values, at either end
_CHARACTER = 0.0275  # of that range: about the width of a digit below a panel


def ablation(
    key: str, summary: pd.DataFrame, values: dict[str, tuple[float, bool]], note: str = ""
) -> Figure:
    """In-domain accuracy (left) and reasoning tokens (right) over one RePro setting.

    A row of panels per backbone, a line per algorithm, error bars and bands: 95 % over problems.
    The dashed line is the algorithm without RePro; the ring marks the default value.

    Args:
        key: alpha, w or k.
        summary: the frame of `compare.summarise`.
        values: method -> (its value of the setting, whether that is the default), for every method
            with RePro in the figure; see `ablation_values`.
        note: a sentence that stands below.

    Raises:
        ValueError: no in-domain benchmark is scored.
    """
    summary = summary[summary["benchmark"] == "in-domain"].dropna(subset="mean")
    if summary.empty:
        raise ValueError(f"ablation_{key}: no in-domain benchmark in the scores")
    backbones = list(summary["backbone"].unique())
    algorithms = list(dict.fromkeys(methods.parse(method).algorithm for method in values))
    with matplotlib.rc_context(style.STYLE):
        figure, axes = style.panels(len(backbones), 2, sharex=True)
        for row, backbone in zip(axes, backbones, strict=True):
            for axis, (metric, label) in zip(row, _PANELS.items(), strict=True):
                rows = summary[(summary["backbone"] == backbone) & (summary["metric"] == metric)]
                for algorithm in algorithms:
                    _line(axis, rows.set_index("method"), algorithm, values, len(algorithms) > 1)
                axis.set_title(backbone)
                axis.set_ylabel(label)
                _value_axis(axis, sorted({value for value, _ in values.values()}))
                style.show_at_least(axis, 1.0)
                style.thousands(axis)
        figure.align_ylabels()
        for axis in axes[-1]:
            axis.set_xlabel(f"RePro's {methods.ABLATED[key]}")
        artists = style.labelled(axes.flat)
        if "default" in artists:
            artists["default"] = artists.pop("default")  # last
        style.legend_and_note(figure, artists, f"Bars and band: {style.INTERVALS}.", note)
    return figure


def ablation_values(key: str, runs: Sequence[RunFolder]) -> dict[str, tuple[float, bool]]:
    """Return method -> (value of ``key`` in settings.json, whether it is the default run's)."""
    return {
        run.method: (
            collect.process_reward_value(run, key),
            methods.parse(run.method).ablated is None,
        )
        for run in runs
        if methods.parse(run.method).repro
    }


def ablation_runs(key: str, runs: Sequence[RunFolder]) -> list[RunFolder]:
    """Keep the runs with ``key`` changed, and the default and plain runs they belong to.

    Raises:
        ValueError: in no run ``key`` is changed.
    """

    def algorithm(run: RunFolder) -> tuple[str, str]:
        return run.backbone, methods.parse(run.method).algorithm

    ablated = {algorithm(run) for run in runs if methods.parse(run.method).ablated == key}
    if not ablated:
        raise ValueError(f"ablation_{key}: no run of a method ALGORITHM+repro~{key}=VALUE")
    wanted = (None, key)
    return [
        run
        for run in runs
        if algorithm(run) in ablated and methods.parse(run.method).ablated in wanted
    ]


def _line(axis: Axes, rows: pd.DataFrame, algorithm: str, values: dict, several: bool) -> None:
    """Draw one algorithm: the ablated values with intervals, the plain algorithm as a band."""
    colour, marker = style.ALGORITHMS[algorithm]
    name = methods.label(algorithm)
    if algorithm in rows.index:
        plain = rows.loc[algorithm]
        plain_colour = colour if several else style.PLAIN
        axis.axhspan(plain["low"], plain["high"], color=plain_colour, alpha=0.12, linewidth=0)
        axis.axhline(plain["mean"], color=plain_colour, linestyle="--", label=f"{name} alone")
    points = sorted(
        (value, default, method)
        for method, (value, default) in values.items()
        if methods.parse(method).algorithm == algorithm and method in rows.index
    )
    if not points:
        return
    x = [value for value, _, _ in points]
    line = rows.loc[[method for _, _, method in points]]
    axis.errorbar(
        x,
        line["mean"],
        yerr=style.errors(line),
        color=colour,
        marker=marker,
        markersize=5,
        capsize=3,
        elinewidth=1,
        label=f"{name} + RePro",
    )
    for (value, default, _), mean in zip(points, line["mean"], strict=True):
        if default:
            axis.plot(
                value,
                mean,
                marker="o",
                markersize=11,
                markerfacecolor="none",
                markeredgecolor="black",
                linestyle="none",
                label="default",
            )


def _value_axis(axis: Axes, values: list[float]) -> None:
    """Tick the tried values only; logarithmic where they span at least a factor of ten."""
    if values[0] > 0 and values[-1] / values[0] >= 10:
        axis.set_xscale("log")
        places = np.log10(values)
        margin = (values[-1] / values[0]) ** _MARGIN
        axis.set_xlim(values[0] / margin, values[-1] * margin)
    else:
        places = np.array(values)
        margin = _MARGIN * (values[-1] - values[0]) or 0.5 * abs(values[0]) or 1
        axis.set_xlim(values[0] - margin, values[-1] + margin)
    axis.xaxis.set_major_locator(FixedLocator(values))
    axis.xaxis.set_major_formatter(FixedFormatter(_staggered(values, places)))
    axis.xaxis.set_minor_locator(NullLocator())


def _staggered(values: Sequence[float], places: np.ndarray) -> list[str]:
    """Write values below their ticks, a line lower where one would touch the one before it."""
    labels = [f"{value:g}" for value in values]
    for number, distance in enumerate(np.diff(places) / np.ptp(places), start=1):
        before, this = labels[number - 1], labels[number]
        touches = distance < _CHARACTER * ((len(before) + len(this)) / 2 + 1)
        if touches and not before.startswith("\n"):
            labels[number] = f"\n{this}"
    return labels
