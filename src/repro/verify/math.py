r"""Mathematical answers: the last balanced ``\boxed{}`` after the thought against the gold answer.

math-verify decides, in worker processes of our own: sympy hangs on answers such as
``\boxed{9^{9^{9^9}}}`` and only a killed process is certain to stop.
"""

import atexit
import json
import os
import queue
import select
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from pathlib import Path

from repro.verify.answers import Answer, decide, last_box, read, split_thought

CPU_LIMIT_S = 5.0  # a comparison: the worker kills itself; what it was asked counts as wrong
WALL_LIMIT_S = 60.0  # backstop against a worker that sleeps or swaps; also covers its start
WORKERS = min(4, len(os.sched_getaffinity(0)))
MAX_ANSWER_CHARS = 2000  # a longer box is a derivation, not an answer


def verify_plain(responses, answers, workers=None):
    return verify(responses, answers)


def verify(responses: list[str], answers: list[str], workers=None) -> list[bool]:
    """Decide for each response whether its final answer equals the gold answer.

    Safe to call from any thread. What the text settles is decided here (`answers.decide`); all
    other pairs go to math-verify, each distinct pair once.

    Args:
        responses: decoded completions, thought included; an unclosed thought is unanswered.
        answers: gold answers (LaTeX, without a box), one per response.

    Raises:
        ValueError: the two lists differ in length.
    """
    if len(responses) != len(answers):
        raise ValueError(f"responses: got {len(responses)} for {len(answers)} answers")
    pairs = [(read(gold), _prediction(text)) for text, gold in zip(responses, answers, strict=True)]
    verdicts = {pair: decide(*pair) for pair in pairs}
    open_pairs = [pair for pair, verdict in verdicts.items() if verdict is None]
    if len(open_pairs) == 1:
        verdicts[open_pairs[0]] = _compare(*open_pairs[0])
    elif open_pairs:
        with ThreadPoolExecutor(WORKERS) as threads:
            decided = threads.map(lambda pair: _compare(*pair), open_pairs)
            verdicts.update(zip(open_pairs, decided, strict=True))
    return [bool(verdicts[pair]) for pair in pairs]


def _prediction(response: str) -> Answer:
    answer = split_thought(response)[1]
    box = None if answer is None else last_box(answer)
    return read(box if box is not None and len(box) <= MAX_ANSWER_CHARS else "")


@lru_cache(maxsize=100_000)
def _compare(gold: Answer, prediction: Answer) -> bool:
    pool = _pool(os.getpid())
    worker = pool.get()
    try:
        return worker.compare(gold.value, prediction.value)
    finally:
        pool.put(worker)


@cache
def _pool(pid: int) -> "queue.LifoQueue[_Worker]":
    """Return this process's workers: after a fork the parent's pipes must not be shared."""
    pool: queue.LifoQueue[_Worker] = queue.LifoQueue()
    for _ in range(WORKERS):
        worker = _Worker()
        atexit.register(worker.stop)
        pool.put(worker)
    return pool


class _Worker:
    """One math-verify process: started when first needed, replaced after a kill."""

    def __init__(self) -> None:
        self.process: subprocess.Popen | None = None

    def compare(self, gold: str, prediction: str) -> bool:
        if self.process is not None and self.process.poll() is not None:
            self.stop()  # it died between questions: not this answer's fault
        if self.process is None:
            self._start()
        try:
            self.process.stdin.write(json.dumps([gold, prediction]).encode() + b"\n")
            self.process.stdin.flush()
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
        # A plain script, not multiprocessing: neither a fork of a process that holds a model nor a
        # second run of the caller's main module. -P: this folder's math.py must not shadow math.
        script = Path(__file__).with_name("math_worker.py")
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(script), str(CPU_LIMIT_S)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        if self._read_line() != b"\n":
            self.stop()
            raise RuntimeError(f"the math-verify worker did not start: {sys.executable} {script}")

    def _read_line(self) -> bytes:
        readable, _, _ = select.select([self.process.stdout], [], [], WALL_LIMIT_S)
        return self.process.stdout.readline() if readable else b""
