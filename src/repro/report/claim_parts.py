"""The parts of the claims: methods compared on the seeds and the problems that all of them have.

Arrays are (M, S, P): methods, seeds and problems or, in training logs, steps.
"""

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy

from repro import methods
from repro.measure.intervals import Estimate
from repro.records.experiment import RunFolder
from repro.report import collect, compare, names
from repro.report.claim_statistics import interval, ratio

UNITS = {  # of the metrics of `difference`
    "accuracy": "points",
    "tokens_percent": "percent",
    "backtracking_per_1k": "per 1,000 reasoning tokens",
}
POOL = "in-domain"  # on which ablations are judged: the paper does not state on which
TOKENS = "reasoning_tokens"  # the column of training.jsonl
CORRELATION = "rank correlation of position and -J"  # Spearman's, in correct responses
LABELLED = "labelled minus other segments"  # mean process reward of those with a behaviour or not


class Part(NamedTuple):
    """One comparison of a claim; without an interval it is not tested and the remark says why."""

    name: str
    unit: str
    interval: Callable[[float], Estimate] | None = None  # of a level such as 0.95
    of: str = "problems"  # what the interval's n counts
    seeds: int = 0
    runs: str = ""
    remark: str = ""


class Cells(NamedTuple):
    """The numbers of a comparison, for each benchmark column -> (M, S, P); or none, and why."""

    remark: str
    groups: Sequence[dict[str, np.ndarray]] = ()
    seeds: Sequence[int] = ()


@dataclass(frozen=True)
class Data:
    """What runs wrote. A file is read when it is first asked for; ValueError where it is wrong."""

    runs: Sequence[RunFolder]
    benchmarks: Sequence[str]  # whose scores are read

    @cached_property
    def scores(self) -> collect.Scores:
        """What `collect.read_scores` returns."""
        return collect.read_scores(self.runs, self.benchmarks)

    @cached_property
    def training(self) -> pd.DataFrame:
        """A row a step: the frame of `collect.read_training`."""
        return collect.read_training(self.runs)

    @cached_property
    def objective(self) -> pd.DataFrame:
        """A row a problem with an objective: the means over its responses.

        Columns backbone, method, seed, problem, responses (how many), `CORRELATION` and `LABELLED`,
        NaN where there is none.
        """
        rows = [_response(row) for row in collect.read_objective(self.runs).to_dict("records")]
        if not rows:
            return pd.DataFrame()
        by_problem = pd.DataFrame(rows).groupby([*collect.RUN_KEYS, "problem"], sort=False)
        sums = by_problem.sum(numeric_only=True)
        sums["responses"] = by_problem.size()
        sums[CORRELATION] = by_problem[CORRELATION].mean()
        flagged = sums["flagged_reward"] / sums["flagged"]
        sums[LABELLED] = flagged - sums["others_reward"] / sums["others"]
        return sums.reset_index()

    def pairs(self, chosen: Iterable[str]) -> Iterable[tuple[str, str]]:
        """Return every backbone with every method."""
        return product(dict.fromkeys(run.backbone for run in self.runs), chosen)

    def ablations(self, key: str) -> list[tuple[str, dict[str, float]]]:
        """Return backbone and method -> value, ascending, of each algorithm with ``key`` ablated.

        The default run is among them. Values are from settings.json, which no other run needs.
        """
        found = {}
        for run in sorted(self.runs, key=lambda run: methods.parse(run.method).ablated != key):
            method = methods.parse(run.method)
            of = (run.backbone, method.algorithm)
            if method.ablated == key or (of in found and method.repro and not method.ablated):
                found.setdefault(of, {})[run.method] = collect.read_process_reward(run, key)
        return [
            (backbone, dict(sorted(values.items(), key=lambda item: item[1])))
            for (backbone, _), values in found.items()
        ]


def difference(
    data: Data, metric: str, chosen: Iterable[str], pools: Sequence[str] = ()
) -> list[Part]:
    """Return what RePro adds to the algorithms of some methods, in one of `UNITS`.

    On each of ``pools``, whose benchmarks count equally; without pools on every benchmark.
    """
    pools = pools or names.shown(set(data.scores.problems["benchmark"]))
    pairs = data.pairs(chosen)
    return [_difference(data, metric, *pair, pool) for pair in pairs for pool in pools]


def difference_at_values(data: Data, metric: str, key: str) -> list[Part]:
    """Return the same at every value of an ablated setting."""
    return [
        _difference(data, metric, backbone, method, POOL, f"{key} = {value:g}: ")
        for backbone, values in data.ablations(key)
        for method, value in values.items()
    ] or [_no_ablation(key, UNITS[metric])]


def over_values(
    data: Data, key: str, statistic: Callable, what: str, unit: str, least: int = 2
) -> list[Part]:
    """Return a statistic, such as `slope`, of the accuracies at the values of an ablated setting.

    It is called ``what``, has a unit and needs ``least`` values.
    """
    parts = []
    for backbone, by_method in data.ablations(key):
        values = list(by_method.values())
        cells = Cells(f"needs {least} values of {key} or more")
        if len(values) >= least:
            cells = _scores(data, backbone, by_method, POOL)
        label = methods.label(next(iter(by_method)).partition("~")[0])
        name = f"{label}, {key} = {', '.join(f'{value:g}' for value in values)}, {POOL}: {what}"
        found = partial(statistic, values, [100 * group["accuracy"] for group in cells.groups])
        parts.append(_part(backbone, by_method, name, unit, cells, found))
    return parts or [_no_ablation(key, unit)]


def training(data: Data, chosen: Iterable[str], versus_plain: bool) -> list[Part]:
    """Return the change of reasoning tokens in the last quarter of the steps, in percent.

    From the first quarter, or from the last of the algorithm without RePro.
    """
    what = "last quarter of training" + ("" if versus_plain else " vs first")
    parts = []
    for backbone, method in data.pairs(chosen):
        pair = [method, methods.plain_algorithm(method)][: 1 + versus_plain]
        cells = _training(data, backbone, pair)
        tables = []
        for group in cells.groups:
            quarter = max(1, group[TOKENS].shape[2] // 4)
            last = group[TOKENS][:, :, -quarter:]
            theirs = last[1] if versus_plain else group[TOKENS][0, :, :quarter]
            tables = [100 * (ratio(last[0], theirs) - 1)]
            if theirs.sum() == 0:
                cells = Cells("nothing to compare with: no tokens")
        name = f"{_labels(pair, ' vs ')}, {what}"
        part = _part(backbone, pair, name, "percent", cells, partial(interval, tables))
        parts.append(part._replace(of="steps"))
    return parts


def objective(data: Data, what: str, unit: str) -> list[Part]:
    """Return `CORRELATION` or `LABELLED` of each method with an objective.jsonl."""
    if data.objective.empty:
        return [Part(what, unit, remark="no run has an objective.jsonl")]
    parts = []
    for (backbone, method), frame in data.objective.groupby(["backbone", "method"], sort=False):
        known = frame.dropna(subset=what)
        table = known.pivot(index="seed", columns="problem", values=what)  # (S, P)
        responses = frame["responses"].sum()
        cells = Cells(f"of {responses} responses", [{}], list(table.index))
        if known.empty:
            lacking = f"none of the {responses} responses in objective.jsonl has what is needed"
            cells = Cells(lacking)
        name = f"{methods.label(method)}: {what}"
        found = partial(interval, [table.to_numpy(dtype=float)])
        parts.append(_part(backbone, [method], name, unit, cells, found))
    return parts


def _difference(
    data: Data, metric: str, backbone: str, method: str, pool: str, prefix: str = ""
) -> Part:
    pair = [method, methods.plain_algorithm(method)]
    cells = _scores(data, backbone, pair, pool)
    tables = [_paired(metric, **group) for group in cells.groups]
    if any(np.isnan(table).any() for table in tables):
        cells = Cells("the numbers of some responses are unknown")
    if metric == "tokens_percent" and any(not group["tokens"][1].any() for group in cells.groups):
        cells = Cells("the baseline has no reasoning tokens")
    name = f"{prefix}{_labels(pair, ' vs ')}, {names.BENCHMARKS.get(pool, pool)}"
    return _part(backbone, pair, name, UNITS[metric], cells, partial(interval, tables))


def _paired(metric: str, accuracy: np.ndarray, tokens: np.ndarray, backtracking: np.ndarray):
    """Return (S, P), whose mean is the difference of a metric, from (2, S, P)."""
    if metric == "accuracy":
        return 100 * accuracy[0] - 100 * accuracy[1]
    if metric == "tokens_percent":
        return 100 * (ratio(*tokens) - 1)
    ours, theirs = map(ratio, backtracking, tokens)
    return 1000 * ours - 1000 * theirs


def _part(
    backbone: str, chosen: Iterable[str], name: str, unit: str, cells: Cells, found: Callable
) -> Part:
    runs = " ".join(f"{backbone}/{method}/{seed}" for method in chosen for seed in cells.seeds)
    found = found if cells.groups else None
    return Part(
        f"{backbone}, {name}", unit, found, "problems", len(cells.seeds), runs, cells.remark
    )


def _no_ablation(key: str, unit: str) -> Part:
    remark = f"no run of a method ALGORITHM{methods.REPRO}~{key}=VALUE"
    return Part(f"ablation of {key}", unit, remark=remark)


def _scores(data: Data, backbone: str, chosen: Collection[str], pool: str) -> Cells:
    """Return accuracy (in [0, 1]), tokens and backtracking, NaN where unknown.

    On the benchmarks of a pool that are scored, or on a single benchmark.
    """
    frame = data.scores.problems
    shown = names.shown(set(frame["benchmark"]))
    members = [name for name in compare.POOLS.get(pool, (pool,)) if name in shown]
    frame = frame[frame["backbone"] == backbone]
    if missing := [method for method in chosen if method not in set(frame["method"])]:
        return Cells(f"no run of {_labels(missing)}")
    frame = frame[frame["method"].isin(chosen)]
    have = frame.groupby("benchmark")["method"].nunique()
    scored = [name for name in members if have.get(name) == len(chosen)]
    if not scored:
        return Cells(f"no scores of {names.titles(members)}")
    frame = frame[frame["benchmark"].isin(scored)]
    seeds = set.intersection(*frame.groupby(["benchmark", "method"])["seed"].agg(set))
    if not seeds:
        return Cells("no seed that all have")
    groups = []
    for benchmark in scored:
        rows = frame[(frame["benchmark"] == benchmark) & frame["seed"].isin(seeds)]
        wide = compare.pair(rows)
        groups.append({of: _stacked(wide[of], chosen) for of in wide.columns.unique(0)})
    remark = f"over {names.titles(scored)}" if len(members) > 1 else ""
    if without := names.titles(set(members) - set(scored)):
        remark += f"; without {without}: no scores"
    return Cells(remark, groups, sorted(seeds))


def _training(data: Data, backbone: str, chosen: Collection[str]) -> Cells:
    """Return the reasoning tokens over the steps that all have."""
    frame = data.training[data.training["backbone"] == backbone]
    if missing := [method for method in chosen if method not in set(frame["method"])]:
        return Cells(f"no training log of {_labels(missing)}")
    frame = frame[frame["method"].isin(chosen)]
    seeds = set.intersection(*frame.groupby("method")["seed"].agg(set))
    if not seeds:
        return Cells("no seed that all have")
    rows = frame[frame["seed"].isin(seeds)]
    wide = rows.pivot(index=["method", "seed"], columns="step", values=TOKENS).dropna(axis=1)
    if wide.empty:
        return Cells("no step that all have")
    return Cells(f"{wide.shape[1]} steps", [{TOKENS: _stacked(wide, chosen)}], sorted(seeds))


def _stacked(wide: pd.DataFrame, chosen: Iterable[str]) -> np.ndarray:
    """Return (M, S, P) of a frame with rows by method and seed."""
    return np.stack([wide.loc[method].to_numpy(dtype=float) for method in chosen])


def _response(row: dict) -> dict[str, str | float]:
    """Return the keys of a row of `collect.read_objective`, and what is averaged over responses.

    The correlation of a wrong response is NaN, and with fewer than three points: two are always in
    perfect order.
    """
    found = {key: row[key] for key in collect.RUN_KEYS}
    found |= {"problem": f"{row['benchmark']}:{row['doc_id']}", CORRELATION: math.nan}
    if row["correct"] and len(row["points"]) > 2:
        positions, _, objective = np.transpose(row["points"])
        # J that never changes does not fall; leaving it out would flatter.
        changes = np.ptp(objective) > 0
        rho = scipy.stats.spearmanr(positions, -objective).statistic if changes else 0.0
        found[CORRELATION] = float(rho)
    for name, flagged in (("flagged", True), ("others", False)):
        rewards = [reward for label, reward in row["segments"] if (label is not None) == flagged]
        found |= {name: len(rewards), f"{name}_reward": sum(rewards)}
    return found


def _labels(chosen: Iterable[str], separator: str = ", ") -> str:
    return separator.join(map(methods.label, chosen))
