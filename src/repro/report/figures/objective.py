"""-J over the position in the thought: the objective falls where a thought makes progress."""

import itertools

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from repro import methods
from repro.measure import intervals
from repro.report import names
from repro.report.figures import style

POSITIONS = np.linspace(0, 1, 21)  # relative positions at which responses are averaged
# Verdict -> its name, colour and marker. Blue and orange differ in grey, too.
_VERDICTS = {True: ("correct", "#0072B2", "o"), False: ("wrong", "#E69F00", "s")}


def mean_curves(responses: pd.DataFrame) -> pd.DataFrame:
    """Average the responses to each problem, then the problems, at every position.

    ``responses`` is the frame of `collect.read_objective`, whose thoughts have tokens. -J is
    interpolated between their cut points.

    Returns:
        One row per backbone, method, verdict and position of `POSITIONS`: backbone, method,
        correct, position, mean, low, high (95 % t interval over problems, NaN with one problem) and
        n (problems).
    """
    found = responses.drop(columns=["points", "segments"]).astype({"correct": bool})
    tables = map(np.array, responses["points"])  # (C, 3) each
    found[list(POSITIONS)] = [np.interp(POSITIONS, at, -j) for _, at, j in (t.T for t in tables)]
    keys = ["backbone", "method", "correct"]
    by_problem = found.groupby([*keys, "benchmark", "doc_id"], sort=False)
    problems = by_problem[list(POSITIONS)].mean().melt(ignore_index=False, var_name="position")
    cells = problems.groupby([*keys, "position"], sort=False)["value"]
    estimates = pd.DataFrame([intervals.estimate(values) for _, values in cells])
    return cells.size().reset_index()[[*keys, "position"]].join(estimates)


def objective_over_position(responses: pd.DataFrame, note: str = "") -> Figure:
    """-J over the relative position in the thought, correct and wrong responses apart.

    A row a backbone; a panel for the original model and one for each algorithm: hollow and dashed
    without RePro, filled and solid with it. Bands: 95 % over problems. ``responses`` is the frame
    of `collect.read_objective`, ``note`` a sentence below. Thoughts of no tokens are left out.

    Raises:
        ValueError: no response is left.
    """
    responses = responses[responses["points"].map(lambda points: points[-1][0] > 0).astype(bool)]
    if responses.empty:
        raise ValueError("objective_over_position: no objective.jsonl with responses in any run")
    curves = mean_curves(responses)
    curves["repro"] = curves["method"].str.endswith(methods.REPRO)
    columns = curves["method"].str.removesuffix(methods.REPRO)
    wanted = [methods.ORIGINAL, *methods.ALGORITHMS]
    titles = {name: methods.label(name) for name in wanted if name in set(columns)}
    figure, panels = style.panels(
        curves["backbone"].unique(), titles, "Position in thought", "−J (nats per answer token)"
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
