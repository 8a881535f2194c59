"""From per-problem results to what tables, figures and claims show: means and paired differences.

A pool of benchmarks counts each equally and needs all of them, so that methods are never compared
over different ones; over several benchmarks or methods, on the seeds that all of them have.

How far seeds lie apart is estimated over all comparisons that are shown together, taken to vary
alike and independently: m of S seeds have m(S - 1) degrees of freedom, one by itself hardly any.
"""

import itertools
from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.multitest import multipletests

from repro import methods
from repro.measure.intervals import Estimate, Spread, interval, p_value, ratio_values, seed_means
from repro.measure.sampling_metrics import Cutoffs, measure_samples
from repro.records.experiment import RunFolder
from repro.report import names
from repro.report.collect import RUN_KEYS, Grid

# Pooled "benchmarks": in-domain, out-of-domain, all. Each counts its benchmarks equally.
POOLS = {**names.DOMAINS, "all": tuple(names.BENCHMARKS)}
METRICS = ("accuracy", "tokens", "backtracking_per_1k")  # in percent; reasoning tokens; segments
EFFECTS = {  # metric of a difference -> its title, its unit and its digits in tables
    "accuracy": ("Accuracy", "points", 1),
    "tokens_percent": ("Reasoning tokens", "percent", 1),  # of the baseline's
    "backtracking_per_1k": ("Backtracking", "per 1,000 reasoning tokens", 2),
}
# Of `Scores.problems`: a share, reasoning tokens, segments, and the share of responses with any.
MEASURED = ("accuracy", "tokens", "backtracking", "backtracks")
MISSING = Estimate(np.nan)

Cells = dict[tuple[str, str, str], dict[int, np.ndarray]]


def by_cell(problems: pd.DataFrame) -> Cells:
    """Return (backbone, method, benchmark) -> seed -> (4, P): `MEASURED` of P problems."""
    cells: Cells = {}
    runs = problems.sort_values("doc_id").groupby([*RUN_KEYS, "benchmark"], sort=False)
    for (backbone, method, seed, benchmark), frame in runs:
        numbers = frame[[*MEASURED]].to_numpy(float).T
        cells.setdefault((backbone, method, benchmark), {})[seed] = numbers
    return cells


def stack(
    cells: Cells, backbone: str, chosen: Sequence[str], benchmarks: Collection[str]
) -> tuple[list[int], list[np.ndarray]]:
    """Return the seeds that all methods have on all benchmarks, and (4, M, S, P) of each."""
    found = [[cells.get((backbone, of, name), {}) for of in chosen] for name in benchmarks]
    seeds = sorted(set.intersection(*(set(by_seed) for row in found for by_seed in row)))
    if not seeds:
        return [], []
    tables = [np.array([[by_seed[s] for s in seeds] for by_seed in row]) for row in found]
    return seeds, [np.moveaxis(table, 2, 0) for table in tables]


def measure(metric: str, numbers: np.ndarray) -> np.ndarray:
    """Return (S, P), whose mean is a metric of one method, or of two the first minus the second.

    ``numbers`` are (4, M, S, P), `MEASURED` from `stack`. NaN where a number is unknown, or a
    percentage is of nothing.
    """
    accuracy, tokens, backtracking, backtracks = numbers
    if metric == "tokens_percent":
        change = 100 * (ratio_values(*tokens) - 1)
        return change if tokens[1].any() else np.full_like(change, np.nan)
    if metric == "backtracking_per_1k":
        each = [1000 * ratio_values(*pair) for pair in zip(backtracking, tokens, strict=True)]
    else:
        shares = {"accuracy": 100 * accuracy, "backtracking_responses": 100 * backtracks}
        each = shares.get(metric, tokens)
    return each[0] - each[1] if len(each) > 1 else each[0]


def residual_spread(values: np.ndarray, *factors: np.ndarray) -> Spread:
    """Return the variance of (N,) values that factors, (N,) each, leave: ordinary least squares."""
    design = np.hstack([of[:, None] == np.unique(of)[bool(i) :] for i, of in enumerate(factors)])
    fit = OLS(values, design.astype(float)).fit()
    return Spread(float(fit.mse_resid), float(fit.df_resid))


def pooled_spread(comparisons: Iterable[Sequence[np.ndarray]]) -> Spread | None:
    """Return the variance of a seed's effect, over the seeds of several comparisons together.

    Each is given by its tables, as of `interval`; what is unknown is left out. None where fewer
    than two have several seeds.
    """
    means = [seed_means(tables) for tables in comparisons if tables]
    means = [effects for effects in means if effects.size > 1 and np.isfinite(effects).all()]
    if len(means) < 2:
        return None
    comparison = np.repeat(np.arange(len(means)), [effects.size for effects in means])
    return residual_spread(np.concatenate(means), comparison)


def summarise(problems: pd.DataFrame, grid: Grid, metrics: Sequence[str] = METRICS) -> pd.DataFrame:
    """Return the mean of `Scores.problems` in each metric, per method, benchmark and pool.

    Columns backbone, method, benchmark, metric, mean, se, low, high (95 %), n (problems), freedom,
    seeds and by_seed (the mean at each seed, blanks between). Every row of the grid is there; where
    scores are not, it has no numbers, and n = 0.
    """
    compared = [(backbone, [method]) for backbone, method in grid.methods]
    return pd.DataFrame(_rows(by_cell(problems), compared, metrics, grid)).drop(columns="at")


def summarise_sampling(runs: Iterable[RunFolder], grid: Grid, cutoffs: Cutoffs) -> pd.DataFrame:
    """Return the mean of every metric of `sampling_metrics`, as `summarise`, in percent.

    Where a run or a benchmark of a pool lacks a metric, it has no row.
    """
    frames, found = [], []
    for run, name in itertools.product(runs, grid.benchmarks):
        measured = measure_samples(run.read_json(f"scores/{name}"), *cutoffs)
        frames.append(measured.reset_index().assign(benchmark=name, **run.keys()))
    frame = pd.concat(frames).melt([*RUN_KEYS, "benchmark", "doc_id"], var_name="metric").dropna()
    for metric, of in frame.groupby("metric", sort=False):
        problems = of.assign(**dict.fromkeys(MEASURED, of["value"]))
        found.append(summarise(problems, grid, ["accuracy"]).assign(metric=metric))
    return pd.concat(found).dropna(subset="mean")


def effects(problems: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Return paired differences by problem and seed, in each metric of `EFFECTS`.

    Every trained method is compared with `original`, and every method with RePro with its plain
    algorithm, where the backbone has both; these are two tables, whose comparisons share the spread
    of seeds. Columns, also without any pair, as of `summarise`, with baseline, difference for mean,
    at (the seeds) and p_holm: the p of no difference, corrected by Holm's method for the number of
    pooled rows of its table and metric; NaN for single benchmarks, which describe.
    """
    columns = ["backbone", "method", "baseline", "benchmark", "metric", *Estimate._fields]
    cells, rows = by_cell(problems), []
    for baseline_of in (lambda _: methods.ORIGINAL, methods.plain_algorithm):
        pairs = [(of, [method, baseline_of(method)]) for of, method in grid.methods]
        there = [(of, pair) for of, pair in pairs if (of, pair[1]) in grid.methods]
        rows += _rows(cells, [of for of in there if len(set(of[1])) > 1], EFFECTS, grid)
    frame = pd.DataFrame(rows, columns=[*columns, "seeds", "by_seed", "at", "p_holm"])
    pooled = frame[frame["benchmark"].isin(POOLS) & frame["se"].notna()]
    for _, of in pooled.groupby(["metric", pooled["baseline"] == methods.ORIGINAL]):
        p = [p_value(Estimate(*row)) for row in of[[*Estimate._fields]].to_numpy()]
        frame.loc[of.index, "p_holm"] = multipletests(p, method="holm")[1]
    return frame.rename(columns={"mean": "difference"})


def _rows(
    cells: Cells, compared: Sequence[tuple[str, list[str]]], metrics: Iterable[str], grid: Grid
) -> list[dict]:
    """Return the rows of each backbone and method or, where all are two methods, of differences."""
    pools = {pool: [b for b in of if b in grid.benchmarks] for pool, of in POOLS.items()}
    scopes = {b: [b] for b in grid.benchmarks} | {pool: of for pool, of in pools.items() if of}
    rows: list[list[dict]] = [[] for _ in compared]
    for (name, members), metric in itertools.product(scopes.items(), metrics):
        found = [stack(cells, backbone, chosen, members) for backbone, chosen in compared]
        measured = [[measure(metric, numbers) for numbers in each] for _, each in found]
        spread = pooled_spread(measured) if compared and len(compared[0][1]) > 1 else None
        for of, pair, (at, _), tables in zip(rows, compared, found, measured, strict=True):
            keys = dict(zip(("backbone", "method", "baseline"), [pair[0], *pair[1]], strict=False))
            estimate = interval(tables, spread=spread) if tables else MISSING
            means = seed_means(tables) if tables else ()
            row = {"benchmark": name, "metric": metric, **estimate._asdict(), "seeds": len(means)}
            of.append(keys | row | {"by_seed": " ".join(f"{mean:.6g}" for mean in means), "at": at})
    return [row for of in rows for row in of]
