"""-J over the position in the thought: the objective falls where a thought makes progress."""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from repro import methods
from repro.files import jsonl
from repro.measure import intervals
from repro.records.experiment import RunFolder
from repro.report import names
from repro.report.figures import style

POSITIONS = np.linspace(0, 1, 21)  # relative positions at which responses are averaged
# Verdict -> its name, colour and marker. Blue and orange differ in grey, too.
_VERDICTS = {True: ("correct", "#0072B2", "o"), False: ("wrong", "#E69F00", "s")}
_WIDEST = 1.5  # times the highest mean: what a panel shows of a band over very few problems


def responses(runs: Sequence[RunFolder]) -> pd.DataFrame:
    """Return a row per response of the runs that have an objective.jsonl.

    Columns: backbone, method, seed, benchmark, doc_id, correct (bool) and, called by their
    positions, -J at each of `POSITIONS`, interpolated between the cut points. Thoughts of no tokens
    have no positions and are left out.

    Raises:
        ValueError: no run has the file, or a row is malformed; the message names file and row.
    """
    rows = []
    for run in runs:
        path = run.path / "objective.jsonl"
        for number, row in enumerate(jsonl.read(path) if path.is_file() else (), start=1):
            try:
                keys = {"benchmark": row["benchmark"], "doc_id": row["doc_id"]}
                surprise = dict(zip(POSITIONS, _surprise(row["points"]), strict=True))
                rows.append(run.keys() | keys | {"correct": bool(row["correct"])} | surprise)
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}, row {number}: {error!r}") from None
    found = pd.DataFrame(rows).dropna()
    if found.empty:
        raise ValueError("objective_over_position: no objective.jsonl with responses in any run")
    return found


def mean_curves(found: pd.DataFrame) -> pd.DataFrame:
    """Average the responses to each problem, then the problems, at every position.

    Returns:
        One row per backbone, method, verdict and position of the frame of `responses`: backbone,
        method, correct, position, mean, low, high (95 % t interval over problems, NaN with one
        problem) and n (problems).
    """
    keys = ["backbone", "method", "correct"]
    by_problem = found.groupby([*keys, "benchmark", "doc_id"], sort=False)
    problems = by_problem[list(POSITIONS)].mean().melt(ignore_index=False, var_name="position")
    cells = problems.groupby([*keys, "position"], sort=False)["value"]
    estimates = pd.DataFrame([intervals.estimate(values) for _, values in cells])
    return cells.size().reset_index()[[*keys, "position"]].join(estimates)


def objective_over_position(found: pd.DataFrame, note: str = "") -> Figure:
    """-J over the relative position in the thought, correct and wrong responses apart.

    A row a backbone; a panel for the original model and one for each algorithm: hollow and dashed
    without RePro, filled and solid with it. Bands: 95 % over problems. ``found`` is the frame of
    `responses`, ``note`` a sentence below.
    """
    curves = mean_curves(found)
    curves["repro"] = curves["method"].str.endswith(methods.REPRO)
    columns = curves["method"].str.removesuffix(methods.REPRO)
    wanted = [methods.ORIGINAL, *methods.ALGORITHMS]
    titles = {name: methods.label(name) for name in wanted if name in set(columns)}
    figure, panels = style.panels(
        curves["backbone"].unique(), titles, "Position in thought", "−J (nats per answer token)"
    )
    tops = curves.groupby("backbone")[["mean", "high"]].max()
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
        highest, band = tops.loc[backbone]
        axis.set_ylim(0, max(1.05 * np.nanmin([band, _WIDEST * highest]), 0.01))
    least, most = curves["n"].min(), curves["n"].max()
    over = f"{least}" if least == most else f"{least} to {most}"
    explanation = (
        f"Means and 95\N{NO-BREAK SPACE}% bands over problems of "
        f"{names.titles(set(found['benchmark']))}, {over} a line."
    )
    return style.finish(figure, panels.values(), explanation, note, columns=2)


def _surprise(points: Sequence[Sequence[float]]) -> np.ndarray:
    """Return -J at `POSITIONS`; NaN throughout for a thought of no tokens."""
    table = np.array(points, dtype=float).reshape(-1, 3)
    _, position, objective = table.T
    if len(table) == 0 or not np.isfinite(table).all() or (objective > 0).any():
        raise ValueError("points: wanted [position, relative position, J], finite, J at most 0")
    if position[-1] == 0:
        return np.full_like(POSITIONS, np.nan)
    if (np.diff(position) <= 0).any() or position[0] != 0 or not np.isclose(position[-1], 1):
        raise ValueError("points: relative positions must rise from 0 to 1")
    return np.interp(POSITIONS, position, -objective)


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
