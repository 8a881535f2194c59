"""Score files and training logs of a list of runs, as tidy pandas frames.

A run is ``{"backbone", "method", "seed", "path"}`` with ``path`` its directory. Nothing else is
read: the files under results/ are the record, MLflow is only a view of them.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from repro import jsonl, methods
from repro.analysis import names
from repro.analysis.statistics import avg_at_n

MATH_VERIFY = "math_verify"  # in score files: the verdicts of plain math-verify
BEHAVIOURS = ("backtracking", "verification", "hesitation")
RUN_KEYS = ("backbone", "method", "seed")


def scores(runs: Sequence[dict], benchmarks: Sequence[str]) -> pd.DataFrame:
    """Return one row per run, benchmark and problem.

    Score files of other benchmarks that an earlier configuration left behind are not read, and
    benchmarks that could not be scored have no rows: `gaps` names them.

    Columns: backbone, method, seed, benchmark, doc_id; accuracy (avg@n, in [0, 1]);
    accuracy_math_verify, the same by plain math-verify, which judges mathematics only (elsewhere it
    is the accuracy; NaN in score files without it), and how many responses only_here and
    only_math_verify take for correct, of samples; and, averaged
    over the problem's samples, tokens (reasoning tokens), truncated (share), backtracking,
    verification and hesitation (segments per response). Runs keep the order in which they came,
    benchmarks have the paper's.

    Raises:
        ValueError: a score file is missing or malformed; the message names it.
    """
    frames = [
        _labelled(_problems(path, score, benchmark), run)
        for run, benchmark, path, score in _score_files(runs, benchmarks)
        if not score.get("not_scored")
    ]
    if not frames:
        raise ValueError("none of the benchmarks is scored: programs need a sandbox")
    return pd.concat(frames, ignore_index=True)


def by_math_verify(problems: pd.DataFrame) -> pd.DataFrame:
    """Return the frame of `scores` with plain math-verify's accuracy in the place of ours."""
    return problems.assign(accuracy=problems[f"accuracy_{MATH_VERIFY}"])


def gaps(runs: Sequence[dict], benchmarks: Sequence[str]) -> str:
    """Return a sentence that says which benchmarks are not scored and why; empty where all are."""
    reasons = {}
    for _, benchmark, _, score in _score_files(runs, benchmarks):
        if score.get("not_scored"):
            reasons.setdefault(score["not_scored"], {})[names.BENCHMARKS[benchmark]] = None
    return " ".join(f"{', '.join(of)} not scored: {reason}" for reason, of in reasons.items())


def _score_files(
    runs: Sequence[dict], benchmarks: Sequence[str]
) -> Iterator[tuple[dict, str, Path, dict]]:
    """Yield run, benchmark, path and content of every score file, in the paper's order."""
    unknown = [name for name in benchmarks if name not in names.BENCHMARKS]
    if unknown or not benchmarks:
        known = ", ".join(names.BENCHMARKS)
        raise ValueError(f"benchmarks: {unknown or 'none given'}; allowed: {known}")
    for run in _checked(runs):
        for benchmark in (name for name in names.BENCHMARKS if name in benchmarks):
            path = Path(run["path"]) / "scores" / f"{benchmark}.json"
            score = jsonl.read_json(path)
            if score.get("benchmark", benchmark) != benchmark:
                raise ValueError(f"{path}: holds the benchmark {score['benchmark']!r}")
            yield run, benchmark, path, score


def training(runs: Sequence[dict]) -> pd.DataFrame:
    """Return one row per trained run and RL step: backbone, method, seed, then the log's fields.

    Runs of the method `original` are not trained and are left out.

    Raises:
        ValueError: a file is missing, empty, or has a step twice; the message names it.
    """
    frames = []
    for run in _checked(runs):
        if run["method"] == methods.ORIGINAL:
            continue
        path = Path(run["path"]) / "training.jsonl"
        if not path.is_file():
            raise ValueError(f"{path}: no such file; train this run first")
        frame = pd.DataFrame(jsonl.read(path))
        if frame.empty or "step" not in frame:
            raise ValueError(f"{path}: no rows with a step")
        if frame["step"].duplicated().any():
            step = frame["step"][frame["step"].duplicated()].iloc[0]
            raise ValueError(f"{path}: step {step} stands there twice")
        frames.append(_labelled(frame, run))
    if not frames:
        raise ValueError("no trained run among the given ones (only `original`)")
    return pd.concat(frames, ignore_index=True)


def process_reward_value(run: dict, key: str) -> float:
    """Return a run's ``process_reward`` setting, such as alpha, from its settings.json."""
    path = Path(run["path"]) / "settings.json"
    process_reward = jsonl.read_json(path).get("process_reward") or {}
    if not isinstance(process_reward.get(key), int | float):
        raise ValueError(f"{path}: no number under process_reward.{key}")
    return float(process_reward[key])


def _problems(path: Path, score: dict, benchmark: str) -> pd.DataFrame:
    try:
        problems = score["problems"]
        correct = [np.array(problem["correct"]) for problem in problems]
        other = [np.array(_by_math_verify(problem, benchmark)) for problem in problems]
        frame = pd.DataFrame(
            {
                "benchmark": [benchmark] * len(problems),
                "doc_id": [problem["doc_id"] for problem in problems],
                "accuracy": avg_at_n(correct),
                f"accuracy_{MATH_VERIFY}": [verdicts.mean() for verdicts in other],
                "only_here": [np.sum(a > b) for a, b in zip(correct, other, strict=True)],
                f"only_{MATH_VERIFY}": [np.sum(a < b) for a, b in zip(correct, other, strict=True)],
                "samples": [len(verdicts) for verdicts in correct],
                **{
                    name: [float(np.mean(problem[name])) for problem in problems]
                    for name in ("tokens", "truncated", *BEHAVIOURS)
                },
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: not a score file ({error!r})") from None
    if frame.empty:
        raise ValueError(f"{path}: no problems")
    return frame


def _by_math_verify(problem: dict, benchmark: str) -> list[float]:
    """Return the second scorer's verdicts; NaN where a file of mathematics has none."""
    correct = problem["correct"]
    missing = [np.nan] * len(correct) if benchmark in names.IN_DOMAIN else correct
    return problem.get(MATH_VERIFY, missing)


def _checked(runs: Sequence[dict]) -> Sequence[dict]:
    if not runs:
        raise ValueError("no runs given")
    seen = set()
    for run in runs:
        methods.parse(run["method"])
        key = tuple(run[name] for name in RUN_KEYS)
        if key in seen:
            raise ValueError(f"run {'/'.join(map(str, key))} is given twice")
        seen.add(key)
    return runs


def _labelled(frame: pd.DataFrame, run: dict) -> pd.DataFrame:
    for position, key in enumerate(RUN_KEYS):
        frame.insert(position, key, run[key])
    return frame
