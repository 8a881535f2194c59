"""The generated problems: the real fields, answers that verify, and no overlap with training."""

import json
import random
import re

import pytest

from repro.benchmarks import declared
from repro.files import jsonl
from repro.tinyworld import problems
from repro.training import supervised


@pytest.mark.parametrize("name", problems.PROBLEMS)
def test_problems_have_the_fields_that_are_read_and_are_seeded(name, tmp_path):
    generated = problems.generate(name, 20, seed=0)
    jsonl.write(tmp_path / "problems.jsonl", generated)
    assert declared.check_file(tmp_path / "problems.jsonl", name) == 20
    assert generated == problems.generate(name, 20, seed=0) != problems.generate(name, 20, seed=1)


def summands(document: dict) -> tuple[int, int]:
    """Read the two summands back from the text a model would see."""
    text = document.get("problem") or document.get("question") or document.get("Question")
    text = text or document.get("text") or document["question_content"]
    pair = sorted(int(number) for number in re.findall(r"\d{2,}", text))
    assert len(pair) == 2, text
    return pair[0], pair[1]


def test_no_training_problem_is_a_benchmark_problem():
    rng = random.Random(0)
    trained = {summands(document) for document in problems.generate("train", 1000, seed=0)}
    for _ in range(4000):  # of the supervised training
        trained.add(tuple(sorted(map(int, re.findall(r"\d{2,}", supervised.example(rng)[0])[:2]))))
    tested = {
        summands(document)
        for name, count in problems.PROBLEMS.items()
        if name != "train"
        for seed in range(3)
        for document in problems.generate(name, count, seed)
    }
    assert len(tested) == 510  # every pair of two digits that is the benchmarks'
    assert not trained & tested


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
        assert len(tests) == 2
        kinds |= {test["testtype"] for test in tests}
        assert bool(document["starter_code"]) == (tests[0]["testtype"] == "functional")
    assert kinds == {"stdin", "functional"}


def test_answers_follow_the_thought_even_where_it_is_wrong():
    rng = random.Random(0)
    for kind in problems.PROBLEMS.keys() - {"train"}:
        problem = problems.draw(rng, kind, 0, (3, 3), for_benchmark=True)
        right = problems.answer(problem, sum(problem.summands))
        wrong = problems.answer(problem, sum(problem.summands) + 100)
        assert right != wrong or kind == "gpqa"
        if kind in problems.MATHEMATICS:
            assert right == rf"\boxed{{{problem.document['answer']}}}"
