"""Gold in, gold out, on the real benchmark files where they are at hand."""

import pytest
from bench import verifiers
from tests.paths import DATA, needs_data

from repro import sandbox
from repro.files import jsonl
from repro.verify import answers, maths

pytestmark = needs_data


def rows(name: str) -> list[dict]:
    return jsonl.read(DATA / name)


def test_every_math500_solution_verifies():
    problems = rows("math500_part.jsonl")
    responses = [f"a thought</think>{problem['solution']}" for problem in problems]
    verdicts = maths.verify(responses, [problem["answer"] for problem in problems])
    assert sum(verdicts) == len(problems)


def math_golds() -> list[str]:
    return sorted({problem["answer"] for problem in rows("math500_part.jsonl")})


def test_other_spellings_of_math500_answers_verify():
    pairs = [(gold, other) for gold in math_golds() for other in verifiers.respellings(gold)]
    assert len(pairs) > 500
    assert sorted({*pairs} - {*verifiers.accepted(pairs)}) == []


def test_answers_to_other_math500_problems_are_rejected_unless_equal():
    """A sixteenth of all pairs; ``bench/verifiers.py`` asks all."""
    pairs = verifiers.different_golds(math_golds())[::16]
    assert len(pairs) > 1500
    for gold, other in verifiers.accepted(pairs):  # 36 and 36^\circ: one value, with and without
        gold, other = answers.read(gold), answers.read(other)
        assert gold.value == other.value
        assert not (gold.unit and other.unit)


@pytest.mark.parametrize("kind", verifiers.perturbations("0"))
def test_perturbed_math500_answers_are_rejected(kind):
    pairs = [
        (gold, other) for gold in math_golds() for other in verifiers.perturbations(gold)[kind]
    ]
    assert pairs
    assert verifiers.accepted(pairs) == []


def test_aime_answers_verify_in_a_box():
    problems = rows("aime24.jsonl") + rows("aime25.jsonl")
    golds = [problem["answer"] for problem in problems]
    assert all(maths.verify([f"</think>$\\boxed{{{gold}}}$" for gold in golds], golds))


def test_mbpp_solutions_pass_the_tests_of_their_own_problems_only():
    problems = rows("mbpp_part.jsonl")
    run = sandbox.runner("auto")
    own = verifiers.verify_programs([(problem["code"], problem) for problem in problems], run)
    failed = [p["task_id"] for p, verdict in zip(problems, own, strict=True) if not verdict]
    assert len(failed) <= 1, failed  # task 367 fails its own tests natively
    pairs = [(b["code"], a) for a, b in zip(problems, problems[1:101], strict=False)]
    assert sum(verifiers.verify_programs(pairs, run)) == 0
