r"""Mathematical answers: the last balanced ``\boxed{}`` after the thought against the gold answer.

sympy and math-verify decide, in worker processes: they hang on answers such as
``\boxed{9^{9^{9^9}}}``, and only a killed process is certain to stop.
"""

import json
import os
import select
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import compress
from pathlib import Path

from repro.verify.answers import converted, decide, last_box, read, split_thought

CPU_LIMIT_S = 5.0  # a comparison: the worker kills itself; what it was asked counts as wrong
WALL_LIMIT_S = 60.0  # backstop against a worker that sleeps or swaps; also covers its start
WORKERS = 4  # at most, unless a caller asks for more: each holds 100 MB
MAX_ANSWER_CHARS = 2000  # a longer box is a derivation, not an answer

_idle: list[subprocess.Popen] = []  # workers that wait for a question
os.register_at_fork(after_in_child=_idle.clear)  # two processes must not share their pipes


def verify(responses: list[str], answers: list[str], *, workers: int | None = None) -> list[bool]:
    """Decide for each response whether its final answer equals the gold answer.

    Safe to call from any thread. What the text does not settle (`answers.decide`) goes to workers.

    Args:
        responses: decoded completions, thought included; an unclosed thought is unanswered.
        answers: gold answers (LaTeX, without a box), one per response.
        workers: processes at work at once; None: one for each core this process may use, at most 4.

    ValueError: the two lists differ in length, or ``workers`` is below 1.
    """
    pairs = []
    for gold, text in _texts(responses, answers):
        box = last_box(text) or ""
        pairs.append((read(gold), read(box if len(box) <= MAX_ANSWER_CHARS else "")))
    verdicts = {pair: decide(*pair) for pair in pairs}
    undecided = [pair for pair, verdict in verdicts.items() if verdict is None]
    questions = [("strict", gold.value, converted(gold, ours)) for gold, ours in undecided]
    verdicts.update(zip(undecided, _ask(questions, workers), strict=True))
    return [bool(verdicts[pair]) for pair in pairs]


def first_equal(responses: list[str], *, workers: int | None = None) -> list[int | None]:
    """Return for each response to a problem the first one with an equal answer; None has no answer.

    An answer that equals none before it takes the gold answer's place for those behind it.
    """
    found: list[int | None] = [None] * len(responses)
    for first, text in enumerate(responses):
        box = last_box(split_thought(text)[1] or "") or ""
        if found[first] is None and 0 < len(box.strip()) <= MAX_ANSWER_CHARS:
            found[first] = first
            rest = [n for n in range(first + 1, len(responses)) if found[n] is None]
            texts = [responses[n] for n in rest]
            equal = verify(texts, [box] * len(rest), workers=workers)
            for n in compress(rest, equal):
                found[n] = first
    return found


def verify_plain(
    responses: list[str], answers: list[str], *, workers: int | None = None
) -> list[bool]:
    """Decide by math-verify alone, called as the paper's authors call it; otherwise as `verify`.

    That is OpenCompass's MATHVerifyEvaluator; it rounds decimals to six places, for example.
    """
    questions = [("plain", *pair) for pair in _texts(responses, answers)]
    distinct = list(dict.fromkeys(question for question in questions if question[2]))
    verdicts = dict(zip(distinct, _ask(distinct, workers), strict=True))
    return [verdicts.get(question, False) for question in questions]


def correctness(responses: list[str], answers: list[str]) -> list[float]:
    """Return the outcome reward of RL training: 1.0 for each response that `verify` accepts."""
    return [float(correct) for correct in verify(responses, answers)]


def _texts(responses: list[str], answers: list[str]) -> list[tuple[str, str]]:
    """Return each gold answer with the text after the thought, "" where that never ended."""
    if len(responses) != len(answers):
        raise ValueError(f"responses: got {len(responses)} for {len(answers)} answers")
    texts = [split_thought(response)[1] or "" for response in responses]
    return list(zip(answers, texts, strict=True))


def _ask(questions: list[tuple[str, str, str]], workers: int | None) -> list[bool]:
    if workers is None:
        workers = min(WORKERS, len(os.sched_getaffinity(0)))
    if workers < 1:
        raise ValueError(f"workers: got {workers}, allowed are 1 and more")
    with ThreadPoolExecutor(workers) as threads:
        return list(threads.map(lambda question: _compare(*question), questions))


@lru_cache(maxsize=100_000)
def _compare(question: str, gold: str, prediction: str) -> bool:
    worker = _take_worker()
    try:
        line = json.dumps([question, gold, prediction]).encode() + b"\n"
        while line:  # a pipe takes a long response in parts
            line = line[worker.stdin.write(line) :]
        line = _read_line(worker)
    except BrokenPipeError:
        line = b""
    if line:
        _idle.append(worker)
    else:  # killed by its CPU limit, out of memory, or silent beyond the wall limit
        _stop(worker)
    return line == b"true\n"


def _take_worker() -> subprocess.Popen:
    """Return an idle worker, or a new one; those that died between questions are passed over."""
    while _idle:
        worker = _idle.pop()
        if worker.poll() is None:
            return worker
        _stop(worker)
    # A new interpreter, not multiprocessing: neither a fork of a process that holds a model nor a
    # second run of the caller's main module.
    source = str(Path(__file__).parents[2])
    path = os.pathsep.join([source, *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-P", "-m", "repro.verify.math_worker", str(CPU_LIMIT_S)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
    worker = subprocess.Popen(command, **pipes, env={**os.environ, "PYTHONPATH": path})
    if _read_line(worker) != b"\n":
        _stop(worker)
        raise RuntimeError(f"the math-verify worker did not start: {' '.join(command)}")
    return worker


def _read_line(worker: subprocess.Popen) -> bytes:
    readable, _, _ = select.select([worker.stdout], [], [], WALL_LIMIT_S)
    return worker.stdout.readline() if readable else b""


def _stop(worker: subprocess.Popen) -> None:
    with worker:
        worker.kill()
