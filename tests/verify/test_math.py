import os
import threading

import pytest

from repro.verify import math
from repro.verify.reward import correctness

EQUAL = [
    ("70", "70"),
    ("70", "070"),
    ("70", " 70 "),
    ("70", "70."),
    ("70", "70.0"),
    ("-5", "−5"),
    ("1000", "1,000"),
    ("1{,}000", "1000"),
    ("1/2", r"\frac{1}{2}"),
    ("0.5", r"\frac12"),
    (r"\frac{14}{3}", r"\dfrac{14}{3}"),
    (r"\frac{14}{3}", r"4\frac{2}{3}"),
    (r"11\sqrt2", r"11\sqrt{2}"),
    (r"2\sqrt2", r"\sqrt{8}"),
    ("1024", "2^{10}"),
    ("x^2+2x+1", "(x+1)^2"),
    ("p-q", "-q+p"),
    ("6 - 5i", "6-5i"),
    (r"\left( 3, \frac{\pi}{2} \right)", r"(3, \pi/2)"),
    (r"[0,1)\cup(2,3]", r"[0, 1) \cup (2, 3]"),
    (r"\{1,2\}", r"\{2,1\}"),
    ("1,2", "2,1"),
    ("10", r"10\text{ cm}"),
    ("90", r"90^\circ"),
    (r"50\%", "50"),
    (r"\$5", "5"),
    ("$5$", "5"),
    ("5", "$5$"),
    ("5", "x = 5"),
    ("x=5", "5"),
    ("2516_8", "2516_{8}"),
    ("C", r"\text{(C)}"),
    (r"\text{Evelyn}", "Evelyn"),
    (r"\text{June 20}", "June 20"),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"),
    (r"\infty", r"\infty"),
    ("7", r"\boxed{7}"),
]
DIFFERENT = [
    ("70", "71"),
    ("70", "-70"),
    ("70", "70.0001"),
    ("7", ""),
    ("7", r"\text{not } 7"),
    ("7", "I think it is 7"),
    ("7", "7 or 8"),
    ("5", "2,5"),
    ("1,2", "1,2,3"),
    ("(3,4)", "(4,3)"),
    ("[0,1]", "(0,1)"),
    (r"\pi", "3.14159"),
    (r"\frac{1}{3}", "0.33"),
    ("2516_8", "2516_7"),
    ("2516_8", "2517_8"),
    ("x^2+2x+1", "x^2+2x+2"),
    ("p - q", "q - p"),
    ("5", "y=6"),
    (r"\text{Evelyn}", r"\text{Bob}"),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix} 2 \\ 1 \end{pmatrix}"),
    ("12:30", "12.5"),
    ("7", r"\frac{"),
    ("7", "7" * 5000),
    ("7", r"\undefinedmacro{7}{8}"),
]


def boxed(prediction: str) -> str:
    return f"a thought</think>The answer is $\\boxed{{{prediction}}}$."


def test_equal_answers_are_correct():
    verdicts = math.verify([boxed(ours) for _, ours in EQUAL], [gold for gold, _ in EQUAL])
    assert [pair for pair, verdict in zip(EQUAL, verdicts, strict=True) if not verdict] == []


def test_different_answers_are_wrong():
    verdicts = math.verify([boxed(ours) for _, ours in DIFFERENT], [gold for gold, _ in DIFFERENT])
    assert [pair for pair, verdict in zip(DIFFERENT, verdicts, strict=True) if verdict] == []


@pytest.mark.parametrize(
    ("response", "verdict"),
    [
        (r"\boxed{7}", False),  # inside a thought that never ended
        (r"\boxed{7}</think>", False),
        (r"\boxed{8}</think>\boxed{7}", True),
        (r"</think>\boxed{7} and \boxed{8}", False),  # boxes side by side do not merge
        (r"</think>\boxed{8}\boxed{7}", True),
        ("</think>The answer is 7.", False),
    ],
)
def test_only_the_last_box_after_the_thought_counts(response, verdict):
    assert math.verify([response], ["7"]) == [verdict]


def test_hanging_answers_are_killed_and_the_workers_survive():
    """Also from a thread that is not the main one, where math-verify itself cannot set an alarm."""
    verdicts = []

    def ask():
        responses = [boxed("9^{9^{9^9}}"), boxed(r"\frac{2}{4}")]
        verdicts.extend(math.verify(responses, ["3", "0.5"]))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(timeout=300)  # a guard against hanging for ever, on a busy machine too
    assert verdicts == [False, True]
    assert math.verify([boxed(r"\frac{6}{4}")], ["1.5"]) == [True]


def test_a_worker_that_died_between_questions_is_replaced():
    pool = math._pool(os.getpid())
    assert math.verify([boxed(r"\frac{3}{6}")], ["0.5"]) == [True]
    for worker in list(pool.queue):
        if worker.process is not None:
            worker.process.kill()
            worker.process.wait()
    assert math.verify([boxed(r"\frac{4}{8}")], ["0.5"]) == [True]


def test_integers_are_rewarded_without_asking_a_worker(monkeypatch):
    monkeypatch.setattr(math, "_compare", None)  # calling it would raise
    responses = [boxed(str(number % 7)) for number in range(512)]
    rewards = correctness(responses, ["3"] * 512)
    assert rewards == [float(number % 7 == 3) for number in range(512)]


def test_reward_refuses_lists_of_different_length():
    with pytest.raises(ValueError, match="responses: got 1 for 2 answers"):
        correctness(["x"], ["1", "2"])
