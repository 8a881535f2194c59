r"""Mathematical answers: the last balanced ``\boxed{}`` after the thought against the gold answer.

sympy and math-verify decide, in worker processes of our own: they hang on answers such as
``\boxed{9^{9^{9^9}}}`` and only a killed process is certain to stop.
"""

import atexit
import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path

from repro.verify.answers import Answer, converted, decide, last_box, read, split_thought

CPU_LIMIT_S = 5.0  # a comparison: the worker kills itself; what it was asked counts as wrong
WALL_LIMIT_S = 60.0  # backstop against a worker that sleeps or swaps; also covers its start
WORKERS = 4  # at most, unless a caller asks for more: each holds 100 MB
MAX_ANSWER_CHARS = 2000  # a longer box is a derivation, not an answer


def verify(responses: list[str], answers: list[str], *, workers: int | None = None) -> list[bool]:
    """Decide for each response whether its final answer equals the gold answer.

    Safe to call from any thread. What the text settles is decided here (`answers.decide`); all
    other pairs go to the workers, each distinct pair once.

    Args:
        responses: decoded completions, thought included; an unclosed thought is unanswered.
        answers: gold answers (LaTeX, without a box), one per response.
        workers: processes at work at once; None: one for each core this process may use, at most 4.

    Raises:
        ValueError: the two lists differ in length, or ``workers`` is below 1.
    """
    _check_length(responses, answers)
    pairs = [(read(gold), _prediction(text)) for text, gold in zip(responses, answers, strict=True)]
    verdicts = {pair: decide(*pair) for pair in pairs}
    open_pairs = [pair for pair, verdict in verdicts.items() if verdict is None]
    questions = [("strict", gold.value, converted(gold, ours)) for gold, ours in open_pairs]
    verdicts.update(zip(open_pairs, _ask(questions, workers), strict=True))
    return [bool(verdicts[pair]) for pair in pairs]


def verify_plain(
    responses: list[str], answers: list[str], *, workers: int | None = None
) -> list[bool]:
    """Decide as `verify` does, but by math-verify alone, called as the paper's authors call it.

    That is OpenCompass's MATHVerifyEvaluator; it rounds decimals to six places, for example.
    ``math_worker.compare_plain`` has its settings; arguments and errors are those of `verify`.
    """
    _check_length(responses, answers)
    texts = [split_thought(response)[1] for response in responses]
    questions = [("plain", gold, text) for text, gold in zip(texts, answers, strict=True) if text]
    distinct = list(dict.fromkeys(questions))
    verdicts = dict(zip(distinct, _ask(distinct, workers), strict=True))
    return [
        verdicts.get(("plain", gold, text), False)
        for text, gold in zip(texts, answers, strict=True)
    ]


def _check_length(responses: list[str], answers: list[str]) -> None:
    if len(responses) != len(answers):
        raise ValueError(f"responses: got {len(responses)} for {len(answers)} answers")


def _prediction(response: str) -> Answer:
    answer = split_thought(response)[1]
    box = None if answer is None else last_box(answer)
    return read(box if box is not None and len(box) <= MAX_ANSWER_CHARS else "")


def _ask(questions: list[tuple[str, str, str]], workers: int | None) -> list[bool]:
    """Return the verdict on each (question, gold answer, prediction)."""
    if workers is None:
        workers = min(WORKERS, len(os.sched_getaffinity(0)))
    if workers < 1:
        raise ValueError(f"workers: got {workers}, allowed are 1 and more")
    if len(questions) < 2:
        return [_compare(*question, workers) for question in questions]
    with ThreadPoolExecutor(workers) as threads:
        return list(threads.map(lambda question: _compare(*question, workers), questions))


@lru_cache(maxsize=100_000)
def _compare(question: str, gold: str, prediction: str, workers: int) -> bool:
    with _pool(os.getpid()).worker(workers) as worker:
        return worker.compare(question, gold, prediction)


@cache
def _pool(pid: int) -> "_Pool":
    """Return this process's workers: after a fork the parent's pipes must not be shared."""
    return _Pool()


class _Pool:
    """Worker processes, started when needed and kept for the next question."""

    def __init__(self) -> None:
        self.queue: list[_Worker] = []  # idle ones
        self.busy = 0
        self.changed = threading.Condition()
        atexit.register(lambda: [worker.stop() for worker in self.queue])

    @contextmanager
    def worker(self, limit: int) -> Iterator["_Worker"]:
        """Lend a worker; wait while ``limit`` are at work, and end idle ones beyond it."""
        with self.changed:
            self.changed.wait_for(lambda: self.busy < limit)
            self.busy += 1
            worker = self.queue.pop() if self.queue else _Worker()
            while self.queue and self.busy + len(self.queue) > limit:
                self.queue.pop(0).stop()
        try:
            yield worker
        finally:
            with self.changed:
                self.busy -= 1
                self.queue.append(worker)
                self.changed.notify_all()


class _Worker:
    """One math-verify process: started when first needed, replaced after a kill."""

    def __init__(self) -> None:
        self.process: subprocess.Popen | None = None

    def compare(self, question: str, gold: str, prediction: str) -> bool:
        if self.process is not None and self.process.poll() is not None:
            self.stop()  # it died between questions: not this answer's fault
        if self.process is None:
            self._start()
        try:
            line = json.dumps([question, gold, prediction]).encode() + b"\n"
            while line:  # a pipe takes a long response in parts
                line = line[self.process.stdin.write(line) :]
            line = self._read_line()
        except BrokenPipeError:
            line = b""
        if not line:  # killed by its CPU limit, out of memory, or silent beyond the wall limit
            self.stop()
        return line == b"true\n"

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None

    def _start(self) -> None:
        # A new interpreter, not multiprocessing: neither a fork of a process that holds a model nor
        # a second run of the caller's main module. -P: no folder on the path but those named, lest
        # this folder's math.py shadow the standard library's.
        source = str(Path(__file__).parents[2])
        path = os.pathsep.join([source, *filter(None, [os.environ.get("PYTHONPATH")])])
        command = [sys.executable, "-P", "-m", "repro.verify.math_worker", str(CPU_LIMIT_S)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": path},
        )
        if self._read_line() != b"\n":
            self.stop()
            raise RuntimeError(f"the math-verify worker did not start: {' '.join(command)}")

    def _read_line(self) -> bytes:
        readable, _, _ = select.select([self.process.stdout], [], [], WALL_LIMIT_S)
        return self.process.stdout.readline() if readable else b""
