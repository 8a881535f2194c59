"""Responses of a run to read: of each benchmark the first problems, as a page and as a table."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path

import jinja2

from repro import methods
from repro.benchmarks import declared
from repro.config.resolved import RunSettings
from repro.files import jsonl
from repro.report import html_pages, names

PROBLEMS = 3  # of each benchmark, the first ones
LONG = 3000  # characters of a response, from which the page folds it and the table cuts it


@dataclass(frozen=True)
class Response:
    """One response; tokens are counted to the end of the thought, and altogether."""

    sample: int
    right: bool
    text: str
    reasoning_tokens: int
    tokens: int
    cut: bool  # at the length limit

    @property
    def verdict(self) -> str:
        """What the score says, as people say it."""
        return "right" if self.right else "wrong"

    @property
    def length(self) -> str:
        """How long it is, and whether it ended by itself."""
        text = f"{self.tokens} tokens, {self.reasoning_tokens} of them reasoning"
        return text + ", cut off" * self.cut


@dataclass(frozen=True)
class Problem:
    """A problem as it was asked, its answer ("" for programs), all responses by sample."""

    number: int  # from 0
    prompt: str
    answer: str
    responses: list[Response]

    @property
    def shown(self) -> list[Response]:
        """The first right response and the first wrong one, where there are such."""
        by_verdict = [
            [one for one in self.responses if one.right is right] for right in (True, False)
        ]
        return [first for responses in by_verdict for first in responses[:1]]


def read(run_dir: Path, data: str | Path, benchmarks: Sequence[str]) -> dict[str, list[Problem]]:
    """Return the first problems of each benchmark; none where it could not be scored.

    Args:
        run_dir: has generations/ and scores/.
        data: folder of the problems, `{benchmark}.jsonl`.
        benchmarks: those to read.

    Raises:
        ValueError: a score file is missing or no JSON; the message names it.
        FileNotFoundError: no generations, or no problems.
    """
    found = {}
    for benchmark in benchmarks:
        scores = jsonl.read_json(run_dir / "scores" / f"{benchmark}.json")["problems"]
        correct = {row["doc_id"]: row["correct"] for row in scores if row["doc_id"] < PROBLEMS}
        rows = _rows(run_dir / "generations" / f"{benchmark}.jsonl", correct)
        docs = enumerate(_first(Path(data) / f"{benchmark}.jsonl"))
        found[benchmark] = [
            _problem(number, gold(benchmark, doc), rows[number], correct[number])
            for number, doc in docs
            if number in correct
        ]
    return found


def page(found: dict[str, list[Problem]], run: RunSettings, note: str) -> str:
    """Return responses to read as self-contained HTML: of each problem a right and a wrong one.

    Args:
        found: as `read` returns it.
        run: the run's settings.
        note: a sentence that stands at the top.
    """
    title = f"{run.backbone}, {methods.label(run.method)}, seed {run.seed}: responses"
    return html_pages.render(
        "samples.html", title, note, found=found, titles=names.BENCHMARKS, limit=PROBLEMS, long=LONG
    )


def table(found: dict[str, list[Problem]]) -> dict:
    """Return each problem's first response as MLflow's table, for several runs side by side."""
    rows = [
        [
            f"{names.BENCHMARKS.get(benchmark, benchmark)}, problem {problem.number}",
            f"{first.verdict}, {first.length}\n\n{first.text[:LONG]}",
            problem.prompt,
            problem.answer,
        ]
        for benchmark, problems in found.items()
        for problem in problems
        for first in problem.responses[:1]
    ]
    return {"columns": ["problem", "response", "prompt", "answer"], "data": rows}


def gold(benchmark: str, doc: dict) -> str:
    """Return the right answer to a problem, as the task file tells; "" for programs.

    lm-eval would tell the same, but takes seconds to import.
    """
    target = declared.benchmarks()[benchmark].target
    if isinstance(target, declared.Function):
        module, name = target.rsplit(".", 1)
        return str(getattr(import_module(f"repro.benchmarks.{module}"), name)(doc))
    return str(doc[target]) if target in doc else jinja2.Template(target).render(doc)


def _first(file: Path) -> list[dict]:
    """Return the first problems; a file of LiveCodeBench may have a gigabyte."""
    with open(file, encoding="utf-8") as lines:
        return [json.loads(line) for line in islice(filter(str.strip, lines), PROBLEMS)]


def _rows(file: Path, correct: dict[int, list[int]]) -> dict[int, list[dict]]:
    """Return the rows of some problems, by number, each list in the order of the scores."""
    wanted = sum(map(len, correct.values()))
    found = {number: [] for number in correct}
    with open(file, encoding="utf-8") as lines:
        for row in map(json.loads, filter(str.strip, lines)):
            if not wanted:
                break
            if row["doc_id"] in found:
                found[row["doc_id"]].append(row)
                wanted -= 1
    for rows in found.values():
        rows.sort(key=lambda row: row["sample"])
    return found


def _problem(number: int, answer: str, rows: list[dict], correct: list[int]) -> Problem:
    responses = [
        Response(
            sample=row["sample"],
            right=bool(verdict),
            text=row["text"].strip(),
            reasoning_tokens=row["n_reasoning_tokens"],
            tokens=row["n_tokens"],
            cut=row["finish_reason"] == "length",
        )
        for row, verdict in zip(rows, correct, strict=True)
    ]
    return Problem(number, rows[0]["prompt"].strip(), answer, responses)
