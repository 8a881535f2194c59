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
POINTS = {  # of -J: the column of `points`, the label of its axis
    "figure2_objective_over_tokens": (0, "Position in thought (tokens)"),
    "figure2_objective_over_position": (1, "Position in thought"),
}
# Verdict -> its name, colour and marker. Blue and orange differ in grey, too.
_VERDICTS = {True: ("correct", "#0072B2", "o"), False: ("wrong", "#E69F00", "s")}
CURVES = {
    "figure3_tokens_over_training": "reasoning_tokens",
    "figure5_backtracking_over_training": "backtracking_responses",
    "accuracy_over_training": "accuracy",
}
_LABELS = {  # of the columns of validation.jsonl; those with % are in [0, 1]
    "accuracy": "Accuracy (%)",
    "reasoning_tokens": "Reasoning tokens",
    "backtracking_responses": "Backtracking (%)",
    "truncation_rate": "Cut off (%)",
}
_VALIDATION = "From validation, with the same problems at every step."
_ROLLOUTS = (
    "Of the training problems, which change from step to step and are the same for a seed's runs."
)


def over_training(
    name: str, training: pd.DataFrame, validation: pd.DataFrame, note: str = ""
) -> Figure:
    """Draw the mean per response over RL steps, each algorithm with and without RePro.

    Tokens and backtracking are of `collect.read_validation`, where runs have one. All else is of
    `collect.read_training`, whose prompts change from step to step and hide what RePro does; runs
    of a seed share them, so that with several seeds the difference to the algorithm alone is drawn.
    ``name`` is one of `CURVES`. ValueError without any training.
    """
    column, label = CURVES[name], _LABELS[CURVES[name]]
    scale = 100 if "%" in label else 1
    validated = len(validation) > 0 and column != "accuracy"
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
        _scale(axis, scale == 100 and not paired)
    explanation = (
        f"{_VALIDATION if validated else _ROLLOUTS} Strong: {'' if validated else 'running '}mean "
        f"of {names.count_seeds(seeds)}; faint: {'each seed' if several else 'every step'}."
    )
    return style.finish(figure, panels.values(), explanation, note, last=style.WITH)


def _mean_curve(axis: Axes, seeds: pd.DataFrame, repro: bool, width: int, several: bool) -> None:
    """Draw (steps, seeds) and their running mean; the algorithm alone is grey and dashed."""
    colour, every = style.COLOURS[0] if repro else style.PLAIN, max(1, len(seeds) // 8)
    smooth = seeds.rolling(width, center=True, min_periods=1).mean()
    faint = smooth if several else seeds
    axis.plot(faint.index, faint, linewidth=0.7, alpha=0.35, color=colour)
    axis.plot(
        smooth.index,
        smooth.mean(axis=1),
        linestyle="-" if repro else "--",
        marker=style.MARKERS[int(repro)],
        markersize=4,
        markevery=(int(repro) % every, every),
        label=style.WITH if repro else style.WITHOUT,
        color=colour,
    )


def over_validation(validation: pd.DataFrame, note: str = "") -> Figure:
    """Draw what is measured of the same problems at every validation: means, and each seed.

    ``validation`` is the frame of `collect.read_validation`. ValueError without any.
    """
    if validation.empty:
        raise ValueError("validation: no run has a validation.jsonl")
    figure, panels = style.panels(validation["backbone"].unique(), _LABELS, "RL step", "")
    for (backbone, column), axis in panels.items():
        rows = validation[validation["backbone"] == backbone]
        scale = 100 if "%" in _LABELS[column] else 1
        places = style.places(rows["method"])  # so that no bar hides another
        for method, of in rows.groupby("method"):
            wide = scale * of.pivot(index="step", columns="seed", values=column)
            found = pd.DataFrame([intervals.estimate(row.dropna()) for _, row in wide.iterrows()])
            hidden = (found["n"] < 3) | (found.index < found.index[-1])
            found.loc[hidden, ["low", "high"]] = np.nan
            found["by_seed"] = wide.astype(str).agg(" ".join, axis=1).to_list()
            x = wide.index + np.ptp(wide.index) * places[method] / 10
            style.draw_means(axis, x, found, method, markersize=3, linewidth=1.2)
        _scale(axis, scale == 100)
    seeds = names.count_seeds(validation.groupby(["backbone", "method"])["seed"].nunique())
    dots = f"Small dots: each of {seeds}; bars at the end: {style.INTERVALS} three seeds or more"
    dots = "One seed" if seeds == "one seed" else dots
    start = "Step 0 is the untrained backbone"
    return style.finish(figure, panels.values(), _VALIDATION, start, dots, note)


def _scale(axis: Axes, share: bool) -> None:
    """Begin an axis of a share at 0 where it would begin below; steps are whole numbers."""
    if share:
        axis.set_ylim(bottom=max(0, axis.get_ylim()[0]))
    axis.xaxis.set_major_locator(MaxNLocator(4, integer=True))


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
    seeds = names.count_seeds(responses.groupby(["backbone", "method"])["seed"].nunique())
    explanation = (
        f"Means of {seeds} and 95\N{NO-BREAK SPACE}% bands over problems of "
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
