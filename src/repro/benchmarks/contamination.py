"""Training problems that also stand in a benchmark are left out.

Two problems are the same when they agree

- **exactly**: all words are equal after normalisation (case, white space, punctuation, LaTeX that
  does not change the meaning, drawings), or
- **by n-grams**: runs of at least `NGRAM` words that both have cover at least `COVERAGE` of the
  shorter problem's words.

Thirteen words are GPT-3's choice (Brown et al. 2020, appendix C) and lm-eval's. The second
condition is there because thirteen words alone are not enough in mathematics: "can be written as
m/n, where m and n are relatively prime positive integers. Find m + n." is longer. Qwen2.5 and
Qwen2.5-Math (arXiv 2412.15115, 2409.12122) use both numbers, 13 and 0.6, the latter on the longest
common subsequence; here only runs count, so that a problem with other numbers throughout stays.
Measured on AIME 2024 and 2025 and half of MATH-500: among different problems the runs cover up to
0.29 (AIME) and 0.53 (MATH-500), though 16 of the 60 AIME problems share some run of thirteen words
with another problem. A problem of fewer than `NGRAM` words matches as a whole only.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from repro.files import jsonl

NGRAM = 13  # words
COVERAGE = 0.6  # of the shorter problem's words
QUESTION_FIELDS = ("problem", "question", "Question", "text", "question_content")
EXAMPLES = 20  # removed problems that a report shows

_DRAWING = re.compile(r"\[asy\].*?\[/asy\]", re.DOTALL)
_FRACTION = re.compile(r"\\[dt]?frac(?:\s*(\d)\s*(\d))?")
_WITHOUT_MEANING = re.compile(
    r"\\(?:left|right|big|displaystyle|quad|qquad|text|textbf|textit|textrm|mathrm|mathbf|mbox"
    r"|ldots|dots|cdots)(?![a-z])"
    r"|\\[,;:! ()\[\]]|[${}~]"
)
_WORD = re.compile(r"[^\W\d_]+|\d+|[^\w\s.,;:?!'\"`\\]")


def words(text: str) -> list[str]:
    r"""Return a problem's words: letters, numbers and operators, normalised.

    Case, white space, punctuation, dollar signs and braces go, ``\dfrac12`` is ``\frac{1}{2}``,
    spacing and font commands and ``[asy]`` drawings go.
    """
    text = _DRAWING.sub(" ", unicodedata.normalize("NFKC", text).lower())
    text = _FRACTION.sub(lambda match: f" frac {match[1] or ''} {match[2] or ''} ", text)
    return _WORD.findall(_WITHOUT_MEANING.sub(" ", text))


def question(row: dict, where: str) -> str:
    """Return the problem's text, whichever of `QUESTION_FIELDS` a benchmark keeps it in.

    Raises:
        ValueError: the row has none of them; the message says where.
    """
    for field in QUESTION_FIELDS:
        if isinstance(row.get(field), str):
            return row[field]
    raise ValueError(f"{where}: no problem text; wanted one of {', '.join(QUESTION_FIELDS)}")


def filter_rows(
    rows: Iterable[dict], benchmark_files: Mapping[str, str | Path]
) -> tuple[list[dict], dict]:
    """Return the training rows that stand in no benchmark, and a report.

    Args:
        rows: training problems with one of `QUESTION_FIELDS`.
        benchmark_files: JSONL files by benchmark name.

    Returns:
        The rows kept, in their order, and ``{"rule": {"ngram", "coverage"}, "benchmarks": {name:
        {"problems", "exact", "ngram"}}, "kept", "removed", "examples": [{"row", "benchmark",
        "match", "problem"}]}``. `exact` and `ngram` count training rows; a row that matches two
        benchmarks counts in both, and once in `removed`. `row` counts from 1.

    Raises:
        ValueError: a row without a problem text; the message names file and row.
    """
    questions = {
        name: [question(row, f"{path}, row {n}") for n, row in enumerate(jsonl.read(path), 1)]
        for name, path in benchmark_files.items()
    }
    index = Index(questions)
    counts = {
        name: {"problems": len(questions[name]), "exact": 0, "ngram": 0} for name in questions
    }
    kept, examples, removed = [], [], 0
    for number, row in enumerate(rows, start=1):
        text = question(row, f"training set, row {number}")
        matches = index.matches(text)
        for name, how in matches.items():
            counts[name][how] += 1
            if len(examples) < EXAMPLES:
                examples.append(
                    {"row": number, "benchmark": name, "match": how, "problem": text[:300]}
                )
        removed += bool(matches)
        if not matches:
            kept.append(row)
    report = {
        "rule": {"ngram": NGRAM, "coverage": COVERAGE},
        "benchmarks": counts,
        "kept": len(kept),
        "removed": removed,
        "examples": examples,
    }
    return kept, report


def summary(report: dict) -> str:
    """Return a report as one line."""
    found = [
        f"{name} {count['exact']} exact + {count['ngram']} by {report['rule']['ngram']}-grams"
        for name, count in report["benchmarks"].items()
        if count["exact"] or count["ngram"]
    ]
    return (
        f"{report['removed']} of {report['kept'] + report['removed']} training problems stand in a "
        f"benchmark and are left out ({'; '.join(found) or 'no match'})"
    )


class Index:
    """The benchmarks' problems, whole and as n-grams: one look-up a word of a training problem."""

    def __init__(self, questions: Mapping[str, Iterable[str]]) -> None:
        """Take the problems' texts by benchmark."""
        self._names: list[str] = []  # by problem number
        self._lengths: list[int] = []
        self._whole: dict[str, set[str]] = defaultdict(set)
        self._ngrams: dict[str, list[tuple[int, int]]] = defaultdict(list)  # problem, first word
        for name, texts in questions.items():
            for text in texts:
                self._add(name, words(text))

    def _add(self, name: str, problem: list[str]) -> None:
        self._whole[" ".join(problem)].add(name)
        for start, ngram in enumerate(_ngrams(problem)):
            self._ngrams[ngram].append((len(self._names), start))
        self._names.append(name)
        self._lengths.append(len(problem))

    def matches(self, text: str) -> dict[str, str]:
        """Return how each benchmark that has this problem has it: exact or ngram."""
        problem = words(text)
        if not problem:
            return {}
        covered: dict[int, set[int]] = defaultdict(set)  # benchmark problem: its words in both
        for ngram in _ngrams(problem):
            for number, start in self._ngrams.get(ngram, ()):
                covered[number].update(range(start, start + NGRAM))
        found = {
            self._names[number]: "ngram"
            for number, both in covered.items()
            if len(both) >= COVERAGE * min(len(problem), self._lengths[number])
        }
        return found | dict.fromkeys(self._whole.get(" ".join(problem), ()), "exact")


def _ngrams(problem: list[str]) -> list[str]:
    return [" ".join(problem[i : i + NGRAM]) for i in range(len(problem) - NGRAM + 1)]
