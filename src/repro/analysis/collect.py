"""Score files and training logs of a list of runs, as tidy pandas frames.

A run is ``{"backbone", "method", "seed", "path"}`` with ``path`` its directory. Nothing else is
read: the files under results/ are the record, MLflow is only a view of them.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from repro import jsonl, methods
from repro.analysis import names
from repro.analysis.statistics import avg_at_n

RUN_KEYS = ("backbone", "method", "seed")


def scores(runs: Sequence[dict], benchmarks: Sequence[str]) -> pd.DataFrame:
    """Return one row per run, benchmark and problem.

    Score files of other benchmarks that an earlier configuration left behind are not read.

    Columns: backbone, method, seed, benchmark, doc_id; accuracy (avg@n, in [0, 1]); and, averaged
    over the problem's samples, tokens (reasoning tokens), truncated (share), backtracking and
    overthinking (segments per response). Runs keep the order in which they came, benchmarks have
    the paper's.

    Raises:
        ValueError: a score file is missing or malformed; the message names it.
    """
    unknown = [name for name in benchmarks if name not in names.BENCHMARKS]
    if unknown or not benchmarks:
        known = ", ".join(names.BENCHMARKS)
        raise ValueError(f"benchmarks: {unknown or 'none given'}; allowed: {known}")
    frames = []
    for run in _checked(runs):
        for benchmark in (name for name in names.BENCHMARKS if name in benchmarks):
            frame = _problems(Path(run["path"]) / "scores" / f"{benchmark}.json", benchmark)
            frame.insert(0, "benchmark", benchmark)
            frames.append(_labelled(frame, run))
    return pd.concat(frames, ignore_index=True)


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
    process_reward = _json(path).get("process_reward") or {}
    if not isinstance(process_reward.get(key), int | float):
        raise ValueError(f"{path}: no number under process_reward.{key}")
    return float(process_reward[key])


def _problems(path: Path, benchmark: str) -> pd.DataFrame:
    score = _json(path)
    try:
        problems = score["problems"]
        frame = pd.DataFrame(
            {
                "doc_id": [problem["doc_id"] for problem in problems],
                "accuracy": avg_at_n([problem["correct"] for problem in problems]),
                **{
                    name: [float(np.mean(problem[name])) for problem in problems]
                    for name in ("tokens", "truncated", "backtracking", "overthinking")
                },
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: not a score file ({error!r})") from None
    if score.get("benchmark") != benchmark:
        raise ValueError(f"{path}: holds the benchmark {score.get('benchmark')!r}")
    if frame.empty:
        raise ValueError(f"{path}: no problems")
    return frame


def _json(path: Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not valid JSON ({error})") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a JSON object")
    return content


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
