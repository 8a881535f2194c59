"""Figures for print: colour-blind safe, at least 8 pt at final size, the same bytes every time.

Each figure is one function of frames that returns a matplotlib Figure; `draw` reads the frames from
the runs' files, and `style.save` writes the figure.
"""

from collections.abc import Sequence

import matplotlib
from matplotlib.figure import Figure

from repro import methods
from repro.records.experiment import RunFolder
from repro.report import collect, compare, names
from repro.report.figures import curves, evaluation, style

_ABLATIONS = {f"ablation_{key}": key for key in methods.ABLATED}
NAMES = (
    *curves.CURVES,
    *("objective_over_position", "tokens_per_benchmark", "backtracking_at_evaluation"),
    *_ABLATIONS,
)


def group_of(name: str) -> str:
    """Return the group of runs that a figure shows; see `repro.records.experiment`."""
    if name in _ABLATIONS:
        return _ABLATIONS[name]
    return "objective" if name == "objective_over_position" else "main"


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
        return curves.over_training(name, collect.read_training(runs), note)
    if name == "objective_over_position":
        return curves.objective_over_position(collect.read_objective(runs), note)
    scores = collect.read_scores(runs, benchmarks)
    if name == "backtracking_at_evaluation":
        if titles := names.titles(set(benchmarks) - set(scores.responses["benchmark"])):
            note = f"Not scored: {titles}. {note}".strip()
        rates = evaluation.backtracking_rates(scores.responses)
        return evaluation.backtracking_at_evaluation(rates, note)
    summary = compare.summarise(scores.problems, scores.grid)
    if name == "tokens_per_benchmark":
        return evaluation.tokens_per_benchmark(summary, benchmarks, note)
    key = _ABLATIONS[name]
    values = {
        run.method: collect.read_process_reward(run, key)
        for run in runs
        if methods.parse(run.method).repro
    }
    return evaluation.ablation(key, summary, values, note)
