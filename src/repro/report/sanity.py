"""What the paper's own table can decide, and whether this harness finds what others found.

All runs answer the same problems, so two numbers differ by chance as far as sampling goes: by the
run-to-run standard error of each, √2 of it together. Training seeds would add to it. The error is
measured of these runs (`accuracy_run_se`), and of the paper's that of problems like AIME's.
"""

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from repro import methods
from repro.records.experiment import RunFolder
from repro.report import names, published
from repro.report.rendering import say
from repro.report.table_sheets import Sheet, show_interval

PROBLEMS = {  # of the paper's protocol: problems and samples
    **{"aime24": (30, 16), "aime25": (30, 16), "math500": (500, 4), "lmb": (100, 4)},
    **{"gpqa": (198, 4), "mbpp": (257, 4), "lcb": (175, 4)},
}
CONCENTRATION = 1.45  # a + b of the Beta distribution of the problems' success rates, as of AIME's
Z = 1.96  # of a 95 % interval of known error


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
        if found := run.read_json(f"scores/{benchmark}").get("aggregates"):
            cell = (published.BACKBONES.get(run.backbone, run.backbone), run.method, benchmark)
            p, error = (found[of]["value"] for of in ("accuracy", "accuracy_run_se"))
            most = math.sqrt(p * (1 - p) / found["accuracy"]["n"])  # where each has one sample
            rows.append([*cell, 100 * p, 100 * (most if error is None else error)])
    frame = pd.DataFrame(rows, columns=[*published.CELL, "accuracy", "error"])
    means = {"accuracy": "mean", "error": lambda each: np.hypot.reduce(each) / len(each)}
    return frame.groupby(published.CELL, sort=False).agg(means).astype(float)


def compare_differences(figures: pd.DataFrame, ours: pd.DataFrame) -> pd.DataFrame:
    """Return every difference that RePro makes in the paper's main table.

    From `published.load` and `read_accuracies`. Columns backbone, method, benchmark, difference (in
    points), ours (that of these runs, NaN without both methods), the _se of each, and z.
    """
    stated = published.main_table(figures)
    repro = ours.reindex(stated.index).assign(stated=stated)
    repro["assumed"] = [assumed_error(accuracy, cell[-1]) for cell, accuracy in stated.items()]
    plain = repro.rename(lambda method: method + methods.REPRO, level="method")
    plain = plain.reindex(repro.index)  # beside what RePro was added to; NaN for other methods
    found = pd.DataFrame({"difference": repro["stated"] - plain["stated"]})
    found["difference_se"] = np.hypot(repro["assumed"], plain["assumed"])
    found["ours"] = repro["accuracy"] - plain["accuracy"]
    found["ours_se"] = np.hypot(repro["error"], plain["error"])
    found["z"] = found["difference"] / found["difference_se"]
    return found.dropna(subset="difference").reset_index()


def compare_bands(figures: pd.DataFrame, ours: pd.DataFrame) -> pd.DataFrame:
    """Return the untrained backbones beside the bands of other publications.

    From the same. Columns backbone, benchmark, accuracy, low, high (95 %, sampling), band_low,
    band_high and verdict: `where others found it`, `below`, `above`, or `not run`.
    """
    bands = figures[figures["kind"].isin(["band_low", "band_high"])]
    ends = bands.groupby(["backbone", "benchmark"], sort=False)["value"]
    found = ends.agg(band_low="min", band_high="max")
    cells = [(backbone, methods.ORIGINAL, benchmark) for backbone, benchmark in found.index]
    accuracy, error = ours.reindex(cells).to_numpy().T
    found = found.assign(accuracy=accuracy, low=accuracy - Z * error, high=accuracy + Z * error)
    outside = [found["high"] < found["band_low"], found["low"] > found["band_high"]]
    verdicts = np.select(outside, ["below", "above"], "where others found it")
    found["verdict"] = np.where(np.isnan(accuracy), "not run", verdicts)
    return found.reset_index()


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
        stated, ours = (f"{row[of]:+.1f} ± {row[of + '_se']:.1f}" for of in ("difference", "ours"))
        cells = [names.BENCHMARKS[row["benchmark"]], stated, f"{row['z']:.1f}"]
        cells.append("-" if math.isnan(row["ours"]) else ours)
        rows.append([row["backbone"], methods.label(row["method"]), *cells])
    caption = say(
        "published",
        differences=len(differences),
        positive=(differences["difference"] > 0).sum(),
        beyond=(differences["z"].abs() > Z).sum(),
        pairs=differences.groupby(["backbone", "method"]).ngroups,
    )
    header = ["Backbone", "Method", "Benchmark", "Paper (points)", "z", "Ours (points)"]
    return Sheet("published", caption, pd.DataFrame(rows, columns=header), groups=2, texts=3)


def bands_sheet(bands: pd.DataFrame) -> Sheet:
    """Return the table of `compare_bands`."""
    rows = []
    for row in bands.to_dict("records"):
        ours = show_interval(row["accuracy"], row["low"], row["high"], ".1f")
        ends = dict.fromkeys(f"{row[end]:.1f}" for end in ("band_low", "band_high"))
        cells = [names.BENCHMARKS[row["benchmark"]], ours, " to ".join(ends), row["verdict"]]
        rows.append([row["backbone"], *cells])
    header = ["Backbone", "Benchmark", "Ours", "Others", "Verdict"]
    return Sheet("sanity", say("sanity"), pd.DataFrame(rows, columns=header), groups=1, texts=2)
