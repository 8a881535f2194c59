"""The parts of a claim: comparisons of methods, on the seeds and problems that all of them have.

Tables are (S, P), seeds and problems; of ablations (M, S, P), a method for each value.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from repro import methods
from repro.measure.behaviours import BEHAVIOURS
from repro.measure.intervals import Spread, ratio_values, seed_means
from repro.measure.objective import correlate_with_position
from repro.records.experiment import RunFolder
from repro.report import collect, compare, names

# Two methods trained with one seed are near-twins, whose difference says little about other seeds;
# and a spread of few problems can vanish by chance.
RULE = {"level": 0.95, "equivalence_level": 0.90, "seeds_at_least": 3, "problems_at_least": 10}
# The smallest effects of interest, in points and percent; less would change nobody's choice of a
# method. 1 point of accuracy, also over the range of a setting, is half of what RePro gains in
# domain in the paper (2.0). Correlations and process rewards have none: nobody knows their worth.
SMALLEST = {"accuracy": 1.0, "tokens_percent": 1.0, "backtracking_responses": 1.0}
SMALLEST |= {"backtracking_per_1k": 0.1}  # of the baseline's
POOL = "in-domain"  # on which ablations are judged: the paper does not state on which
TRAINING = "last quarter of training"  # stands for a benchmark with one problem
# Columns of `Data.objective`. The last cut point is left out: there the answer stands already.
FALLS, FALLS_IF_WRONG = "rank correlation of position and -J", "the same of wrong responses"
RISES, RISES_EARLY = "share of steps that raise J", "the same in the first half of the thought"
LABELLED = {kind: f"process reward of {kind} minus that of other segments" for kind in BEHAVIOURS}
SLOPE = "slope times the range"
BEND = "gain of the range's upper half minus that of its lower half"  # of a parabola
APART = "second minus first"
QUARTERS = "segments with a behaviour, lowest minus highest quarter of process rewards"


class Compared(NamedTuple):
    """Which methods with RePro are compared with what."""

    methods: Sequence[str] | str  # a string: the setting whose ablation they are
    averaged: bool = False  # over algorithms, seed by seed and problem by problem
    baseline: str = ""  # in place of what RePro was added to


class Part(NamedTuple):
    """One comparison of a claim; without tables it is not tested, and the remark says why."""

    remark: str
    seeds: Sequence[int] = ()
    tables: Sequence[np.ndarray] = ()  # of numbers, one per benchmark
    name: str = ""
    unit: str = ""
    runs: str = ""
    backbone: str = ""
    pool: str = ""
    smallest: float = math.nan  # effect of interest, in the unit
    spread: Spread | None = None  # of seeds, over comparisons like this one
    of_checkpoints: bool = False  # it says nothing about methods, so that one seed will do
    lacks: str = ""  # why nothing can be decided, whatever the numbers


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
        """What `collect.read_training` returns."""
        return collect.read_training(self.runs)

    @cached_property
    def cells(self) -> compare.Cells:
        """Scores by backbone, method and benchmark."""
        return compare.by_cell(self.scores.problems)

    @cached_property
    def trained(self) -> compare.Cells:
        """`TRAINING`, likewise: one number a seed, since each step is like the one before."""
        last = self.training.groupby([*collect.RUN_KEYS])["step"].transform("max") * 3 / 4
        means = self.training[self.training["step"] > last].groupby([*collect.RUN_KEYS]).mean()
        logged = {"reasoning_tokens": "tokens", "backtracking_responses": "backtracks"}
        frame = means.rename(columns=logged).reset_index()
        return compare.by_cell(frame.assign(benchmark=TRAINING, doc_id=0, backtracking=math.nan))

    @cached_property
    def objective(self) -> pd.DataFrame:
        """`collect.read_objective` with `FALLS` and the other columns; NaN where it has none."""
        frame = collect.read_objective(self.runs)
        rows = [_response(row) for row in frame.to_dict("records")]
        by_run = frame.groupby(["backbone", "method"], sort=False)["segments"]
        quarters = [pd.Series(dtype=float), *(_quarters(of) for _, of in by_run)]
        columns = [FALLS, FALLS_IF_WRONG, RISES, RISES_EARLY, *LABELLED.values()]
        found = pd.DataFrame(rows, columns=columns).assign(**{QUARTERS: pd.concat(quarters)})
        return frame.join(found)

    def groups(self, compared: Compared) -> list[tuple[str, list[list[str]]]]:
        """Return backbone and pairs, method and baseline, of each part: one pair, or an average."""
        chosen, groups = compared.methods, []
        found = [(of, chosen) for of in dict.fromkeys(run.backbone for run in self.runs)]
        if isinstance(chosen, str):
            found = self.ablations(chosen)
        for backbone, of in found:
            pairs = [[one, compared.baseline or methods.plain_algorithm(one)] for one in of]
            each = [pairs] if compared.averaged else [[pair] for pair in pairs]
            groups += [(backbone, part) for part in each]
        return groups

    def ablations(self, key: str) -> list[tuple[str, dict[str, float]]]:
        """Return backbone and method -> value, ascending, of each algorithm with an ablation."""
        found = {}
        for run in sorted(self.runs, key=lambda run: methods.parse(run.method).ablated != key):
            method = methods.parse(run.method)
            of = (run.backbone, method.algorithm)
            known = method.ablated == key or (of in found and not method.ablated)
            if method.repro and known:
                found.setdefault(of, {})[run.method] = collect.read_process_reward(run, key)
        ascending = [dict(sorted(of.items(), key=lambda item: item[1])) for of in found.values()]
        return [(backbone, of) for (backbone, _), of in zip(found, ascending, strict=True)]


def difference(
    data: Data, metric: str, compared: Compared, pools: Sequence[str] = ()
) -> list[Part]:
    """Return differences in a metric of `SMALLEST` on each pool; without pools on every benchmark.

    Their seeds' spread is estimated as in tables, over all algorithms and backbones.
    """
    parsed = {run.method: methods.parse(run.method) for run in data.runs}
    main = [name for name, method in parsed.items() if method.repro and not method.ablated]
    parts = []
    for pool in pools or _shown(data.cells):
        alike = data.groups(compared if compared.averaged else Compared(main))
        of_alike = [_difference(data, metric, pool, *of).tables for of in alike]
        spread = compare.pooled_spread(of_alike)
        found = [_difference(data, metric, pool, *of) for of in data.groups(compared)]
        parts += [part._replace(spread=spread) for part in found]
    return parts or _no_ablation(compared.methods)


def over_values(data: Data, key: str, what: str) -> list[Part]:
    """Return how the accuracy on `POOL` changes over the values of a setting.

    `SLOPE`, `BEND` or, of each two values, `APART`. Values of k count as the cut points that a
    response has on average, no more than it has segments; some must differ by 10 % to be tested.
    """
    parts, order = [], {APART: 0, SLOPE: 1, BEND: 2}[what]
    for backbone, by_method in data.ablations(key):
        chosen, values = list(by_method), np.array(list(by_method.values()))
        part, positions = _scores(data, backbone, chosen, POOL), values
        of_run = _run_spread(data, backbone, chosen[0])
        if key == "k" and part.tables:
            of = data.training[data.training["backbone"] == backbone].groupby("method")
            positions = of[collect.CUT_POINTS].mean().reindex(chosen).to_numpy()
            told_apart = positions if order > 1 else positions[[0, -1]]
            if not (told_apart[1:] >= 1.1 * told_apart[:-1]).all():
                said = ", ".join(f"{x:.3g}" for x in positions)
                part = Part(f"{said} cut points a response: some values differ by less than 10 %")
        if len(values) < max(2, order + 1):
            part = Part(f"needs {max(2, order + 1)} values of {key} or more")
        label = f"{methods.label(chosen[0].partition('~')[0])}, {methods.ABLATED[key]}"
        for weights in _weights(order, positions) if part.tables else [np.ones(len(values))]:
            shown = ", ".join(map(methods.as_text, values if order else values[weights != 0]))
            found = _contrast(part, weights, of_run) if part.tables else part
            name = f"{label} = {shown}, {POOL}: {what}"
            parts.append(_named(found, backbone, chosen, name, "points"))
    return parts or _no_ablation(key)


def objective(
    data: Data, what: str, unit: str, minus: str = "", original: bool = False
) -> list[Part]:
    """Return a column of `Data.objective`, or one minus another, of each backbone and method.

    Of these checkpoints: seeds are averaged. With ``original`` only that model is a witness.
    """
    frame, parts, lacks = data.objective, [], ""
    untrained = frame["method"] == methods.ORIGINAL
    if original and not untrained.any():
        lacks = "no run of Original: a model trained on the reward is no witness of it"
    for (backbone, method), rows in frame.groupby(["backbone", "method"], sort=False):
        by_problem = rows.groupby(["benchmark", "doc_id"])
        tables = [by_problem[one].mean().dropna().to_numpy()[None] for one in (what, minus) if one]
        part = Part(f"none of {len(rows)} responses in objective.jsonl has what is needed")
        if all(table.size for table in tables):
            part = Part(f"of {len(rows)} responses", sorted(rows["seed"].unique()), tables)
        if minus and part.tables:  # the mean of both tables is the difference
            part = part._replace(tables=[2 * tables[0], -2 * tables[1]])
        if method == methods.ORIGINAL or lacks or not original:
            part = part._replace(of_checkpoints=True, lacks=lacks)
            name = f"{methods.label(method)}: {what}"
            parts.append(_named(part, backbone, [method], name, unit))
    return parts or [Part("no run has an objective.jsonl", name=what, unit=unit)]


def _difference(data: Data, metric: str, pool: str, backbone: str, pairs: list[list[str]]) -> Part:
    """Compare one pair, or average those that have enough seeds or, where none has, the most."""
    without = ""
    if len(pairs) > 1:
        seeds = [len(_scores(data, backbone, pair, pool).seeds) for pair in pairs]
        least = min(RULE["seeds_at_least"], max(seeds))
        few = [pair[0] for pair, n in zip(pairs, seeds, strict=True) if n < least]
        pairs = [pair for pair in pairs if pair[0] not in few]
        without = f"; without {_labels(few)}: fewer than {least} seeds" if few else ""
    chosen = [method for pair in pairs for method in pair]
    part = _scores(data, backbone, chosen, pool)
    each = [np.split(numbers, len(pairs), axis=1) for numbers in part.tables]  # (4, 2, S, P) each
    tables = [np.mean([compare.measure(metric, one) for one in of], axis=0) for of in each]
    smallest, other = SMALLEST[metric], "points (responses that backtrack)"
    unit = compare.EFFECTS[metric][1] if metric in compare.EFFECTS else other
    if metric == "backtracking_per_1k":
        rates = [compare.measure(metric, one[:, 1:]).mean() for of in each for one in of]
        smallest *= float(np.mean(rates or math.nan))
    part = part._replace(tables=tables, smallest=smallest, pool=pool, remark=part.remark + without)
    who = _labels(chosen, " vs ")
    if len(pairs) > 1:
        against = methods.label(chosen[1]) if len(set(chosen[1::2])) == 1 else "without it"
        algorithms = _labels([methods.plain_algorithm(method) for method, _ in pairs])
        who = f"RePro vs {against}, mean of {algorithms}"
    return _named(part, backbone, chosen, f"{who}, {names.BENCHMARKS.get(pool, pool)}", unit)


def _weights(order: int, positions: np.ndarray) -> list[np.ndarray]:
    """Return weights of M means, whose sum is `SLOPE` or `BEND` of the polynomial that fits best.

    Of order 0 are those of every difference of two.
    """
    if order == 0:
        return [b - a for a, b in itertools.combinations(np.eye(len(positions)), 2)]
    powers = np.vander(positions, order + 1, increasing=True)
    scale = math.factorial(order) * (np.ptp(positions) / order) ** order
    return [scale * np.linalg.pinv(powers)[order]]


def _run_spread(data: Data, backbone: str, like: str) -> Spread | None:
    """Return how a run's accuracy varies around those of its method and of its seed.

    Over all ablations of an algorithm together, which are taken to vary alike.
    """
    algorithm, alike = methods.parse(like).algorithm, {}
    for run in data.runs:
        of = methods.parse(run.method)
        if run.backbone == backbone and of.repro and of.algorithm == algorithm:
            alike[run.method] = None
    means = _means(_scores(data, backbone, list(alike), POOL))  # (M, S)
    if not means.size or means.shape[1] < 2:
        return None
    return compare.residual_spread(means.ravel(), *map(np.ravel, np.indices(means.shape)))


def _means(part: Part) -> np.ndarray:
    """Return accuracies in percent, (M, S): of each method and seed."""
    arms = [100 * accuracy for accuracy, *_ in part.tables]  # (M, S, P)
    return np.array([seed_means(of) for of in zip(*arms, strict=True)])


def _contrast(part: Part, weights: np.ndarray, of_run: Spread | None) -> Part:
    """Weigh the accuracies of M methods; what a seed adds to all of them alike cancels."""
    arms = [100 * accuracy for accuracy, *_ in part.tables]  # (M, S, P)
    # Weights sum to 0 up to rounding only: what all methods share must not count.
    tables = [np.tensordot(weights, table - table[0], 1) for table in arms]
    spread = of_run and Spread(of_run.variance * (weights @ weights), of_run.freedom)
    sd = _means(part).mean(axis=1).std(ddof=1)
    remark = f"sd between values {sd:.2f} points; {part.remark}"
    return part._replace(remark=remark, tables=tables, spread=spread, smallest=SMALLEST["accuracy"])


def _named(part: Part, backbone: str, chosen: Sequence[str], name: str, unit: str) -> Part:
    if not all(np.isfinite(table).all() for table in part.tables):
        part = Part("some numbers are unknown, or the baseline has no reasoning tokens")
    runs = [f"{backbone}/{of}/{seed}" for of in dict.fromkeys(chosen) for seed in part.seeds]
    name = f"{backbone}, {name}"
    return part._replace(name=name, unit=unit, runs=" ".join(runs), backbone=backbone)


def _shown(cells: compare.Cells) -> list[str]:
    return names.shown({benchmark for *_, benchmark in cells})


def _no_ablation(key: str) -> list[Part]:
    remark = f"no run of a method ALGORITHM{methods.REPRO}~{key}=VALUE"
    return [Part(remark, name=f"ablation of {key}", unit="points")]


def _scores(data: Data, backbone: str, chosen: Sequence[str], pool: str) -> Part:
    """Return what `compare.stack` does, on those benchmarks of a pool that are scored."""
    cells = data.trained if pool == TRAINING else data.cells
    have = {key[:2] for key in cells}
    if missing := [method for method in chosen if (backbone, method) not in have]:
        return Part(f"no {'training log' if pool == TRAINING else 'run'} of {_labels(missing)}")
    members = [name for name in compare.POOLS.get(pool, [pool]) if name in [pool, *_shown(cells)]]
    scored = [b for b in members if all((backbone, of, b) in cells for of in chosen)]
    if not scored:
        return Part(f"no scores of {names.titles(members)}")
    seeds, tables = compare.stack(cells, backbone, chosen, scored)
    if not seeds:
        return Part("no seed that all have")
    remark = f"over {names.titles(scored)}" if len(members) > 1 else ""
    if without := names.titles(set(members) - set(scored)):
        remark += f"; without {without}: no scores"
    return Part(remark, seeds, tables)


def _response(row: dict) -> dict[str, float]:
    """Return what a row of `collect.read_objective` has in the columns of `Data.objective`."""
    _, relative, objective = np.transpose(row["points"])[:, :-1]
    found = {}
    if len(objective) > 2:
        rho = correlate_with_position(relative, objective)
        found[FALLS if row["correct"] else FALLS_IF_WRONG] = rho
    if row["correct"] and len(objective) > 1:
        rises, early = np.diff(objective) > 0, relative[1:] <= 0.5
        found |= {RISES: rises.mean(), RISES_EARLY: rises[early].mean() if early.any() else np.nan}
    segments = pd.DataFrame(row["segments"], columns=["label", "reward"]).fillna({"label": ""})
    rewards = segments.groupby("label")["reward"].mean()
    for kind, column in LABELLED.items():
        found[column] = rewards.get(kind, math.nan) - rewards.get("", math.nan)
    return found


def _quarters(responses: pd.Series) -> pd.Series:
    """Return numbers of a run's responses whose mean is `QUARTERS`; NaN without any behaviour."""
    segments = responses.explode().dropna()  # label and reward, by response
    labelled, rewards = segments.str[0].notna(), segments.str[1].astype(float)
    if not labelled.any():
        return pd.Series(math.nan, responses.index)

    def share(inside: pd.Series) -> np.ndarray:
        counts = (of.groupby(level=0).sum() for of in (inside & labelled, inside))
        return 100 * ratio_values(*(of.reindex(responses.index, fill_value=0) for of in counts))

    low, high = rewards.quantile([0.25, 0.75])
    return pd.Series(share(rewards <= low) - share(rewards >= high), responses.index)


def _labels(chosen: Sequence[str], separator: str = ", ") -> str:
    return separator.join(map(methods.label, chosen))
