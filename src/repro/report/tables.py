"""The tables of the paper's grid: CSV and Markdown from one frame each, and the terminal."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from repro import methods
from repro.measure.behaviours import BEHAVIOURS
from repro.measure.intervals import MATH_VERIFY, interval, ratio_values
from repro.measure.sampling_metrics import Cutoffs
from repro.records.experiment import RunFolder
from repro.report import collect, compare, names, overthinking, published, rivals, table_sheets
from repro.report.ledger import read_ledger
from repro.report.rendering import say

_KEYS = ["backbone", "method"]
# Of `backtracking_frame`: a column, and the factor and the columns of responses of its ratio.
_RATES = [(f"{name}_per_1k", 1000, name, "tokens") for name in BEHAVIOURS]
_RATES += [("backtracking_responses", 100, "backtracks", "response")]


def write_tables(
    runs: Sequence[RunFolder],
    benchmarks: Sequence[str],
    output_dir: str | Path,
    note: str = "",
    paper: str | Path | None = None,
    partial: bool = False,
    thoughts: bool = False,
    cutoffs: Cutoffs = (),
    command: str = "",
) -> None:
    """Write the tables of `table_sheets.SHEETS` as csv and md.

    Every file carries ``note``, such as what its numbers are not, and what is not scored or
    missing. ``paper`` is config/paper_results.csv, whose numbers stand beside those of its own
    backbones; with ``partial``, score files that are not there are left out, and named; with
    ``thoughts`` there is a table of what the tiny world's thoughts do, and with rivals of RePro one
    of these; ``cutoffs`` are of the table `sampling`, ``command`` makes a file of the results whose
    path is added to it. ValueError where a score file is malformed or, unless partial, missing; or
    none is there.
    """
    scores = collect.read_scores(runs, benchmarks, partial)
    remarks = filter(None, (_checkpoints(runs), scores.gaps))
    note = " ".join([note, *(f"{remark.rstrip('.')}." for remark in remarks)]).strip()
    notes = {"main_math_verify": f"{note} {_scorers(scores.responses)}".strip()}
    stated = published.stated_accuracy(paper, runs) if paper else {}
    summary = compare.summarise(scores.problems, scores.grid)
    by_other = scores.problems.assign(accuracy=scores.problems[MATH_VERIFY])
    summary_by_other = compare.summarise(by_other, scores.grid)
    effects = compare.effects(scores.problems, scores.grid)
    points, effects = rivals.measure_points(effects), effects.drop(columns="at")
    to_original = effects["baseline"] == methods.ORIGINAL
    frames = {
        "main": main_frame(summary, stated),
        "main_math_verify": main_frame(summary_by_other, stated),
        "gain": effects[~to_original],
        "against_original": effects[to_original],
        "tokens": tokens_frame(summary, scores.responses),
        "backtracking": backtracking_frame(scores),
        "sampling": compare.summarise_sampling(runs, scores.grid, cutoffs),
    }
    if thoughts:
        counts = overthinking.read_counts(runs, benchmarks)
        frames["overthinking"] = overthinking.compare_counts(counts)
    if {"repro"} < set(points["rule"]):
        frames["rivals"] = rivals.compare_rules(points)
    Path(output_dir, "rivals.csv").unlink(missing_ok=True)  # of an earlier grid
    frames["ledger"] = read_ledger(runs, scores.problems, command)
    for name, frame in frames.items():
        sheet = table_sheets.SHEETS[name](frame)
        table_sheets.write(frame, sheet, output_dir, notes.get(name, note))


def show(results: str | Path) -> None:
    """Print the main table of a results directory, and where the rest is."""
    main = pd.read_csv(Path(results, "tables/main.csv"))
    cells = table_sheets.main_sheet(main).cells.replace(r" ±.*|\n.*", "", regex=True)
    cells = cells.rename(columns={"Backtr./1k": "Bt./1k"})  # within 80 columns
    for backbone, rows in cells.groupby("Backbone", sort=False):
        print(f"{backbone}\n{rows.drop(columns='Backbone').to_string(index=False)}\n")
    print(f"Accuracy in percent; {results}/tables/main.md explains the columns and has errors.")
    page = f"{results}/report/overview.html has the verdicts, all tables and figures."
    print(*main.get("note", pd.Series()).unique(), page, sep="\n")


def main_frame(summary: pd.DataFrame, stated: dict[tuple[str, str, str], float]) -> pd.DataFrame:
    """Return the main table's numbers: one row per backbone and method.

    From `compare.summarise` and `published.stated_accuracy`. Columns backbone, method, seeds; each
    benchmark's accuracy in percent, ``NAME_se`` and, if any of these methods has published numbers,
    ``NAME_published`` and ``NAME_difference`` (ours minus it, in points); and tokens and
    backtracking_per_1k, averaged over the benchmarks, with ``_se``.
    """
    shown = names.shown(set(summary["benchmark"]))
    columns = {name: ("accuracy", name) for name in shown}
    frame = _wide(summary, columns | {metric: (metric, "all") for metric in table_sheets.POOLED})
    rows = list(zip(frame["backbone"], frame["method"], strict=True))
    if any(key[:2] in rows for key in stated):
        for name in shown:
            frame[f"{name}_published"] = [stated.get((*row, name), np.nan) for row in rows]
            frame[f"{name}_difference"] = frame[name] - frame[f"{name}_published"]
    return frame


def tokens_frame(summary: pd.DataFrame, responses: pd.DataFrame) -> pd.DataFrame:
    """Return reasoning tokens per benchmark, from `compare.summarise` and `Scores.responses`.

    One row per backbone and method, as `main_frame`, with ``NAME_mean`` (problems count equally),
    ``NAME_mean_se`` and ``NAME_median`` (responses count equally).
    """
    shown = names.shown(set(summary["benchmark"]))
    frame = _wide(summary, {f"{name}_mean": ("tokens", name) for name in shown})
    medians = responses.groupby([*_KEYS, "benchmark"])["tokens"].median().unstack()
    return frame.join(medians.reindex(columns=shown).add_suffix("_median"), on=_KEYS)


def backtracking_frame(scores: collect.Scores) -> pd.DataFrame:
    """Return how often responses backtrack, verify and hesitate.

    One row per backbone, benchmark, method and ``of`` (all, correct or wrong responses): responses
    (their number, over all seeds), segments of each behaviour per 1,000 reasoning tokens as
    ``NAME_per_1k``, backtracking_responses (percent of the responses with such a segment), each
    with its ``_se``. NaN where there is no such response.
    """
    keys, rows = ["backbone", "benchmark", "method"], []
    cells = dict(tuple(scores.responses.assign(response=1).groupby(keys, sort=False)))
    for backbone, pairs in itertools.groupby(scores.grid.methods, key=lambda pair: pair[0]):
        for benchmark, (_, method) in itertools.product(scores.grid.benchmarks, pairs):
            cell = (backbone, benchmark, method)
            frame = cells.get(cell, scores.responses.iloc[:0])
            for of, verdicts in collect.VERDICTS.items():
                chosen = frame[frame["correct"].isin(verdicts)]
                row = dict(zip(keys, cell, strict=True), of=of, responses=len(chosen))
                for name, factor, *columns in _RATES if len(chosen) else ():
                    known = np.nan if chosen[columns].isna().any(axis=None) else 1
                    sums = chosen.groupby(["seed", "doc_id"])[columns].sum().unstack(fill_value=0)
                    found = interval([known * factor * ratio_values(*(sums[c] for c in columns))])
                    row |= {name: found.mean, f"{name}_se": found.se}
                rows.append(row)
    return pd.DataFrame(rows)


def _checkpoints(runs: Sequence[RunFolder]) -> str:
    records = [run.read_json("checkpoint") for run in runs]
    found = pd.DataFrame(filter(None, records), columns=["rule", "steps", "step"])
    said = []
    for (rule, steps), chosen in found.groupby(["rule", "steps"])["step"]:
        best = ", each run's best in its validation" * (rule == "best-validation")
        of = f"step{'s' * (chosen.nunique() > 1)} {names.span(chosen)} of {steps}{best}"
        said.append(f"the last of {steps} steps" if rule == "last" else of)
    return f"Trained models are those of {' and '.join(said)}" if said else ""


def _scorers(responses: pd.DataFrame) -> str:
    of_math = responses[responses["benchmark"].isin(names.IN_DOMAIN)].dropna(subset=MATH_VERIFY)
    change = of_math[MATH_VERIFY] - of_math["correct"]
    rejected, accepted = (change < 0).sum(), (change > 0).sum()
    return say("scorers", judged=len(change), rejected=rejected, accepted=accepted)


def _wide(summary: pd.DataFrame, columns: dict[str, tuple[str, str]]) -> pd.DataFrame:
    """Return a row per method: seeds, and columns, of a metric and a scope, with errors."""
    frame = summary.groupby(_KEYS, sort=False)[["seeds"]].max()
    for name, (metric, scope) in columns.items():
        chosen = summary[(summary["metric"] == metric) & (summary["benchmark"] == scope)]
        frame[[name, f"{name}_se"]] = chosen.set_index(_KEYS)[["mean", "se"]]
    return frame.reset_index()
