"""Figures for print: colour-blind safe, at least 8 pt at final size, the same bytes every time.

Each figure is one function of frames that returns a matplotlib Figure; `write_figure` reads the
frames from the runs' files and writes the figure as PNG and PDF.
"""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from repro import methods
from repro.records.experiment import RunFolder
from repro.report import collect, compare, names
from repro.report.figures import ablations, evaluation, objective, style, training


def write_figure(
    name: str,
    runs: Sequence[RunFolder],
    benchmarks: Sequence[str],
    output: str | Path,
    note: str = "",
) -> tuple[Path, Path]:
    """Make one figure from the runs' files and write it as PNG and PDF.

    Args:
        name: one of `NAMES`.
        runs: the folders of the runs.
        benchmarks: those whose scores are read.
        output: the path to write, with or without .png or .pdf.
        note: a sentence below the figure.

    Returns:
        The paths of the PNG and of the PDF.

    Raises:
        ValueError: an unknown name, or a file that is missing or malformed.
    """
    if name not in NAMES:
        raise ValueError(f"figure {name!r}: unknown; known are {', '.join(NAMES)}")
    return style.save(_draw(name, runs, benchmarks, note), output)


def _draw(name: str, runs: Sequence[RunFolder], benchmarks: Sequence[str], note: str) -> Figure:
    if name in training.CURVES:
        return training.over_training(name, collect.training(runs), note)
    if name in _ABLATIONS:
        key = _ABLATIONS[name]
        chosen = ablations.ablation_runs(key, runs)
        summary = compare.summarise(collect.scores(chosen, benchmarks))
        return ablations.ablation(key, summary, ablations.ablation_values(key, chosen), note)
    # Runs with another value of a setting are in the figures of the ablations only.
    runs = [run for run in runs if methods.parse(run.method).ablated is None]
    if name == "objective_over_position":
        return objective.objective_over_position(objective.responses(runs), note)
    responses = collect.read_scores(runs, benchmarks).responses
    if name == "tokens_per_benchmark":
        summary = compare.summarise(collect.problems(responses))
        return evaluation.tokens_per_benchmark(summary, benchmarks, note)
    gaps = set(benchmarks) - set(responses["benchmark"])
    titles = ", ".join(title for name, title in names.BENCHMARKS.items() if name in gaps)
    note = f"Not scored: {titles}. {note}".strip() if gaps else note
    return evaluation.backtracking_at_evaluation(evaluation.backtracking_rates(responses), note)


_ABLATIONS = {f"ablation_{key}": key for key in methods.ABLATED}
NAMES = (
    *training.CURVES,
    *("objective_over_position", "tokens_per_benchmark", "backtracking_at_evaluation"),
    *_ABLATIONS,
)


def group_of(name: str) -> str:
    """Return the group of runs that a figure shows; see `repro.records.experiment`."""
    if name in _ABLATIONS:
        return _ABLATIONS[name]
    return "objective" if name == "objective_over_position" else "main"
