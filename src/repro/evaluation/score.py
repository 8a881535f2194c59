"""Judge a generations file: no model, no GPU, repeatable at any time."""

import json
import os
import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lm_eval.evaluator import evaluate

from repro.analysis.behaviours import backtracking_per_1k, count
from repro.evaluation import tasks
from repro.evaluation.replay import Replay
from repro.verify import choice, code, math
from repro.verify.answers import split_thought
from repro.verify.subprocess_runner import Limits

# (doc, gold answer, responses) -> verdicts
Judge = Callable[[dict, str, list[str]], list[bool]]


def run(
    benchmark: str,
    generations_file: str | Path,
    data_file: str | Path,
    output_file: str | Path,
    evaluation: dict,
) -> dict:
    """Score one generations file with lm-eval and write the result as JSON.

    Args:
        benchmark: a name of ``tasks.BENCHMARKS``.
        generations_file: as ``generate.run`` writes it; rows in any order.
        data_file: the problems it answers; ``doc_id`` is the position in this file.
        output_file: written whole or not at all. ``aggregates``: accuracy is avg@n in [0, 1], its
            standard error is over problems (sd / sqrt(N), null for a single problem); tokens are
            reasoning tokens; rates are over responses. ``problems``: one entry per doc_id, its
            lists over samples.
        evaluation: ``benchmarks[benchmark].samples``, ``code_execution``, ``code_timeout_s``.

    Returns:
        What was written.

    Raises:
        ValueError: an unknown benchmark or ``code_execution``, or a file that does not fit.
    """
    samples = evaluation["benchmarks"][benchmark]["samples"]

    def process_results(doc: dict, results: list[list[str]]) -> dict:
        return _score_problem([json.loads(response) for response in results[0]], doc, task, judge)

    task = tasks.load(benchmark, data_file, samples, process_results, _METRICS)
    judge = _judge(tasks.verifier(task), evaluation)
    replay = Replay(generations_file, benchmark, len(task.eval_docs), samples)
    outcome = evaluate(replay, {"tasks": {benchmark: task}}, log_samples=False)
    metrics = outcome["results"][benchmark]
    standard_error = metrics["accuracy_stderr,all"]
    problems = metrics["problems,all"]
    aggregates = {
        "accuracy": metrics["accuracy,all"],
        "accuracy_se": None if standard_error == "N/A" else standard_error,
        **{name: metrics[f"{name},all"] for name in list(_OVER_RESPONSES) + list(_OF_PAIRS)},
    }
    scores = {
        "benchmark": benchmark,
        "samples": samples,
        "n_problems": len(problems),
        "aggregates": aggregates,
        "problems": problems,
    }
    _write(Path(output_file), scores)
    return scores


def _judge(verifier: str, evaluation: dict) -> Judge:
    if verifier == "math":
        return lambda doc, gold, responses: math.verify(responses, [gold] * len(responses))
    if verifier == "choice":
        return lambda doc, gold, responses: [choice.verify(text, gold) for text in responses]
    run_program = code.runner(evaluation["code_execution"])
    limits = Limits(wall_s=evaluation["code_timeout_s"])
    passes = {"mbpp": code.verify_mbpp, "lcb": code.verify_lcb}[verifier]

    def judge(doc: dict, gold: str, responses: list[str]) -> list[bool]:
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            return list(threads.map(lambda text: passes(text, doc, run_program, limits), responses))

    return judge


def _score_problem(rows: list[dict], doc: dict, task, judge: Judge) -> dict:
    """Return lm-eval's metrics of one problem; ``rows`` are its samples."""
    texts = [row["text"] for row in rows]
    correct = judge(doc, task.doc_to_target(doc), texts)
    behaviours = [count(split_thought(text)[0]) for text in texts]
    tokens = [row["n_reasoning_tokens"] for row in rows]
    truncated = [int(row["finish_reason"] == "length") for row in rows]
    backtracking = [found.backtracking for found in behaviours]
    overthinking = [found.overthinking for found in behaviours]
    accuracy = statistics.fmean(correct)
    return {
        "accuracy": accuracy,
        "tokens_mean": statistics.fmean(tokens),
        "tokens_median": tokens,
        "truncation_rate": statistics.fmean(truncated),
        "backtracking_per_1k": (sum(backtracking), sum(tokens)),
        "overthinking_segments": statistics.fmean(overthinking),
        "problems": {
            "doc_id": rows[0]["doc_id"],
            "accuracy": accuracy,
            "correct": [int(verdict) for verdict in correct],
            "tokens": tokens,
            "truncated": truncated,
            "backtracking": backtracking,
            "overthinking": overthinking,
        },
    }


def _median_over_responses(tokens: list[list[int]]) -> float:
    return float(statistics.median(count for problem in tokens for count in problem))


def _per_thousand(pairs: list[tuple[int, int]]) -> float:
    return backtracking_per_1k(*(sum(column) for column in zip(*pairs, strict=True)))


# Every problem has the same number of samples: a mean over problems is the mean over responses.
_OVER_RESPONSES = {
    "tokens_mean": "mean",
    "tokens_median": _median_over_responses,
    "truncation_rate": "mean",
}
_OF_PAIRS = {"backtracking_per_1k": _per_thousand, "overthinking_segments": "mean"}
_METRICS = [
    {"metric": name, "aggregation": aggregation, "higher_is_better": name == "accuracy"}
    for name, aggregation in (
        {"accuracy": "mean"} | _OVER_RESPONSES | _OF_PAIRS | {"problems": list}
    ).items()
]


def _write(path: Path, scores: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    os.replace(part, path)
