"""The first page of the report, the answer first.

Made from the tables' CSV, claims.json and what the runs recorded; nothing is computed again.
"""

import base64
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from statistics import median

import pandas as pd

from repro import methods
from repro.files import jsonl
from repro.files.progress import duration
from repro.records.experiment import RunFolder
from repro.report import (
    collect,
    compare,
    html_pages,
    names,
    overthinking,
    sanity,
    table_sheets,
    verdicts,
)

NOT_RECORDED = "not recorded"
STAGES = ("train", "generate", "score", "objective")
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
    top, ``name`` the experiment's, ``figures`` PNG files, ``paper`` config/paper_results.csv, for
    what its numbers can decide. ValueError where a file is malformed.
    """
    tables, output_dir = Path(tables), Path(output_dir)
    texts = {"missing": str, "note": str}  # may be empty, which is not NaN
    of_tables = table_sheets.SHEETS
    frames = {table: pd.read_csv(tables / f"{table}.csv", converters=texts) for table in of_tables}
    sheets = {table: of_tables[table](frame) for table, frame in frames.items()}
    if (of_tiny_world := tables / "overthinking.csv").is_file():
        sheets["overthinking"] = overthinking.make_sheet(pd.read_csv(of_tiny_world))
    judged = jsonl.read_json(tables / "claims.json")
    notes = {table: next(iter(frame.get("note", ())), "") for table, frame in frames.items()}
    gain = frames["gain"]
    pooled = gain[gain["benchmark"].isin(compare.POOLS) & (gain["n"] > 0)]
    facts = [_read_facts(run) for run in runs]
    page = html_pages.render(
        "overview.html",
        "RePro, reproduced",
        note,
        headline=verdicts.headline(judged["claims"]),
        claims=judged["claims"],
        what_was_run=({"Experiment": name} if name else {})
        | _what_was_run(runs, _scored(runs, benchmarks))
        | {"Training": _alike(facts, "settings", "training", _training), "Runs": str(len(runs))},
        main=sheets.pop("main"),
        gain=sheets["gain"] if pooled.empty else of_tables["gain"](pooled),
        paper=sanity.read_sheets(paper, runs, benchmarks) if paper else [],
        notes=notes | {"claims": judged["note"]},
        folded={"Claims, part by part": verdicts.sheets(judged["claims"])[1]}
        | {f"Table {table.replace('_', ' ')}": sheet for table, sheet in sheets.items()},
        figures={
            file.stem: base64.b64encode(file.read_bytes()).decode() for file in map(Path, figures)
        },
        provenance=_provenance(facts),
        runs=facts,
        stages=STAGES,
        label=methods.label,
        time=_time,
    )
    output_dir.mkdir(parents=True, exist_ok=True)
    (output_dir / "overview.html").write_text(page, encoding="utf-8")
    (output_dir / "opening.html").write_text(_OPENING.format(escape(page)), encoding="utf-8")


def _read_facts(run: RunFolder) -> dict:
    """Return run, settings, provenance, mlflow (its place there), step_seconds and seconds.

    These are the median over training steps, and by stage. Not recorded: empty or None.
    """
    read = {name: run.read_json(name) for name in ("settings", "provenance", "mlflow")}
    log = run.path / "training.jsonl"
    rows = jsonl.read(log) if log.is_file() else []
    steps = [row["step_seconds"] for row in rows if row.get("step_seconds") is not None]
    seconds = {stage: run.read_seconds(stage) for stage in STAGES[1:]}
    seconds["train"] = read["provenance"].get("seconds")  # kept without work/
    found = {"run": run, "step_seconds": median(steps) if steps else None, "seconds": seconds}
    return found | read


def _alike(runs: Sequence[dict], record: str, key: str, told: Callable[[dict], str]) -> str:
    """Return what trained runs' records say: once where they agree, else with who says what."""
    by_text: dict[str, list[str]] = {}
    for facts in runs:
        run, recorded = facts["run"], facts[record]
        if run.method != methods.ORIGINAL:
            name = f"{run.backbone}, {methods.label(run.method)}, seed {run.seed}"
            text = told(recorded) if recorded.get(key) else NOT_RECORDED
            by_text.setdefault(text, []).append(name)
    if len(by_text) < 2:
        return next(iter(by_text), "nothing was trained")
    said = (f"{len(of)} runs" if len(of) > 1 else of[0] for of in by_text.values())
    return "; ".join(f"{text} ({who})" for text, who in zip(by_text, said, strict=True))


def _what_was_run(runs: Sequence[RunFolder], scored: Sequence[str]) -> dict[str, str]:
    labels = {run.method: methods.label(run.method) for run in runs}
    ablated = [labels[method] for method in labels if methods.parse(method).ablated]
    return {
        "Backbones": ", ".join(dict.fromkeys(run.backbone for run in runs)),
        "Methods": ", ".join(label for label in labels.values() if label not in ablated),
        "Ablations": ", ".join(ablated) or "none",
        "Seeds": ", ".join(map(str, sorted({run.seed for run in runs}))),
        "Benchmarks": ", ".join(scored),
    }


def _training(settings: dict) -> str:
    how = settings["training"]
    steps, prompts = how["steps"], how["prompts_per_step"]
    return f"{steps} steps of {prompts} prompts x {how['num_generations']} rollouts"


def _commit(provenance: dict) -> str:
    found, changes = provenance["git_commit"], provenance.get("git_changes")
    if not changes:
        return f"{found}, {'clean' if changes == '' else NOT_RECORDED}"
    count = len(changes.splitlines())
    return f"{found}, dirty: {count} changed file{'s' * (count > 1)}"


def _hardware(provenance: dict) -> str:
    machine = provenance["machine"]
    gpus = machine["gpus"]
    kinds = [f"{gpus.count(name)} x {name}" for name in dict.fromkeys(gpus)] or ["no GPU"]
    cores = f"{machine['cpus']} CPU cores ({machine['threads']} used by PyTorch)"
    return ", ".join([*kinds, cores, machine["platform"]])


def _versions(provenance: dict) -> str:
    named = {"Python": provenance["python"]} | provenance["packages"]
    return ", ".join(f"{name} {version}" for name, version in named.items())


def _scored(runs: Sequence[RunFolder], benchmarks: Sequence[str]) -> list[str]:
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


def _provenance(runs: Sequence[dict]) -> dict[str, str]:
    times = [facts["provenance"].get(key) for facts in runs for key in ("started", "ended")]
    dates = sorted(filter(None, times))
    pairs = {
        "Git commit": _alike(runs, "provenance", "git_commit", _commit),
        "Versions": _alike(runs, "provenance", "packages", _versions),
        "Hardware": _alike(runs, "provenance", "machine", _hardware),
        "Trained": f"from {dates[0]} to {dates[-1]}" if dates else NOT_RECORDED,
    }
    for stage in STAGES:
        known = [of["seconds"][stage] for of in runs if of["seconds"][stage] is not None]
        jobs = f"{_time(sum(known))} in {len(known)} job{'s' * (len(known) > 1)}"
        pairs[f"Time of {stage}"] = jobs if known else NOT_RECORDED
    return pairs


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.2g} s" if seconds < 10 else duration(seconds)
