"""Two problems a benchmark: small enough to compute every cell by hand."""

import json

import pandas as pd

from repro.records.experiment import RunFolder
from repro.report import collect


def present(runs: list[RunFolder]) -> list[str]:
    """Return the benchmarks that any of the runs has scores of."""
    return sorted({path.stem for run in runs for path in run.path.glob("scores/*.json")})


def scored(runs: list[RunFolder], partial: bool = False) -> tuple[pd.DataFrame, collect.Grid]:
    """Return the scores of runs, problem by problem, and what was to be there."""
    found = collect.read_scores(runs, present(runs), partial)
    return collect.problems(found.responses), found.grid


def unscored(run: RunFolder, benchmark: str, reason: str) -> None:
    """Make a benchmark one that no sandbox could run."""
    content = {"benchmark": benchmark, "not_scored": reason, "aggregates": {}, "problems": []}
    (run.path / "scores" / f"{benchmark}.json").write_text(json.dumps(content))


def problem(correct, tokens, backtracking):
    return {"correct": correct, "tokens": tokens, "backtracking": backtracking}


ORIGINAL = [problem([0, 0], [100, 100], [2, 0]), problem([1, 0], [200, 200], [3, 1])]
GRPO = [problem([1, 0], [100, 100], [1, 0]), problem([1, 1], [100, 100], [1, 0])]
CODE = [problem([1], [50], [0]), problem([0], [50], [0])]


def three_methods(make_run) -> list[RunFolder]:
    scores = {"original": ORIGINAL, "grpo": GRPO, "grpo+repro": GRPO}
    return [make_run(method, {"aime24": of, "mbpp": CODE}) for method, of in scores.items()]
