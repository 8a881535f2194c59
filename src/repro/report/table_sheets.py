"""From the frame of each table to its cells, and to CSV, Markdown and LaTeX."""

import itertools
import re
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from repro import methods
from repro.report import compare, names

MISSING = "missing"  # a cell whose run or score file is not there
_ERRORS = "mean ± standard error over problems and, of several seeds, over these"
_MAIN = (
    f"Accuracy in percent (avg@n), {_ERRORS}. Tokens: mean reasoning tokens; Backtr./1k: "
    "backtracking segments per 1,000 reasoning tokens; both averaged over the benchmarks."
)
_BY_OTHER = "By plain math-verify, the scorer of the paper's authors."
_PUBLISHED = (
    "In brackets: the number that the paper states (RePro, arXiv 2512.01925), without its error, "
    "which is not known; and ours minus it, in points."
)
_EFFECTS = (
    "Paired differences by problem and seed (the first method minus the second), on the seeds that "
    "both have, with 95 % intervals over problems and, of several seeds, over these, whose spread "
    "is estimated over all comparisons together; in-domain, out-of-domain and all give each "
    "benchmark equal weight. Their p, of no difference, is corrected by Holm's method for their "
    "number in each column; rows of one benchmark are descriptive. The two methods of a seed share "
    "prompts and sampling noise (common random numbers), so that one seed looks more precise than "
    "it is."
)
_TOKENS = f"Reasoning tokens per response: {_ERRORS}; in brackets the median of all responses."
_BACKTRACKING = (
    "Segments of the thought that backtrack, verify or hesitate, per 1,000 reasoning tokens, and "
    f"the share of responses that backtrack: {_ERRORS}; in brackets the same of the correct and of "
    "the wrong responses."
)
# Columns of the main table after the benchmarks; both are means over the benchmarks.
POOLED = ("tokens", "backtracking_per_1k")
_BEHAVIOUR_COLUMNS = {  # title and digits
    "backtracking_per_1k": ("Backtr./1k", 2),
    "backtracking_responses": ("Backtr. share (%)", 1),
    "verification_per_1k": ("Verif./1k", 2),
    "hesitation_per_1k": ("Hesit./1k", 2),
}
_LATEX = {character: "\\" + character for character in "&%$#_{}"}
_LATEX |= {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_LATEX |= {"±": r"$\pm$", "\N{GREEK SMALL LETTER ALPHA}": r"$\alpha$", "→": r"$\to$"}
_LATEX |= {"\N{MINUS SIGN}": "$-$"}
# Centred across both margins: the columns may be wider than the text of an article.
_LOOKS = r"""{\scriptsize\setlength{\tabcolsep}{3pt}
\setlength{\LTleft}{0pt plus 1fill minus 1fill}\setlength{\LTright}{0pt plus 1fill minus 1fill}
"""


class Sheet(NamedTuple):
    """A table as text. A line break in a cell is one in LaTeX and HTML, and a blank elsewhere."""

    label: str  # of LaTeX, after tab:
    caption: str
    header: list[str]
    rows: list[list[str]]
    groups: int  # how many leading columns name the group of a row
    texts: int  # how many leading columns hold text; the others hold numbers

    def folded(self) -> list[list[str]]:
        """Return the rows, or dashes, with the name of a group in the first of its rows only."""
        rows, before = [], [None] * self.groups
        for row in self.rows:
            first = next((i for i in range(self.groups) if row[i] != before[i]), self.groups)
            rows.append([""] * first + row[first:])
            before = row
        return rows or [["-"] * len(self.header)]

    def frame(self) -> pd.DataFrame:
        """Return the rows of `folded` under their header."""
        return pd.DataFrame(self.folded(), columns=self.header, dtype=str)


def main_sheet(main: pd.DataFrame, label: str = "main", about: str = "") -> Sheet:
    """Return the main table in the paper's layout, from `tables.main_frame`."""
    titles = {name: title for name, title in names.BENCHMARKS.items() if name in main}
    titles |= {"tokens": "Tokens", "backtracking_per_1k": "Backtr./1k"}
    rows = []
    for row in main.to_dict("records"):
        cells = [_main_cell(row, name) for name in titles]
        rows.append([row["backbone"], methods.label(row["method"]), *cells])
    published = _PUBLISHED if any(f"{name}_published" in main for name in titles) else ""
    caption = " ".join(filter(None, [about, _MAIN, published, describe_seeds(main["seeds"])]))
    return Sheet(label, caption, ["Backbone", "Method", *titles.values()], rows, groups=1, texts=2)


def tokens_sheet(tokens: pd.DataFrame) -> Sheet:
    """Return mean and median reasoning tokens, from `tables.tokens_frame`."""
    titles = {name: title for name, title in names.BENCHMARKS.items() if f"{name}_mean" in tokens}
    rows = []
    for row in tokens.to_dict("records"):
        cells, lacking = [], row.get("missing", "").split()
        for name in titles:
            digits, median = int(row[f"{name}_mean"] < 1000), row[f"{name}_median"]
            cell = MISSING if name in lacking else _mean_se(row, f"{name}_mean", digits)
            cells.append(cell if pd.isna(median) else f"{cell}\n({median:.{digits}f})")
        rows.append([row["backbone"], methods.label(row["method"]), *cells])
    caption, header = f"{_TOKENS} {describe_seeds(tokens['seeds'])}", ["Backbone", "Method"]
    return Sheet("tokens", caption.strip(), [*header, *titles.values()], rows, groups=1, texts=2)


def backtracking_sheet(backtracking: pd.DataFrame) -> Sheet:
    """Return backtracking and its kin, from `tables.backtracking_frame`."""
    rows = []
    keys = ["backbone", "benchmark", "method"]
    for (backbone, benchmark, method), frame in backtracking.groupby(keys, sort=False):
        every, correct, wrong = frame.to_dict("records")
        cells = [f"{every['responses']}\n({correct['responses']}; {wrong['responses']})"]
        for name, (_, digits) in _BEHAVIOUR_COLUMNS.items():
            split = "; ".join(_number(of[name], digits) for of in (correct, wrong))
            cells.append(f"{_mean_se(every, name, digits)}\n({split})")
        if every["responses"] == 0:
            cells = [MISSING] * len(cells)
        rows.append([backbone, names.BENCHMARKS[benchmark], methods.label(method), *cells])
    titles = [title for title, _ in _BEHAVIOUR_COLUMNS.values()]
    header = ["Backbone", "Benchmark", "Method", "Responses", *titles]
    return Sheet("backtracking", _BACKTRACKING, header, rows, groups=2, texts=3)


def effects_sheet(label: str, about: str, effects: pd.DataFrame) -> Sheet:
    """Return paired effects, ``difference [low, high]``, from a frame of `compare.effects`."""
    rows = []
    keys = ["backbone", "method", "baseline", "benchmark"]
    for (backbone, method, baseline, benchmark), frame in effects.groupby(keys, sort=False):
        comparison = f"{methods.label(method)} vs {methods.label(baseline)}"
        kind = "Holm" if frame["p_holm"].notna().any() else "descriptive"
        cells = [names.BENCHMARKS.get(benchmark, benchmark), kind, str(frame["n"].iloc[0])]
        for row in frame.to_dict("records"):
            cells.append(_interval(row) if row["n"] else MISSING)
        rows.append([backbone, comparison, *cells])
    nothing = "" if rows else "The runs have no such pair of methods."
    titles = [f"{title} ({unit})" for title, unit, _ in compare.EFFECTS.values()]
    titles = [title.replace("1,000 reasoning", "1k") for title in titles]  # for narrow pages
    header = ["Backbone", "Comparison", "Benchmark", "Test", "Problems", *titles]
    caption = " ".join(filter(None, [about, _EFFECTS, describe_seeds(effects["seeds"]), nothing]))
    return Sheet(label, caption, header, rows, groups=2, texts=4)


def write(frame: pd.DataFrame, sheet: Sheet, output_dir: str | Path, note: str) -> None:
    """Write a table with its note as csv, md and tex; the files have the name of its label."""
    texts = {"csv": to_csv(frame, note), "md": to_markdown(sheet, note)}
    Path(output_dir).mkdir(parents=True, exist_ok=True)
    for suffix, text in (texts | {"tex": to_latex(sheet, note)}).items():
        Path(output_dir, f"{sheet.label}.{suffix}").write_text(text, encoding="utf-8")


def to_csv(frame: pd.DataFrame, note: str = "") -> str:
    """Return a frame as CSV, with the note in a further column (a comment breaks readers)."""
    if note:
        frame = frame.assign(note=note)
    return frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def to_markdown(sheet: Sheet, note: str = "") -> str:
    """Return a table as GitHub Markdown, the note and the caption above it."""
    frame = sheet.frame().replace({r"\|": r"\\|", "\n": " "}, regex=True)
    align = ["left"] * sheet.texts + ["right"] * (len(sheet.header) - sheet.texts)
    table = frame.to_markdown(index=False, disable_numparse=True, colalign=align)
    return "\n\n".join(filter(None, [f"**{note}**" * bool(note), sheet.caption, table])) + "\n"


def to_latex(sheet: Sheet, note: str = "") -> str:
    r"""Return a table as LaTeX that needs booktabs and longtable; \input it."""
    lines = [  # the second line of a cell is a row below its first
        line
        for row in sheet.folded()
        for line in itertools.zip_longest(*(cell.split("\n") for cell in row), fillvalue="")
    ]
    frame = pd.DataFrame(lines, columns=sheet.header, dtype=str).map(_latex).rename(columns=_latex)
    table = frame.to_latex(
        index=False,
        escape=False,
        longtable=True,
        caption=_latex(f"{note} {sheet.caption}".strip()),
        label=f"tab:{sheet.label}",
        column_format="l" * sheet.texts + "r" * (len(sheet.header) - sheet.texts),
    )
    return f"{_LOOKS}{table}}}\n"


def _latex(text: str) -> str:
    """Escape a cell or caption; ±, signs and Greek letters become mathematics."""
    text = re.sub(r"(?<![\w.-])-(?=\d)", "\N{MINUS SIGN}", text)
    return text.translate(str.maketrans(_LATEX))


def _main_cell(row: dict, name: str) -> str:
    """Return a number of the main table and, below it, what is published."""
    lacking = row.get("missing", "").split()
    digits = {"tokens": int(row["tokens"] < 1000), "backtracking_per_1k": 2}.get(name, 1)
    pooled = name in POOLED and lacking
    cell = MISSING if pooled or name in lacking else _mean_se(row, name, digits)
    stated = row.get(f"{name}_published", np.nan)
    if pd.isna(stated):
        return cell
    # Of the rounded mean: 88.45 - 84.4 would stand as 88.5 (84.4; +4.0).
    difference = float(f"{row[name]:.1f}") - stated
    known = "" if pd.isna(difference) else f"; {difference:+.1f}"
    return f"{cell}\n({stated:.1f}{known})"


def _number(value: float, digits: int, sign: str = "") -> str:
    return "-" if pd.isna(value) else f"{value:{sign}.{digits}f}"


def _mean_se(row: dict, name: str, digits: int) -> str:
    """Return ``mean ± se``; a dash without a mean, the mean alone without an error."""
    error = row[f"{name}_se"]
    return _number(row[name], digits) + ("" if pd.isna(error) else f" ± {error:.{digits}f}")


def _interval(row: dict) -> str:
    """Return ``difference [low, high]`` and, below, p; a dash without a difference."""
    *_, digits = compare.EFFECTS[row["metric"]]
    difference, low, high = (_number(row[x], digits, "+") for x in ("difference", "low", "high"))
    p = "p < 0.001" if row["p_holm"] < 0.001 else f"p = {row['p_holm']:.3f}"
    tested = "" if pd.isna(row["p_holm"]) else f"\n({p})"
    return difference if pd.isna(row["low"]) else f"{difference} [{low}, {high}]{tested}"


def describe_seeds(seeds: pd.Series) -> str:
    """Say how many seeds the numbers are of; nothing where there are none."""
    said = names.count_seeds(seeds)
    if said == "one seed":
        return "One seed: the errors say nothing about other seeds."
    return f"Mean of {said}." if seeds.any() else ""


# What makes each table of text from its frame, in the order in which they are written.
SHEETS = {
    "main": main_sheet,
    "main_math_verify": partial(main_sheet, label="main_math_verify", about=_BY_OTHER),
    "gain": partial(effects_sheet, "gain", "What RePro changes."),
    "against_original": partial(effects_sheet, "against_original", "What training changes."),
    "tokens": tokens_sheet,
    "backtracking": backtracking_sheet,
}
