"""The first page of the report, the answer first, and its tables as pages of their own.

Made from the tables' CSV, claims.json and what the runs recorded; nothing is computed again.
"""

import base64
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from repro import methods
from repro.files import jsonl
from repro.files.progress import duration
from repro.records import run_facts
from repro.records.experiment import RunFolder
from repro.records.run_facts import NOT_RECORDED, STAGES, Facts
from repro.report import compare, html_pages, names, table_sheets
from repro.report.claims import DIRECTIONS, NOT_TESTED, VERDICTS
from repro.report.table_formats import Sheet

TITLE = "RePro, reproduced"
TITLES = {  # of the tables that have a page
    "main": "Main table",
    "main_math_verify": "Main table by math-verify",
    "gain": "What RePro changes",
    "tokens": "Reasoning tokens",
    "backtracking": "Backtracking",
}
_OPENING_STYLE = "width:100%;height:92vh;border:0"
_PART_HEADER = ("Part", "Effect", "Threshold", "Unit", "Verdict", "n", "Seeds", "Remark")
_PART_TEXTS = (0, 3, 4, 7)  # columns
_TIMES = (
    "Training: wall time that the run itself recorded (a resumed run: since it was resumed). The "
    "other stages: from the benchmark files that Snakemake writes below work/benchmark, which "
    "include starting the process and no time in a queue. A dash: not recorded, or no such stage. "
    "Other rules: see Statistics in the report."
)


class Image(NamedTuple):
    """A PNG file inside a page."""

    name: str
    data: str  # base64


def write_pages(
    runs: Sequence[RunFolder],
    benchmarks: Sequence[str],
    tables: str | Path,
    output_dir: str | Path,
    note: str = "",
    name: str = "",
    figures: Sequence[str | Path] = (),
) -> None:
    """Write overview.html, opening.html (the same to be shown inside a page) and table pages.

    Args:
        runs: the folders of the runs.
        benchmarks: those that were evaluated.
        tables: the folder with the CSV files of `TITLES` and claims.json.
        output_dir: created where needed.
        note: a sentence at the top of every page, such as what its numbers are not.
        name: of the experiment.
        figures: PNG files to show in overview.html.

    Raises:
        ValueError: a file is missing or malformed; the message names it.
    """
    tables, output_dir = Path(tables), Path(output_dir)
    output_dir.mkdir(parents=True, exist_ok=True)
    frames = {table: _frame(tables / f"{table}.csv") for table in TITLES}
    sheets = {table: table_sheets.SHEETS[table](frame) for table, frame in frames.items()}
    claims = _claims(tables / "claims.json")
    notes = {table: _note(frame) for table, frame in frames.items()} | {"claims": claims["note"]}
    # What a file's note says beyond the sentence at the top of the page.
    remarks = {table: text.removeprefix(note).strip() for table, text in notes.items()}
    pages = {
        table: html_pages.render(
            "table.html", title, note, remark=remarks[table], sheet=sheets[table]
        )
        for table, title in TITLES.items()
    }
    pages["claims"] = html_pages.render(
        "claims.html",
        "The paper's claims, on these runs",
        note,
        remark=remarks["claims"],
        claims=[claim | {"rows": _tested(claim)} for claim in claims["claims"]],
        header=_PART_HEADER,
        texts=_PART_TEXTS,
    )
    facts = run_facts.read(runs)
    counts = Counter(claim["verdict"] for claim in claims["claims"])
    tracked = [run.mlflow for run in facts if run.mlflow.get("url")]
    pages["overview"] = html_pages.render(
        "overview.html",
        TITLE,
        note,
        claims=claims["claims"],
        counts=", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS),
        what_was_run=_what_was_run(facts, _sizes(runs, benchmarks), name),
        main=sheets["main"],
        gain=table_sheets.SHEETS["gain"](_pooled(frames["gain"])),
        remarks=remarks,
        figures=[_image(Path(file)) for file in figures],
        provenance=_provenance(facts),
        runs=_runs_sheet(facts),
        tracked=tracked,
        not_logged=sum("not_logged" in run.mlflow for run in facts),
    )
    # In a frame, the page's style and that of Snakemake's report around it stay apart.
    pages["opening"] = (
        f'<iframe title="Overview" style="{_OPENING_STYLE}" srcdoc="{escape(pages["overview"])}">'
        "</iframe>\n"
    )
    for file, text in pages.items():
        (output_dir / f"{file}.html").write_text(text, encoding="utf-8")


def _what_was_run(
    runs: Sequence[Facts], sizes: dict[str, tuple[int, int] | None], name: str
) -> list[tuple[str, str]]:
    labels = {run.method: methods.label(run.method) for run in runs}
    ablated = {method for method in labels if methods.parse(method).ablated}
    scored = [
        f"{names.BENCHMARKS[benchmark]} "
        + ("(not scored)" if size is None else f"({size[0]} problems, avg@{size[1]})")
        for benchmark, size in sizes.items()
    ]
    pairs = [
        ("Experiment", name),
        ("Backbones", ", ".join(dict.fromkeys(run.backbone for run in runs))),
        ("Methods", ", ".join(label for name, label in labels.items() if name not in ablated)),
        ("Ablations", ", ".join(labels[name] for name in labels if name in ablated) or "none"),
        ("Seeds", ", ".join(map(str, sorted({run.seed for run in runs})))),
        ("Benchmarks", ", ".join(scored)),
        ("Training", run_facts.alike(runs, _training)),
        ("Runs", str(len(runs))),
    ]
    return pairs if name else pairs[1:]


def _training(run: Facts) -> str:
    how = run.settings.get("training") or {}
    if not {"steps", "prompts_per_step", "num_generations"} <= how.keys():
        return NOT_RECORDED
    return (
        f"{how['steps']} steps of {how['prompts_per_step']} prompts x {how['num_generations']} "
        "rollouts"
    )


def _tested(claim: dict) -> list[list[str]]:
    """Return the cells of a claim's parts, without those that were not tested."""
    rows = []
    for part in claim["parts"]:
        if part["verdict"] == NOT_TESTED:
            continue
        effect = "-" if part["effect"] is None else f"{part['effect']:+.3g}"
        if part["low"] is not None and part["high"] is not None:
            effect += f" [{part['low']:+.3g}, {part['high']:+.3g}]"
        threshold = f"{DIRECTIONS[part['direction']]} {part['threshold']:g}"
        cells = [part["part"], effect, threshold, part["unit"], part["verdict"]]
        rows.append(cells + [f"{part['n']} {part['of']}", str(part["seeds"]), part["remark"] or ""])
    return rows


def _provenance(runs: Sequence[Facts]) -> list[tuple[str, str]]:
    """Return what all trainings agree on, and the time of every stage."""
    dates = sorted(
        run.provenance[key] for run in runs for key in ("started", "ended") if key in run.provenance
    )
    pairs = [
        ("Git commit", run_facts.alike(runs, run_facts.commit)),
        ("Versions", run_facts.alike(runs, run_facts.versions)),
        ("Hardware", run_facts.alike(runs, run_facts.hardware)),
        ("Trained", f"from {dates[0]} to {dates[-1]}" if dates else NOT_RECORDED),
    ]
    for stage in STAGES:
        known = [run.seconds[stage] for run in runs if run.seconds.get(stage) is not None]
        jobs = f"{_time(sum(known))} in {len(known)} job{'s' * (len(known) > 1)}"
        pairs.append((f"Time of {stage}", jobs if known else NOT_RECORDED))
    return pairs


def _runs_sheet(runs: Sequence[Facts]) -> Sheet:
    """Return commit, state of the files and times of each run, with links to MLflow."""
    header = ["Backbone", "Method", "Seed", "Commit", "Files", "Step (median)"]
    header += [stage.capitalize() for stage in STAGES]
    rows = []
    for run in runs:
        label, address = methods.label(run.method), run.mlflow.get("url")
        times = [run.step_seconds, *(run.seconds.get(stage) for stage in STAGES)]
        cells = [run.backbone, html_pages.Link(label, address) if address else label, str(run.seed)]
        rows.append([*cells, *_short_commit(run), *map(_time, times)])
    return Sheet("runs", _TIMES, header, rows, groups=1)


def _short_commit(run: Facts) -> tuple[str, str]:
    """Return the commit's first characters, and whether files differed from it."""
    if not run.trained:
        return "-", "-"
    found, changes = run.provenance.get("git_commit"), run.provenance.get("git_changes")
    if not found:
        return NOT_RECORDED, "-"
    return found[:9], "-" if changes is None else "dirty" if changes else "clean"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.2g} s" if seconds < 10 else duration(seconds)


def _pooled(gain: pd.DataFrame) -> pd.DataFrame:
    """Return the effects over several benchmarks; all of them where there are no such."""
    pooled = gain[gain["benchmark"].isin(compare.POOLS) & (gain["n"] > 0)]
    return pooled if len(pooled) else gain


def _image(file: Path) -> Image:
    if not file.is_file():
        raise ValueError(f"{file}: no such file; draw the figures first")
    return Image(file.stem.replace("_", " "), base64.b64encode(file.read_bytes()).decode())


def _sizes(
    runs: Sequence[RunFolder], benchmarks: Sequence[str]
) -> dict[str, tuple[int, int] | None]:
    """Return problems and samples of each benchmark, as scored; None where no run is."""
    sizes: dict[str, tuple[int, int] | None] = {}
    for benchmark in (name for name in names.BENCHMARKS if name in benchmarks):
        sizes[benchmark] = None
        files = (run.path / "scores" / f"{benchmark}.json" for run in runs)
        for file in filter(Path.is_file, files):
            scores = jsonl.read_json(file)
            if scores.get("not_scored"):
                continue
            try:
                sizes[benchmark] = int(scores["n_problems"]), int(scores["samples"])
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{file}: not the scores of a benchmark ({error!r})") from None
            break
    return sizes


def _frame(file: Path) -> pd.DataFrame:
    if not file.is_file():
        raise ValueError(f"{file}: no such file; make the tables first")
    frame = pd.read_csv(file)
    texts = [column for column in ("missing", "note") if column in frame]
    return frame.fillna(dict.fromkeys(texts, ""))


def _claims(file: Path) -> dict:
    claims = jsonl.read_json(file)
    wanted = {"id", "text", "verdict", "reason", "parts"}
    listed = claims.get("claims")
    if not isinstance(listed, list) or not all(wanted <= claim.keys() for claim in listed):
        raise ValueError(f"{file}: not what the step `claims` writes")
    return {"note": claims.get("note", ""), "claims": listed}


def _note(frame: pd.DataFrame) -> str:
    return str(frame["note"].iloc[0]) if "note" in frame and len(frame) else ""
