"""Score files and training logs of a list of runs, as tidy pandas frames.

Nothing else is read: the files under results/ are the record, MLflow is only a view of them.
"""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from repro import methods
from repro.files import jsonl
from repro.records.experiment import RunFolder
from repro.report import names

MATH_VERIFY = "math_verify"  # in score files: the verdicts of plain math-verify
BEHAVIOURS = ("backtracking", "verification", "hesitation")
VERDICTS = {"all": (0, 1), "correct": (1,), "wrong": (0,)}  # which responses are told apart
RUN_KEYS = ("backbone", "method", "seed")
_NUMBERS = ["correct", MATH_VERIFY, "tokens", "truncated", *BEHAVIOURS]  # of a response


class Scores(NamedTuple):
    """What the score files of runs hold.

    Attributes:
        responses: a row a response, with columns backbone, method, seed, benchmark, doc_id, sample;
            correct and math_verify (verdicts, 0 or 1: ours, and plain math-verify's, which judges
            mathematics only: elsewhere it is ours, and NaN in score files without it), tokens
            (reasoning tokens), truncated (0 or 1), backtracking, verification and hesitation
            (segments). Runs keep the order in which they came, benchmarks have the paper's.
        gaps: a sentence that says which benchmarks are not scored and why; empty where all are.
        missing: run -> the benchmarks whose score files it lacks; runs that lack none are left out.
    """

    responses: pd.DataFrame
    gaps: str
    missing: dict[str, list[str]]


def read_scores(
    runs: Sequence[RunFolder], benchmarks: Sequence[str], partial: bool = False
) -> Scores:
    """Read the score files of runs.

    Those of other benchmarks, that an earlier configuration left behind, are not read.

    Args:
        runs: the folders of the runs.
        benchmarks: those to read.
        partial: leave out the files that are not there, instead of refusing.

    Raises:
        ValueError: a score file is malformed or, unless partial, missing (the message names it), or
            nothing is scored.
    """
    frames, reasons, missing = [], {}, {}
    for run, benchmark, path, score in _score_files(runs, benchmarks, partial):
        if score is None:
            missing.setdefault(run.name, []).append(benchmark)
        elif not score.get("not_scored"):
            frames.append(_labelled(_responses(path, score, benchmark), run))
        else:
            reasons.setdefault(score["not_scored"], {})[benchmark] = None
    if missing and not frames:
        raise ValueError(f"none of the {len(runs)} runs has scores: {', '.join(missing)}")
    if not frames:
        raise ValueError("none of the benchmarks is scored: programs need a sandbox")
    return Scores(pd.concat(frames, ignore_index=True), _gaps_sentence(reasons), missing)


def scores(runs: Sequence[RunFolder], benchmarks: Sequence[str]) -> pd.DataFrame:
    """Return `problems` of the responses of `read_scores`, all of whose files must be there."""
    return problems(read_scores(runs, benchmarks).responses)


def problems(responses: pd.DataFrame) -> pd.DataFrame:
    """Return one row per run, benchmark and problem, in the order of the responses.

    Columns: backbone, method, seed, benchmark, doc_id; accuracy (avg@n, in [0, 1]) and
    accuracy_math_verify; how many responses only_here and only_math_verify take for correct, of
    samples; and, averaged over the samples, tokens, truncated, backtracking, verification and
    hesitation. NaN where the number of any sample is NaN.
    """
    ours, other = responses["correct"], responses[MATH_VERIFY]
    by_problem = responses.assign(only_here=ours > other, only_math_verify=ours < other).groupby(
        [*RUN_KEYS, "benchmark", "doc_id"], sort=False
    )
    samples = by_problem.size()
    known = by_problem[_NUMBERS].count().eq(samples, axis=0)
    means = by_problem[_NUMBERS].mean().where(known)
    names_of_means = {"correct": "accuracy", MATH_VERIFY: f"accuracy_{MATH_VERIFY}"}
    counts = by_problem[["only_here", f"only_{MATH_VERIFY}"]].sum()
    return means.rename(columns=names_of_means).join(counts).assign(samples=samples).reset_index()


def gaps(runs: Sequence[RunFolder], benchmarks: Sequence[str]) -> str:
    """Return a sentence that says which benchmarks are not scored and why; empty where all are."""
    reasons = {}
    for _, benchmark, _, score in _score_files(runs, benchmarks):
        if score.get("not_scored"):
            reasons.setdefault(score["not_scored"], {})[benchmark] = None
    return _gaps_sentence(reasons)


def training(runs: Sequence[RunFolder]) -> pd.DataFrame:
    """Return one row per trained run and RL step: backbone, method, seed, then the log's fields.

    Runs of the method `original` are not trained and are left out.

    Raises:
        ValueError: a file is missing, empty, or has a step twice; the message names it.
    """
    frames = []
    for run in _checked(runs):
        if run.method == methods.ORIGINAL:
            continue
        path = run.path / "training.jsonl"
        if not path.is_file():
            raise ValueError(f"{path}: no such file; train this run first")
        frame = pd.DataFrame(jsonl.read(path))
        if frame.empty or "step" not in frame:
            raise ValueError(f"{path}: no rows with a step")
        if frame["step"].duplicated().any():
            step = frame["step"][frame["step"].duplicated()].iloc[0]
            raise ValueError(f"{path}: step {step} is there twice")
        frames.append(_labelled(frame, run))
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


def _score_files(
    runs: Sequence[RunFolder], benchmarks: Sequence[str], partial: bool = False
) -> Iterator[tuple[RunFolder, str, Path, dict | None]]:
    """Yield run, benchmark, path and content of every score file, in the paper's order.

    The content is None where partial results will do and the file is not there.
    """
    unknown = [name for name in benchmarks if name not in names.BENCHMARKS]
    if unknown or not benchmarks:
        known = ", ".join(names.BENCHMARKS)
        raise ValueError(f"benchmarks: {unknown or 'none given'}; allowed: {known}")
    wanted = [name for name in names.BENCHMARKS if name in benchmarks]
    for run, benchmark in itertools.product(_checked(runs), wanted):
        path = run.path / "scores" / f"{benchmark}.json"
        score = None if partial and not path.is_file() else jsonl.read_json(path)
        if score and score.get("benchmark", benchmark) != benchmark:
            raise ValueError(f"{path}: holds the benchmark {score['benchmark']!r}")
        yield run, benchmark, path, score


def _gaps_sentence(reasons: dict[str, dict[str, None]]) -> str:
    return " ".join(
        f"{', '.join(names.BENCHMARKS[name] for name in unscored)} not scored: {reason}"
        for reason, unscored in reasons.items()
    )


def _responses(path: Path, score: dict, benchmark: str) -> pd.DataFrame:
    """Return the rows of one score file."""
    try:
        rows = []
        for problem in score["problems"]:
            correct = problem["correct"]
            if not correct:
                raise ValueError(f"problem {problem['doc_id']}: no samples")
            # Programs have one scorer.
            other = [np.nan] * len(correct) if benchmark in names.IN_DOMAIN else correct
            rows.append({MATH_VERIFY: other, "sample": range(len(correct)), **problem})
        if not rows:
            raise ValueError("no problems")
        frame = pd.DataFrame(rows)[["doc_id", "sample", *_NUMBERS]]
        frame = frame.explode(["sample", *_NUMBERS], ignore_index=True)
        frame[_NUMBERS] = frame[_NUMBERS].map(float)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: not a score file ({error!r})") from None
    frame.insert(0, "benchmark", benchmark)
    return frame


def _checked(runs: Sequence[RunFolder]) -> Sequence[RunFolder]:
    if not runs:
        raise ValueError("no runs given")
    seen = set()
    for run in runs:
        methods.parse(run.method)
        if run.name in seen:
            raise ValueError(f"run {run.name} is given twice")
        seen.add(run.name)
    return runs


def _labelled(frame: pd.DataFrame, run: RunFolder) -> pd.DataFrame:
    for position, (key, value) in enumerate(run.keys().items()):
        frame.insert(position, key, value)
    return frame
