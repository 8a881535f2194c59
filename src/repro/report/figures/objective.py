"""-J over the position in the thought: the objective falls where a thought makes progress."""

from collections.abc import Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator

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

    Columns: backbone, method, seed, benchmark, doc_id, correct (bool) and surprise: -J at each of
    `POSITIONS`, interpolated between the cut points. Thoughts of no tokens have no positions and
    are left out.

    Raises:
        ValueError: no run has the file, or a row is malformed; the message names file and row.
    """
    rows = []
    for run in runs:
        path = run.path / "objective.jsonl"
        if not path.is_file():
            continue
        of_run = run.keys()
        for number, row in enumerate(jsonl.read(path), start=1):
            try:
                surprise = _surprise(row["points"])
                keys = {key: row[key] for key in ("benchmark", "doc_id", "correct")}
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}, row {number}: {error!r}") from None
            if surprise is not None:
                rows.append(of_run | keys | {"surprise": surprise})
    if not rows:
        raise ValueError("objective_over_position: no objective.jsonl with responses in any run")
    return pd.DataFrame(rows).astype({"correct": bool})


def mean_curves(found: pd.DataFrame) -> pd.DataFrame:
    """Average the responses to each problem, then the problems, at every position.

    Args:
        found: the frame of `responses`.

    Returns:
        One row per backbone, method, verdict and position: backbone, method, correct, position,
        mean, low, high (95 % t interval over problems, NaN with one problem) and n (problems).
    """
    rows = []
    keys = ["backbone", "method", "correct"]
    for of_group, frame in found.groupby(keys, sort=False):
        by_problem = frame.groupby(["benchmark", "doc_id"])["surprise"]
        per_problem = np.stack([np.mean(np.stack(list(x)), axis=0) for _, x in by_problem])  # (N,P)
        for position, values in zip(POSITIONS, per_problem.T, strict=True):
            estimate = intervals.estimate(values)._asdict()
            rows.append(dict(zip(keys, of_group, strict=True), position=position) | estimate)
    return pd.DataFrame(rows).drop(columns="se")


def objective_over_position(found: pd.DataFrame, note: str = "") -> Figure:
    """-J over the relative position in the thought, correct and wrong responses apart.

    A row a backbone; a panel for the original model and one for each algorithm: hollow and dashed
    without RePro, filled and solid with it. Bands: 95 % over problems.

    Args:
        found: the frame of `responses`.
        note: a sentence that stands below.
    """
    curves = mean_curves(found)
    column_of = curves["method"].map(_column)
    wanted = [methods.ORIGINAL, *methods.ALGORITHMS]
    titles = {name: methods.label(name) for name in wanted if name in set(column_of)}
    with matplotlib.rc_context(style.STYLE):
        figure, panels = style.backbone_panels(
            list(curves["backbone"].unique()),
            titles,
            "Position in thought",
            "−J (nats per answer token)",
        )
        tops = curves.groupby("backbone")[["mean", "high"]].max()
        for (backbone, column), axis in panels.items():
            frame = curves[(curves["backbone"] == backbone) & (column_of == column)]
            for (method, correct), rows in frame.groupby(["method", "correct"], sort=False):
                _curve(axis, rows, method, correct)
            if frame.empty:
                style.gap(axis, "not measured")
            axis.set_xlim(-0.03, 1.03)
            axis.xaxis.set_major_locator(FixedLocator([0, 0.5, 1]))
            axis.xaxis.set_major_formatter(FixedFormatter(["0", "0.5", "1"]))
            highest, band = tops.loc[backbone]
            axis.set_ylim(0, max(1.05 * np.nanmin([band, _WIDEST * highest]), 0.01))
        style.legend_and_note(figure, _legend(curves), _explanation(found, curves), note, columns=4)
    return figure


def _surprise(points: Sequence[Sequence[float]]) -> np.ndarray | None:
    """Return -J at `POSITIONS`, or None for a thought of no tokens."""
    table = np.array(points, dtype=float).reshape(-1, 3)  # token position, relative position, J
    if len(table) == 0 or not np.isfinite(table).all() or (table[:, 2] > 0).any():
        raise ValueError("points: wanted [position, relative position, J], finite, J at most 0")
    position = table[:, 1]
    if position[-1] == 0:
        return None
    if (np.diff(position) <= 0).any() or position[0] != 0 or not np.isclose(position[-1], 1):
        raise ValueError("points: relative positions must rise from 0 to 1")
    return np.interp(POSITIONS, position, -table[:, 2])


def _column(method: str) -> str:
    return methods.parse(method).algorithm or method


def _curve(axis: Axes, rows: pd.DataFrame, method: str, correct: bool) -> None:
    name, colour, marker = _VERDICTS[correct]
    repro = methods.parse(method).repro
    axis.fill_between(
        rows["position"], rows["low"], rows["high"], color=colour, alpha=0.15, linewidth=0
    )
    axis.plot(
        rows["position"],
        rows["mean"],
        markevery=(0 if repro else 2, 4),
        label=f"{name}, {methods.label(method)}",
        **_look(colour, marker, repro),
    )


def _look(colour: str, marker: str, repro: bool) -> dict:
    return {
        "color": colour,
        "linestyle": "-" if repro else "--",
        "marker": marker,
        "markersize": 4,
        "markerfacecolor": colour if repro else "white",
    }


def _legend(curves: pd.DataFrame) -> dict[str, Artist]:
    """Return an entry per verdict, and what hollow and filled mean."""
    entries = {}
    for correct, (name, colour, marker) in _VERDICTS.items():
        if (curves["correct"] == correct).any():
            entries[name] = Line2D([], [], **_look(colour, marker, True))
    present = {methods.parse(method).repro for method in curves["method"]}
    for label, repro in ((style.WITHOUT, False), (style.WITH, True)):
        if repro in present:
            entries[label] = Line2D([], [], **_look(style.PLAIN, "o", repro))
    return entries


def _explanation(found: pd.DataFrame, curves: pd.DataFrame) -> str:
    present = set(found["benchmark"])
    known = [title for name, title in names.BENCHMARKS.items() if name in present]
    least, most = curves["n"].min(), curves["n"].max()
    over = f"{least}" if least == most else f"{least} to {most}"
    benchmarks = ", ".join([*known, *sorted(present - set(names.BENCHMARKS))])
    return f"Means and 95\N{NO-BREAK SPACE}% bands over problems of {benchmarks}, {over} a line."
