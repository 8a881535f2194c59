"""The second scorer, math-verify alone, and the number of worker processes."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from repro.verify import maths
from repro.verify.maths import verify, verify_plain


@pytest.mark.parametrize(
    ("gold", "response", "strict", "plain"),
    [
        ("5", r"</think>It is \boxed{5}.", True, True),
        (r"\frac12", r"</think>\boxed{0.5}", True, True),
        ("5", r"</think>\boxed{6}", False, False),
        (r"\frac13", r"</think>\boxed{0.3333333}", False, True),  # decimals are rounded
        ("7", r"</think>First \boxed{6}, so \boxed{7}.", True, False),  # nearby boxes are a list
        (r"n \equiv 1 \pmod 3", r"</think>\boxed{n\equiv 1\pmod{3}}", True, False),  # no parse
        ("5", "</think>The answer is 5.", False, False),  # no LaTeX
        ("5", r"<think>so \boxed{5}", False, False),  # no answer after the thought
        ("5", "</think>", False, False),
    ],
)
def test_plain_math_verify_is_a_second_opinion(gold, response, strict, plain):
    assert verify([response], [gold]) == [strict]
    assert verify_plain([response], [gold]) == [plain]


def test_plain_math_verify_survives_a_hanging_answer():
    responses = [r"</think>\boxed{9^{9^{9^9}}}", r"</think>\boxed{\frac{2}{4}}", "</think>"]
    verdicts = []
    thread = threading.Thread(
        target=lambda: verdicts.extend(verify_plain(responses, ["3", "0.5", "1"]))
    )
    thread.start()
    thread.join(timeout=300)
    assert verdicts == [False, True, False]


def test_a_long_response_reaches_the_worker_whole():
    response = "</think>" + "so " * 200_000 + r"\boxed{\frac{3}{2}}"
    assert verify_plain([response], ["1.5"]) == [True]


@pytest.mark.parametrize("judge", [verify, verify_plain])
def test_lists_of_different_length_and_no_workers_are_refused(judge):
    with pytest.raises(ValueError, match="responses: got 1 for 2 answers"):
        judge(["x"], ["1", "2"])
    with pytest.raises(ValueError, match="workers: got 0, allowed are 1 and more"):
        judge([r"</think>\boxed{x}"], ["y+1"], workers=0)


@pytest.mark.parametrize(("workers", "most"), [(1, 1), (3, 3), (None, 2)])
def test_as_many_workers_as_allowed_run_at_once(monkeypatch, workers, most):
    at_work, peak, lock = 0, 0, threading.Lock()
    meeting = threading.Barrier(most)

    def compare(question, gold, prediction):
        nonlocal at_work, peak
        with lock:
            at_work += 1
            peak = max(peak, at_work)
        meeting.wait(timeout=60)  # passes only if that many are at work together
        with lock:
            at_work -= 1
        return True

    monkeypatch.setattr(maths, "_compare", compare)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    responses = [rf"</think>\boxed{{x+{index}y}}" for index in range(6)]
    assert verify(responses, ["y"] * 6, workers=workers) == [True] * 6
    assert peak == most


def test_workers_are_asked_again_and_end_with_the_caller():
    code = (
        "from repro.verify import maths\n"
        "for answer in ('x+1', 'x+2', 'x+3'): maths.verify(['</think>\\\\boxed{1+x}'], [answer])\n"
        "print(*[worker.pid for worker in maths._idle])"
    )
    pids = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    (pid,) = pids.split()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
