"""The paper's claims (RePro, arXiv 2512.01925, section Experiments) and the parts that test them.

A part compares methods on the seeds and the problems that all of them have. Its tables are (S, P),
seeds and problems or, in training logs, steps; of ablations (M, S, P), a method for each value.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy

from repro import methods
from repro.measure.intervals import Estimate, interval
from repro.records.experiment import RunFolder
from repro.report import collect, compare, names

METHODS = ("ppo+repro", "reinforce_pp+repro", "reinforce_pp_baseline+repro", "grpo+repro")
TOKENS, BACKTRACKING = "reasoning_tokens", "backtracking_responses"  # of training.jsonl
POOL = "in-domain"  # on which ablations are judged: the paper does not state on which
CORRELATION = "rank correlation of position and -J"  # Spearman's, in correct responses
LABELLED = "labelled minus other segments"  # mean process reward of those with a behaviour or not
_DOUBLINGS = "points per doubling of k, change from one to the next"
_UNKNOWN = "the numbers of some responses are unknown, or the baseline has no reasoning tokens"


class Part(NamedTuple):
    """One comparison of a claim; without tables it is not tested, and the remark says why."""

    remark: str
    seeds: Sequence[int] = ()
    tables: Sequence[np.ndarray] = ()  # of numbers, one per benchmark
    name: str = ""
    unit: str = ""
    runs: str = ""
    statistic: Callable[..., Estimate] = interval  # of the tables and a level such as 0.95
    of: str = "problems"  # what the statistic's n counts


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
    def cells(self) -> compare.Cells:
        """The same, by backbone, method and benchmark."""
        return compare.by_cell(self.scores.problems)

    @cached_property
    def training(self) -> pd.DataFrame:
        """What `collect.read_training` returns."""
        return collect.read_training(self.runs)

    @cached_property
    def objective(self) -> pd.DataFrame:
        """A row a problem with an objective: responses (how many), `CORRELATION`, `LABELLED`."""
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

    def pairs(self, chosen: Iterable[str] | str) -> Iterable[tuple[str, list[str]]]:
        """Return backbone and [method, its plain algorithm] of some methods, or of an ablation."""
        of = dict.fromkeys(run.backbone for run in self.runs)
        found = itertools.product(of, chosen)
        if isinstance(chosen, str):
            found = [(of, method) for of, values in self.ablations(chosen) for method in values]
        return [(of, [method, methods.plain_algorithm(method)]) for of, method in found]

    def ablations(self, key: str) -> list[tuple[str, dict[str, float]]]:
        """Return backbone and method -> value, ascending, of each algorithm with an ablation."""
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
    data: Data, metric: str, chosen: Iterable[str] | str, pools: Sequence[str] = ()
) -> list[Part]:
    """Return what RePro adds to some methods, or at every value of an ablated setting.

    In a metric of `compare.EFFECTS`, on each pool; without pools on every benchmark.
    """
    parts, unit = [], compare.EFFECTS[metric][1]
    for (backbone, pair), pool in itertools.product(data.pairs(chosen), pools or _shown(data)):
        part = _scores(data, backbone, pair, pool)
        part = part._replace(tables=[compare.measure(metric, table) for table in part.tables])
        name = f"{_labels(pair, ' vs ')}, {names.BENCHMARKS.get(pool, pool)}"
        parts.append(_named(part, backbone, pair, name, unit))
    return parts or _no_ablation(chosen, unit)


def over_values(
    data: Data, key: str, statistic: Callable, what: str, unit: str, least: int = 2
) -> list[Part]:
    """Return a statistic of the accuracies at the values, at least ``least``, of a setting."""
    parts = []
    for backbone, by_method in data.ablations(key):
        if statistic is curvature:  # no number of doublings leads to all segments
            by_method = {of: value for of, value in by_method.items() if value < math.inf}
        values = list(by_method.values())
        part = Part(f"needs {least} values of {key} or more")
        if len(values) >= least:
            part = _scores(data, backbone, list(by_method), POOL)
        tables = [100 * accuracy for accuracy, *_ in part.tables]  # (M, S, P)
        part = part._replace(tables=tables, statistic=partial(statistic, values))
        label = methods.label(next(iter(by_method)).partition("~")[0])
        name = f"{label}, {key} = {', '.join(map(methods.as_text, values))}, {POOL}: {what}"
        parts.append(_named(part, backbone, by_method, name, unit))
    return parts or _no_ablation(key, unit)


def training(
    data: Data, chosen: Iterable[str], versus_plain: bool, column: str = TOKENS
) -> list[Part]:
    """Return the change of a column of training.jsonl in the last quarter of the steps.

    From the first quarter, or from the last of the algorithm without RePro: of reasoning tokens in
    percent, of the share of responses that backtrack in points.
    """
    what, parts = "last quarter of training" + ("" if versus_plain else " vs first"), []
    for backbone, pair in data.pairs(chosen):
        pair = pair[: 1 + versus_plain]
        part, unit = _training(data, backbone, pair, column), "percent"
        name = f"{_labels(pair, ' vs ')}, {what}"
        if column != TOKENS:
            name, unit = f"{name}: responses that backtrack", "points"
        parts.append(_named(part, backbone, pair, name, unit))
    return parts


def objective(data: Data, what: str, unit: str) -> list[Part]:
    """Return `CORRELATION` or `LABELLED` of each method with an objective.jsonl."""
    if data.objective.empty:
        return [Part("no run has an objective.jsonl", name=what, unit=unit)]
    parts = []
    for (backbone, method), frame in data.objective.groupby(["backbone", "method"], sort=False):
        known, responses = frame.dropna(subset=what), frame["responses"].sum()
        wide = known.pivot(index="seed", columns="problem", values=what)  # (S, P)
        # Seeds need not have the same problems: not every response is correct.
        table = np.ma.masked_invalid(wide.to_numpy(dtype=float))
        part = Part(f"of {responses} responses", list(wide.index), [table])
        if known.empty:
            part = Part(f"none of the {responses} responses in objective.jsonl has what is needed")
        parts.append(_named(part, backbone, [method], f"{methods.label(method)}: {what}", unit))
    return parts


def slope(values: Sequence[float], tables: Sequence[np.ndarray], level: float) -> Estimate:
    """Return the least-squares slope over the values, which ascend, (M,)."""
    return _derivative(1, values, tables, level)


def curvature(values: Sequence[float], tables: Sequence[np.ndarray], level: float) -> Estimate:
    """Return how the slope over doublings of the values changes from one to the next."""
    return _derivative(2, np.log2(values), tables, level)


def gain(values: Sequence[float], tables: Sequence[np.ndarray], level: float) -> Estimate:
    """Return the mean at the last value minus that at the first."""
    return interval([table[len(values) - 1] - table[0] for table in tables], level)


def stability(values: Sequence[float], tables: Sequence[np.ndarray], level: float) -> Estimate:
    """Return the largest minus the smallest of the means at all values.

    The upper end is the furthest end of all pairs' intervals. Below a margin, it says that every
    pair passes two one-sided tests (TOST) of equivalence; all must pass, so that their number needs
    no correction. The lower end is the nearest end of the pair furthest apart, at a level corrected
    for the number of pairs (Bonferroni): one pair beyond the margin refutes.
    """
    pairs = list(itertools.combinations(range(len(values)), 2))
    differences = [[table[j] - table[i] for table in tables] for i, j in pairs]
    plain = [interval(of_pair, level) for of_pair in differences]
    strict = [interval(of_pair, 1 - (1 - level) / len(pairs)) for of_pair in differences]
    high = np.max([(e.high, -e.low) for e in plain]) + 0.0  # NaN stays NaN, -0 becomes 0
    low = np.max([(0.0, e.low, -e.high) for e in strict])
    effect = max(abs(e.mean) for e in plain)
    return Estimate(effect, np.nan, float(low), float(high), plain[0].n)


def _derivative(
    order: int, positions: Sequence[float], tables: Sequence[np.ndarray], level: float
) -> Estimate:
    """Return the derivative of the polynomial of that order that fits the means best."""
    powers = np.vander(positions, order + 1, increasing=True)
    weights = math.factorial(order) * np.linalg.pinv(powers)[order]  # (M,)
    # Weights sum to 0 up to rounding only: what all methods share must not count.
    return interval([np.tensordot(weights, table - table[0], 1) for table in tables], level)


def _named(part: Part, backbone: str, chosen: Iterable[str], name: str, unit: str) -> Part:
    if any(np.isnan(table).any() for table in part.tables):
        part = Part(_UNKNOWN)
    runs = [f"{backbone}/{method}/{seed}" for method in chosen for seed in part.seeds]
    return part._replace(name=f"{backbone}, {name}", unit=unit, runs=" ".join(runs))


def _shown(data: Data) -> list[str]:
    return names.shown({benchmark for *_, benchmark in data.cells})


def _no_ablation(key: str, unit: str) -> list[Part]:
    remark = f"no run of a method ALGORITHM{methods.REPRO}~{key}=VALUE"
    return [Part(remark, name=f"ablation of {key}", unit=unit)]


def _scores(data: Data, backbone: str, chosen: Sequence[str], pool: str) -> Part:
    """Return what `compare.stack` does, on those benchmarks of a pool that are scored."""
    have = {key[:2] for key in data.cells}
    if missing := [method for method in chosen if (backbone, method) not in have]:
        return Part(f"no run of {_labels(missing)}")
    members = [name for name in compare.POOLS.get(pool, (pool,)) if name in _shown(data)]
    scored = [b for b in members if all((backbone, of, b) in data.cells for of in chosen)]
    if not scored:
        return Part(f"no scores of {names.titles(members)}")
    seeds, tables = compare.stack(data.cells, backbone, chosen, scored)
    if not seeds:
        return Part("no seed that all have")
    remark = f"over {names.titles(scored)}" if len(members) > 1 else ""
    if without := names.titles(set(members) - set(scored)):
        remark += f"; without {without}: no scores"
    return Part(remark, seeds, tables)


def _training(data: Data, backbone: str, chosen: Sequence[str], column: str) -> Part:
    """Return the change of a column over the steps that all have, (S, a quarter of the steps)."""
    frame = data.training[data.training["backbone"] == backbone]
    if missing := [method for method in chosen if method not in set(frame["method"])]:
        return Part(f"no training log of {_labels(missing)}")
    wide = frame.pivot(index=["method", "seed"], columns="step", values=column)
    seeds = sorted(set.intersection(*(set(wide.loc[method].index) for method in chosen)))
    rows = wide.loc[list(itertools.product(chosen, seeds))].dropna(axis=1)
    if rows.empty:
        return Part("no seed, or no step, that all have")
    values = rows.to_numpy(dtype=float).reshape(len(chosen), len(seeds), -1)  # (M, S, steps)
    quarter = max(1, values.shape[2] // 4)
    last = values[:, :, -quarter:]
    theirs = last[1] if len(chosen) > 1 else values[0, :, :quarter]
    metric = "tokens_percent" if column == TOKENS else "accuracy"  # also a share, in points
    table = compare.measure(metric, np.array([[last[0], theirs]] * 3))
    return Part(f"{rows.shape[1]} steps", seeds, [table], of="steps")


def _response(row: dict) -> dict[str, str | float]:
    """Return the keys of a row of `collect.read_objective`, and what is averaged over responses."""
    found = {key: row[key] for key in collect.RUN_KEYS}
    found |= {"problem": f"{row['benchmark']}:{row['doc_id']}", CORRELATION: math.nan}
    if row["correct"] and len(row["points"]) > 2:  # two are always in perfect order
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


class Claim(NamedTuple):
    """A claim; its tests are (direction, threshold, function that returns parts, its arguments)."""

    id: str
    text: str
    tests: list[tuple]


CLAIMS = [
    Claim(
        "accuracy",
        "RePro raises accuracy for every one of the four algorithms, in domain and out of domain.",
        [("greater", 0, difference, "accuracy", METHODS, names.DOMAINS)],
    ),
    Claim(
        "objective",
        "−J falls steadily with the position in the thought, on correct responses (figure 2).",
        # Shown for R1-Distill-Qwen-1.5B on AIME.
        [("less", 0, objective, CORRELATION, "Spearman's rho")],
    ),
    Claim(
        "tokens",
        "The mean number of reasoning tokens falls during training with RePro (figure 3); at "
        "evaluation it is lower on every benchmark (figure 6).",
        [
            ("less", 0, training, METHODS, False),
            ("less", 0, training, METHODS, True),
            ("less", 0, difference, "tokens_percent", METHODS),  # by up to 36.8 %
        ],
    ),
    Claim(
        "backtracking",
        "Backtracking becomes rarer during training than with plain GRPO (figure 5).",
        [
            ("less", 0, training, ["grpo+repro"], True, BACKTRACKING),
            ("less", 0, difference, "backtracking_per_1k", ["grpo+repro"], ["all"]),
        ],
    ),
    Claim(
        "w",
        "RePro beats its baseline at every w; smaller w is slightly better (magnitude matters "
        "more; figure 4).",
        [
            ("greater", 0, difference, "accuracy", "w", [POOL]),
            ("less", 0, over_values, "w", slope, "slope", "points per unit of w"),
        ],
    ),
    Claim(
        "alpha",
        "Results are stable over a range of α.",
        # The main value is 0.1. The margin is not stated: what RePro gains in the main table.
        [("less", 3, over_values, "alpha", stability, "best minus worst", "points")],
    ),
    Claim(
        "k",
        "More segments help slightly, with diminishing returns (k 10, 20, 30).",
        [
            ("greater", 0, over_values, "k", gain, "last minus first", "points"),
            ("less", 0, over_values, "k", curvature, "curvature", _DOUBLINGS, 3),
        ],
    ),
    Claim(
        "case-study",
        "Low-reward steps are self-doubt and redundant checks, high-reward steps are progress.",
        [("less", 0, objective, LABELLED, "process reward")],
    ),
]
