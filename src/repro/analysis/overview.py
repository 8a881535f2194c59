"""The first page of the report, the answer first, and its tables as pages of their own.

Made from the tables' CSV, claims.json and what the runs recorded; nothing is computed again.
"""

import base64
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path

import pandas as pd

from repro import jsonl, methods
from repro.analysis import compare, html_pages, names, run_facts, table_sheets
from repro.analysis.claims import DIRECTIONS, NOT_TESTED, VERDICTS
from repro.analysis.run_facts import NOT_RECORDED, STAGES, Facts
from repro.analysis.table_formats import Sheet
from repro.progress import duration

TITLE = "RePro, reproduced"
SHEETS = {  # of the tables that have a page: what makes it from the frame, and its title
    "main": (table_sheets.main_sheet, "Main table"),
    "main_math_verify": (table_sheets.main_math_verify_sheet, "Main table by math-verify"),
    "gain": (table_sheets.gain_sheet, "What RePro changes"),
    "tokens": (table_sheets.tokens_sheet, "Reasoning tokens"),
    "backtracking": (table_sheets.backtracking_sheet, "Backtracking"),
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


def run(
    runs: Sequence[dict],
    benchmarks: Sequence[str],
    tables: str | Path,
    output_dir: str | Path,
    note: str = "",
    name: str = "",
    figures: Sequence[str | Path] = (),
) -> None:
    """Write overview.html, opening.html (the same to be shown inside a page) and table pages.

    Args:
        runs: {"backbone", "method", "seed", "path"} each, path being the run's directory.
        benchmarks: those that were evaluated.
        tables: the folder with the CSV files of `SHEETS` and claims.json.
        output_dir: created where needed.
        note: a sentence that stands at the top of every page, such as what its numbers are not.
        name: of the experiment.
        figures: PNG files, to stand in overview.html.

    Raises:
        ValueError: a file is missing or malformed; the message names it.
    """
    tables, output_dir = Path(tables), Path(output_dir)
    output_dir.mkdir(parents=True, exist_ok=True)
    frames = {table: _frame(tables / f"{table}.csv") for table in SHEETS}
    claims = _claims(tables / "claims.json")
    found = run_facts.read(runs)
    problems = {name: _problems(runs, name) for name in names.BENCHMARKS if name in benchmarks}
    first = page(frames, claims, found, problems, note, name, _figures(figures))
    pages = {"overview": first, "opening": opening(first), "claims": claims_page(claims, note)}
    for table, (sheet_of, title) in SHEETS.items():
        body = html_pages.small(_more(_note(frames[table]), note))
        body += html_pages.sheet(sheet_of(frames[table]))
        pages[table] = html_pages.page(title, note, body)
    for file, text in pages.items():
        (output_dir / f"{file}.html").write_text(text, encoding="utf-8")


def page(
    frames: dict[str, pd.DataFrame],
    claims: dict,
    runs: Sequence[Facts],
    problems: dict[str, tuple[int, int] | None],
    note: str,
    name: str,
    figures: str = "",
) -> str:
    """Return the first page.

    Args:
        frames: those of `SHEETS`.
        claims: the content of claims.json.
        runs: what each run recorded.
        problems: problems and samples of every benchmark; None where it was not scored.
        note: at the top.
        name: of the experiment.
        figures: as HTML.
    """
    main = table_sheets.main_sheet(frames["main"])
    body = f"""{_answer(claims)}
<h2 id="run">What was run</h2>
{html_pages.facts(_what_was_run(runs, problems, name))}
<h2 id="main">Main table</h2>
{html_pages.small(_more(_note(frames["main"]), note))}{html_pages.sheet(main)}
{html_pages.small(_more(_note(frames["main_math_verify"]), note))}
<h2 id="gain">What RePro adds to each algorithm</h2>
{html_pages.sheet(table_sheets.gain_sheet(_pooled(frames["gain"])))}
<h2 id="claims">The claims, one by one</h2>
{html_pages.small(_more(claims["note"], note))}{_claims_table(claims)}
{figures}
<h2 id="provenance">Where the numbers come from</h2>
{_provenance(runs)}"""
    return html_pages.page(TITLE, note, body)


def opening(page: str) -> str:
    """Return a page inside a frame, so that neither its style nor that around it reaches out."""
    return f'<iframe title="Overview" style="{_OPENING_STYLE}" srcdoc="{escape(page)}"></iframe>\n'


def claims_page(claims: dict, note: str) -> str:
    """Return the page of the claims with all of their parts that were tested."""
    parts = []
    for claim in claims["claims"]:
        rows = [_part(part) for part in claim["parts"] if part["verdict"] != NOT_TESTED]
        parts.append(f"<h2>{escape(claim['text'])}</h2>\n<p>{_verdict(claim['verdict'])}</p>")
        parts.append(html_pages.small(f"{claim['reason']}."))
        if rows:
            parts.append(html_pages.table(_PART_HEADER, rows, _PART_TEXTS))
    about = html_pages.small(_more(claims["note"], note))
    return html_pages.page("The paper's claims, on these runs", note, about + "\n".join(parts))


def _answer(claims: dict) -> str:
    """Return the first sentence, and one for each claim."""
    counts = Counter(claim["verdict"] for claim in claims["claims"])
    said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
    lines = "".join(
        f"<li>{_verdict(claim['verdict'])}<span>{escape(claim['text'])}</span></li>\n"
        for claim in claims["claims"]
    )
    lead = f"Of the paper's {len(claims['claims'])} claims, on the runs below: {said}."
    return f'<p class="lead">{escape(lead)}</p>\n<ul class="claims">\n{lines}</ul>'


def _what_was_run(
    runs: Sequence[Facts], problems: dict[str, tuple[int, int] | None], name: str
) -> list[tuple[str, str]]:
    main = [run for run in runs if not methods.parse(run.method).ablated]
    ablated = dict.fromkeys(
        methods.label(run.method) for run in runs if methods.parse(run.method).ablated
    )
    scored = [
        f"{names.BENCHMARKS[benchmark]} "
        + ("(not scored)" if counts is None else f"({counts[0]} problems, avg@{counts[1]})")
        for benchmark, counts in problems.items()
    ]
    pairs = [("Experiment", name)] if name else []
    pairs += [
        ("Backbones", ", ".join(dict.fromkeys(run.backbone for run in runs))),
        ("Methods", ", ".join(dict.fromkeys(methods.label(run.method) for run in main))),
        ("Ablations", ", ".join(ablated) or "none"),
        ("Seeds", ", ".join(map(str, sorted({run.seed for run in runs})))),
        ("Benchmarks", ", ".join(scored)),
        ("Training", run_facts.alike(runs, _training)),
        ("Runs", str(len(runs))),
    ]
    return pairs


def _training(run: Facts) -> str:
    how = run.settings.get("training") or {}
    if not {"steps", "prompts_per_step", "num_generations"} <= how.keys():
        return NOT_RECORDED
    return (
        f"{how['steps']} steps of {how['prompts_per_step']} prompts x {how['num_generations']} "
        "rollouts"
    )


def _claims_table(claims: dict) -> str:
    rows = "".join(
        f'<tr><td class="t long">{escape(claim["text"])}</td>'
        f'<td class="t">{_verdict(claim["verdict"])}</td>'
        f'<td class="t long">{escape(claim["reason"])}</td></tr>\n'
        for claim in claims["claims"]
    )
    head = "".join(f'<th scope="col" class="t">{name}</th>' for name in ("Claim", "Verdict", "Why"))
    return (
        f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n'
        "</table></div>"
    )


def _verdict(verdict: str) -> str:
    kind = verdict.replace(" ", "-")
    return f'<span class="verdict {escape(kind)}">{escape(verdict)}</span>'


def _part(part: dict) -> list[str]:
    effect = "-" if part["effect"] is None else f"{part['effect']:+.3g}"
    if part["low"] is not None and part["high"] is not None:
        effect += f" [{part['low']:+.3g}, {part['high']:+.3g}]"
    threshold = f"{DIRECTIONS[part['direction']]} {part['threshold']:g}"
    cells = [part["part"], effect, threshold, part["unit"], part["verdict"]]
    return cells + [f"{part['n']} {part['of']}", str(part["seeds"]), part["remark"] or ""]


def _provenance(runs: Sequence[Facts]) -> str:
    """Return what all trainings agree on, the time of every stage, and that of each run."""
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
        text = (
            f"{_time(sum(known))} in {len(known)} job{'s' * (len(known) > 1)}"
            if known
            else NOT_RECORDED
        )
        pairs.append((f"Time of {stage}", text))
    header = ["Backbone", "Method", "Seed", "Commit", "Files", "Step (median)"]
    header += [stage.capitalize() for stage in STAGES]
    rows = [
        [
            *(run.backbone, _run_link(run), str(run.seed)),
            *_short_commit(run),
            _time(run.step_seconds),
            *(_time(run.seconds.get(stage)) for stage in STAGES),
        ]
        for run in runs
    ]
    table = html_pages.sheet(Sheet("runs", _TIMES, header, rows, groups=1))
    return f"{html_pages.facts(pairs)}\n<h3>Each run</h3>\n{_mlflow(runs)}{table}"


def _run_link(run: Facts) -> str:
    label, address = methods.label(run.method), run.mlflow.get("url")
    return html_pages.Link(label, address) if address else label


def _mlflow(runs: Sequence[Facts]) -> str:
    """Return what the links of the runs lead to, a link to all of them, and how many have none."""
    found = [run.mlflow for run in runs if run.mlflow.get("url")]
    later = sum("not_logged" in run.mlflow for run in runs)
    missing = (
        f'<p class="small">MLflow does not have {later} of {len(runs)} runs yet: <code>make upload'
        "</code> sends them, the next <code>make report</code> then links to them.</p>\n"
    )
    missing = missing if later else ""
    if not found:
        return missing
    together = html_pages.linked(html_pages.Link("all of them", found[0]["experiment_url"]))
    local = " These links need <code>make ui</code>." if any(run["local"] for run in found) else ""
    return (
        '<p class="small">A method leads to its run in MLflow: settings, curves, scores, responses '
        f"to read; for comparing, {together}.{local}</p>\n{missing}"
    )


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


def _figures(files: Sequence[str | Path]) -> str:
    if not files:
        return ""
    drawn = "".join(_figure(Path(file)) for file in files)
    return f'<h2 id="figures">Figures</h2>\n<div class="figures">\n{drawn}</div>'


def _figure(file: Path) -> str:
    if not file.is_file():
        raise ValueError(f"{file}: no such file; draw the figures first")
    data = base64.b64encode(file.read_bytes()).decode()
    name = escape(file.stem.replace("_", " "))
    return f'<figure><img alt="{name}" src="data:image/png;base64,{data}"></figure>\n'


def _problems(runs: Sequence[dict], benchmark: str) -> tuple[int, int] | None:
    """Return how many problems and samples the score files tell of; None where not scored."""
    for run in runs:
        file = Path(run["path"]) / "scores" / f"{benchmark}.json"
        if not file.is_file():
            continue
        scores = jsonl.read_json(file)
        if scores.get("not_scored"):
            continue
        try:
            return int(scores["n_problems"]), int(scores["samples"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{file}: not the scores of a benchmark ({error!r})") from None
    return None


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


def _more(said: str, note: str) -> str:
    """Return what a file's note says beyond the sentence that stands at the top already."""
    return said.removeprefix(note).strip()
