"""Curves over reinforcement learning, and of -J over the position in the thought."""

import itertools

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from repro import methods
from repro.measure import intervals
from repro.report import names
from repro.report.figures import style

POSITIONS = np.linspace(0, 1, 21)  # at which responses are averaged, relative to the longest
_AXES = {  # of -J: the column of `points`, the label of its axis
    "figure2_objective_over_tokens": (0, "Position in thought (tokens)"),
    "figure2_objective_over_position": (1, "Position in thought"),
}
# Verdict -> its name, colour and marker. Blue and orange differ in grey, too.
_VERDICTS = {True: ("correct", "#0072B2", "o"), False: ("wrong", "#E69F00", "s")}
CURVES = {  # what is drawn: the column of training.jsonl, its label, and the factor of its numbers
    "figure3_tokens_over_training": ("reasoning_tokens", "Reasoning tokens", 1),
    "figure5_backtracking_over_training": (
        *("backtracking_responses", "Responses that backtrack (%)", 100),
    ),
    "accuracy_over_training": ("accuracy", "Training accuracy (%)", 100),
}
_VALIDATED = {  # the panels of the validation: column of validation.jsonl, title and factor
    "accuracy": ("Accuracy (%)", 100),
    "reasoning_tokens": ("Reasoning tokens", 1),
    "backtracking_responses": ("Backtracking (%)", 100),
    "truncation_rate": ("Cut off (%)", 100),
}


def over_training(name: str, training: pd.DataFrame, note: str = "") -> Figure:
    """Draw the mean per response over RL steps, each algorithm with and without RePro.

    Light: the mean over seeds at each step; strong: its centred running mean. ``name`` is one of
    `CURVES`, ``training`` the frame of `collect.read_training`. ValueError without any training.
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
            _training_curve(axis, means[backbone, method], method.endswith(methods.REPRO))
        if not there:
            style.gap(axis, "no run")
        elif scale == 100:
            style.bound_share(axis)
        axis.xaxis.set_major_locator(MaxNLocator(4 if len(titles) > 2 else 6, integer=True))
        style.thousands(axis)
    explanation = "Faint: every step; strong: the running mean."
    return style.finish(figure, panels.values(), explanation, note, last=style.WITH)


def over_validation(validation: pd.DataFrame, note: str = "") -> Figure:
    """Draw what is measured of the same problems at every validation, the means over seeds.

    ``validation`` is the frame of `collect.read_validation`. ValueError without any.
    """
    if validation.empty:
        raise ValueError("validation: no run has a validation.jsonl")
    titles = {column: title for column, (title, _) in _VALIDATED.items()}
    figure, panels = style.panels(validation["backbone"].unique(), titles, "RL step", "")
    means = validation.groupby(["backbone", "method", "step"])[list(_VALIDATED)].mean()
    for (backbone, column), axis in panels.items():
        for method in means.loc[backbone].index.unique("method"):
            parts, values = methods.parse(method), means.loc[(backbone, method), column]
            colour, marker = style.ALGORITHMS[parts.algorithm]
            axis.plot(
                values.index,
                _VALIDATED[column][1] * values,
                color=colour,
                marker=marker,
                markersize=3,
                markerfacecolor=colour if parts.repro else "white",
                linestyle="-" if parts.repro else "--",
                label=methods.label(method),
            )
        if _VALIDATED[column][1] == 100:
            style.bound_share(axis)
        axis.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        style.thousands(axis)
    explanation = "The same problems and seeds at every step; step 0 is the untrained backbone."
    return style.finish(figure, panels.values(), explanation, note)


def _training_curve(axis: Axes, raw: pd.Series, repro: bool) -> None:
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


def mean_curves(responses: pd.DataFrame, axis: int = 1) -> pd.DataFrame:
    """Average the responses to each problem, then the problems, at every position of `POSITIONS`.

    -J of `collect.read_objective` is interpolated between cut points. ``axis`` 0 counts positions
    in tokens, up to the longest thought of the backbone; a curve ends where fewer than half of its
    problems have a thought so long, since those that are left are others. Columns: backbone,
    method, correct, position, mean, se, low, high (95 % over problems) and n (problems).
    """
    found = responses.drop(columns=["points", "segments"]).astype({"correct": bool})
    ends = responses["points"].map(lambda points: points[-1][axis])
    longest = ends.groupby(responses["backbone"]).transform("max")
    values = []
    for points, end in zip(responses["points"], longest, strict=True):
        table = np.array(points).T  # (3, C)
        at, j = table[axis], table[2]
        values.append(np.interp(POSITIONS * end, at, -j, right=-j[-1] if axis else np.nan))
    found[list(POSITIONS)] = values
    found["longest"] = longest
    keys = ["backbone", "longest", "method", "correct"]
    by_problem = found.groupby([*keys, "benchmark", "doc_id"], sort=False)
    problems = by_problem[list(POSITIONS)].mean().melt(ignore_index=False, var_name="position")
    cells = problems.groupby([*keys, "position"], sort=False)["value"]
    estimates = pd.DataFrame([intervals.estimate(of.dropna()) for _, of in cells])
    curves = cells.size().rename("problems").reset_index().join(estimates)
    curves["position"] = curves["position"].astype(float) * curves["longest"]
    return curves[curves["n"] >= curves["problems"] / 2].drop(columns=["longest", "problems"])


def objective_over_position(name: str, responses: pd.DataFrame, note: str = "") -> Figure:
    """-J over the position in the thought, correct and wrong responses apart.

    ``name`` is one of `_AXES`, ``responses`` the frame of `collect.read_objective`. Thoughts of no
    tokens are left out; ValueError where no response is left.
    """
    responses = responses[responses["points"].map(lambda points: points[-1][0] > 0).astype(bool)]
    if responses.empty:
        raise ValueError(f"{name}: no objective.jsonl with responses in any run")
    of_points, label = _AXES[name]
    curves = mean_curves(responses, of_points)
    curves["repro"] = curves["method"].str.endswith(methods.REPRO)
    columns = curves["method"].str.removesuffix(methods.REPRO)
    wanted = [methods.ORIGINAL, *methods.ALGORITHMS]
    titles = {name: methods.label(name) for name in wanted if name in set(columns)}
    figure, panels = style.panels(
        curves["backbone"].unique(), titles, label, "−J (nats per answer token)"
    )
    highest = curves.groupby("backbone")["mean"].max()
    for (backbone, column), axis in panels.items():
        frame = curves[(curves["backbone"] == backbone) & (columns == column)]
        for repro, correct in itertools.product((False, True), _VERDICTS):
            of_line = (frame["repro"] == repro) & (frame["correct"] == correct)
            if of_line.any():
                _curve(axis, frame[of_line], correct, repro)
        if frame.empty:
            style.gap(axis, "not measured")
        if of_points:
            axis.set_xlim(-0.03, 1.03)
            axis.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        # Not all of the band, which is very wide over few problems.
        axis.set_ylim(0, max(1.5 * highest[backbone], 0.01))
    least, most = curves["n"].min(), curves["n"].max()
    over = f"{least}" if least == most else f"{least} to {most}"
    explanation = (
        f"Means and 95\N{NO-BREAK SPACE}% bands over problems of "
        f"{names.titles(set(responses['benchmark']))}, {over} a line."
    )
    return style.finish(figure, panels.values(), explanation, note, columns=2)


def _curve(axis: Axes, rows: pd.DataFrame, correct: bool, repro: bool) -> None:
    name, colour, marker = _VERDICTS[correct]
    band = rows["low"], rows["high"]
    axis.fill_between(rows["position"], *band, color=colour, alpha=0.15, linewidth=0)
    axis.plot(
        rows["position"],
        rows["mean"],
        markevery=(0 if repro else 2, 4),
        label=f"{name}, {style.WITH if repro else style.WITHOUT}",
        color=colour,
        linestyle="-" if repro else "--",
        marker=marker,
        markersize=4,
        markerfacecolor=colour if repro else "white",
    )
