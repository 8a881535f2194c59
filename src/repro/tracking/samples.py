"""Responses of a run to read: of each benchmark the first problems, as a page and as a table."""

import json
from importlib import import_module
from itertools import islice
from pathlib import Path

import jinja2

from repro import methods
from repro.benchmarks import declared
from repro.config.resolved import RunSettings
from repro.files import jsonl
from repro.report import html_pages

PROBLEMS = 3  # of each benchmark, the first ones
LONG = 3000  # characters of a response, from which the page folds it and the table cuts it


def write(
    run_dir: Path, data: str | Path, benchmarks: list[str], run: RunSettings, note: str
) -> dict[str, str]:
    """Return samples.html and samples.json; errors are those of `jsonl` and name the file.

    The page has the first right and the first wrong response to each problem, the table the first
    one: MLflow shows it side by side for several runs.
    """
    found, rows = {}, []
    for benchmark in benchmarks:
        title = declared.benchmarks()[benchmark].title
        found[title] = _read(run_dir, Path(data), benchmark)
        for problem in found[title]:
            first, name = problem["responses"][0], f"{title}, problem {problem['number']}"
            response = f"{first['verdict']}, {first['length']}\n\n{first['text'][:LONG]}"
            rows.append([name, response, problem["prompt"], problem["answer"]])
    table = {"columns": ["problem", "response", "prompt", "answer"], "data": rows}
    title = f"{run.backbone}, {methods.label(run.method)}, seed {run.seed}: responses"
    page = html_pages.render("samples.html", title, note, found=found, limit=PROBLEMS, long=LONG)
    return {"samples.html": page, "samples.json": json.dumps(table, ensure_ascii=False)}


def _read(run_dir: Path, data: Path, name: str) -> list[dict]:
    scores = jsonl.read_json(run_dir / f"scores/{name}.json")["problems"]
    correct = {row["doc_id"]: row["correct"] for row in scores if row["doc_id"] < PROBLEMS}
    rows = sorted(jsonl.read(run_dir / f"generations/{name}.jsonl"), key=lambda r: r["sample"])
    docs = [doc for _, doc in islice(jsonl.rows(data / f"{name}.jsonl"), PROBLEMS)]
    problems = []
    for number, verdicts in sorted(correct.items()):
        of_problem = [row for row in rows if row["doc_id"] == number]
        prompt, answer = of_problem[0]["prompt"].strip(), gold(name, docs[number])
        problem = {"number": number, "prompt": prompt, "answer": answer, "responses": []}
        for row, right in zip(of_problem, verdicts, strict=True):
            length = f"{row['n_tokens']} tokens, {row['n_reasoning_tokens']} of them reasoning"
            length += ", cut off" * (row["finish_reason"] == "length")
            verdict, text = "right" if right else "wrong", row["text"].strip()
            response = {"sample": row["sample"], "verdict": verdict, "length": length, "text": text}
            problem["responses"].append(response)
        problems.append(problem)
    return problems


def gold(benchmark: str, doc: dict) -> str:
    """Return the answer that the task file names, "" for programs, without importing lm-eval."""
    target = declared.benchmarks()[benchmark].target
    if isinstance(target, declared.Function):
        module, name = target.rsplit(".", 1)
        return str(getattr(import_module(f"repro.benchmarks.{module}"), name)(doc))
    return str(doc[target]) if target in doc else jinja2.Template(target).render(doc)
