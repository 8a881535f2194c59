"""What the paper's own table can decide, and whether this harness finds what others found.

All runs answer the same problems, so two numbers differ by chance as far as sampling goes: by the
run-to-run standard error of each, √2 of it together. Other training seeds would add to it; the
paper states none. Where these runs have the score the error is measured (`accuracy_run_se` of the
score file), elsewhere it is that of problems whose difficulties are spread like AIME's.
"""

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from repro import methods
from repro.records.experiment import RunFolder
from repro.report import names, published
from repro.report.table_sheets import Sheet

PROBLEMS = {  # of the paper's protocol: problems and samples
    **{"aime24": (30, 16), "aime25": (30, 16), "math500": (500, 4), "lmb": (100, 4)},
    **{"gpqa": (198, 4), "mbpp": (257, 4), "lcb": (175, 4)},
}
_CELL = ["backbone", "method", "benchmark"]
CONCENTRATION = 1.45  # a + b of the Beta distribution of the problems' success rates, as of AIME's
Z = 1.96  # of a 95 % interval of known error
_DIFFERENCES = (
    "RePro's differences as the paper states them, in points, with the noise of sampling alone, "
    "√2 × the run-to-run standard error; z is their ratio, beyond ±1.96 what sampling explains in "
    "one case of twenty. Ours: the same difference in these runs, with its own noise of sampling."
)
_BANDS = (
    "The untrained backbones, in percent: ours with a 95 % interval of sampling, and what other "
    "publications report. Ours is where others found it if the two overlap."
)


def assumed_error(accuracy: float, benchmark: str) -> float:
    """Return the run-to-run standard error of an accuracy, both in percent.

    Of N problems with n samples each, whose success rates have a Beta distribution with the mean p
    and a + b = c: √(p (1 - p) · c / (c + 1) / (n N)).
    """
    problems, samples = PROBLEMS[benchmark]
    p, c = accuracy / 100, CONCENTRATION
    return 100 * math.sqrt(p * (1 - p) * c / (c + 1) / (problems * samples))


def read_accuracies(runs: Sequence[RunFolder], benchmarks: Sequence[str]) -> pd.DataFrame:
    """Return accuracy and run-to-run standard error, in percent, averaged over seeds.

    Runs without a score file are left out. Columns accuracy and error, indexed by backbone (called
    as in the paper, where it is the paper's), method and benchmark.
    """
    rows = []
    for run, benchmark in itertools.product(runs, benchmarks):
        found = run.read_json(f"scores/{benchmark}").get("aggregates")
        if found and (error := found["accuracy_run_se"]["value"]) is not None:
            cell = (published.BACKBONES.get(run.backbone, run.backbone), run.method, benchmark)
            rows.append([*cell, 100 * found["accuracy"]["value"], (100 * error) ** 2])
    frame = pd.DataFrame(rows, columns=[*_CELL, "accuracy", "variance"])
    by_cell = frame.groupby(_CELL, sort=False)
    found = by_cell[["accuracy"]].mean()
    return found.assign(error=(by_cell["variance"].sum() ** 0.5) / by_cell.size())


def compare_differences(figures: pd.DataFrame, ours: pd.DataFrame) -> pd.DataFrame:
    """Return every difference that RePro makes in the paper's main table.

    From `published.load` and `read_accuracies`. Columns backbone, method, benchmark, difference (in
    points), error, ours (the difference in these runs, where they have both methods, else NaN), z.
    """
    is_main = (figures["kind"] == "published") & (figures["metric"] == "accuracy")
    main = figures[is_main & (figures["detail"] == "") & (figures["backbone"] != "")]
    stated = main.set_index(_CELL)["value"]
    rows = []
    for (backbone, method, benchmark), value in stated.items():
        pair = [(backbone, of, benchmark) for of in (method, methods.plain_algorithm(method))]
        if pair[1] not in stated:
            continue
        assumed = [assumed_error(stated[cell], benchmark) for cell in pair]
        errors = map(ours["error"].get, pair, assumed)
        repro, plain = (ours["accuracy"].get(cell, math.nan) for cell in pair)
        row = dict(zip(_CELL, pair[0], strict=True), difference=value - stated[pair[1]])
        row |= {"error": math.hypot(*errors), "ours": repro - plain}
        rows.append(row | {"z": row["difference"] / row["error"]})
    return pd.DataFrame(rows)


def compare_bands(figures: pd.DataFrame, ours: pd.DataFrame) -> pd.DataFrame:
    """Return the untrained backbones beside the bands of other publications.

    From the same. Columns backbone, benchmark, accuracy, low, high (95 %, sampling), band_low,
    band_high and verdict: `where others found it`, `below`, `above`, or `not run`.
    """
    bands = figures[figures["kind"].isin(["band_low", "band_high"])]
    ends = bands.groupby(["backbone", "benchmark"], sort=False)["value"].agg(["min", "max"])
    rows = []
    for (backbone, benchmark), low, high in ends.itertuples():
        cell = (backbone, methods.ORIGINAL, benchmark)
        accuracy, error = ours.loc[cell] if cell in ours.index else (math.nan, math.nan)
        start, end = accuracy - Z * error, accuracy + Z * error
        verdict = "below" if end < low else "above" if start > high else "where others found it"
        row = {"backbone": backbone, "benchmark": benchmark, "accuracy": accuracy}
        row |= {"low": start, "high": end, "band_low": low, "band_high": high}
        rows.append(row | {"verdict": "not run" if math.isnan(accuracy) else verdict})
    return pd.DataFrame(rows)


def read_sheets(
    file: str | Path, runs: Sequence[RunFolder], benchmarks: Sequence[str]
) -> list[Sheet]:
    """Return both tables, with the paper's numbers from config/paper_results.csv."""
    found = published.load(file), read_accuracies(runs, benchmarks)
    return [differences_sheet(compare_differences(*found)), bands_sheet(compare_bands(*found))]


def differences_sheet(differences: pd.DataFrame) -> Sheet:
    """Return the table of `compare_differences`; its caption counts what they can decide."""
    rows = []
    for row in differences.to_dict("records"):
        stated, ours = (f"{row[of]:+.1f} ± {row['error']:.1f}" for of in ("difference", "ours"))
        cells = [names.BENCHMARKS[row["benchmark"]], stated, f"{row['z']:.1f}"]
        cells.append("-" if math.isnan(row["ours"]) else ours)
        rows.append([row["backbone"], methods.label(row["method"]), *cells])
    pairs = differences.groupby(["backbone", "method"]).ngroups
    beyond = (differences["z"].abs() > Z).sum()
    caption = (
        f"{_DIFFERENCES} Of {len(differences)} differences {(differences['difference'] > 0).sum()} "
        f"are positive and {beyond} lie beyond ±1.96; they come from {pairs} pairs of trainings, "
        "which is how often the paper replicates its effect."
    )
    header = ["Backbone", "Method", "Benchmark", "Paper (points)", "z", "Ours (points)"]
    return Sheet("published", caption, header, rows, groups=2, texts=3)


def bands_sheet(bands: pd.DataFrame) -> Sheet:
    """Return the table of `compare_bands`."""
    rows = []
    for row in bands.to_dict("records"):
        known = f"{row['accuracy']:.1f} [{row['low']:.1f}, {row['high']:.1f}]"
        ends = dict.fromkeys(f"{row[end]:.1f}" for end in ("band_low", "band_high"))
        cells = ["-" if math.isnan(row["accuracy"]) else known, " to ".join(ends), row["verdict"]]
        rows.append([row["backbone"], names.BENCHMARKS[row["benchmark"]], *cells])
    header = ["Backbone", "Benchmark", "Ours", "Others", "Verdict"]
    return Sheet("sanity", _BANDS, header, rows, groups=1, texts=2)
