"""Figures for print: colour-blind safe, at least 8 pt at final size, the same bytes every time.

Each figure is one function of frames that returns a matplotlib Figure; `draw` reads the frames from
the runs' files, and `style.save` writes the figure.
"""

from collections.abc import Sequence

import matplotlib
from matplotlib.figure import Figure

from repro import methods
from repro.records.experiment import RunFolder
from repro.report import collect, compare, rivals
from repro.report.figures import curves, evaluation, style

WITHIN = "accuracy_within_budget"
# Figure -> the group of runs that it shows; see `repro.records.experiment`. Those of the paper have
# its numbers in their names.
GROUPS = {
    **dict.fromkeys(curves.POINTS, "objective"),
    **dict.fromkeys([*curves.CURVES, "figure6_tokens_per_benchmark", WITHIN, "rivals"], "main"),
    **{"ablation_alpha": "alpha", "figure4_ablation_w": "w", "ablation_k": "k"},
}


@matplotlib.rc_context(style.STYLE)
def draw(
    name: str, runs: Sequence[RunFolder], benchmarks: Sequence[str], note: str = "", *budgets: int
) -> Figure:
    """Return one of `GROUPS`, made from the files of its runs.

    ``note`` is a sentence below it; ``budgets`` are in tokens, for the figure over them. ValueError
    for an unknown name, no runs, or a malformed file.
    """
    if name not in GROUPS:
        raise ValueError(f"figure {name!r}: unknown; known are {', '.join(GROUPS)}")
    if not runs:
        raise ValueError(f"figure {name}: the experiment has no runs for it")
    if name in curves.CURVES:
        of_runs = collect.read_training(runs), collect.read_validation(runs)
        return curves.over_training(name, *of_runs, note)
    if name in curves.POINTS:
        return curves.objective_over_position(name, collect.read_objective(runs), note)
    scores = collect.read_scores(runs, benchmarks)
    if name == WITHIN:
        found = compare.summarise_sampling(runs, scores.grid, [budgets])
        return evaluation.accuracy_within_budget(found, scores.gaps, note)
    if name == "rivals":
        effects = compare.effects(scores.problems, scores.grid)
        return evaluation.frontier(rivals.measure_points(effects), note)
    if GROUPS[name] == "main":
        summary = compare.summarise(scores.problems, scores.grid)
        return evaluation.tokens_per_benchmark(summary, scores.gaps, note)
    key, effects = GROUPS[name], compare.effects(scores.problems, scores.grid)
    with_repro = [run for run in runs if methods.parse(run.method).repro]
    values = {run.method: collect.read_process_reward(run, key) for run in with_repro}
    return evaluation.ablation(key, effects, values, note)
