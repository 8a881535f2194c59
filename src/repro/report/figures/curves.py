"""Curves over reinforcement learning, and of -J over the position in the thought."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from repro import methods
from repro.measure import intervals
from repro.report import names
from repro.report.figures import style
from repro.report.rendering import say

POSITIONS = np.linspace(0, 1, 21)  # at which responses are averaged, relative to the longest
POINTS = {  # of -J: the column of `points`, the label of its axis
    "figure2_objective_over_tokens": (0, "Position in thought (tokens)"),
    "figure2_objective_over_position": (1, "Position in thought"),
}
# Verdict -> its name, colour and marker. Blue and orange differ in grey, too.
VERDICTS = {True: ("correct", "#0072B2", "o"), False: ("wrong", "#E69F00", "s")}
CURVES = {  # a column, the label of its axis; those with % are in [0, 1]
    "figure3_tokens_over_training": ("reasoning_tokens", "Reasoning tokens"),
    "figure5_backtracking_over_training": ("backtracking_responses", "Backtracking (%)"),
    "accuracy_over_training": ("accuracy", "Accuracy (%)"),
}


def over_training(
    name: str, training: pd.DataFrame, validation: pd.DataFrame, note: str = ""
) -> Figure:
    """Draw the mean per response over RL steps, each algorithm with and without RePro.

    Of `collect.read_validation`, where runs have one. Else of `collect.read_training`, whose
    prompts change from step to step and hide what RePro does; runs of a seed share them, so that
    with several seeds the difference to the algorithm alone is drawn. ``name`` is one of `CURVES`.
    ValueError without any training.
    """
    column, label = CURVES[name]
    scale = 100 if "%" in label else 1
    validated = len(validation) > 0
    frame = validation if validated else training
    if frame.empty:
        raise ValueError(f"{name}: no trained run among the given ones (only `original`)")
    seeds = frame.groupby(["backbone", "method"])["seed"].nunique()
    several, present = seeds.max() > 1, set(frame["method"])
    paired = several and not validated and any(of + methods.REPRO in present for of in present)
    if paired:
        label = f"{label.replace('%', 'points')},\nwith minus without RePro"
    algorithms = {methods.parse(method).algorithm: None for method in frame["method"]}
    titles = {algorithm: methods.label(algorithm) for algorithm in algorithms}
    figure, panels = style.panels(frame["backbone"].unique(), titles, "RL step", label)
    curves = {
        of: scale * rows.pivot(index="step", columns="seed", values=column)
        for of, rows in frame.groupby(["backbone", "method"])
    }
    for (backbone, algorithm), axis in panels.items():
        plain, ours = (curves.get((backbone, algorithm + of)) for of in ("", methods.REPRO))
        if paired:
            known = plain is not None and ours is not None
            plain, ours = (plain - plain, ours - plain) if known else (None, None)
        for curve in (plain, ours):
            if curve is not None:
                width = 1 if validated else max(3, len(curve) // 10)
                _mean_curve(axis, curve, curve is ours, width, several)
        if not axis.lines:
            style.gap(axis, "no pair" if paired else "no run")
        if scale == 100 and not paired:
            axis.set_ylim(bottom=max(0, axis.get_ylim()[0]))
        axis.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    known = {"validated": validated, "several": several, "seeds": names.count_seeds(seeds)}
    said = say("over_training", **known)
    return style.finish(figure, panels.values(), said, note, last=style.WITH)


def _mean_curve(axis: Axes, seeds: pd.DataFrame, repro: bool, width: int, several: bool) -> None:
    """Draw (steps, seeds) and their running mean; the algorithm alone is grey."""
    colour = style.COLOURS[0] if repro else style.PLAIN
    smooth = seeds.rolling(width, center=True, min_periods=1).mean()
    faint = smooth if several else seeds
    axis.plot(faint.index, faint, linewidth=0.7, alpha=0.35, color=colour)
    look = {"color": colour, "marker": style.MARKERS[int(repro)]}
    _plot(axis, smooth.mean(axis=1), repro, "", max(1, len(seeds) // 8), **look)


def _plot(
    axis: Axes, line: pd.Series, repro: bool, what: str, every: int, color: str, marker: str
) -> None:
    """Draw a line over its index; without RePro it is dashed and its markers are not filled."""
    axis.plot(
        line.index,
        line,
        linestyle="-" if repro else "--",
        label=f"{what}{style.WITH if repro else style.WITHOUT}",
        color=color,
        marker=marker,
        markersize=4,
        markerfacecolor=color if repro else "white",
        markevery=(0 if repro else every // 2, every),  # else one line's hide the other's
    )


def mean_curves(responses: pd.DataFrame, axis: int = 1) -> pd.DataFrame:
    """Average the responses to each problem, then the problems, at every position of `POSITIONS`.

    -J of `collect.read_objective` is interpolated between cut points. ``axis`` 0 counts positions
    in tokens, up to the longest thought of the backbone; a curve ends where fewer than half of its
    problems have a thought so long, since those that are left are others. Columns: backbone,
    method, correct, position, mean, se, low, high (95 % over problems) and n (problems).
    """
    found = responses.drop(columns=["points", "segments"]).astype({"correct": bool})
    ends = responses["points"].map(lambda points: points[-1][axis])
    longest, values = ends.groupby(responses["backbone"]).max(), []
    for points, backbone in zip(responses["points"], responses["backbone"], strict=True):
        at, j = np.transpose(points)[[axis, 2]]  # (C,) each
        right = -j[-1] if axis else np.nan
        values.append(np.interp(POSITIONS * longest[backbone], at, -j, right=right))
    found[list(POSITIONS)] = values
    keys = ["backbone", "method", "correct"]
    by_problem = found.groupby([*keys, "benchmark", "doc_id"], sort=False)
    problems = by_problem[list(POSITIONS)].mean().melt(ignore_index=False, var_name="position")
    keys = [*keys, "position"]
    cells = problems.groupby(keys, sort=False)["value"]
    enough = cells.transform("count") >= cells.transform("size") / 2
    cells = problems[enough.to_numpy()].dropna().groupby(keys, sort=False)["value"]
    rows = [dict(zip(keys, of, strict=True)) | intervals.estimate(x)._asdict() for of, x in cells]
    curves = pd.DataFrame(rows)
    curves["position"] = curves["position"].astype(float) * curves["backbone"].map(longest)
    return curves


def objective_over_position(name: str, responses: pd.DataFrame, note: str = "") -> Figure:
    """-J over the position in the thought, correct and wrong responses apart.

    ``name`` is one of `POINTS`, ``responses`` the frame of `collect.read_objective`. Thoughts of no
    tokens are left out; ValueError where no response is left.
    """
    responses = responses[responses["points"].map(lambda points: points[-1][0] > 0).astype(bool)]
    if responses.empty:
        raise ValueError(f"{name}: no objective.jsonl with responses in any run")
    of_points, label = POINTS[name]
    curves = mean_curves(responses, of_points)
    curves["column"] = curves["method"].str.removesuffix(methods.REPRO)
    wanted = [methods.ORIGINAL, *methods.ALGORITHMS]
    titles = {name: methods.label(name) for name in wanted if name in set(curves["column"])}
    backbones, ylabel = curves["backbone"].unique(), "−J (nats per answer token)"
    figure, panels = style.panels(backbones, titles, label, ylabel)
    highest = curves.groupby("backbone")["mean"].max()
    curves = curves.sort_values(["method", "correct", "position"], ascending=[True, False, True])
    for (backbone, column), axis in panels.items():
        frame = curves[(curves["backbone"] == backbone) & (curves["column"] == column)]
        for (method, correct), rows in frame.groupby(["method", "correct"], sort=False):
            what, colour, marker = VERDICTS[correct]
            line, band = rows.set_index("position"), {"color": colour, "alpha": 0.15}
            axis.fill_between(line.index, line["low"], line["high"], linewidth=0, **band)
            _plot(axis, line["mean"], method != column, f"{what}, ", 4, colour, marker)
        if frame.empty:
            style.gap(axis, "not measured")
        if of_points:
            axis.set_xlim(-0.03, 1.03)
            axis.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        # Not all of the band, which is very wide over few problems.
        axis.set_ylim(0, max(1.5 * highest[backbone], 0.01))
    seeds = names.count_seeds(responses.groupby(["backbone", "method"])["seed"].nunique())
    titles = names.titles(set(responses["benchmark"]))
    said = say("objective", titles=titles, problems=names.span(curves["n"]), seeds=seeds)
    return style.finish(figure, panels.values(), said, note, columns=2)
