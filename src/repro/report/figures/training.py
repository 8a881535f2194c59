"""Curves over reinforcement learning: each algorithm with and without RePro."""

from typing import NamedTuple

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from repro import methods
from repro.report import collect
from repro.report.figures import style


class Curve(NamedTuple):
    """What is drawn over the RL steps."""

    column: str  # of training.jsonl
    label: str
    scale: float = 1


CURVES = {
    "tokens_over_training": Curve("reasoning_tokens", "Reasoning tokens"),
    "accuracy_over_training": Curve("accuracy", "Training accuracy (%)", 100),
    "backtracking_over_training": Curve(
        "backtracking_per_1k", "Backtracking per\n1,000 reasoning tokens"
    ),
}


def over_training(name: str, training: pd.DataFrame, note: str = "") -> Figure:
    """Draw the mean per response over RL steps, each algorithm with and without RePro.

    Light: the mean over seeds at each step; strong: its centred running mean. A panel an algorithm
    in a row a backbone; with one algorithm, a panel a backbone side by side.

    Args:
        name: one of `CURVES`.
        training: the frame of `collect.training`.
        note: a sentence below.

    Raises:
        ValueError: a training.jsonl lacks what is drawn; the message names the file and the key.
    """
    column, label, scale = CURVES[name]
    _check(training, column)
    algorithm_of = training["method"].map(lambda method: methods.parse(method).algorithm)
    titles = {algorithm: methods.label(algorithm) for algorithm in algorithm_of.unique()}
    with matplotlib.rc_context(style.STYLE):
        figure, panels = style.backbone_panels(
            list(training["backbone"].unique()), titles, "RL step", label
        )
        for (backbone, algorithm), axis in panels.items():
            frame = training[(training["backbone"] == backbone) & (algorithm_of == algorithm)]
            by_method = dict(tuple(frame.groupby("method", sort=False)))
            # The algorithm alone has the first look, whether it is there or not.
            order = sorted(by_method, key=lambda method: methods.parse(method).repro)
            for number, method in enumerate(order, start=int(algorithm not in order)):
                mean = by_method[method].groupby("step")[column].mean()
                _curve(axis, number, scale * mean, method)
            if frame.empty:
                style.gap(axis, "no run")
            axis.xaxis.set_major_locator(MaxNLocator(4 if len(titles) > 2 else 6, integer=True))
            style.thousands(axis)
        artists = style.labelled(panels.values())
        order = sorted(artists, key=lambda label: label != style.WITHOUT)  # first
        explanation = "Faint: every step; strong: the running mean."
        style.legend_and_note(figure, {label: artists[label] for label in order}, explanation, note)
    return figure


def _check(training: pd.DataFrame, column: str) -> None:
    """Refuse logs that lack a key: a curve with holes would look like a finished one."""
    lacking = training[training.reindex(columns=[column])[column].isna()]
    if not lacking.empty:
        run = "/".join(str(lacking[key].iloc[0]) for key in collect.RUN_KEYS)
        raise ValueError(f"{run}/training.jsonl, step {lacking['step'].iloc[0]}: no {column!r}")


def _curve(axis: Axes, number: int, raw: pd.Series, method: str) -> None:
    """Draw one method's curve; number 0, the algorithm alone, is grey and beneath the others."""
    window = max(3, len(raw) // 10)
    smooth = raw.rolling(window, center=True, min_periods=1).mean()
    parts = methods.parse(method)
    label = style.WITH if parts.repro else style.WITHOUT
    if parts.ablated:
        label += f" ({methods.setting(method)})"
    colour = style.COLOURS[(number - 1) % len(style.COLOURS)] if parts.repro else style.PLAIN
    axis.plot(raw.index, raw, linewidth=0.7, alpha=0.35, color=colour)
    axis.plot(
        smooth.index,
        smooth,
        linestyle="-" if parts.repro else "--",
        marker=style.MARKERS[number % len(style.MARKERS)],
        markersize=4,
        markevery=(number % 3, max(1, len(smooth) // 8)),
        label=label,
        color=colour,
    )
