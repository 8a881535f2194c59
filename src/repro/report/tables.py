"""The tables of the paper's grid: CSV, Markdown and LaTeX from one frame each, and the terminal."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from repro import methods
from repro.records.experiment import RunFolder
from repro.report import collect, compare, names, published, table_frames, table_sheets
from repro.report.table_formats import to_csv, to_latex, to_markdown

# Columns of the table in the terminal -> title and digits; the benchmarks come before them.
_POOLED = {"tokens": ("Tokens", 0), "backtracking_per_1k": ("Bt./1k", 2)}
_CAPTION = (
    "Accuracy in percent (avg@n); Tokens: mean reasoning tokens; Bt./1k: backtracking segments per "
    "1,000 reasoning tokens; both averaged over the benchmarks. Standard errors: tables/main.md."
)


def write_tables(
    runs: Sequence[RunFolder],
    benchmarks: Sequence[str],
    output_dir: str | Path,
    note: str = "",
    paper: str | Path | None = None,
    partial: bool = False,
) -> None:
    """Write every table of `table_sheets.SHEETS` as csv, md and tex.

    Args:
        runs: the folders of the runs.
        benchmarks: those whose scores are read.
        output_dir: created where needed.
        note: a sentence that every file carries, such as what its numbers are not; what is not
            scored, missing or unequal is named after it.
        paper: config/paper_results.csv, to show the paper's numbers beside those of its own
            backbones; of no other backbone.
        partial: leave out score files that are not there, mark their cells and name them.

    Raises:
        ValueError: a score file is malformed or, unless partial, missing; or none is there.
    """
    scores = collect.read_scores(runs, benchmarks, partial)
    problems = collect.problems(scores.responses)
    remarks = (scores.gaps, _missing(scores, benchmarks), _unequal_seeds(problems))
    remarks = [f"{remark.rstrip('.')}." for remark in remarks if remark]
    note = " ".join([note, *remarks]).strip()
    notes = {"main_math_verify": f"{note} {_scorers(scores.responses)}".strip()}
    stated = published.stated_accuracy(paper, runs) if paper is not None else None
    summary = compare.summarise(problems, scores.grid)
    by_other = problems.assign(accuracy=problems[collect.MATH_VERIFY])
    summary_by_other = compare.summarise(by_other, scores.grid)
    effects = compare.effects(problems, scores.grid)
    to_original = effects["baseline"] == methods.ORIGINAL
    frames = {
        "main": table_frames.main_frame(summary, stated),
        "main_math_verify": table_frames.main_frame(summary_by_other, stated),
        "gain": effects[~to_original],
        "against_original": effects[to_original],
        "tokens": table_frames.tokens_frame(summary, scores.responses),
        "backtracking": table_frames.backtracking_frame(scores),
    }
    output_dir = Path(output_dir)
    output_dir.mkdir(parents=True, exist_ok=True)
    for name, sheet_of in table_sheets.SHEETS.items():
        frame, sheet, about = frames[name], sheet_of(frames[name]), notes.get(name, note)
        texts = {"csv": to_csv(frame, about), "md": to_markdown(sheet, about)}
        texts["tex"] = to_latex(sheet, about)
        for suffix, text in texts.items():
            (output_dir / f"{name}.{suffix}").write_text(text, encoding="utf-8")


def show(results: str | Path) -> None:
    """Print the main table of a results directory and the paths of all its tables and figures.

    Raises:
        ValueError: tables/main.csv is not there.
    """
    results = Path(results)
    path = results / "tables" / "main.csv"
    if not path.is_file():
        raise ValueError(f"{path}: no such file; make the tables first")
    main = pd.read_csv(path)
    columns = {name: (title, 1) for name, title in names.BENCHMARKS.items() if name in main}
    labels = main["method"].map(methods.label)
    texts = {"": labels.str.ljust(labels.str.len().max())}
    for name, (title, digits) in (columns | _POOLED).items():
        texts[title] = main[name].map(f"{{:.{digits}f}}".format, na_action="ignore").fillna("-")
    for backbone, rows in pd.DataFrame(texts).groupby(main["backbone"], sort=False):
        print(f"{backbone}\n{rows.to_string(index=False)}\n")
    made = [sorted((results / folder).glob("*.*")) for folder in ("tables", "figures")]
    print(_CAPTION, *main.get("note", pd.Series()).unique(), *made[0], *made[1], sep="\n")


def _missing(scores: collect.Scores, benchmarks: Sequence[str]) -> str:
    """Say which runs lack which score files."""
    lacking = scores.missing.items()
    whole = [run for run, of in lacking if len(of) == len(benchmarks)]
    parts = [f"all of {', '.join(whole)}"] if whole else []
    parts += [f"{names.titles(of)} of {run}" for run, of in lacking if run not in whole]
    return f"Partial results; missing: {'; '.join(parts)}" if parts else ""


def _unequal_seeds(problems: pd.DataFrame) -> str:
    """Say which methods have which seeds, for the backbones where they differ."""
    parts = []
    for backbone, frame in problems.groupby("backbone", sort=False):
        seeds = frame.groupby("method", sort=False)["seed"].unique()
        listed = seeds.map(lambda of: ", ".join(map(str, sorted(of))))
        if listed.nunique() > 1:
            for which, of in listed.groupby(listed, sort=False):
                parts.append(f"{backbone}, {', '.join(map(methods.label, of.index))}: {which}")
    return f"Unequal seeds; {'; '.join(parts)}" if parts else ""


def _scorers(responses: pd.DataFrame) -> str:
    """Say on how many responses in mathematics the two scorers differ."""
    of_math = responses[responses["benchmark"].isin(names.IN_DOMAIN)]
    judged = of_math.dropna(subset=collect.MATH_VERIFY)
    if judged.empty:
        return ""
    here = (judged["correct"] > judged[collect.MATH_VERIFY]).sum()
    other = (judged["correct"] < judged[collect.MATH_VERIFY]).sum()
    return (
        f"Plain math-verify decides {here + other:,} of {len(judged):,} responses in mathematics "
        f"otherwise than the main table: it rejects {here:,} that count as correct there, and "
        f"accepts {other:,} that count as wrong."
    )
