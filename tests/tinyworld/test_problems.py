"""The generated problems: the real fields, answers that verify, and no overlap with training."""

import json
import random
import re

import pytest

from repro.tinyworld import problems, thoughts
from repro.training import supervised

FIELDS = {  # of the real benchmarks
    "aime24": "id problem solution answer",
    "aime25": "id problem answer",
    "math500": "problem solution answer subject level unique_id",
    "lmb": "question answer",
    "mbpp": "text code task_id test_setup_code test_list challenge_test_list",
    "gpqa": "Record ID|Question|Correct Answer|Incorrect Answer 1|Incorrect Answer 2"
    "|Incorrect Answer 3",
    "lcb": "question_title question_content platform question_id contest_id contest_date "
    "starter_code difficulty public_test_cases private_test_cases metadata",
    "train": "problem solution answer",
}


@pytest.mark.parametrize("name", FIELDS)
def test_fields_are_the_real_ones(name):
    fields = FIELDS[name].split("|" if "|" in FIELDS[name] else " ")
    for document in problems.generate(name, 20, seed=0):
        assert list(document) == fields


def test_problems_are_seeded():
    assert problems.generate("lcb", 10, seed=3) == problems.generate("lcb", 10, seed=3)
    assert problems.generate("lcb", 10, seed=3) != problems.generate("lcb", 10, seed=4)


def summands(document: dict) -> tuple[int, int]:
    """Read the two summands back from the text a model would see."""
    text = document.get("problem") or document.get("question") or document.get("Question")
    text = text or document.get("text") or document["question_content"]
    pair = sorted(int(number) for number in re.findall(r"\d{3,}", text))
    assert len(pair) == 2, text
    return pair[0], pair[1]


def test_no_training_problem_is_a_benchmark_problem():
    rng = random.Random(0)
    trained = {summands(document) for document in problems.generate("train", 4000, seed=0)}
    for _ in range(4000):  # of the supervised training
        first, second = re.findall(r"\d+", supervised.example(rng)[1].split("\n\n")[0])
        trained.add(tuple(sorted((int(first), int(second)))))
    tested = {
        summands(document)
        for name, count in problems.PROBLEMS.items()
        if name != "train"
        for seed in range(3)
        for document in problems.generate(name, count, seed)
    }
    assert len(tested) > 3000
    assert not trained & tested


def test_training_is_mathematics_only():
    for document in problems.generate("train", 500, seed=1):
        assert not re.search(r"def |class |stdin|ANSWER|Write", document["problem"])


def test_programs_pass_their_own_tests():
    for document in problems.generate("mbpp", 30, seed=0):
        scope: dict = {}
        exec(document["code"], scope)
        for test in document["test_list"]:
            exec(test, scope)


def test_lcb_has_both_kinds_of_program():
    kinds = set()
    for document in problems.generate("lcb", 30, seed=0):
        parts = ("public_test_cases", "private_test_cases")
        tests = [test for part in parts for test in json.loads(document[part])]
        assert len(tests) == 4
        kinds |= {test["testtype"] for test in tests}
        assert bool(document["starter_code"]) == (tests[0]["testtype"] == "functional")
    assert kinds == {"stdin", "functional"}


def test_thoughts_without_bad_habits_are_right():
    never = thoughts.Habits(0, 0, 0, 0, 0)
    rng = random.Random(0)
    for _ in range(500):
        first, second = problems.draw_summands(rng, (3, 6), for_benchmark=False)
        thought, result = thoughts.think(rng, first, second, never)
        assert result == first + second
        assert len(thought.split("\n\n")) == len(str(first)) + 2


def test_a_forgotten_carry_is_wrong_unless_corrected():
    rng = random.Random(0)
    assert thoughts.think(rng, 345, 678, thoughts.Habits(1, 1, 0, 0, 0))[1] != 345 + 678
    thought, result = thoughts.think(rng, 345, 678, thoughts.Habits(1, 1, 1, 0, 0))
    assert result == 345 + 678
    assert re.search(r"^(wait|hmm)", thought, re.MULTILINE)


def test_answers_follow_the_thought_even_where_it_is_wrong():
    rng = random.Random(0)
    for kind in problems.DIGITS.keys() - {"train"}:
        problem = problems.draw(rng, kind, 0, (3, 3), for_benchmark=True)
        right = problems.answer(problem, sum(problem.summands))
        wrong = problems.answer(problem, sum(problem.summands) + 100)
        assert right != wrong or kind == "gpqa"
        if kind in problems.MATHEMATICS:
            assert right == rf"\boxed{{{problem.document['answer']}}}"


def test_unknown_file_lists_the_choices():
    with pytest.raises(ValueError, match="allowed: aime24"):
        problems.generate("aime26", 1, seed=0)
