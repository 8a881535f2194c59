"""A page of responses to read: of each benchmark a few problems, with a right and a wrong one."""

import json
from collections.abc import Sequence
from html import escape
from importlib import import_module
from itertools import islice
from pathlib import Path

import yaml

from repro import jsonl, methods
from repro.analysis import html_pages, names

PROBLEMS = 3  # of each benchmark, the first ones
LONG = 3000  # characters from which a response is folded
_TASKS = Path(__file__).parents[1] / "benchmarks"
_STYLE = """<style>
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0; padding: .5rem .7rem;
  font: .85em/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  border: 1px solid var(--grid); border-radius: 5px; }
summary { cursor: pointer; margin-top: .5rem; }
</style>"""


def page(run: dict, folder: Path, data: str | Path, benchmarks: Sequence[str], note: str) -> str:
    """Return the page of one run, as self-contained HTML.

    Args:
        run: the run's settings: backbone, method and seed.
        folder: the run's, with generations/ and scores/.
        data: holds the problems, `{benchmark}.jsonl`.
        benchmarks: those to show.
        note: a sentence that stands at the top.

    Raises:
        ValueError: a score file is missing or malformed; the message names it.
        FileNotFoundError: no generations, or no problems.
    """
    parts = [_STYLE, html_pages.small(_about())]
    for benchmark in benchmarks:
        parts.append(f"<h2>{escape(names.BENCHMARKS.get(benchmark, benchmark))}</h2>")
        scores = jsonl.read_json(folder / "scores" / f"{benchmark}.json")
        if scores["not_scored"]:
            parts.append(html_pages.small(f"Not scored: {scores['not_scored']}"))
            continue
        problems = {row["doc_id"]: row for row in scores["problems"] if row["doc_id"] < PROBLEMS}
        responses = _responses(folder / "generations" / f"{benchmark}.jsonl", problems)
        for doc_id, doc in enumerate(_first(Path(data) / f"{benchmark}.jsonl")):
            if doc_id in problems:
                parts.append(
                    _problem(problems[doc_id], responses[doc_id], gold(benchmark, doc))
                )
    title = f"{run['backbone']}, {methods.label(run['method'])}, seed {run['seed']}: responses"
    return html_pages.page(title, note, "\n".join(filter(None, parts)))


def gold(benchmark: str, doc: dict) -> str:
    """Return the right answer to a problem, as the task file tells; "" for programs.

    lm-eval would tell it too, but takes seconds to import.
    """
    text = (_TASKS / f"{benchmark}.yaml").read_text(encoding="utf-8")
    target = yaml.load(text, _TaskFile)["doc_to_target"]
    return str(doc[target] if isinstance(target, str) else target(doc))


class _TaskFile(yaml.SafeLoader):
    """A task file of lm-eval: `!function prompts.math` names a function of a module beside it."""


def _function(_: yaml.Loader, node: yaml.Node):
    module, name = node.value.rsplit(".", 1)
    return getattr(import_module(f"repro.benchmarks.{module}"), name)


_TaskFile.add_constructor("!function", _function)


def _about() -> str:
    return (
        f"The first {PROBLEMS} problems of each benchmark, as they were asked; of each the first "
        "right and the first wrong response, where there are such. Long responses are folded."
    )


def _first(file: Path) -> list[dict]:
    """Return the first problems; a file of LiveCodeBench may have a gigabyte."""
    with open(file, encoding="utf-8") as lines:
        return [json.loads(line) for line in islice(filter(str.strip, lines), PROBLEMS)]


def _responses(file: Path, problems: dict[int, dict]) -> dict[int, list[dict]]:
    """Return the responses to some problems, by doc_id, each list in the order of the scores."""
    wanted = sum(len(problem["correct"]) for problem in problems.values())
    found = {doc_id: [] for doc_id in problems}
    with open(file, encoding="utf-8") as lines:
        for row in map(json.loads, filter(str.strip, lines)):
            if wanted and row["doc_id"] in found:
                found[row["doc_id"]].append(row)
                wanted -= 1
    for rows in found.values():
        rows.sort(key=lambda row: row["sample"])
    return found


def _problem(scores: dict, responses: list[dict], answer: str) -> str:
    correct = scores["correct"]
    shown = [correct.index(verdict) for verdict in (1, 0) if verdict in correct]
    parts = [f"<h3>Problem {scores['doc_id']}: {sum(correct)} of {len(correct)} right</h3>"]
    parts.append(f"<pre>{escape(responses[0]['prompt'].strip())}</pre>")
    if answer:
        parts.append(f"<p>Right answer: <code>{escape(answer)}</code></p>")
    for index in shown:
        row, verdict = responses[index], "right" if correct[index] else "wrong"
        kind = "supported" if correct[index] else "not-supported"
        said = f"sample {row['sample']}: {row['n_reasoning_tokens']} reasoning tokens"
        said += f" of {row['n_tokens']}" + ", cut off" * (row["finish_reason"] == "length")
        parts.append(
            f"<details{' open' * (len(row['text']) < LONG)}><summary>"
            f'<span class="verdict {kind}">{verdict}</span> '
            f"{said}</summary>\n"
            f"<pre>{escape(row['text'].strip())}</pre></details>"
        )
    return "\n".join(parts)
