"""Generated problems: a tiny counterpart, with the fields that are read, of each benchmark.

Each is the sum of two numbers, dressed as an integer problem, a LaTeX expression, a choice or a
program. One skill serves all, so that training on mathematics can carry over to the out-of-domain
benchmarks, as it does in the paper.
"""

import itertools
import json
import random
import zlib
from dataclasses import dataclass

from repro.benchmarks.prompts import choice_order

PEOPLE = ("Ann", "Ben", "Eva", "Tom")
THINGS = ("coins", "cards", "shells", "stamps")
DENOMINATORS = (5, 7, 8, 9)  # no number below 2,520 is a multiple of all

PROBLEMS = {  # the real benchmarks' sizes; to train on, enough for 250 steps
    "aime24": 30,
    "aime25": 30,
    "math500": 500,
    "lmb": 100,
    "gpqa": 198,
    "mbpp": 500,
    "lcb": 175,
    "train": 1000,
}
DIGITS = (2, 2)  # of the two summands, fewest and most
CHOICES = ("0 to 2", "3 or 4", "5 to 7", "8 or 9")
MATHEMATICS = ("aime24", "aime25", "math500")  # the kinds of problem that RL trains on


@dataclass(frozen=True)
class Problem:
    """One problem."""

    kind: str  # its dress, by the name of a benchmark
    summands: tuple[int, int]
    document: dict  # what a benchmark's file would hold


def draw_summands(rng: random.Random, digits: tuple[int, int], for_benchmark: bool):
    """Draw two summands of equal length from the benchmarks' share of the pairs or the other.

    One unordered pair in eight is the benchmarks', so training never sees their problems.
    """
    while True:
        length = rng.randint(*digits)
        pair = tuple(rng.randrange(10 ** (length - 1), 10**length) for _ in range(2))
        low, high = sorted(pair)
        if (zlib.crc32(f"{low}+{high}".encode()) % 8 == 0) == for_benchmark:
            return pair


def generate(name: str, count: int, seed: int) -> list[dict]:
    """Return `count` documents of a benchmark or of the training set, `train`; else ValueError."""
    if name not in PROBLEMS:
        raise ValueError(f"tiny world: no file {name!r}; allowed: {', '.join(PROBLEMS)}")
    rng = random.Random(f"{name}-{seed}")
    documents = []
    for index in range(count):
        kind = rng.choice(MATHEMATICS) if name == "train" else name
        document = draw(rng, kind, index, DIGITS, for_benchmark=name != "train").document
        if name == "train":
            document = {field: document[field] for field in ("problem", "answer")}
        documents.append(document)
    return documents


def draw(
    rng: random.Random, kind: str, index: int, digits: tuple[int, int], for_benchmark: bool
) -> Problem:
    """Draw one problem of a kind, a benchmark's name."""
    summands = draw_summands(rng, digits, for_benchmark)
    return Problem(kind, summands, _DRESS[kind](rng, index, *summands))


def answer(problem: Problem, result: int) -> str:
    """Return the final answer, in the problem's dress, of a thought that arrived at `result`."""
    document, total = problem.document, str(sum(problem.summands))
    if problem.kind == "gpqa":
        return f"ANSWER: {'ABCD'[choose(result)]}"
    if problem.kind == "mbpp":
        return f"```python\ndef total(n):\n    return n+{result}\n```"
    if problem.kind == "lcb" and document["starter_code"]:
        return f"```python\n{document['starter_code']}        return n+{result}\n```"
    if problem.kind == "lcb":
        return f"```python\nn = int(input())\nprint(n+{result})\n```"
    return rf"\boxed{{{document['answer'].replace(total, str(result))}}}"


def _integer(rng: random.Random, index: int, first: int, second: int) -> dict:
    problem = f"Please find the exact value of the whole sum {first}+{second}."
    return {"id": index, "problem": problem, "answer": str(first + second)}


def _story(rng: random.Random, index: int, first: int, second: int) -> dict:
    who, what = rng.choice(PEOPLE), rng.choice(THINGS)
    problem = f"{who} has {first} {what} and finds {second}. How many now?"
    return {"id": str(index), "problem": problem, "answer": str(first + second)}


def _latex(rng: random.Random, index: int, first: int, second: int) -> dict:
    total, form = first + second, rng.choice(("fraction", "root", "term"))
    if form == "fraction":
        denominator = rng.choice([d for d in DENOMINATORS if total % d])
        problem = (
            rf"Simplify $\frac{{{first}}}{{{denominator}}}+\frac{{{second}}}{{{denominator}}}$."
        )
        answer = rf"\frac{{{total}}}{{{denominator}}}"
    elif form == "root":
        radicand = rng.choice((2, 3, 5))
        problem = rf"Simplify the sum ${first}\sqrt{{{radicand}}}+{second}\sqrt{{{radicand}}}$."
        answer = rf"{total}\sqrt{{{radicand}}}"
    else:
        letter = rng.choice("xyz")
        problem = f"Simplify the sum of the two terms ${first}{letter}+{second}{letter}$."
        answer = f"{total}{letter}"
    return {"problem": problem, "answer": answer, "unique_id": f"tiny/{form}/{index}.json"}


def _hard(rng: random.Random, index: int, first: int, second: int) -> dict:
    document = rng.choice((_integer, _story, _latex))(rng, index, first, second)
    return {"question": document["problem"], "answer": document["answer"]}


def _choice(rng: random.Random, index: int, first: int, second: int) -> dict:
    correct = choose(first + second)
    others = [text for text in CHOICES if text != CHOICES[correct]]
    document = {
        "Question": f"In which range is the tens digit of the sum {first}+{second}?",
        "Correct Answer": CHOICES[correct],
        **{f"Incorrect Answer {i}": text for i, text in enumerate(others, start=1)},
    }
    # The order follows from a hash of the id: one is taken that leaves the choices in their order.
    for number in itertools.count():
        document["Record ID"] = f"tiny{index:04d}.{number}"
        if tuple(document[field] for field in choice_order(document)) == CHOICES:
            return document


def choose(total: int) -> int:
    """Return which of `CHOICES` holds the tens digit of a sum."""
    return total // 10 % 10 * len(CHOICES) // 10


def _function(rng: random.Random, index: int, first: int, second: int) -> dict:
    total, inputs = first + second, rng.sample(range(1, 10), 3)
    return {
        "text": f"Write a function total(n) that adds {first} and {second} to n.",
        "code": f"def total(n):\n    return n+{total}",
        "task_id": 11 + index,
        "test_setup_code": "",
        "test_list": [f"assert total({n}) == {n + total}" for n in inputs],
    }


def _program(rng: random.Random, index: int, first: int, second: int) -> dict:
    by_call = rng.random() < 0.5
    end, kind = ("", "functional") if by_call else ("\n", "stdin")
    pairs = [(n, n + first + second) for n in rng.sample(range(1, 10), 2)]
    tests = [{"input": f"{n}{end}", "output": f"{m}{end}", "testtype": kind} for n, m in pairs]
    task = "Return" if by_call else "Read n and print"
    return {
        "question_content": f"{task} the sum of n and {first} and {second}.",
        "question_id": f"tiny{index:04d}",
        "starter_code": "class Solution:\n    def total(self, n):\n" if by_call else "",
        "public_test_cases": json.dumps(tests[:1]),
        "private_test_cases": json.dumps(tests[1:]),
        "metadata": json.dumps({"func_name": "total"} if by_call else {}),
    }


_DRESS = {
    "aime24": _integer,
    "aime25": _story,
    "math500": _latex,
    "lmb": _hard,
    "gpqa": _choice,
    "mbpp": _function,
    "lcb": _program,
}
