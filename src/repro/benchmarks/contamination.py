"""Training problems that also occur in a benchmark are left out.

Two problems are the same when all `words` are equal ("exact"), or when runs of at least `NGRAM`
words that both have cover at least `COVERAGE` of the shorter problem's words ("ngram").

Thirteen words are the choice of GPT-3 (Brown et al. 2020, appendix C); Qwen2.5 and Qwen2.5-Math
(arXiv 2412.15115, 2409.12122) use both numbers, the latter on the longest common subsequence. Here
only runs count, so that a problem with other numbers throughout stays. Different problems share up
to 0.29 of their words in AIME 2024 and 2025, and up to 0.53 in half of MATH-500.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from repro.benchmarks import declared

NGRAM = 13  # words
COVERAGE = 0.6  # of the shorter problem's words
EXAMPLES = 20  # removed problems that a report shows
Index = dict[str, list[tuple[int, int]]]  # by run of words: where in all problems, its first word

_DRAWING = re.compile(r"\[asy\].*?\[/asy\]", re.DOTALL)
_FRACTION = re.compile(r"\\[dt]?frac(?:\s*(\d)\s*(\d))?")
_WITHOUT_MEANING = re.compile(
    r"\\(?:left|right|big|displaystyle|quad|qquad|text|textbf|textit|textrm|mathrm|mathbf|mbox"
    r"|ldots|dots|cdots)(?![a-z])"
    r"|\\[,;:! ()\[\]]|[${}~]"
)
_WORD = re.compile(r"[^\W\d_]+|\d+|[^\w\s.,;:?!'\"`\\]")


def words(text: str) -> list[str]:
    r"""Return a problem's words, without case, punctuation, drawings, LaTeX without meaning."""
    text = _DRAWING.sub(" ", unicodedata.normalize("NFKC", text).lower())
    text = _FRACTION.sub(lambda match: f" frac {match[1] or ''} {match[2] or ''} ", text)
    return _WORD.findall(_WITHOUT_MEANING.sub(" ", text))


def filter_rows(
    rows: Iterable[dict], benchmark_files: Mapping[str, str | Path]
) -> tuple[list[dict], dict]:
    """Return the training rows that occur in none of the benchmark files, and a report.

    The report is ``{"rule": {"ngram", "coverage"}, "benchmarks": {name: {"problems", "exact",
    "ngram"}}, "kept", "removed", "examples": [{"row", "benchmark", "match", "problem"}]}``. `exact`
    and `ngram` count training rows; one that matches two benchmarks counts in both, and once in
    `removed`. `row` counts from 1. ValueError: an unknown benchmark, or its row is not as declared.
    """
    problems: list[tuple[str, list[str]]] = []  # benchmark, words
    index: Index = defaultdict(list)
    counts, kept, examples, number = {}, [], [], 0
    for name, file in benchmark_files.items():
        benchmark_rows = declared.read_rows(file, name)
        counts[name] = {"problems": len(benchmark_rows), "exact": 0, "ngram": 0}
        question = declared.benchmarks()[name].question
        problems += [(name, words(row[question])) for row in benchmark_rows]
    for place, (_, problem) in enumerate(problems):
        for start, run in enumerate(_runs(problem)):
            index[run].append((place, start))
    for number, row in enumerate(rows, start=1):
        matches = _find_matches(words(row["problem"]), problems, index)
        for name, how in matches.items():
            counts[name][how] += 1
            found = {"row": number, "benchmark": name, "match": how}
            examples.append(found | {"problem": row["problem"][:300]})
        if not matches:
            kept.append(row)
    report = {"rule": {"ngram": NGRAM, "coverage": COVERAGE}, "benchmarks": counts}
    report |= {"kept": len(kept), "removed": number - len(kept), "examples": examples[:EXAMPLES]}
    return kept, report


def _runs(problem: list[str]) -> list[str]:
    """Return all runs of `NGRAM` words; of a shorter problem, the whole."""
    starts = range(max(len(problem) - NGRAM, 0) + 1) if problem else ()
    return [" ".join(problem[start : start + NGRAM]) for start in starts]


def _find_matches(
    problem: list[str], problems: list[tuple[str, list[str]]], index: Index
) -> dict[str, str]:
    covered: dict[int, set[int]] = defaultdict(set)  # benchmark problem: its words in both
    for run in _runs(problem):
        for place, start in index.get(run, ()):
            covered[place].update(range(start, start + NGRAM))
    found = {}
    for place, both in covered.items():
        benchmark, other = problems[place]
        if other == problem:
            found[benchmark] = "exact"
        elif len(both) >= COVERAGE * min(len(problem), len(other)):
            found.setdefault(benchmark, "ngram")
    return found
