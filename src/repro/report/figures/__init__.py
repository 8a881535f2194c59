"""Figures for print: colour-blind safe, at least 8 pt at final size, the same bytes every time.

Each figure is one function of frames that returns a matplotlib Figure; `draw` reads the frames from
the runs' files, and `style.save` writes the figure.
"""

import math
from collections.abc import Sequence

import matplotlib
from matplotlib.figure import Figure

from repro import methods
from repro.records.experiment import RunFolder
from repro.report import collect, compare
from repro.report.figures import curves, evaluation, style

# Those of the paper have its numbers in their names.
_ABLATIONS = {"ablation_alpha": "alpha", "figure4_ablation_w": "w", "ablation_k": "k"}
_TOKENS = "figure6_tokens_per_benchmark"
NAMES = (*curves.POINTS, *curves.CURVES, *_ABLATIONS, _TOKENS, "validation")


def group_of(name: str) -> str:
    """Return the group of runs that a figure shows; see `repro.records.experiment`."""
    if name in _ABLATIONS:
        return _ABLATIONS[name]
    return "objective" if name in curves.POINTS else "main"


@matplotlib.rc_context(style.STYLE)
def draw(name: str, runs: Sequence[RunFolder], benchmarks: Sequence[str], note: str = "") -> Figure:
    """Return one of `NAMES`, made from the files of the group of runs that `group_of` names.

    ``note`` is a sentence below it. ValueError for an unknown name, no runs, or a malformed file.
    """
    if name not in NAMES:
        raise ValueError(f"figure {name!r}: unknown; known are {', '.join(NAMES)}")
    if not runs:
        raise ValueError(f"figure {name}: the experiment has no runs for it")
    if name in curves.CURVES:
        of_runs = collect.read_training(runs), collect.read_validation(runs)
        return curves.over_training(name, *of_runs, note)
    if name == "validation":
        return curves.over_validation(collect.read_validation(runs), note)
    if name in curves.POINTS:
        return curves.objective_over_position(name, collect.read_objective(runs), note)
    scores = collect.read_scores(runs, benchmarks)
    if name == _TOKENS:
        summary = compare.summarise(scores.problems, scores.grid)
        return evaluation.tokens_per_benchmark(summary, benchmarks, note)
    key, values = _ABLATIONS[name], {}
    for run in runs:
        if methods.parse(run.method).repro:
            value = collect.read_process_reward(run, key)
            training = run.read_json("settings").get("training", {})
            # A segment has at least one token, so that a larger k is all segments.
            longest = training.get("max_completion_tokens", math.inf)
            values[run.method] = math.inf if key == "k" and value >= longest else value
    return evaluation.ablation(key, compare.effects(scores.problems, scores.grid), values, note)
