"""The first page of the report, the answer first; `templates/overview.html` has its words.

Made from the tables' CSV, claims.json and what the runs recorded; nothing is computed again.
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import pandas as pd

from repro import methods
from repro.files import jsonl
from repro.files.progress import duration
from repro.records.experiment import RunFolder
from repro.report import collect, compare, names, rendering, rivals, sanity, table_sheets, verdicts

STAGES = ("train", "generate", "score", "objective")


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
    top, ``name`` the experiment's, ``figures`` PNG files, ``paper`` config/paper_results.csv, for
    what its numbers can decide. ValueError where a file is malformed.
    """
    tables, output_dir = Path(tables), Path(output_dir)
    of_tables, texts = dict(table_sheets.SHEETS), {"note": str}  # it may be empty, which is not NaN
    for table in ("overthinking", "rivals"):  # not every experiment has them
        if not (tables / f"{table}.csv").is_file():
            del of_tables[table]
    frames = {table: pd.read_csv(tables / f"{table}.csv", converters=texts) for table in of_tables}
    sheets = {table: of_tables[table](frame) for table, frame in frames.items()}
    judged = jsonl.read_json(tables / "claims.json")
    notes = {table: next(iter(frame.get("note", ())), "") for table, frame in frames.items()}
    gain = frames["gain"]
    pooled = gain[gain["benchmark"].isin(compare.POOLS) & (gain["n"] > 0)]
    page = rendering.render(
        "overview.html",
        title="RePro, reproduced",
        note=note,
        experiment=name,
        headline=verdicts.headline(judged["claims"]),
        claims=judged["claims"],
        main=sheets.pop("main"),
        gain=of_tables["gain"](pooled),
        answer=rivals.answer(frames["rivals"]) if "rivals" in frames else "",
        paper=sanity.read_sheets(paper, runs, benchmarks) if paper else [],
        notes=notes | {"claims": judged["note"]},
        folded={"Claims, part by part": verdicts.sheets(judged["claims"])[1]}
        | {f"Table {table.replace('_', ' ')}": sheet for table, sheet in sheets.items()},
        figures={Path(file).stem: rendering.embed(file) for file in figures},
        scored=_scored(runs, benchmarks),
        runs=[_read_facts(run) for run in runs],
        stages=STAGES,
        label=methods.label,
        time=duration,
    )
    output_dir.mkdir(parents=True, exist_ok=True)
    opening = rendering.render("opening.html", page=page)
    for file, text in (("overview.html", page), ("opening.html", opening)):
        (output_dir / file).write_text(text, encoding="utf-8")


def _read_facts(run: RunFolder) -> dict:
    """Return run, settings, provenance, mlflow (its place there), step_seconds and seconds.

    These are the median over training steps, and by stage. Not recorded: empty or None.
    """
    facts = {name: run.read_json(name) for name in ("settings", "provenance", "mlflow")}
    steps = [row["step_seconds"] for row in run.read_rows("training") if row.get("step_seconds")]
    seconds = {stage: run.read_seconds(stage) for stage in STAGES[1:]}
    seconds["train"] = facts["provenance"].get("seconds")  # kept without work/
    return facts | {"run": run, "seconds": seconds, "step_seconds": median(steps or [0])}


def _scored(runs: Sequence[RunFolder], benchmarks: Sequence[str]) -> list[str]:
    """Return what each benchmark is called, with the numbers of its problems and samples."""
    responses = collect.read_scores(runs, benchmarks).responses
    samples = responses.value_counts(["benchmark", "doc_id", *collect.RUN_KEYS])
    counts = {
        name: f"{of.index.unique('doc_id').size} problems, avg@{of.max()}"
        for name, of in samples.groupby("benchmark")
    }
    known = {name: title for name, title in names.BENCHMARKS.items() if name in benchmarks}
    return [f"{title} ({counts.get(name, 'not scored')})" for name, title in known.items()]
