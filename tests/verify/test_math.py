"""Mathematical answers: the verdicts, math-verify's own, and the processes that compare."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml

from repro.verify import math_worker, maths
from repro.verify.maths import correctness, first_equal, verify, verify_plain

CASES = yaml.safe_load(Path(__file__).with_name("math_answers.yaml").read_text(encoding="utf-8"))


def boxed(prediction: str) -> str:
    return f"a thought</think>The answer is $\\boxed{{{prediction}}}$."


@pytest.mark.parametrize(
    ("verdict", "kind"), [(verdict, kind) for verdict in CASES for kind in CASES[verdict]]
)
def test_equal_answers_are_correct_and_different_ones_wrong(verdict, kind):
    pairs = [(gold, ours) for gold, *others in CASES[verdict][kind] for ours in others]
    verdicts = verify([boxed(ours) for _, ours in pairs], [gold for gold, _ in pairs])
    assert pairs
    wrong = verdict != "equal"
    assert [pair for pair, v in zip(pairs, verdicts, strict=True) if v is wrong] == []


@pytest.mark.parametrize(
    ("response", "verdict"),
    [
        (r"\boxed{7}", False),  # inside a thought that never ended
        (r"\boxed{7}</think>", False),
        (r"\boxed{8}</think>\boxed{7}", True),
        (r"</think>\boxed{7} and \boxed{8}", False),  # boxes side by side do not merge
        (r"</think>\boxed{7}. Hence 8 is wrong, \text{sic}.", True),
        (r"</think>\boxed{7} \boxed{}", False),
        (r"</think>\boxed{8 \text{ or } \boxed{7}}", True),
        (r"</think>\boxed{7", False),
        ("</think>\\boxed{" + "7" * 1900 + "}", False),
        ("</think>\\boxed{" + "0" * 5000 + "7}", False),  # a derivation, not an answer
        ("</think>The answer is 7.", False),
    ],
)
def test_only_the_last_box_after_the_thought_counts(response, verdict):
    assert verify([response], ["7"]) == [verdict]


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
        # A long response reaches the worker whole.
        ("1.5", "</think>" + "so " * 200_000 + r"\boxed{\frac{3}{2}}", True, True),
    ],
)
def test_plain_math_verify_is_a_second_opinion(gold, response, strict, plain):
    assert verify([response], [gold]) == [strict]
    assert verify_plain([response], [gold]) == [plain]


@pytest.mark.parametrize(
    ("judge", "hostile"),
    [
        *((verify, hostile) for hostile in ("9^{9^{9^9}}", "(10^9)!", "(" * 400)),
        (verify, r"\sqrt{" * 150 + "3" + "}" * 150),
        (verify_plain, "9^{9^{9^9}}"),
    ],
)
def test_hanging_answers_are_killed_and_the_workers_survive(judge, hostile):
    """Also from a thread that is not the main one, where math-verify itself cannot set an alarm."""
    verdicts = []
    responses = [boxed(hostile), boxed(r"\frac{2}{4}"), "</think>"]
    thread = threading.Thread(target=lambda: verdicts.extend(judge(responses, ["3", "0.5", "1"])))
    thread.start()
    thread.join(timeout=300)  # a guard against hanging for ever, on a busy machine too
    assert verdicts == [False, True, False]
    assert judge([boxed(r"\frac{6}{4}")], ["1.5"]) == [True]


def test_a_worker_that_died_between_questions_is_replaced():
    assert verify([boxed(r"\frac{3}{6}")], ["0.5"]) == [True]
    assert maths._idle
    for worker in maths._idle:
        worker.kill()
        worker.wait()
    assert verify([boxed(r"\frac{4}{8}")], ["0.5"]) == [True]


def test_integers_are_rewarded_without_asking_a_worker(monkeypatch):
    monkeypatch.setattr(maths, "_compare", None)  # calling it would raise
    responses = [boxed(str(number % 7)) for number in range(512)]
    rewards = correctness(responses, ["3"] * 512)
    assert rewards == [float(number % 7 == 3) for number in range(512)]


def test_what_cannot_be_compared_is_wrong_and_said(monkeypatch, capfd):
    def broken(gold, prediction):
        raise AttributeError("no such thing")

    monkeypatch.setattr(math_worker, "compare", broken)
    assert math_worker.verdict("1", "x" * 1000) is False
    said = capfd.readouterr().err
    assert "not compared: '1' and 'xxx" in said
    assert "AttributeError: no such thing" in said
    assert len(said) < 500


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


def test_a_worker_is_asked_again_and_ends_with_the_caller():
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


def test_equal_answers_have_the_number_of_the_first():
    same = [*map(boxed, ("0.5", "7", r"\frac12")), "</think>none", boxed("7.0"), "7", boxed("")]
    assert first_equal(same) == [0, 1, 0, None, 1, None, None]
    odd = boxed(r"\text{}\,,")  # an answer that nothing equals
    assert first_equal([odd, boxed("1"), boxed("x" * 3000)]) == [0, 1, None]
    assert first_equal([]) == []
