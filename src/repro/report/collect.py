"""Score files and training logs of a list of runs, as tidy pandas frames.

Nothing else is read: the files under results/ are the record, MLflow is only a view of them.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from repro import methods
from repro.files import jsonl
from repro.measure.behaviours import BEHAVIOURS
from repro.records.experiment import RunFolder
from repro.report import names

MATH_VERIFY = "math_verify"  # in score files: the verdicts of plain math-verify
VERDICTS = {"all": (0, 1), "correct": (1,), "wrong": (0,)}  # which responses are told apart
RUN_KEYS = ("backbone", "method", "seed")
_NUMBERS = ["correct", MATH_VERIFY, "tokens", "truncated", *BEHAVIOURS]  # of a response


class Grid(NamedTuple):
    """What is to be compared, in order."""

    methods: list[tuple[str, str]]  # backbone and method
    benchmarks: list[str]


class Scores(NamedTuple):
    """What the score files of runs hold.

    Attributes:
        responses: a row a response, with columns backbone, method, seed, benchmark, doc_id; correct
            and math_verify (verdicts, 0 or 1: ours, and plain math-verify's, which judges
            mathematics only: elsewhere it is ours, and NaN in score files without it), tokens
            (reasoning tokens), truncated (0 or 1), backtracking, verification and hesitation
            (segments). Runs keep their order, benchmarks have the paper's.
        grid: the methods and benchmarks that were to be there; not those that cannot be scored.
        gaps: a sentence that says which benchmarks are not scored and why; empty where all are.
        missing: run -> the benchmarks whose score files it lacks; runs that lack none are left out.
    """

    responses: pd.DataFrame
    grid: Grid
    gaps: str
    missing: dict[str, list[str]]


def read_scores(
    runs: Sequence[RunFolder], benchmarks: Sequence[str], partial: bool = False
) -> Scores:
    """Read the score files of runs on the given benchmarks.

    Those of others, which an earlier configuration left behind, are not read. Files that are not
    there are refused, or left out where ``partial`` results will do.

    Raises:
        ValueError: a score file is malformed or, unless partial, missing (the message names it), or
            nothing is scored.
    """
    if unknown := set(benchmarks) - set(names.BENCHMARKS):
        known = ", ".join(names.BENCHMARKS)
        raise ValueError(f"benchmarks: {sorted(unknown)} do not exist; allowed: {known}")
    wanted = [name for name in names.BENCHMARKS if name in benchmarks]
    frames, unscored, missing = [], {}, {}
    for run, benchmark in itertools.product(runs, wanted):
        path = run.path / "scores" / f"{benchmark}.json"
        if partial and not path.is_file():
            missing.setdefault(run.name, []).append(benchmark)
            continue
        score = jsonl.read_json(path)
        if score.get("benchmark", benchmark) != benchmark:
            raise ValueError(f"{path}: holds the benchmark {score['benchmark']!r}")
        if score.get("not_scored"):
            unscored.setdefault(score["not_scored"], {})[benchmark] = None
        else:
            frames.append(_responses(path, score, benchmark).assign(**run.keys()))
    gaps = " ".join(f"{names.titles(of)} not scored: {why}" for why, of in unscored.items())
    if not frames:
        why = gaps or f"missing: {', '.join(missing)}"
        raise ValueError(f"none of the {len(runs)} runs has scores; {why}")
    responses = pd.concat(frames, ignore_index=True)
    never = set().union(*unscored.values()) - set(responses["benchmark"])
    pairs = dict.fromkeys((run.backbone, run.method) for run in runs)
    grid = Grid(list(pairs), [name for name in wanted if name not in never])
    return Scores(responses, grid, gaps, missing)


def scores(runs: Sequence[RunFolder], benchmarks: Sequence[str]) -> pd.DataFrame:
    """Return `problems` of the responses of `read_scores`, all of whose files must be there."""
    return problems(read_scores(runs, benchmarks).responses)


def gaps(runs: Sequence[RunFolder], benchmarks: Sequence[str]) -> str:
    """Return `Scores.gaps` of runs."""
    return read_scores(runs, benchmarks).gaps


def problems(responses: pd.DataFrame) -> pd.DataFrame:
    """Return one row per run, benchmark and problem, in the order of the responses.

    The columns are those of the responses, averaged over the samples of a problem; correct is
    called accuracy (avg@n, in [0, 1]). NaN where the number of any sample is NaN.
    """
    keys = [*RUN_KEYS, "benchmark", "doc_id"]
    by_problem = responses.groupby(keys, sort=False)[_NUMBERS]
    known = by_problem.count().eq(by_problem.size(), axis=0)
    means = by_problem.mean().where(known)
    return means.rename(columns={"correct": "accuracy"}).reset_index()


def training(runs: Sequence[RunFolder]) -> pd.DataFrame:
    """Return one row per trained run and RL step: backbone, method, seed and the log's fields.

    Runs of the method `original` are not trained and are left out.

    Raises:
        ValueError: a file is missing, empty, or has a step twice; the message names it.
    """
    frames = []
    for run in runs:
        if run.method == methods.ORIGINAL:
            continue
        path = run.path / "training.jsonl"
        if not path.is_file():
            raise ValueError(f"{path}: no such file; train this run first")
        frame = pd.DataFrame(jsonl.read(path))
        if frame.empty or "step" not in frame or frame["step"].duplicated().any():
            raise ValueError(f"{path}: wanted one row for each step")
        frames.append(frame.assign(**run.keys()))
    if not frames:
        raise ValueError("no trained run among the given ones (only `original`)")
    return pd.concat(frames, ignore_index=True)


def process_reward_value(run: RunFolder, key: str) -> float:
    """Return a run's ``process_reward`` setting, such as alpha, from its settings.json."""
    path = run.path / "settings.json"
    process_reward = jsonl.read_json(path).get("process_reward") or {}
    if not isinstance(process_reward.get(key), int | float):
        raise ValueError(f"{path}: no number under process_reward.{key}")
    return float(process_reward[key])


def _responses(path: Path, score: dict, benchmark: str) -> pd.DataFrame:
    """Return the rows of one score file."""
    try:
        rows = []
        for problem in score["problems"]:
            correct = problem["correct"]
            # Programs have one scorer.
            other = [np.nan] * len(correct) if benchmark in names.IN_DOMAIN else correct
            rows.append({MATH_VERIFY: other} | problem)
        if not rows or not all(row["correct"] for row in rows):
            raise ValueError("no problems, or one without samples")
        frame = pd.DataFrame(rows)[["doc_id", *_NUMBERS]].explode(_NUMBERS, ignore_index=True)
        return frame.astype(dict.fromkeys(_NUMBERS, float)).assign(benchmark=benchmark)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: not a score file ({error!r})") from None
