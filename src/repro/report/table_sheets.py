"""From the frame of each table to its cells, and to CSV and Markdown."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from repro import methods
from repro.report import compare, names
from repro.report.overthinking import TITLES
from repro.report.rendering import say

# Columns of the main table after the benchmarks, with their titles; both are means over these.
POOLED = {"tokens": "Tokens", "backtracking_per_1k": "Backtr./1k"}
_BEHAVIOUR_COLUMNS = {  # title and digits
    "backtracking_per_1k": ("Backtr./1k", 2),
    "backtracking_responses": ("Backtr. share (%)", 1),
    "verification_per_1k": ("Verif./1k", 2),
    "hesitation_per_1k": ("Hesit./1k", 2),
}


class Sheet(NamedTuple):
    """A table as text. A line break in a cell is one in HTML, and a blank elsewhere."""

    label: str  # the name of its files
    caption: str
    cells: pd.DataFrame  # of texts
    groups: int  # how many leading columns name the group of a row
    texts: int  # how many leading columns hold text; the others hold numbers

    def folded(self) -> pd.DataFrame:
        """Return the cells, or dashes, with the name of a group in the first of its rows only."""
        if self.cells.empty:
            return pd.DataFrame("-", index=[0], columns=self.cells.columns)
        groups = self.cells.iloc[:, : self.groups]
        repeated = np.logical_and.accumulate((groups == groups.shift()).to_numpy(), axis=1)
        return self.cells.assign(**groups.mask(repeated, ""))


def main_sheet(main: pd.DataFrame, label: str = "main") -> Sheet:
    """Return the main table in the paper's layout, from `tables.main_frame`."""
    titles = {name: title for name, title in names.BENCHMARKS.items() if name in main} | POOLED
    rows = [
        [row["backbone"], methods.label(row["method"]), *(_main_cell(row, name) for name in titles)]
        for row in main.to_dict("records")
    ]
    cells = pd.DataFrame(rows, columns=["Backbone", "Method", *titles.values()])
    published = any(f"{name}_published" in main for name in titles)
    seeds = names.count_seeds(main["seeds"])
    caption = say("main", label=label, published=published, seeds=seeds)
    return Sheet(label, caption, cells, groups=1, texts=2)


def tokens_sheet(tokens: pd.DataFrame) -> Sheet:
    """Return mean and median reasoning tokens, from `tables.tokens_frame`."""
    titles = {name: title for name, title in names.BENCHMARKS.items() if f"{name}_mean" in tokens}
    rows = []
    for row in tokens.to_dict("records"):
        cells = [row["backbone"], methods.label(row["method"])]
        for name in titles:
            digits, median = int(row[f"{name}_mean"] < 1000), row[f"{name}_median"]
            mean = _mean_se(row, f"{name}_mean", digits)
            cells.append(mean if pd.isna(median) else f"{mean}\n({median:.{digits}f})")
        rows.append(cells)
    header = ["Backbone", "Method", *titles.values()]
    caption = say("tokens", seeds=names.count_seeds(tokens["seeds"]))
    return Sheet("tokens", caption, pd.DataFrame(rows, columns=header), groups=1, texts=2)


def sampling_sheet(sampled: pd.DataFrame) -> Sheet:
    """Return what several responses to a problem tell, from `compare.summarise_sampling`."""
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for row in sampled.rename(columns={"se": "mean_se"}).to_dict("records"):
        metric = row["metric"].replace("g_pass", "G-Pass").replace("_at_", "@").replace("_", " ")
        keys = row["backbone"], metric, methods.label(row["method"])
        of = rows.setdefault(keys, dict(zip(("Backbone", "Metric", "Method"), keys, strict=True)))
        of[names.BENCHMARKS.get(row["benchmark"], row["benchmark"])] = _mean_se(row, "mean", 1)
    caption = say("sampling", seeds=names.count_seeds(sampled["seeds"]))
    cells = pd.DataFrame(rows.values()).fillna("-")
    return Sheet("sampling", caption, cells, groups=2, texts=3)


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
        rows.append([backbone, names.BENCHMARKS[benchmark], methods.label(method), *cells])
    titles = [title for title, _ in _BEHAVIOUR_COLUMNS.values()]
    cells = pd.DataFrame(rows, columns=["Backbone", "Benchmark", "Method", "Responses", *titles])
    return Sheet("backtracking", say("backtracking"), cells, groups=2, texts=3)


def effects_sheet(label: str, effects: pd.DataFrame) -> Sheet:
    """Return paired effects, ``difference [low, high]``, from a frame of `compare.effects`."""
    rows = []
    keys = ["backbone", "method", "baseline", "benchmark"]
    for (backbone, method, baseline, benchmark), frame in effects.groupby(keys, sort=False):
        comparison = f"{methods.label(method)} vs {methods.label(baseline)}"
        kind = "Holm" if frame["p_holm"].notna().any() else "descriptive"
        cells = [names.BENCHMARKS.get(benchmark, benchmark), kind, str(frame["n"].iloc[0])]
        rows.append([backbone, comparison, *cells, *map(_effect, frame.to_dict("records"))])
    titles = [f"{title} ({unit})" for title, unit, _ in compare.EFFECTS.values()]
    titles = [title.replace("1,000 reasoning", "1k") for title in titles]  # for narrow pages
    header = ["Backbone", "Comparison", "Benchmark", "Test", "Problems", *titles]
    seeds = names.count_seeds(effects["seeds"])
    caption = say("effects", label=label, known=len(rows), seeds=seeds)
    return Sheet(label, caption, pd.DataFrame(rows, columns=header), groups=2, texts=4)


def overthinking_sheet(overthinking: pd.DataFrame) -> Sheet:
    """Return what RePro changes in the tiny world's thoughts, from `compare_counts`."""
    rows = []
    for row in overthinking.to_dict("records"):
        effect = show_interval(row["difference"], row["low"], row["high"])
        cells = [_number(row["plain"], 1), _number(row["repro"], 1), effect, str(row["seeds"])]
        rows.append([row["backbone"], methods.label(row["baseline"]), TITLES[row["kind"]], *cells])
    header = ["Backbone", "Algorithm", "Segments", "Plain", "+ RePro", "Difference", "Seeds"]
    caption = say("overthinking", seeds=names.count_seeds(overthinking["seeds"]))
    return Sheet("overthinking", caption, pd.DataFrame(rows, columns=header), groups=2, texts=3)


def rivals_sheet(rivals: pd.DataFrame) -> Sheet:
    """Return what RePro, its controls and its rivals reach, from `rivals.compare_rules`."""
    rows, digits = [], {"area": ".0f", "less": "+.0f", "equal": ".1f"}
    for row in rivals.to_dict("records"):
        label = methods.label(f"{row['algorithm']}+{row['rule']}")
        area, less, equal = (
            show_interval(row[name], row[f"{name}_low"], row[f"{name}_high"], form)
            for name, form in digits.items()
        )
        less = "-" if row["rule"] == "repro" else less
        rows.append([row["backbone"], label, str(row["values"]), area, less, equal])
    header = ["Backbone", "Method", "Values", "Area (points x %)", "RePro's less it"]
    cells = pd.DataFrame(rows, columns=[*header, "Saved at no loss (%)"])
    caption = say("rivals", seeds=names.count_seeds(rivals["seeds"]))
    return Sheet("rivals", caption, cells, groups=1, texts=2)


def ledger_sheet(ledger: pd.DataFrame) -> Sheet:
    """Return the ledger, of digests the beginnings, from `ledger.read_ledger`."""
    cells = ledger.drop(columns="note", errors="ignore").fillna("")
    cells = cells.round({"accuracy": 1, "hours": 2}).astype(str)
    digests = ["commit", "settings", "responses"]
    cells[digests] = cells[digests].replace(r"(?<=^\w{12})\w+", "", regex=True)
    cells["method"] = cells["method"].map(methods.label)
    cells["benchmark"] = cells["benchmark"].replace(names.BENCHMARKS)
    return Sheet("ledger", say("ledger"), cells.rename(columns=str.capitalize), groups=3, texts=4)


def write(frame: pd.DataFrame, sheet: Sheet, output_dir: str | Path, note: str) -> None:
    """Write a table with its note as csv and md; the files have the name of its label."""
    texts = {"csv": to_csv(frame, note), "md": to_markdown(sheet, note)}
    Path(output_dir).mkdir(parents=True, exist_ok=True)
    for suffix, text in texts.items():
        Path(output_dir, f"{sheet.label}.{suffix}").write_text(text, encoding="utf-8")


def to_csv(frame: pd.DataFrame, note: str = "") -> str:
    """Return a frame as CSV, with the note in a further column (a comment breaks readers)."""
    if note:
        frame = frame.assign(note=note)
    return frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def to_markdown(sheet: Sheet, note: str = "") -> str:
    """Return a table as GitHub Markdown, the note and the caption above it."""
    frame = sheet.folded().replace({r"\|": r"\\|", "\n": " "}, regex=True)
    align = ["left"] * sheet.texts + ["right"] * (frame.shape[1] - sheet.texts)
    table = frame.to_markdown(index=False, disable_numparse=True, colalign=align)
    return "\n\n".join(filter(None, [f"**{note}**" * bool(note), sheet.caption, table])) + "\n"


def _main_cell(row: dict, name: str) -> str:
    """Return a number of the main table and, below it, what is published."""
    digits = {"tokens": int(row["tokens"] < 1000), "backtracking_per_1k": 2}.get(name, 1)
    cell, stated = _mean_se(row, name, digits), row.get(f"{name}_published", np.nan)
    if pd.isna(stated):
        return cell
    # Of the rounded mean: 88.45 - 84.4 would stand as 88.5 (84.4; +4.0).
    difference = float(f"{row[name]:.1f}") - stated
    known = "" if pd.isna(difference) else f"; {difference:+.1f}"
    return f"{cell}\n({stated:.1f}{known})"


def _number(value: float, digits: int) -> str:
    return "-" if pd.isna(value) else f"{value:.{digits}f}"


def _mean_se(row: dict, name: str, digits: int) -> str:
    """Return ``mean ± se``; a dash without a mean, the mean alone without an error."""
    error = row[f"{name}_se"]
    return _number(row[name], digits) + ("" if pd.isna(error) else f" ± {error:.{digits}f}")


def show_interval(mean: float, low: float, high: float, form: str = "+.1f") -> str:
    """Return ``mean [low, high]``; a dash without a mean, the mean alone without an interval."""
    known = "" if pd.isna(low) else f" [{low:{form}}, {high:{form}}]"
    return "-" if pd.isna(mean) else f"{mean:{form}}{known}"


def _effect(row: dict) -> str:
    """Return a difference and its interval and, below, p where it is tested."""
    *_, digits = compare.EFFECTS[row["metric"]]
    shown = show_interval(row["difference"], row["low"], row["high"], f"+.{digits}f")
    p = "p < 0.001" if row["p_holm"] < 0.001 else f"p = {row['p_holm']:.3f}"
    return shown if pd.isna(row["p_holm"]) else f"{shown}\n({p})"


# What makes each table of text from its frame, in the order in which they are written.
SHEETS = {
    "main": main_sheet,
    "main_math_verify": partial(main_sheet, label="main_math_verify"),
    "gain": partial(effects_sheet, "gain"),
    "against_original": partial(effects_sheet, "against_original"),
    "tokens": tokens_sheet,
    "backtracking": backtracking_sheet,
    "sampling": sampling_sheet,
    "overthinking": overthinking_sheet,
    "rivals": rivals_sheet,
    "ledger": ledger_sheet,
}
