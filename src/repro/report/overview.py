"""The first page of the report, the answer first.

Made from the tables' CSV, claims.json and what the runs recorded; nothing is computed again.
"""

import base64
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path

import pandas as pd

from repro import methods
from repro.files import jsonl
from repro.files.progress import duration
from repro.records import run_facts
from repro.records.experiment import RunFolder
from repro.records.run_facts import NOT_RECORDED, STAGES, Facts
from repro.report import (
    collect,
    compare,
    html_pages,
    names,
    published,
    sanity,
    table_sheets,
    verdicts,
)
from repro.report.table_sheets import Sheet

TITLE = "RePro, reproduced"
# In a frame, the page's style and that of Snakemake's report around it stay apart.
_OPENING = (
    '<iframe title="Overview" style="width:100%;height:92vh;border:0" srcdoc="{}"></iframe>\n'
)


def write_pages(
    runs: Sequence[RunFolder],
    benchmarks: Sequence[str],
    tables: str | Path,
    output_dir: str | Path,
    note: str = "",
    name: str = "",
    figures: Sequence[str | Path] = (),
    paper: str | Path | None = None,
) -> None:
    """Write overview.html, and opening.html: the same to be shown inside a page.

    ``tables`` is the folder with the tables' CSV files and claims.json, ``note`` a sentence at the
    top, such as what the numbers are not, ``name`` the experiment's, ``figures`` PNG files to show,
    ``paper`` config/paper_results.csv, for what its numbers can decide beside those of the runs.
    ValueError, with its name, where a file is malformed.
    """
    tables, output_dir = Path(tables), Path(output_dir)
    texts = {"missing": str, "note": str}  # may be empty, which is not NaN
    of_tables = table_sheets.SHEETS
    frames = {table: pd.read_csv(tables / f"{table}.csv", converters=texts) for table in of_tables}
    sheets = {table: of_tables[table](frame) for table, frame in frames.items()}
    judged = jsonl.read_json(tables / "claims.json")
    notes = {table: next(iter(frame.get("note", ())), "") for table, frame in frames.items()}
    gain = frames["gain"]
    pooled = gain[gain["benchmark"].isin(compare.POOLS) & (gain["n"] > 0)]
    of_claims, parts = verdicts.sheets(judged["claims"])
    facts = run_facts.read(runs)
    stated = published.load(paper) if paper else None
    ours = sanity.read_accuracies(runs, benchmarks)
    counts = Counter(claim["verdict"] for claim in judged["claims"])
    page = html_pages.render(
        "overview.html",
        TITLE,
        note,
        claims=of_claims,
        counts=", ".join(f"{counts[verdict]} {verdict}" for verdict in verdicts.VERDICTS),
        what_was_run=_what_was_run(name, facts, _scored(runs, benchmarks)),
        main=sheets.pop("main"),
        gain=sheets["gain"] if pooled.empty else of_tables["gain"](pooled),
        paper=[]
        if stated is None
        else [
            sanity.differences_sheet(sanity.compare_differences(stated, ours)),
            sanity.bands_sheet(sanity.compare_bands(stated, ours)),
        ],
        # What a file's note says beyond the sentence at the top of the page.
        remarks={
            table: text.removeprefix(note).strip()
            for table, text in (notes | {"claims": judged["note"]}).items()
        },
        folded={"Claims, part by part": parts}
        | {f"Table {table.replace('_', ' ')}": sheet for table, sheet in sheets.items()},
        figures={
            file.stem.replace("_", " "): base64.b64encode(file.read_bytes()).decode()
            for file in map(Path, figures)
        },
        provenance=_provenance(facts),
        runs=_runs_sheet(facts),
        tracked=[run.mlflow for run in facts if run.mlflow.get("url")],
        not_logged=sum("not_logged" in run.mlflow for run in facts),
    )
    output_dir.mkdir(parents=True, exist_ok=True)
    (output_dir / "overview.html").write_text(page, encoding="utf-8")
    (output_dir / "opening.html").write_text(_OPENING.format(escape(page)), encoding="utf-8")


def _what_was_run(name: str, runs: Sequence[Facts], scored: Sequence[str]) -> dict[str, str]:
    labels = {run.method: methods.label(run.method) for run in runs}
    ablated = [labels[method] for method in labels if methods.parse(method).ablated]
    return ({"Experiment": name} if name else {}) | {
        "Backbones": ", ".join(dict.fromkeys(run.backbone for run in runs)),
        "Methods": ", ".join(label for label in labels.values() if label not in ablated),
        "Ablations": ", ".join(ablated) or "none",
        "Seeds": ", ".join(map(str, sorted({run.seed for run in runs}))),
        "Benchmarks": ", ".join(scored),
        "Training": run_facts.alike(runs, _training),
        "Runs": str(len(runs)),
    }


def _training(run: Facts) -> str:
    how = run.settings.get("training")
    if not how:
        return NOT_RECORDED
    steps, prompts = how["steps"], how["prompts_per_step"]
    return f"{steps} steps of {prompts} prompts x {how['num_generations']} rollouts"


def _scored(runs: Sequence[RunFolder], benchmarks: Sequence[str]) -> list[str]:
    """Return each benchmark with its problems and samples."""
    responses = collect.read_scores(runs, benchmarks).responses
    samples = responses.value_counts(["benchmark", "doc_id", *collect.RUN_KEYS])
    samples = samples.groupby("benchmark").max()
    problems = responses.groupby("benchmark")["doc_id"].nunique()
    return [
        f"{title} ({problems[name]} problems, avg@{samples[name]})"
        if name in samples
        else f"{title} (not scored)"
        for name, title in names.BENCHMARKS.items()
        if name in benchmarks
    ]


def _provenance(runs: Sequence[Facts]) -> dict[str, str]:
    """Return what all trainings agree on, and the time of every stage."""
    dates = sorted(
        run.provenance[key] for run in runs for key in ("started", "ended") if key in run.provenance
    )
    pairs = {
        "Git commit": run_facts.alike(runs, run_facts.commit),
        "Versions": run_facts.alike(runs, run_facts.versions),
        "Hardware": run_facts.alike(runs, run_facts.hardware),
        "Trained": f"from {dates[0]} to {dates[-1]}" if dates else NOT_RECORDED,
    }
    for stage in STAGES:
        known = [run.seconds[stage] for run in runs if run.seconds.get(stage) is not None]
        jobs = f"{_time(sum(known))} in {len(known)} job{'s' * (len(known) > 1)}"
        pairs[f"Time of {stage}"] = jobs if known else NOT_RECORDED
    return pairs


def _runs_sheet(runs: Sequence[Facts]) -> Sheet:
    """Return the times of each run, with links to MLflow."""
    header = ["Backbone", "Method", "Seed", "Step (median)", *map(str.capitalize, STAGES)]
    rows = []
    for run in runs:
        label, address = methods.label(run.method), run.mlflow.get("url")
        times = [run.step_seconds, *(run.seconds.get(stage) for stage in STAGES)]
        method = html_pages.Link(label, address) if address else label
        rows.append([run.backbone, method, str(run.seed), *map(_time, times)])
    return Sheet("runs", "", header, rows, groups=1, texts=2)


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.2g} s" if seconds < 10 else duration(seconds)
