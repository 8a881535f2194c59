"""The first page of the report, the answer first; `templates/overview.html` has its words.

Made from the tables' CSV, claims.json and what the runs recorded; nothing is computed again.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from repro import methods
from repro.files import digests, jsonl
from repro.records.experiment import RunFolder
from repro.report import collect, compare, names, rendering, rivals, sanity, table_sheets, verdicts

RECORDS = ("settings", "provenance", "mlflow")  # of a run


def write_pages(
    runs: Sequence[RunFolder],
    benchmarks: Sequence[str],
    tables: str | Path,
    output_dir: str | Path,
    note: str = "",
    name: str = "",
    figures: Sequence[str | Path] = (),
    paper: str | Path | None = None,
    archive: str | Path | None = None,
) -> None:
    """Write overview.html, and opening.html: the same to be shown inside a page.

    ``tables`` is the folder with the tables' CSV files and claims.json, ``note`` a sentence at the
    top, ``name`` the experiment's, ``figures`` PNG files, ``paper`` config/paper_results.csv, for
    what its numbers can decide, ``archive`` what scores and logs were taken from. ValueError where
    a file is malformed.
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
        archive=archive and f"{Path(archive).name}, SHA-256 {digests.of_content(archive)}",
        notes=notes | {"claims": judged["note"]},
        folded={"Claims, part by part": verdicts.sheets(judged["claims"])[1]}
        | {f"Table {table.replace('_', ' ')}": sheet for table, sheet in sheets.items()},
        figures={Path(file).stem: rendering.embed(file) for file in figures},
        scored=_scored(runs, benchmarks),
        runs=[{"run": run} | {name: run.read_json(name) for name in RECORDS} for run in runs],
        label=methods.label,
    )
    output_dir.mkdir(parents=True, exist_ok=True)
    opening = rendering.render("opening.html", page=page)
    for file, text in (("overview.html", page), ("opening.html", opening)):
        (output_dir / file).write_text(text, encoding="utf-8")


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
