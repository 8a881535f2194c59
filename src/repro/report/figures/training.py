"""Curves over reinforcement learning: each algorithm with and without RePro."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from repro import methods
from repro.report.figures import style

_BACKTRACKING = "Backtracking per\n1,000 reasoning tokens"
CURVES = {  # what is drawn: the column of training.jsonl, its label, and the factor of its numbers
    "tokens_over_training": ("reasoning_tokens", "Reasoning tokens", 1),
    "accuracy_over_training": ("accuracy", "Training accuracy (%)", 100),
    "backtracking_over_training": ("backtracking_per_1k", _BACKTRACKING, 1),
}


def over_training(name: str, training: pd.DataFrame, note: str = "") -> Figure:
    """Draw the mean per response over RL steps, each algorithm with and without RePro.

    Light: the mean over seeds at each step; strong: its centred running mean. ``name`` is one of
    `CURVES`, ``training`` the frame of `collect.read_training`, ``note`` a sentence below.

    Raises:
        ValueError: nothing was trained.
    """
    column, label, scale = CURVES[name]
    if training.empty:
        raise ValueError(f"{name}: no trained run among the given ones (only `original`)")
    algorithms = {methods.parse(method).algorithm: None for method in training["method"]}
    titles = {algorithm: methods.label(algorithm) for algorithm in algorithms}
    figure, panels = style.panels(training["backbone"].unique(), titles, "RL step", label)
    means = scale * training.groupby(["backbone", "method", "step"])[column].mean()
    for (backbone, algorithm), axis in panels.items():
        chosen = (algorithm, algorithm + methods.REPRO)
        there = [method for method in chosen if (backbone, method) in means.index]
        for method in there:
            _curve(axis, means[backbone, method], method.endswith(methods.REPRO))
        if not there:
            style.gap(axis, "no run")
        axis.xaxis.set_major_locator(MaxNLocator(4 if len(titles) > 2 else 6, integer=True))
        style.thousands(axis)
    explanation = "Faint: every step; strong: the running mean."
    return style.finish(figure, panels.values(), explanation, note, last=style.WITH)


def _curve(axis: Axes, raw: pd.Series, repro: bool) -> None:
    """Draw one method's curve, indexed by step; the algorithm alone is grey and dashed."""
    colour = style.COLOURS[0] if repro else style.PLAIN
    axis.plot(raw.index, raw, linewidth=0.7, alpha=0.35, color=colour)
    smooth = raw.rolling(max(3, len(raw) // 10), center=True, min_periods=1).mean()
    axis.plot(
        smooth.index,
        smooth,
        linestyle="-" if repro else "--",
        marker=style.MARKERS[int(repro)],
        markersize=4,
        markevery=(int(repro), max(1, len(smooth) // 8)),
        label=style.WITH if repro else style.WITHOUT,
        color=colour,
    )
