"""Frames as CSV; tables of text as GitHub Markdown and as LaTeX."""

import itertools
import re
from typing import NamedTuple

import pandas as pd

_LATEX = {character: "\\" + character for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "\N{GREEK SMALL LETTER ALPHA}": r"$\alpha$",
    "→": r"$\to$",
    "\N{MINUS SIGN}": "$-$",
}
# Centred across both margins: the columns may be wider than the text of an article.
_LOOKS = r"""{\scriptsize\setlength{\tabcolsep}{3pt}
\setlength{\LTleft}{0pt plus 1fill minus 1fill}\setlength{\LTright}{0pt plus 1fill minus 1fill}
"""


class Sheet(NamedTuple):
    """A table as text, without its note.

    The leading columns name the group of a row, the next one the row. A line break in a cell is one
    in LaTeX, where it keeps the column narrow, and a blank elsewhere.
    """

    label: str  # of LaTeX, after tab:
    caption: str
    header: list[str]
    rows: list[list[str]]
    groups: int  # how many columns name the group
    texts: int  # how many leading columns hold text; the others hold numbers

    def folded(self) -> list[list[str]]:
        """Return the rows, or dashes, with the name of a group in the first of its rows only."""
        rows, before = [], [None] * self.groups
        for row in self.rows:
            changed = [i for i in range(self.groups) if row[i] != before[i]]
            first = min(changed, default=self.groups)
            rows.append([""] * first + row[first:])
            before = row
        return rows or [["-"] * len(self.header)]


def to_csv(frame: pd.DataFrame, note: str = "") -> str:
    """Return a frame as CSV, with the note in a further column (a comment breaks readers)."""
    if note:
        frame = frame.assign(note=note)
    return frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def to_markdown(sheet: Sheet, note: str = "") -> str:
    """Return a table as GitHub Markdown, the note and the caption above it."""
    frame = pd.DataFrame(sheet.folded(), columns=sheet.header, dtype=str)
    frame = frame.replace({r"\|": r"\\|", "\n": " "}, regex=True)
    align = ["left"] * sheet.texts + ["right"] * (len(sheet.header) - sheet.texts)
    table = frame.to_markdown(index=False, disable_numparse=True, colalign=align)
    return "\n\n".join(filter(None, [f"**{note}**" * bool(note), sheet.caption, table])) + "\n"


def to_latex(sheet: Sheet, note: str = "") -> str:
    r"""Return a table as LaTeX that needs booktabs and longtable; \input it.

    The second line of a cell is a row below its first.
    """
    lines = [
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
