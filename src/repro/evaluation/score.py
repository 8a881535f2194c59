"""Judge a generations file: no model, no GPU, repeatable at any time."""

import json
import re
import string
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from lm_eval.api.task import ConfigurableTask
from lm_eval.evaluator import evaluate

from repro import sandbox
from repro.benchmarks import declared
from repro.config.resolved import ScoreSettings
from repro.evaluation import generations, tasks
from repro.files import jsonl
from repro.measure.behaviours import BEHAVIOURS, count
from repro.measure.intervals import MATH_VERIFY, summary
from repro.verify import maths, programs, thinking
from repro.verify.choice import chosen_letter

PROGRAMS = {"mbpp": programs.verify_mbpp, "lcb": programs.verify_lcb}  # verifiers that run programs
METRICS = [{"metric": "problems", "aggregation": list, "higher_is_better": False}]

# (doc, gold answer, responses) -> lists over these by the name they have in a score file: verdicts,
# and `answer`, which is the same for equal ones and None without one
Judge = Callable[[dict, str, list[str]], dict[str, list]]


def score_file(
    benchmark: str,
    generations_file: str | Path,
    data_file: str | Path,
    output_file: str | Path,
    settings: ScoreSettings,
    threads: int = 1,
) -> list[str]:
    """Score one generations file with lm-eval; return what is wrong with it, a message each.

    Args:
        benchmark: its name.
        generations_file: see ``generations``; a line that cannot be scored costs no other.
        data_file: the problems it answers; ``doc_id`` is the position in this file.
        output_file: JSON. ``aggregates``: what ``measure.intervals.summary`` gives. ``problems``:
            one entry per doc_id, its lists over samples; `length` is in generated tokens, `tokens`
            of the thought; of mathematics also the verdicts of plain math-verify, the scorer of the
            paper's authors. Where programs cannot be run safely ``not_scored`` says why, and both
            are empty.
        settings: how it is scored.
        threads: programs, or comparisons of answers, at a time.

    ValueError: an unknown benchmark, a bad data file, or a generations file without any row that
    fits, with other problems or choices, or that does not tell whether its model thinks.
    """
    n_docs = len(declared.read_rows(data_file, benchmark))
    rows, left_out = generations.read(generations_file, benchmark, n_docs, settings.samples)
    repeats = settings.samples or max(map(len, rows.values()))
    every = [row for of_problem in rows.values() for row in of_problem]
    try:
        taken = thinking.resolve(every, settings.thinking)
    except ValueError as error:
        raise ValueError(f"{generations_file}: {error}") from None
    if settings.thinking == thinking.AUTO:
        shown = f"thinking {taken}, as its {len(every)} responses show"
        print(f"{generations_file}: {shown}", file=sys.stderr)

    def process_results(doc: dict, results: list[list[str]]) -> dict:
        of_problem = [row for row in map(json.loads, results[0]) if row is not None]
        _check_prompts(generations_file, of_problem, task, doc)
        closed = [thinking.as_closed(row["text"], taken) for row in of_problem]
        judged = judge(doc, str(task.doc_to_target(doc)), closed).items()
        has_tags = taken == thinking.REQUIRED
        behaviours = [count(thinking.find_thought(row["text"], has_tags)) for row in of_problem]
        found = {
            "doc_id": of_problem[0]["doc_id"],
            **{name: [int(x) if isinstance(x, bool) else x for x in of] for name, of in judged},
            "length": [row["n_tokens"] for row in of_problem],
            "tokens": [row["n_reasoning_tokens"] for row in of_problem],
            "truncated": [int(row["finish_reason"] == "length") for row in of_problem],
            **{name: [getattr(one, name) for one in behaviours] for name in BEHAVIOURS},
        }
        return {"problems": found}

    scoring = {"process_results": process_results, "metric_list": METRICS}
    task = tasks.load(benchmark, data_file, repeats, settings.protocol, **scoring)
    counts = [(doc, len(rows.get(doc, ()))) for doc in range(n_docs)]
    missing = [f"doc {doc} has {count} of {repeats}" for doc, count in counts if count < repeats]
    scores = {"benchmark": benchmark, "samples": repeats, "n_problems": n_docs}
    scores |= {"left_out": left_out, "missing": len(missing), "thinking": taken}
    scores |= {"sandbox": None, "not_scored": None, "aggregates": {}, "problems": []}
    try:
        judge, scores["sandbox"] = _judge(benchmark, settings, threads)
    except sandbox.SandboxUnavailable as error:
        scores["not_scored"] = str(error)
    else:
        chosen = {"samples": {benchmark: list(rows)}, "log_samples": False}
        outcome = evaluate(Replay(rows), {"tasks": {benchmark: task}}, **chosen)
        scores["problems"] = outcome["results"][benchmark]["problems,all"]
        scores["aggregates"] = summary(scores["problems"])
    jsonl.write_json(output_file, scores)
    wrong = [f"{generations_file}, {message}; left out" for message in left_out]
    if settings.samples is not None and missing:
        lack = f"{len(missing)} of {n_docs} problems lack responses: {missing[0]}"
        wrong.append(f"{generations_file}: {lack}{', ...' * (len(missing) > 1)}")
    return wrong


class Replay(LM):
    """A file in the place of a model: JSON of rows, so that token counts travel with the text."""

    loglikelihood = loglikelihood_rolling = None  # which a file of texts does not have

    def __init__(self, rows: dict[int, list[dict]]):
        super().__init__()
        # lm-eval counts the documents that `samples=` selects from 0, in the order of the file.
        self.rows = [iter(rows[doc]) for doc in sorted(rows)]

    def generate_until(self, requests: list[Instance]) -> list[str]:
        """Return the rows; the n-th request for a doc gets its n-th one, `null` without one."""
        return [json.dumps(next(self.rows[request.doc_id], None)) for request in requests]


def _judge(benchmark: str, settings: ScoreSettings, threads: int) -> tuple[Judge, str | None]:
    stated = declared.benchmarks(settings.protocol)[benchmark]
    verifier, asked = stated.verifier, stated.asked
    if verifier == "math":
        return lambda doc, gold, texts: {
            "correct": maths.verify(texts, [gold] * len(texts), workers=threads),
            MATH_VERIFY: maths.verify_plain(texts, [gold] * len(texts), workers=threads),
            "answer": maths.first_equal(texts, workers=threads),
        }, None
    if verifier == "choice":
        return lambda doc, gold, texts: {
            "correct": [chosen_letter(text) == gold for text in texts],
            "answer": list(map(chosen_letter, texts)),
        }, None
    run_program, passes = sandbox.runner(settings.sandbox), PROGRAMS[verifier]
    cpu_s = settings.code_timeout_s or (asked.timeout_s if asked else declared.TIMEOUT_S)
    limits = sandbox.Limits(cpu_s=cpu_s, wall_s=3 * cpu_s)

    def judge(doc: dict, gold: str, responses: list[str]) -> dict[str, list]:
        # A program that several responses to a problem give is run once.
        blocks = [programs.fenced_blocks(text) for text in responses]
        first = dict(zip(reversed(blocks), reversed(responses), strict=True))
        with ThreadPoolExecutor(threads) as pool:
            verdicts = pool.map(lambda text: passes(text, doc, run_program, limits), first.values())
            verdict = dict(zip(first, verdicts, strict=True))
        answer = [n if program else None for n, program in enumerate(blocks)]  # none are compared
        return {"correct": [verdict[program] for program in blocks], "answer": answer}

    return judge, sandbox.describe(settings.sandbox)


def _check_prompts(file: str | Path, rows: list[dict], task: ConfigurableTask, doc: dict) -> None:
    """Refuse responses to other problems, or to choices in another order, blanks aside."""
    question = _bare(doc[task.config.metadata["question"]])
    texts = task.doc_to_choice(doc) if task.config.doc_to_choice is not None else []
    choices = list(zip(string.ascii_uppercase, texts, strict=False))
    lettered = (rf"{letter}[^\w]{{1,4}}{re.escape(_bare(text))}" for letter, text in choices)
    in_order = re.compile(r"[^\w]{0,9}".join(lettered))
    for row in rows:
        where = f"{file}: the prompt of doc {row['doc_id']}, sample {row['sample']}"
        prompt = _bare(row["prompt"])
        if prompt and question not in prompt:
            raise ValueError(f"{where} does not contain that problem; it was made from other data")
        if prompt and not in_order.search(prompt):
            shown = ", ".join(f"{letter}: {text:.20}" for letter, text in choices)
            raise ValueError(
                f"{where} shows other choices, or in another order, than the data ({shown})"
            )


def _bare(text: str) -> str:
    return "".join(text.split())
