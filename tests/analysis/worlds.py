"""Synthetic runs: folders with score files, training logs and settings."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from repro.files import jsonl
from repro.records.experiment import RunFolder
from repro.report import claims, collect, verdicts
from repro.report.claim_parts import Data

NOTE = "Tiny world: these are not the paper's numbers."
ZEROS = ("truncated", "backtracking", "verification", "hesitation")


def maker(root: Path) -> Callable[..., RunFolder]:
    """Return make(method, scores={benchmark: problems}, training=rows, ...) -> run below root.

    Each problem gives correct and tokens, the rest of a score file defaults to zeros, to verdicts
    for answers, and to thoughts without anything after them.
    """

    def make(
        method, scores=None, training=None, setting=None, backbone="tiny", seed=0, objective=None
    ):
        path = root / "runs" / backbone / method / str(seed)
        (path / "scores").mkdir(parents=True)
        for benchmark, problems in (scores or {}).items():
            rows = [
                {"doc_id": number, "answer": problem["correct"], "length": problem["tokens"]}
                | dict.fromkeys(ZEROS, [0] * len(problem["correct"]))
                | problem
                for number, problem in enumerate(problems)
            ]
            content = {"samples": len(rows[0]["correct"]), "n_problems": len(rows)}
            content |= {"benchmark": benchmark, "aggregates": {}, "problems": rows}
            content |= {"sandbox": "namespaces" if benchmark in ("mbpp", "lcb") else None}
            (path / "scores" / f"{benchmark}.json").write_text(json.dumps(content))
        if training is not None:
            jsonl.write(path / "training.jsonl", training)
        if objective is not None:
            jsonl.write(path / "objective.jsonl", objective)
        settings = {"method": method, "process_reward": setting}
        (path / "settings.json").write_text(json.dumps(settings))
        return RunFolder(path)

    return make


def present(runs: list[RunFolder]) -> list[str]:
    """Return the benchmarks that any of the runs has scores of."""
    return sorted({path.stem for run in runs for path in run.path.glob("scores/*.json")})


def scored(runs: list[RunFolder], partial: bool = False) -> tuple[pd.DataFrame, collect.Grid]:
    """Return the scores of runs, problem by problem, and what was to be there."""
    found = collect.read_scores(runs, present(runs), partial)
    return found.problems, found.grid


def unscored(run: RunFolder, benchmark: str, reason: str) -> None:
    """Make a benchmark one that no sandbox could run."""
    content = {"benchmark": benchmark, "not_scored": reason, "aggregates": {}, "problems": []}
    (run.path / "scores" / f"{benchmark}.json").write_text(json.dumps(content))


def markdown(file: Path) -> str:
    """Return the text of a Markdown file without the blanks that align its columns."""
    return re.sub(" +", " ", file.read_text())


def problem(correct, tokens, backtracking):
    return {"correct": correct, "tokens": tokens, "backtracking": backtracking}


ORIGINAL = [problem([0, 0], [100, 100], [2, 0]), problem([1, 0], [200, 200], [3, 1])]
GRPO = [problem([1, 0], [100, 100], [1, 0]), problem([1, 1], [100, 100], [1, 0])]
CODE = [problem([1], [50], [0]), problem([0], [50], [0])]


def three_methods(make_run) -> list[RunFolder]:
    scores = {"original": ORIGINAL, "grpo": GRPO, "grpo+repro": GRPO}
    return [make_run(method, {"aime24": of, "mbpp": CODE}) for method, of in scores.items()]


def problems(accuracy, tokens):
    return [{"correct": [hit], "tokens": [tokens], "backtracking": [0]} for hit in accuracy]


# Of claims: what runs score is chosen, the noise is seeded.
SEEDS = (0, 1, 2)


def only(name: str, methods: Sequence[str] = claims.METHODS) -> dict[str, tuple]:
    """One claim; with methods, for these only."""

    def narrow(part: object) -> object:
        every = getattr(part, "methods", None) == claims.METHODS
        return part._replace(methods=methods) if every else part

    text, *clauses = claims.CLAIMS[name]
    for i, of in enumerate(clauses):
        kept, shown = ([tuple(map(narrow, t)) for t in ts] for ts in (of.tests, of.described))
        clauses[i] = of._replace(tests=kept, described=shown)
    return {name: (text, *clauses)}


def evaluate(
    name: str, runs: Sequence[RunFolder], benchmarks: Sequence[str] = ("aime24",), **how
) -> pd.DataFrame:
    return verdicts.evaluate(Data(runs, benchmarks), only(name, **how))


def verdict(frame: pd.DataFrame) -> str:
    assert frame["claim"].nunique() == 1
    return verdicts.overall(frame)[0]


def of_clauses(frame: pd.DataFrame) -> list[str]:
    return [clause["verdict"] for clause in verdicts.overall(frame)[1]]


def noisy_problems(accuracy=0.5, tokens=100.0, backtracking=1.0, n=40, seed=0, noise=0.0):
    """n problems of four samples; the same seed and noise 0 give the same to every method."""
    shared, own = np.random.default_rng(0), np.random.default_rng(seed)
    rows = []
    for easiness in shared.uniform(-0.2, 0.2, n):
        right = round(4 * np.clip(accuracy + easiness + noise * own.normal(), 0, 1))
        length = tokens * (1 + easiness) * (1 + noise * own.normal())
        steps = max(0.0, backtracking * (1 + easiness) * (1 + noise * own.normal()))
        verdicts = [1] * right + [0] * (4 - right)
        rows.append({"correct": verdicts, "tokens": [length] * 4, "backtracking": [steps] * 4})
    return rows


def log(first: float, last: float, steps=40, seed=0, noise=1.0, **others):
    rng = np.random.default_rng(seed)
    means = np.linspace(first, last, steps) + noise * rng.normal(size=steps)
    others = {"accuracy": 0.5, "backtracking_responses": 0.5} | others
    return [{"step": i + 1, "reasoning_tokens": tokens} | others for i, tokens in enumerate(means)]


def pair(make_run, plain, ours, first=None, last=None, **how) -> list[RunFolder]:
    """GRPO, and GRPO with RePro, on AIME24."""
    return [
        make_run("grpo", {"aime24": plain}, first, **how),
        make_run("grpo+repro", {"aime24": ours}, last, **how),
    ]
