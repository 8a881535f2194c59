"""From the frame of each table to its cells: what is shown, how it is rounded, what is said."""

from functools import partial

import pandas as pd

from repro import methods
from repro.report import names
from repro.report.compare import EFFECTS
from repro.report.table_formats import Sheet
from repro.report.table_frames import POOLED

MISSING = "missing"  # a cell whose run or score file is not there
_GAP = "-"  # a cell that has no number: not asked for, not scored, or nothing to take it of

_MAIN = (
    "Accuracy in percent (avg@n), mean ± standard error over problems. Tokens: mean reasoning "
    "tokens; Backtr./1k: backtracking segments per 1,000 reasoning tokens; both averaged over the "
    "benchmarks."
)
_PUBLISHED = (
    "In brackets: the number that the paper states (RePro, arXiv 2512.01925), without its error, "
    "which is not known; and ours minus it, in points."
)
_EFFECTS = (
    "Paired differences by problem (the first method minus the second) with 95 % intervals, on the "
    "seeds that both have; in-domain, out-of-domain and all give each benchmark equal weight."
)
_TOKENS = (
    "Reasoning tokens per response: mean ± standard error over problems; in brackets the median of "
    "all responses."
)
_BACKTRACKING = (
    "Segments of the thought that backtrack, verify or hesitate, per 1,000 reasoning tokens, and "
    "the share of responses that backtrack: ± standard error over problems; in brackets the same "
    "of the correct and of the wrong responses."
)
_BEHAVIOUR_COLUMNS = {
    "backtracking_per_1k": ("Backtr./1k", 2),
    "backtracking_responses": ("Backtr. share (%)", 1),
    "verification_per_1k": ("Verif./1k", 2),
    "hesitation_per_1k": ("Hesit./1k", 2),
}


def main_math_verify_sheet(main: pd.DataFrame) -> Sheet:
    """Return the main table by the verdicts of plain math-verify."""
    sheet = main_sheet(main)
    caption = f"By plain math-verify, the scorer of the paper's authors. {sheet.caption}"
    return sheet._replace(label="main_math_verify", caption=caption)


def main_sheet(main: pd.DataFrame) -> Sheet:
    """Return the main table in the paper's layout, from `table_frames.main_frame`."""
    titles = {name: title for name, title in names.BENCHMARKS.items() if name in main}
    header = ["Backbone", "Method", *titles.values(), "Tokens", "Backtr./1k"]
    with_published = any(column.endswith("_published") for column in main)
    rows = []
    for row in main.to_dict("records"):
        cells = [row["backbone"], methods.label(row["method"])]
        for name in (*titles, *POOLED):
            cell = main_cell(row, name, row[f"{name}_se"])
            if not pd.isna(stated := row.get(f"{name}_published")):
                # Of the rounded mean: 88.45 - 84.4 would stand as 88.5 (84.4; +4.0).
                difference = float(f"{row[name]:.1f}") - stated
                known = "" if pd.isna(difference) else f"; {difference:+.1f}"
                cell += f"\n({stated:.1f}{known})"
            cells.append(cell)
        rows.append(cells)
    caption = _sentences(_MAIN, with_published and _PUBLISHED, _about_seeds(main["seeds"]))
    return Sheet("main", caption, header, rows, groups=1)


def main_cell(row: dict, name: str, se: float | None = None, missing: str = MISSING) -> str:
    """Return one number of a row of the main frame.

    Args:
        row: the row.
        name: a benchmark or one of `table_frames.POOLED`.
        se: its standard error, shown where it is known.
        missing: what to show where the scores are not there.
    """
    lacking = row.get("missing", "").split()
    if name in lacking or (name in POOLED and lacking):
        return missing
    digits = {"tokens": _token_digits(row["tokens"]), "backtracking_per_1k": 2}
    return _mean_se(row[name], se, digits.get(name, 1))


def tokens_sheet(tokens: pd.DataFrame) -> Sheet:
    """Return mean and median reasoning tokens, from `table_frames.tokens_frame`."""
    titles = {name: title for name, title in names.BENCHMARKS.items() if f"{name}_mean" in tokens}
    rows = []
    for row in tokens.to_dict("records"):
        lacking = row.get("missing", "").split()
        cells = [row["backbone"], methods.label(row["method"])]
        for name in titles:
            mean, median = row[f"{name}_mean"], row[f"{name}_median"]
            digits = _token_digits(mean)
            cell = MISSING if name in lacking else _mean_se(mean, row[f"{name}_mean_se"], digits)
            cells.append(cell if pd.isna(median) else f"{cell}\n({median:.{digits}f})")
        rows.append(cells)
    header = ["Backbone", "Method", *titles.values()]
    caption = _sentences(_TOKENS, _about_seeds(tokens["seeds"]))
    return Sheet("tokens", caption, header, rows, groups=1)


def backtracking_sheet(backtracking: pd.DataFrame) -> Sheet:
    """Return backtracking and its kin, from `table_frames.backtracking_frame`."""
    header = ["Backbone", "Benchmark", "Method", "Responses"]
    header += [title for title, _ in _BEHAVIOUR_COLUMNS.values()]
    rows = []
    keys = ["backbone", "benchmark", "method"]
    for (backbone, benchmark, method), frame in backtracking.groupby(keys, sort=False):
        row = [backbone, names.BENCHMARKS[benchmark], methods.label(method)]
        by_verdict = frame.set_index("of")
        every, correct, wrong = (by_verdict.loc[of] for of in ("all", "correct", "wrong"))
        if every["responses"] == 0:
            rows.append(row + [MISSING] * (len(header) - len(row)))
            continue
        row.append(f"{every['responses']}\n({correct['responses']}; {wrong['responses']})")
        for name, (_, digits) in _BEHAVIOUR_COLUMNS.items():
            split = "; ".join(_mean_se(of[name], None, digits) for of in (correct, wrong))
            row.append(f"{_mean_se(every[name], every[f'{name}_se'], digits)}\n({split})")
        rows.append(row)
    return Sheet("backtracking", _BACKTRACKING, header, rows, groups=2)


def effects_sheet(label: str, about: str, effects: pd.DataFrame) -> Sheet:
    """Return paired effects, ``difference [low, high]``, from a frame of `compare.effects`."""
    header = ["Backbone", "Comparison", "Benchmark", "Problems"]
    header += [title for title, _ in EFFECTS.values()]
    rows = []
    keys = ["backbone", "method", "baseline", "benchmark"]
    for (backbone, method, baseline, benchmark), frame in effects.groupby(keys, sort=False):
        cells = frame.set_index("metric")
        comparison = f"{methods.label(method)} vs {methods.label(baseline)}"
        n = cells["n"].iloc[0]
        row = [backbone, comparison, names.BENCHMARKS.get(benchmark, benchmark), str(n)]
        for metric, (_, digits) in EFFECTS.items():
            numbers = cells.loc[metric, ["difference", "low", "high"]]
            row.append(_interval(*numbers, digits) if n else MISSING)
        rows.append(row)
    nothing = "" if rows else "The runs have no such pair of methods."
    caption = _sentences(about, _EFFECTS, _about_seeds(effects["seeds"]), nothing)
    return Sheet(label, caption, header, rows, groups=2)


def _mean_se(mean: float, se: float | None, digits: int) -> str:
    """Return ``mean ± se``; a dash without a mean, the mean alone without an error."""
    if pd.isna(mean):
        return _GAP
    return f"{mean:.{digits}f}" + ("" if pd.isna(se) else f" ± {se:.{digits}f}")


def _interval(difference: float, low: float, high: float, digits: int) -> str:
    if pd.isna(difference):
        return _GAP
    text = f"{difference:+.{digits}f}"
    return text if pd.isna(low) else f"{text} [{low:+.{digits}f}, {high:+.{digits}f}]"


def _token_digits(tokens: float) -> int:
    return 0 if tokens >= 1000 else 1


def _about_seeds(seeds: pd.Series) -> str:
    """Say how many seeds the numbers are of; nothing where there are none."""
    counts = sorted(set(seeds) - {0})
    if not counts:
        return ""
    if counts == [1]:
        return "One seed: the errors say nothing about other seeds."
    some = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"Mean of {some} seeds: the errors are over problems, not over seeds."


def _sentences(*parts: str | bool) -> str:
    return " ".join(part for part in parts if part)


# What makes each table of text from its frame, in the order in which they are written.
SHEETS = {
    "main": main_sheet,
    "main_math_verify": main_math_verify_sheet,
    "gain": partial(effects_sheet, "gain", "What RePro changes."),
    "against_original": partial(effects_sheet, "against_original", "What training changes."),
    "tokens": tokens_sheet,
    "backtracking": backtracking_sheet,
}
