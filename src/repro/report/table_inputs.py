"""What the tables are made from: the score files of runs, all of them or those that are there."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from repro import methods
from repro.records.experiment import RunFolder
from repro.report import collect, names
from repro.report.compare import Grid


class Inputs(NamedTuple):
    """What was read."""

    problems: pd.DataFrame  # of `collect.problems`
    responses: pd.DataFrame  # of `collect.read_scores`
    grid: Grid  # methods and benchmarks that were to be there; not those that cannot be scored
    remarks: str  # sentences on what is not scored, missing or unequal; empty where nothing is


def load(runs: Sequence[RunFolder], benchmarks: Sequence[str], partial: bool = False) -> Inputs:
    """Read the score files of runs; arguments and errors are those of `collect.read_scores`."""
    responses, gaps, missing = collect.read_scores(runs, benchmarks, partial)
    problems = collect.problems(responses)
    wanted = [name for name in names.BENCHMARKS if name in benchmarks]
    pairs = dict.fromkeys((run.backbone, run.method) for run in runs)
    to_come = set(wanted).intersection(*(missing.get(run.name, ()) for run in runs))
    scored = set(problems["benchmark"])
    grid = Grid(list(pairs), [name for name in wanted if name in scored | to_come])
    remarks = [gaps, _missing_sentence(missing, len(wanted)), _seeds_sentence(problems)]
    remarks = " ".join(f"{remark.rstrip('.')}." for remark in remarks if remark)
    return Inputs(problems, responses, grid, remarks)


def scorers_sentence(problems: pd.DataFrame) -> str:
    """Say on how many responses in mathematics the two scorers differ, from `collect.problems`."""
    of_math = problems[problems["benchmark"].isin(names.IN_DOMAIN)]
    judged = of_math.dropna(subset=f"accuracy_{collect.MATH_VERIFY}")
    if judged.empty:
        return ""
    here, other = judged["only_here"].sum(), judged[f"only_{collect.MATH_VERIFY}"].sum()
    return (
        f"Plain math-verify decides {here + other:,} of {judged['samples'].sum():,} responses in "
        f"mathematics otherwise than the main table: it rejects {here:,} that count as correct "
        f"there, and accepts {other:,} that count as wrong."
    )


def _missing_sentence(missing: dict[str, list[str]], wanted: int) -> str:
    whole = [run for run, lacking in missing.items() if len(lacking) == wanted]
    parts = [f"all of {', '.join(whole)}"] if whole else []
    for run, lacking in missing.items():
        if run not in whole:
            parts.append(f"{', '.join(names.BENCHMARKS[name] for name in lacking)} of {run}")
    return f"Partial results; missing: {'; '.join(parts)}." if parts else ""


def _seeds_sentence(problems: pd.DataFrame) -> str:
    """Say which methods have which seeds, for the backbones where they differ."""
    parts = []
    for backbone, frame in problems.groupby("backbone", sort=False):
        by_seeds: dict[tuple[int, ...], list[str]] = {}
        for method, seeds in frame.groupby("method", sort=False)["seed"].unique().items():
            by_seeds.setdefault(tuple(sorted(seeds)), []).append(methods.label(method))
        if len(by_seeds) > 1:
            parts += [
                f"{backbone}, {', '.join(labels)}: {', '.join(map(str, seeds))}"
                for seeds, labels in by_seeds.items()
            ]
    return f"Unequal seeds; {'; '.join(parts)}." if parts else ""
