"""The files of a list of runs, as tidy pandas frames: scores, training logs, -J along responses.

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
from repro.measure.intervals import MATH_VERIFY
from repro.records.experiment import RunFolder
from repro.report import names

VERDICTS = {"all": (0, 1), "correct": (1,), "wrong": (0,)}  # which responses are told apart
RUN_KEYS = ("backbone", "method", "seed")
LOGGED = ["reasoning_tokens", "accuracy", "backtracking_responses"]  # in training and validation
CUT_POINTS = "cut_points"  # of a response; with RePro only
_NUMBERS = ["correct", MATH_VERIFY, "tokens", "truncated", *BEHAVIOURS]  # of a response


class Grid(NamedTuple):
    """What is to be compared, in order."""

    methods: list[tuple[str, str]]  # backbone and method
    benchmarks: list[str]


class Scores(NamedTuple):
    """What the score files of runs hold.

    ``responses`` have correct and math_verify (verdicts, 0 or 1: ours, and plain math-verify's,
    which judges mathematics only: elsewhere it is ours, and NaN in files without it), tokens
    (reasoning tokens), truncated (0 or 1), segments by behaviour, and backtracks (0 or 1: any).
    ``problems`` are averaged over samples, with correct called accuracy (avg@n), and NaN where the
    number of any sample is. Runs keep their order, benchmarks have the paper's.
    """

    responses: pd.DataFrame  # by backbone, method, seed, benchmark, doc_id
    problems: pd.DataFrame  # likewise
    grid: Grid  # what was to be there; not the benchmarks that cannot be scored
    gaps: str  # what is not scored and why, and what is missing; or empty


def read_scores(
    runs: Sequence[RunFolder], benchmarks: Sequence[str], partial: bool = False
) -> Scores:
    """Read the score files of runs on the given benchmarks, and of no others.

    Files that are not there are refused, or left out where ``partial`` results will do. ValueError
    where a score file is malformed or, unless partial, missing (the message names it), nothing is
    scored, or runs of a backbone were scored on different problems.
    """
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
            unscored.setdefault(score["not_scored"], set()).add(benchmark)
        else:
            frames.append(_responses(path, score, benchmark).assign(**run.keys()))
    lacking: dict[str, list[str]] = {}
    for run, of in missing.items():
        lacking.setdefault(names.titles(of), []).append(run)
    gaps = [f"{names.titles(of)} not scored: {why}" for why, of in unscored.items()]
    gaps += [f"no scores of {', '.join(of)} on {titles}" for titles, of in lacking.items()]
    gaps = "; ".join(gaps)
    if not frames:
        raise ValueError(f"none of the {len(runs)} runs has scores; {gaps}")
    responses = pd.concat(frames, ignore_index=True)
    of_runs = responses.groupby(["backbone", "benchmark", "method", "seed"], sort=False)["doc_id"]
    for (backbone, benchmark), found in of_runs.agg(frozenset).groupby(level=[0, 1], sort=False):
        if found.nunique() > 1:
            each = [f"{methods.label(method)}, seed {seed}" for *_, method, seed in found.index]
            said = f"scored on different problems: {'; '.join(each)}"
            raise ValueError(f"{backbone}, {benchmark}: {said}")
    never = set().union(*unscored.values()) - set(responses["benchmark"])
    pairs = dict.fromkeys((run.backbone, run.method) for run in runs)
    grid = Grid(list(pairs), [name for name in wanted if name not in never])
    by_problem = responses.groupby([*RUN_KEYS, "benchmark", "doc_id"], sort=False)
    by_problem = by_problem[[*_NUMBERS, "backtracks"]]
    means = by_problem.mean().where(by_problem.count().eq(by_problem.size(), axis=0))
    problems = means.rename(columns={"correct": "accuracy"}).reset_index()
    return Scores(responses, problems, grid, gaps)


def read_training(runs: Sequence[RunFolder]) -> pd.DataFrame:
    """Return one row per trained run and RL step: backbone, method, seed, step and `LOGGED`.

    And `CUT_POINTS`, NaN without RePro. ValueError, with the file's name, where a step is there
    twice or lacks a number of `LOGGED`.
    """
    frames, needed = [], ["step", *LOGGED]
    for run in (run for run in runs if run.method != methods.ORIGINAL):
        frame = pd.DataFrame(run.read_rows("training"), columns=[*needed, CUT_POINTS])
        if frame.empty or frame["step"].duplicated().any() or frame[needed].isna().any(axis=None):
            said = f"wanted one row for each step, with {', '.join(LOGGED)}"
            raise ValueError(f"{run.path}/training.jsonl: {said}")
        frames.append(frame.astype({CUT_POINTS: float}).assign(**run.keys()))
    empty = pd.DataFrame(columns=[*RUN_KEYS, *needed, CUT_POINTS])
    return pd.concat(frames, ignore_index=True) if frames else empty


def read_validation(runs: Sequence[RunFolder]) -> pd.DataFrame:
    """Return one row per validated step of the runs that have a validation.jsonl.

    Columns backbone, method, seed, step and `LOGGED`, the means over the benchmarks.
    """
    rows = [run.keys() | row for run in runs for row in run.read_rows("validation")]
    frame = pd.DataFrame(rows, columns=[*RUN_KEYS, "step", *LOGGED])
    frame = frame.astype(dict.fromkeys(LOGGED, float))
    return frame.groupby([*RUN_KEYS, "step"], sort=False, as_index=False).mean()


def read_objective(runs: Sequence[RunFolder]) -> pd.DataFrame:
    """Return one row per response of the runs that have an objective.jsonl.

    Columns: backbone, method, seed, benchmark, doc_id, correct (0 or 1), points and segments, lists
    that `repro.explain.responses.write_objectives` describes.
    """
    rows = [run.keys() | row for run in runs for row in run.read_rows("objective")]
    columns = ["benchmark", "doc_id", "correct", "points", "segments"]
    return pd.DataFrame(rows, columns=[*RUN_KEYS, *columns])


def read_process_reward(run: RunFolder, key: str) -> float:
    """Return a run's ``process_reward`` setting, such as alpha; all segments are infinite."""
    return methods.as_number(run.read_json("settings")["process_reward"][key])


def _responses(path: Path, score: dict, benchmark: str) -> pd.DataFrame:
    try:
        rows, unknown = [], [np.nan] if benchmark in names.IN_DOMAIN else []
        for problem in score["problems"]:  # programs have one scorer
            other = unknown * len(problem["correct"]) or problem["correct"]
            rows.append({MATH_VERIFY: other} | problem)
        frame = pd.DataFrame(rows)
        if frame.empty or not frame["correct"].map(len).all():
            raise ValueError("no problems, or one without samples")
        frame = frame[["doc_id", *_NUMBERS]].explode(_NUMBERS, ignore_index=True)
        if not frame["correct"].isin((0, 1)).all():
            raise ValueError("a verdict that is neither 0 nor 1")
        frame = frame.astype(dict.fromkeys(_NUMBERS, float)).assign(benchmark=benchmark)
        return frame.assign(backtracks=(frame["backtracking"] > 0).astype(float))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: not a score file ({error!r})") from None
