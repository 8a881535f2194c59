"""Figures for print: colour-blind safe, at least 8 pt at final size, the same bytes every time.

Each figure is one function of frames that returns a matplotlib Figure; `save` writes it.
"""

import itertools
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from repro import methods
from repro.analysis import collect, compare

# Okabe and Ito's palette; grey stands for its yellow, too light for lines on white. Marker and
# dashes change with the colour, so that nothing is told by colour alone.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#808080")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E0E0E0",
    "grid.linewidth": 0.5,
    "axes.axisbelow": True,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "pdf.fonttype": 42,
}
_WIDTH = 6.8  # inches: the text width of a one-column page
_PANEL_HEIGHT = 2.6


def run(
    name: str,
    runs: Sequence[dict],
    benchmarks: Sequence[str],
    output: str | Path,
    note: str = "",
) -> tuple[Path, Path]:
    """Make one figure from the runs' files and write it as PNG and PDF.

    Args:
        name: tokens_over_training, accuracy_over_training, ablation_alpha, ablation_w, ablation_k.
        runs: {"backbone", "method", "seed", "path"} each, path being the run's directory.
        benchmarks: those whose scores are read.
        output: the path to write, with or without .png or .pdf.
        note: a sentence that stands below the figure.

    Returns:
        The paths of the PNG and of the PDF.
    """
    if name in _OVER_TRAINING:
        figure = _OVER_TRAINING[name](collect.training(runs), note)
    elif name in _ABLATIONS:
        key = _ABLATIONS[name]
        runs = _ablation_runs(key, runs)
        summary = compare.summarise(collect.scores(runs, benchmarks))
        figure = ablation(key, summary, ablation_values(key, runs), note)
    else:
        known = ", ".join([*_OVER_TRAINING, *_ABLATIONS])
        raise ValueError(f"figure {name!r}: unknown; known are {known}")
    return save(figure, output)


def save(figure: Figure, path_without_suffix: str | Path) -> tuple[Path, Path]:
    """Write PNG (200 dpi) and PDF without timestamps; return both paths."""
    stem = str(path_without_suffix).removesuffix(".png").removesuffix(".pdf")
    png, pdf = Path(stem + ".png"), Path(stem + ".pdf")
    png.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context(_STYLE):
        figure.savefig(png, dpi=200, metadata={"Software": None})
        figure.savefig(pdf, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    return png, pdf


def tokens_over_training(training: pd.DataFrame, note: str = "") -> Figure:
    """Mean reasoning tokens per response over RL steps, each algorithm with and without RePro.

    Args:
        training: the frame of `collect.training`.
        note: a sentence that stands below.
    """
    return _over_training(training, "reasoning_tokens", 1, "Reasoning tokens", note)


def accuracy_over_training(training: pd.DataFrame, note: str = "") -> Figure:
    """Accuracy on the training prompts over RL steps, laid out as `tokens_over_training`."""
    return _over_training(training, "accuracy", 100, "Training accuracy (%)", note)


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
    """
    summary = summary[summary["benchmark"] == "in-domain"]
    if summary.empty:
        raise ValueError(f"ablation_{key}: no in-domain benchmark in the scores")
    backbones = list(summary["backbone"].unique())
    algorithms = list(dict.fromkeys(methods.parse(method).algorithm for method in values))
    panels = {"accuracy": "Accuracy, in-domain (%)", "tokens": "Reasoning tokens, in-domain"}
    with matplotlib.rc_context(_STYLE):
        figure, axes = _panels(len(backbones), 2)
        for row, backbone in zip(axes, backbones, strict=True):
            for axis, (metric, label) in zip(row, panels.items(), strict=True):
                rows = summary[(summary["backbone"] == backbone) & (summary["metric"] == metric)]
                for number, algorithm in enumerate(algorithms):
                    _ablation_line(axis, rows.set_index("method"), algorithm, values, number)
                axis.set_title(backbone)
                axis.set_ylabel(label)
                axis.set_xlabel(f"RePro's {methods.ABLATED[key]}")
                _value_axis(axis, sorted({value for value, _ in values.values()}))
                _show_at_least(axis, 1.0)
        explanation = "Bars and band: 95 % intervals over problems."
        _legend_and_note(figure, axes.flat, f"{explanation} {note}".strip())
    return figure


def ablation_values(key: str, runs: Sequence[dict]) -> dict[str, tuple[float, bool]]:
    """Return method -> (value of ``key`` in settings.json, whether it is the default run's)."""
    return {
        run["method"]: (
            collect.process_reward_value(run, key),
            methods.parse(run["method"]).ablated is None,
        )
        for run in runs
        if methods.parse(run["method"]).repro
    }


def _over_training(
    training: pd.DataFrame, column: str, scale: float, label: str, note: str
) -> Figure:
    """Light: the mean over seeds at each step; strong: its centred running mean.

    A panel an algorithm in a row a backbone; with one algorithm, a panel a backbone side by side.
    """
    algorithm_of = training["method"].map(lambda method: methods.parse(method).algorithm)
    backbones, algorithms = list(training["backbone"].unique()), list(algorithm_of.unique())
    columns = len(algorithms) if len(algorithms) > 1 else min(2, len(backbones))
    with matplotlib.rc_context(_STYLE):
        rows = -(-len(backbones) * len(algorithms) // columns)
        figure, axes = _panels(rows, columns, sharey=True)
        panels = list(axes.flat)
        for (backbone, algorithm), axis in zip(
            itertools.product(backbones, algorithms), panels, strict=False
        ):
            chosen = (training["backbone"] == backbone) & (algorithm_of == algorithm)
            by_method = training[chosen].groupby("method", sort=False)
            for number, (method, frame) in enumerate(by_method):
                _curve(axis, number, scale * frame.groupby("step")[column].mean(), method)
            axis.xaxis.set_major_locator(MaxNLocator(4 if columns > 2 else 6, integer=True))
            axis.set_title(methods.label(algorithm) if len(algorithms) > 1 else backbone)
        for spare in panels[len(backbones) * len(algorithms) :]:
            spare.remove()
        panels = panels[: len(backbones) * len(algorithms)]
        for row, axis in enumerate(panels[::columns]):
            axis.set_ylabel(f"{backbones[row]}\n{label}" if len(algorithms) > 1 else label)
        for axis in panels[-columns:]:
            axis.set_xlabel("RL step")
        _legend_and_note(figure, panels, note)
    return figure


def _curve(axis: Axes, number: int, raw: pd.Series, method: str) -> None:
    """Draw one method's curve; the algorithm alone is the grey line beneath the others."""
    window = max(3, len(raw) // 10)
    smooth = raw.rolling(window, center=True, min_periods=1).mean()
    parts = methods.parse(method)
    label = "algorithm alone"
    if parts.repro:
        label = "with RePro" + (f" ({methods.setting(method)})" if parts.ablated else "")
    style = {"color": COLOURS[(number - 1) % len(COLOURS)] if parts.repro else "#505050"}
    axis.plot(raw.index, raw, linewidth=0.7, alpha=0.35, **style)
    axis.plot(
        smooth.index,
        smooth,
        linestyle="-" if parts.repro else "--",
        marker=MARKERS[number % len(MARKERS)],
        markersize=4,
        markevery=(number % 3, max(1, len(smooth) // 8)),
        label=label,
        **style,
    )


def _ablation_line(
    axis: Axes, rows: pd.DataFrame, algorithm: str, values: dict, number: int
) -> None:
    """Draw one algorithm: the ablated values with intervals, the plain algorithm as a band."""
    colour = COLOURS[number % len(COLOURS)]
    name = methods.label(algorithm)
    if algorithm in rows.index:
        plain = rows.loc[algorithm]
        axis.axhspan(plain["low"], plain["high"], color="#808080", alpha=0.15, linewidth=0)
        axis.axhline(
            plain["mean"], color="#505050", linestyle=DASHES[1 + number], label=f"{name} alone"
        )
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
        yerr=(line[["mean", "high"]].to_numpy() - line[["low", "mean"]].to_numpy()).T,  # (2, N)
        color=colour,
        marker=MARKERS[number],
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
        margin = (values[-1] / values[0]) ** 0.08
        axis.set_xlim(values[0] / margin, values[-1] * margin)
    axis.xaxis.set_major_locator(FixedLocator(values))
    axis.xaxis.set_major_formatter(FixedFormatter([f"{value:g}" for value in values]))
    axis.xaxis.set_minor_locator(NullLocator())


def _show_at_least(axis: Axes, span: float) -> None:
    """Widen a vertical axis on which everything is equal; its own range would be rounding noise."""
    low, high = axis.get_ylim()
    if high - low < span:
        axis.set_ylim((low + high - span) / 2, (low + high + span) / 2)


def _panels(rows: int, columns: int, sharey: bool = False) -> tuple[Figure, np.ndarray]:
    width = _WIDTH if columns > 1 else 4.5
    figure = Figure(figsize=(width, _PANEL_HEIGHT * rows + 0.6), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, sharey=sharey)


def _legend_and_note(figure: Figure, axes: Iterable[Axes], note: str) -> None:
    unique = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            unique.setdefault(label, handle)
    unique = dict(sorted(unique.items(), key=lambda item: item[0] == "default"))  # last
    columns = 3 if figure.get_figwidth() > 5 else 2
    figure.legend(
        unique.values(), unique.keys(), loc="outside upper center", ncols=min(columns, len(unique))
    )
    if note:
        characters = int(figure.get_figwidth() * 17)
        figure.supxlabel("\n".join(textwrap.wrap(note, characters)), fontsize=8, style="italic")


def _ablation_runs(key: str, runs: Sequence[dict]) -> list[dict]:
    """Keep the runs with ``key`` changed, and the default and plain runs they belong to."""

    def algorithm(run: dict) -> tuple[str, str]:
        return run["backbone"], methods.parse(run["method"]).algorithm

    ablated = {algorithm(run) for run in runs if methods.parse(run["method"]).ablated == key}
    if not ablated:
        raise ValueError(f"ablation_{key}: no run of a method ALGORITHM+repro~{key}=VALUE")
    wanted = (None, key)
    return [
        run
        for run in runs
        if algorithm(run) in ablated and methods.parse(run["method"]).ablated in wanted
    ]


_OVER_TRAINING = {
    "tokens_over_training": tokens_over_training,
    "accuracy_over_training": accuracy_over_training,
}
_ABLATIONS = {f"ablation_{key}": key for key in methods.ABLATED}
