"""What claims are tested on: the scores, training logs and objectives of runs, method by method.

An objective file is optional: ``objective.jsonl`` in a run's directory, one row a response:

* ``doc_id``, ``sample`` and, where there are several, ``benchmark``: which response;
* ``correct``: 0 or 1;
* ``points``: [[position in tokens, relative position in [0, 1], J], ...] at its cut points;
* ``segments``, optional: [[label or null, process reward], ...], one for each stretch of text that
  ends at a cut point, the label being one of `collect.BEHAVIOURS`.
"""

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy

from repro import methods
from repro.files import jsonl
from repro.records.experiment import RunFolder
from repro.report import collect, compare, names

PLACES = ("scores", "training logs", "objective")
POINTS_AT_LEAST = 3  # two points are always in perfect order
TOKENS = "reasoning_tokens"  # the column of training.jsonl
_CELLS = ("accuracy", "tokens", "backtracking")


class Data(NamedTuple):
    """What a list of runs wrote; a frame is empty where it was not looked at or no run has it."""

    runs: Sequence[RunFolder]
    scores: pd.DataFrame  # of `collect.scores`
    training: pd.DataFrame  # of `collect.training`
    objective: pd.DataFrame  # of `responses`


class Cells(NamedTuple):
    """The tables that a comparison of methods shares: the same seeds and problems (or steps).

    ``groups`` has an entry a benchmark, each with an entry a method: column -> (seeds, problems).
    Where nothing can be compared it is empty, and ``remark`` says why.
    """

    groups: list[list[dict[str, np.ndarray]]]
    seeds: list[int]
    runs: tuple[str, ...]
    remark: str


def load(runs: Sequence[RunFolder], benchmarks: Sequence[str], looks_at: Collection[str]) -> Data:
    """Read what is looked at, and no other file.

    Args:
        runs: the folders of the runs.
        benchmarks: those whose scores are read.
        looks_at: some of `PLACES`.

    Raises:
        ValueError: a file is missing or malformed; the message names it.
    """
    assert set(looks_at) <= set(PLACES)
    scores = training = objective = pd.DataFrame()
    if "scores" in looks_at:
        scores = collect.scores(runs, benchmarks)
    trained = [run for run in runs if run.method != methods.ORIGINAL]
    if "training logs" in looks_at and trained:
        training = collect.training(trained)
        lacking = training[training.reindex(columns=[TOKENS])[TOKENS].isna()]
        if not lacking.empty:
            run = "/".join(str(lacking[key].iloc[0]) for key in collect.RUN_KEYS)
            step = lacking["step"].iloc[0]
            raise ValueError(f"training.jsonl of {run}: no {TOKENS} at step {step}")
    if "objective" in looks_at:
        objective = responses(runs)
    return Data(runs, scores, training, objective)


def responses(runs: Sequence[RunFolder]) -> pd.DataFrame:
    """Return a row per response of the runs that have an objective.jsonl.

    Columns: backbone, method, seed, problem, correct (bool), rank_correlation (Spearman, of
    position and -J; 0 where J never changes, NaN with fewer than `POINTS_AT_LEAST` points), and of
    the segments: flagged, others (numbers of those with and without a label), flagged_reward,
    others_reward (sums of their process rewards).

    Raises:
        ValueError: a malformed row; the message names file and row.
    """
    rows = []
    for run in runs:
        path = run.path / "objective.jsonl"
        if not path.is_file():
            continue
        of_run = run.keys()
        for number, row in enumerate(jsonl.read(path), start=1):
            try:
                rows.append(of_run | _response(row))
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}, row {number}: {error!r}") from None
    return pd.DataFrame(rows)


def backbones(data: Data) -> list[str]:
    """Return the backbones of the runs, in their order."""
    return list(dict.fromkeys(run.backbone for run in data.runs))


def ablations(data: Data, key: str) -> list[tuple[str, dict[str, float]]]:
    """Return, for each backbone and algorithm with ``key`` ablated, method -> value, ascending.

    The default run belongs to them. Values come from the runs' settings.json.
    """
    found: dict[tuple[str, str], dict[str, float]] = {}
    for run in data.runs:  # first those that are ablated: no other run's settings are read
        parts = methods.parse(run.method)
        if parts.ablated == key:
            found[run.backbone, parts.algorithm] = {}
    for run in data.runs:
        parts = methods.parse(run.method)
        values = found.get((run.backbone, parts.algorithm))
        if values is None or not parts.repro or parts.ablated not in (None, key):
            continue
        value = collect.process_reward_value(run, key)
        if values.setdefault(run.method, value) != value:
            raise ValueError(
                f"{run.path}: {key} = {value:g}, but {values[run.method]:g} with another seed"
            )
    return [
        (backbone, dict(sorted(values.items(), key=lambda item: item[1])))
        for (backbone, _), values in found.items()
    ]


def score_cells(data: Data, backbone: str, chosen: Sequence[str], pool: str) -> Cells:
    """Return the scores of methods on a benchmark or pool, on the seeds that all have.

    Columns accuracy (in [0, 1]), tokens and backtracking, NaN where unknown. Benchmarks of a pool
    without scores are left out; the remark names what is taken.

    Raises:
        ValueError: methods or seeds were scored on different problems, or an accuracy is NaN.
    """
    members = [pool]
    if pool in compare.POOLS:
        shown = names.shown(set(data.scores["benchmark"]))
        members = [name for name in compare.POOLS[pool] if name in shown]
    frame = data.scores[data.scores["backbone"] == backbone]
    if missing := [method for method in chosen if method not in set(frame["method"])]:
        return _none(f"no run of {_labels(missing)}")
    frame = frame[frame["benchmark"].isin(members) & frame["method"].isin(chosen)]
    by_key = dict(tuple(frame.groupby(["benchmark", "method"], sort=False)))
    scored = [b for b in members if all((b, method) in by_key for method in chosen)]
    if not scored:
        return _none(f"no scores of {_titles(members)}")
    frames = [[by_key[benchmark, method] for method in chosen] for benchmark in scored]
    seeds = _shared(of["seed"] for group in frames for of in group)
    if not seeds:
        return _none("no seed that all have")
    groups = [
        [_tables(of, seeds, f"{backbone}, {benchmark}: {_labels(chosen)}") for of in group]
        for benchmark, group in zip(scored, frames, strict=True)
    ]
    for benchmark, group in zip(scored, groups, strict=True):
        if not all(np.array_equal(cell["doc_id"], group[0]["doc_id"]) for cell in group):
            raise ValueError(
                f"{backbone}, {benchmark}: {_labels(chosen)} were scored on different problems"
            )
    remark = ""
    if len(members) > 1:
        remark = f"over {_titles(scored)}"
        if len(scored) < len(members):
            remark += f"; without {_titles(b for b in members if b not in scored)}: no scores"
    return Cells(groups, seeds, _runs(backbone, chosen, seeds), remark)


def training_cells(data: Data, backbone: str, chosen: Sequence[str]) -> Cells:
    """Return reasoning tokens over training, (seeds, steps), on seeds and steps that all have."""
    frame = data.training
    if not frame.empty:
        frame = frame[(frame["backbone"] == backbone) & frame["method"].isin(chosen)]
    present = set() if frame.empty else set(frame["method"])
    if missing := [method for method in chosen if method not in present]:
        return _none(f"no training log of {_labels(missing)}")
    by_method = dict(tuple(frame.groupby("method", sort=False)))
    tables = [by_method[m].pivot(index="seed", columns="step", values=TOKENS) for m in chosen]
    seeds = _shared(table.index for table in tables)
    if not seeds:
        return _none("no seed that all have")
    steps = _shared(table.loc[seeds].dropna(axis=1).columns for table in tables)
    if not steps:
        return _none("no step that all have")
    group = [{TOKENS: table.loc[seeds, steps].to_numpy(dtype=float)} for table in tables]
    return Cells([group], seeds, _runs(backbone, chosen, seeds), f"{len(steps)} steps")


def objective_cells(
    data: Data, backbone: str, method: str, per_problem: Callable[[pd.DataFrame], pd.Series]
) -> Cells:
    """Return one value per seed and problem, column ``value``, NaN where a seed has none.

    Args:
        data: the inputs.
        backbone: whose responses.
        method: whose responses.
        per_problem: from the rows of `responses` to values indexed by seed and problem.
    """
    frame = data.objective
    if not frame.empty:
        frame = frame[(frame["backbone"] == backbone) & (frame["method"] == method)]
    if frame.empty:
        return _none(f"no objective.jsonl of {methods.label(method)}")
    values = per_problem(frame).dropna()
    if values.empty:
        return _none(f"none of the {len(frame)} responses in objective.jsonl has what is needed")
    table = values.unstack("problem")  # (S, P)
    seeds = list(table.index)
    groups = [[{"value": table.to_numpy(dtype=float)}]]
    return Cells(groups, seeds, _runs(backbone, [method], seeds), f"of {len(frame)} responses")


def _response(row: dict) -> dict:
    """Return one row of `responses` without the run's keys."""
    if row["correct"] not in (0, 1):
        raise ValueError(f"correct = {row['correct']!r}; allowed: 0, 1")
    points = np.array(row["points"], dtype=float).reshape(-1, 3)
    if not np.isfinite(points).all() or (points[:, 2] > 0).any():
        raise ValueError("points: wanted [position, relative position, J], finite, J at most 0")
    known = (None, *collect.BEHAVIOURS)
    if wrong := [label for label, _ in row.get("segments") or [] if label not in known]:
        raise ValueError(f"segments: label {wrong[0]!r}; allowed: null, {', '.join(known[1:])}")
    rewards = {True: [], False: []}
    for label, reward in row.get("segments") or []:
        if not math.isfinite(reward):
            raise ValueError(f"segments: process reward {reward}; allowed: a finite number")
        rewards[label is not None].append(reward)
    return {
        "problem": f"{row.get('benchmark', '')}:{row['doc_id']}",
        "correct": bool(row["correct"]),
        "rank_correlation": _rank_correlation(points[:, 0], -points[:, 2]),
        "flagged": len(rewards[True]),
        "flagged_reward": sum(rewards[True]),
        "others": len(rewards[False]),
        "others_reward": sum(rewards[False]),
    }


def _rank_correlation(positions: np.ndarray, loss: np.ndarray) -> float:
    if len(positions) < POINTS_AT_LEAST:
        return math.nan
    if np.ptp(positions) == 0:
        raise ValueError("points: all at one position")
    if np.ptp(loss) == 0:  # J that never changes does not fall; leaving it out would flatter
        return 0.0
    return float(scipy.stats.spearmanr(positions, loss).statistic)


def _tables(frame: pd.DataFrame, seeds: Sequence[int], which: str) -> dict[str, np.ndarray]:
    """Return column -> (seeds, problems) of one method on one benchmark, problems in order."""
    rows = frame[frame["seed"].isin(seeds)].sort_values(["seed", "doc_id"])
    ids = [list(of["doc_id"]) for _, of in rows.groupby("seed")]
    if any(other != ids[0] for other in ids):
        raise ValueError(f"{which}: the seeds were scored on different problems")
    if rows["accuracy"].isna().any():
        raise ValueError(f"{which}: a verdict is not a number (NaN)")
    return {name: rows[name].to_numpy().reshape(len(seeds), -1) for name in ("doc_id", *_CELLS)}


def _shared(indexes: Iterable[Iterable]) -> list:
    return sorted(set.intersection(*(set(index) for index in indexes)))


def _runs(backbone: str, chosen: Sequence[str], seeds: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"{backbone}/{method}/{seed}" for method in chosen for seed in seeds)


def _labels(chosen: Iterable[str]) -> str:
    return ", ".join(map(methods.label, chosen))


def _titles(benchmarks: Iterable[str]) -> str:
    return ", ".join(names.BENCHMARKS[name] for name in benchmarks)


def _none(why: str) -> Cells:
    return Cells([], [], (), why)
