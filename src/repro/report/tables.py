"""The tables of the paper's grid: CSV, Markdown and LaTeX from one frame each, and the terminal."""

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from repro import methods
from repro.records.experiment import RunFolder
from repro.report import (
    collect,
    compare,
    names,
    published,
    table_frames,
    table_inputs,
    table_sheets,
)
from repro.report.table_formats import to_csv, to_latex, to_markdown

TABLES = tuple(table_sheets.SHEETS)
FORMATS = ("csv", "md", "tex")
_MISSING = "miss."  # the columns are narrow
_CAPTION = (
    "Accuracy in percent (avg@n); Tokens: mean reasoning tokens; Bt./1k: backtracking segments per "
    "1,000 reasoning tokens; both averaged over the benchmarks. Standard errors: "
    "tables/main.md."
)


def write_tables(
    runs: Sequence[RunFolder],
    benchmarks: Sequence[str],
    output_dir: str | Path,
    note: str = "",
    paper: str | Path | None = None,
    partial: bool = False,
) -> pd.DataFrame:
    """Write every table of `TABLES` as csv, md and tex; return the main frame for `print_table`.

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
    inputs = table_inputs.load(runs, benchmarks, partial)
    note = " ".join(filter(None, [note, inputs.remarks]))
    notes = {"main_math_verify": f"{note} {table_inputs.scorers_sentence(inputs.problems)}".strip()}
    stated = published.stated_accuracy(paper, runs) if paper is not None else None
    summary = compare.summarise(inputs.problems, inputs.grid)
    by_other = inputs.problems.assign(accuracy=inputs.problems[f"accuracy_{collect.MATH_VERIFY}"])
    effects = compare.effects(inputs.problems, inputs.grid)
    to_original = effects["baseline"] == methods.ORIGINAL
    frames = {
        "main": table_frames.main_frame(summary, stated),
        "main_math_verify": table_frames.main_frame(
            compare.summarise(by_other, inputs.grid), stated
        ),
        "gain": effects[~to_original],
        "against_original": effects[to_original],
        "tokens": table_frames.tokens_frame(summary, inputs.responses),
        "backtracking": table_frames.backtracking_frame(inputs.responses, inputs.grid),
    }
    output_dir = Path(output_dir)
    output_dir.mkdir(parents=True, exist_ok=True)
    for name, sheet_of in table_sheets.SHEETS.items():
        frame, sheet, said = frames[name], sheet_of(frames[name]), notes.get(name, note)
        texts = (to_csv(frame, said), to_markdown(sheet, said), to_latex(sheet, said))
        for suffix, text in zip(FORMATS, texts, strict=True):
            (output_dir / f"{name}.{suffix}").write_text(text, encoding="utf-8")
    return frames["main"]


def print_table(frame: pd.DataFrame, note: str = "") -> None:
    """Print the main frame to the terminal: a table a backbone, a row a method, means only."""
    console = Console()
    # Headers of two lines: beside the longest method they must fit 80 columns.
    titles = {
        name: re.sub(r"(\d+|-D)$", r"\n\1", title)
        for name, title in names.BENCHMARKS.items()
        if name in frame
    }
    titles |= {"tokens": "Tokens", "backtracking_per_1k": "Bt.\n/1k"}
    for backbone, of_backbone in frame.groupby("backbone", sort=False):
        table = Table(title=backbone, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
        table.padding, table.pad_edge, table.show_edge = 0, False, False
        table.add_column("Method", no_wrap=True)
        for title in titles.values():
            table.add_column(title, justify="right")
        for row in of_backbone.to_dict("records"):
            cells = [table_sheets.main_cell(row, name, missing=_MISSING) for name in titles]
            table.add_row(methods.label(row["method"]), *cells)
        console.print(table)
    console.print(_CAPTION, style="dim")
    if note:
        console.print(note, style="bold", markup=False)


def show(results: str | Path) -> None:
    """Print the main table of a results directory and the paths of all its tables and figures.

    Raises:
        ValueError: tables/main.csv is not there.
    """
    results = Path(results)
    path = results / "tables" / "main.csv"
    if not path.is_file():
        raise ValueError(f"{path}: no such file; make the tables first")
    frame = pd.read_csv(path).fillna({"missing": "", "note": ""})
    print_table(frame, frame["note"].iloc[0] if "note" in frame else "")
    for folder in ("tables", "figures"):
        for made in sorted((results / folder).glob("*.*")):
            print(made)
