"""Responses of a run to read: of each benchmark the first problems, as a page and as a table."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib import import_module
from itertools import islice
from pathlib import Path

import jinja2

from repro import jsonl, methods
from repro.analysis import html_pages, names
from repro.benchmarks import declared

PROBLEMS = 3  # of each benchmark, the first ones
LONG = 3000  # characters of a response, from which the page folds it and the table cuts it
_STYLE = """<style>
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0; padding: .5rem .7rem;
  font: .85em/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  border: 1px solid var(--grid); border-radius: 5px; }
summary { cursor: pointer; margin-top: .5rem; }
</style>"""
_ABOUT = (
    f"The first {PROBLEMS} problems of each benchmark, as they were asked; of each the first right "
    "and the first wrong response, where there are such. Long responses are folded."
)


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


@dataclass(frozen=True)
class Problem:
    """A problem as it was asked, its answer ("" for programs), all responses by sample."""

    number: int  # from 0
    prompt: str
    answer: str
    responses: list[Response]


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


def page(found: dict[str, list[Problem]], run: dict, note: str) -> str:
    """Return responses to read as self-contained HTML: of each problem a right and a wrong one.

    Args:
        found: as `read` returns it.
        run: the run's settings: backbone, method and seed.
        note: a sentence that stands at the top.
    """
    parts = [_STYLE, html_pages.small(_ABOUT)]
    for benchmark, problems in found.items():
        parts.append(f"<h2>{escape(names.BENCHMARKS.get(benchmark, benchmark))}</h2>")
        parts += map(_shown, problems) if problems else [html_pages.small("Not scored.")]
    title = f"{run['backbone']}, {methods.label(run['method'])}, seed {run['seed']}: responses"
    return html_pages.page(title, note, "\n".join(parts))


def table(found: dict[str, list[Problem]]) -> dict:
    """Return each problem's first response as MLflow's table, for several runs side by side."""
    rows = [
        [
            f"{names.BENCHMARKS.get(benchmark, benchmark)}, problem {problem.number}",
            f"{first.verdict}, {_length(first)}\n\n{first.text[:LONG]}",
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


def _shown(problem: Problem) -> str:
    right = sum(response.right for response in problem.responses)
    parts = [
        f"<h3>Problem {problem.number}: {right} of {len(problem.responses)} right</h3>",
        f"<pre>{escape(problem.prompt)}</pre>",
    ]
    if problem.answer:
        parts.append(f"<p>Right answer: <code>{escape(problem.answer)}</code></p>")
    for wanted in (True, False):
        for response in [one for one in problem.responses if one.right is wanted][:1]:
            kind = "supported" if response.right else "not-supported"
            parts.append(
                f"<details{' open' * (len(response.text) < LONG)}><summary>"
                f'<span class="verdict {kind}">{response.verdict}</span>: '
                f"sample {response.sample}, {_length(response)}</summary>\n"
                f"<pre>{escape(response.text)}</pre></details>"
            )
    return "\n".join(parts)


def _length(response: Response) -> str:
    said = f"{response.tokens} tokens, {response.reasoning_tokens} of them reasoning"
    return said + ", cut off" * response.cut
