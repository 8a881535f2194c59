"""Frames as CSV; tables of text as GitHub Markdown and as LaTeX."""

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

_LINES = 48  # of a LaTeX table: more do not fit a page
_LATEX = {character: "\\" + character for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "\N{GREEK SMALL LETTER ALPHA}": r"$\alpha$",
    "→": r"$\to$",
    "\N{MINUS SIGN}": "$-$",
}


class Sheet(NamedTuple):
    """A table as text, without its note.

    The leading columns name the group of a row, the next one the row; the others are numbers. A
    line break in a cell is one in LaTeX, where it keeps the column narrow, and a blank elsewhere.
    """

    label: str  # of LaTeX, after tab:
    caption: str
    header: list[str]
    rows: list[list[str]]
    groups: int  # how many columns name the group

    def folded(self) -> list[list[str]]:
        """Return the rows with the name of a group in the first of its rows only."""
        rows, before = [], [None] * self.groups
        for row in self.rows:
            changed = [i for i in range(self.groups) if row[i] != before[i]]
            first = min(changed, default=self.groups)
            rows.append([""] * first + row[first:])
            before = row
        return rows


def to_csv(frame: pd.DataFrame, note: str = "") -> str:
    """Return a frame as CSV, with the note in a further column (a comment breaks readers)."""
    if note:
        frame = frame.assign(note=note)
    return frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def to_markdown(sheet: Sheet, note: str = "") -> str:
    """Return a table as GitHub Markdown, the note and the caption above it."""
    texts = sheet.groups + 1
    rule = ["---"] * texts + ["---:"] * (len(sheet.header) - texts)
    lines = [f"**{note}**", ""] if note else []
    lines += [sheet.caption, ""]
    for row in (sheet.header, rule, *sheet.folded()):
        cells = " | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in row)
        lines.append(f"| {cells} |")
    return "\n".join(lines) + "\n"


def to_latex(sheet: Sheet, note: str = "") -> str:
    r"""Return a table as LaTeX that needs booktabs only; \input it.

    The name of a group has a line: as columns its names are too wide. What does not fit a page
    continues in further ``table`` environments, each with the note.
    """
    columns, lines = len(sheet.header) - sheet.groups, []
    for number, page in enumerate(_pages(sheet)):
        caption, label = _latex(sheet.caption), f"tab:{sheet.label}"
        if number:
            caption, label = rf"Table~\ref{{{label}}}, continued.", f"{label}-{number + 1}"
        lines += [
            r"\begin{table}[tp]",
            r"\setlength{\belowcaptionskip}{4pt}",
            rf"\caption{{{' '.join(filter(None, [_latex(note), caption]))}}}",
            rf"\label{{{label}}}",
            r"\centering\scriptsize\setlength{\tabcolsep}{3pt}",
            # Centred across both margins: the columns may be wider than the text of an article.
            r"\makebox[\textwidth][c]{%",
            rf"\begin{{tabular}}{{l{'r' * (columns - 1)}}}",
            r"\toprule",
            _latex_row(sheet.header[sheet.groups :]),
        ]
        for group, rows in page:
            name = _latex(", ".join(group))
            lines += [r"\midrule", rf"\multicolumn{{{columns}}}{{l}}{{{name}}} \\"]
            lines += [_latex_row(row[sheet.groups :]) for row in rows]
        lines += [r"\bottomrule", r"\end{tabular}}", r"\end{table}", ""]
    return "\n".join(lines)


def _pages(sheet: Sheet) -> Iterator[list[tuple[list[str], list[list[str]]]]]:
    """Yield the groups of each LaTeX table, with their rows; a group is never cut."""
    page, used = [], 0
    for group, rows in itertools.groupby(sheet.rows, key=lambda row: row[: sheet.groups]):
        rows = list(rows)
        height = 1 + sum(1 + max(cell.count("\n") for cell in row) for row in rows)
        if page and used + height > _LINES:
            yield page
            page, used = [], 0
        page.append((group, rows))
        used += height
    yield page


def _latex_row(cells: list[str]) -> str:
    """Return the lines of a row; the second line of a cell is below its first."""
    lines = itertools.zip_longest(*(cell.split("\n") for cell in cells), fillvalue="")
    return "\n".join(" & ".join(map(_latex, line)) + r" \\" for line in lines)


def _latex(text: str) -> str:
    """Escape a cell or caption; ±, signs and Greek letters become mathematics."""
    text = re.sub(r"(?<![\w.-])-(?=\d)", "\N{MINUS SIGN}", text)
    return text.translate(str.maketrans(_LATEX))
