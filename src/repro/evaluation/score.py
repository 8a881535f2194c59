"""Judge a generations file: no model, no GPU, repeatable at any time."""

import json
import os
import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lm_eval.evaluator import evaluate

from repro import jsonl
from repro.analysis.behaviours import count
from repro.analysis.collect import BEHAVIOURS
from repro.analysis.statistics import summary
from repro.evaluation import generations, tasks
from repro.evaluation.replay import Replay
from repro.verify import choice, code, math, sandbox
from repro.verify.answers import split_thought
from repro.verify.subprocess_runner import Limits

PROGRAMS = {"mbpp": code.verify_mbpp, "lcb": code.verify_lcb}  # verifiers that run programs

# (doc, gold answer, responses) -> verdicts
Judge = Callable[[dict, str, list[str]], list[bool]]


def run(
    benchmark: str,
    generations_file: str | Path,
    data_file: str | Path,
    output_file: str | Path,
    *,
    samples: int | None = None,
    sandbox_name: str = "auto",
    timeout_s: float = 6.0,
) -> list[str]:
    """Score one generations file with lm-eval and write the result as JSON, whole or not at all.

    A line that cannot be scored costs no other: the rest is scored and written, and the line is
    named in what is returned and under ``left_out``. The generations are only read.

    Args:
        benchmark: a name of ``tasks.BENCHMARKS``.
        generations_file: see ``repro.evaluation.generations``; rows in any order.
        data_file: the problems it answers; ``doc_id`` is the position in this file.
        output_file: ``aggregates``: value, standard error and 95 % interval of each statistic of
            ``statistics.summary``, over problems, rates in [0, 1]. ``problems``: one entry per
            doc_id, its lists over samples. Where programs cannot be run safely (see
            ``repro.verify.sandbox``) ``not_scored`` says why, and both are empty.
        samples: responses that every problem must have; None takes what is there.
        sandbox_name: how programs are run, a name of ``sandbox.SANDBOXES``.
        timeout_s: CPU time of one program on one test; wall time is three times as long, so that a
            busy machine fails no right program.

    Returns:
        What is wrong with the file, a message each: nothing where all of it was scored.

    Raises:
        ValueError: an unknown benchmark or sandbox, a bad data file, or a generations file without
            any row that fits; nothing is written then.
    """
    n_docs = len(tasks.load(benchmark, data_file, 1).eval_docs)
    rows = generations.read(generations_file, benchmark, n_docs, samples)
    repeats = samples or rows.most_samples

    def process_results(doc: dict, results: list[list[str]]) -> dict:
        of_problem = [row for row in map(json.loads, results[0]) if row is not None]
        _check_prompts(generations_file, of_problem, tasks.question(task, doc))
        return _score_problem(of_problem, task.doc_to_target(doc), doc, judge)

    task = tasks.load(
        benchmark, data_file, repeats, process_results=process_results, metrics=_METRICS
    )
    missing = rows.missing(n_docs, repeats)
    scores = {
        "benchmark": benchmark,
        "samples": repeats,
        "n_problems": n_docs,
        "left_out": rows.left_out,
        "missing": len(missing),
        "sandbox": None,
        "not_scored": None,
        "aggregates": {},
        "problems": [],
    }
    try:
        judge, scores["sandbox"] = _judge(tasks.verifier(task), sandbox_name, timeout_s)
    except sandbox.SandboxUnavailable as error:
        scores["not_scored"] = str(error)
    else:
        outcome = evaluate(
            Replay(rows),
            {"tasks": {benchmark: task}},
            samples={benchmark: list(rows.rows)},
            log_samples=False,
        )
        scores["problems"] = outcome["results"][benchmark]["problems,all"]
        scores["aggregates"] = summary(scores["problems"])
    jsonl.write_json(output_file, scores)
    wrong = [f"{generations_file}, {message}; left out" for message in rows.left_out]
    if samples is not None and missing:
        wrong.append(
            f"{generations_file}: {len(missing)} of {n_docs} problems lack responses: {missing[0]}"
            + ", ..." * (len(missing) > 1)
        )
    return wrong


def _judge(verifier: str, sandbox_name: str, timeout_s: float) -> tuple[Judge, str | None]:
    """Return what judges the responses to one problem, and the sandbox it uses."""
    if verifier == "math":
        return lambda doc, gold, responses: math.verify(responses, [gold] * len(responses)), None
    if verifier == "choice":
        return lambda doc, gold, texts: [choice.verify(text, gold) for text in texts], None
    run_program, limits = (
        sandbox.runner(sandbox_name),
        Limits(cpu_s=timeout_s, wall_s=3 * timeout_s),
    )
    passes = PROGRAMS[verifier]

    def judge(doc: dict, gold: str, responses: list[str]) -> list[bool]:
        # A program that several responses to a problem give is run once.
        programs = [code.fenced_blocks(text) for text in responses]
        first = dict(zip(reversed(programs), reversed(responses), strict=True))
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
            verdicts = threads.map(
                lambda text: passes(text, doc, run_program, limits), first.values()
            )
            verdict = dict(zip(first, verdicts, strict=True))
        return [verdict[program] for program in programs]

    return judge, sandbox.describe(sandbox_name)


def _check_prompts(file: str | Path, rows: list[dict], question: str) -> None:
    """Refuse responses to other problems; the chat template around the problem does not matter."""
    wanted = "".join(question.split())
    for row in rows:
        if wanted not in "".join(row.get("prompt", question).split()):
            raise ValueError(
                f"{file}: the prompt of doc {row['doc_id']}, sample {row['sample']} does not "
                "contain that problem; it was made from other data"
            )


def _score_problem(rows: list[dict], gold: str, doc: dict, judge: Judge) -> dict:
    """Return lm-eval's metrics of one problem; ``rows`` are its samples."""
    texts = [row["text"] for row in rows]
    correct = judge(doc, gold, texts)
    behaviours = [count(split_thought(text)[0]) for text in texts]
    return {
        "accuracy": statistics.fmean(correct),
        "problems": {
            "doc_id": rows[0]["doc_id"],
            "correct": [int(verdict) for verdict in correct],
            "tokens": [row.get("n_reasoning_tokens") for row in rows],
            "truncated": [int(row["finish_reason"] == "length") for row in rows],
            **{name: [getattr(found, name) for found in behaviours] for name in BEHAVIOURS},
        },
    }


_METRICS = [
    {"metric": "accuracy", "aggregation": "mean", "higher_is_better": True},
    {"metric": "problems", "aggregation": list, "higher_is_better": False},
]
