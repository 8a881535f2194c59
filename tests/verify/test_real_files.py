"""Gold in, gold out, on the real benchmark files where they are at hand."""

import os
from concurrent.futures import ThreadPoolExecutor

from tests.paths import DATA, needs_data

from repro import jsonl
from repro.verify import code, math
from repro.verify.subprocess_runner import Limits, run

pytestmark = needs_data


def rows(name: str) -> list[dict]:
    return jsonl.read(DATA / name)


def test_every_math500_solution_verifies():
    problems = rows("math500_part.jsonl")
    responses = [f"a thought</think>{problem['solution']}" for problem in problems]
    verdicts = math.verify(responses, [problem["answer"] for problem in problems])
    assert sum(verdicts) == len(problems)


def test_solutions_of_other_math500_problems_are_rejected():
    problems = rows("math500_part.jsonl")
    others = problems[1:] + problems[:1]
    pairs = [(a, b) for a, b in zip(problems, others, strict=True) if a["answer"] != b["answer"]]
    assert len(pairs) > 0.9 * len(problems)
    verdicts = math.verify(
        [f"</think>{other['solution']}" for _, other in pairs],
        [problem["answer"] for problem, _ in pairs],
    )
    assert sum(verdicts) == 0


def test_aime_answers_verify_in_a_box():
    problems = rows("aime24.jsonl") + rows("aime25.jsonl")
    golds = [problem["answer"] for problem in problems]
    assert all(math.verify([f"</think>$\\boxed{{{gold}}}$" for gold in golds], golds))


def verify_programs(pairs: list[tuple[str, dict]]) -> list[bool]:
    def judge(pair: tuple[str, dict]) -> bool:
        program, problem = pair
        return code.verify_mbpp(f"</think>\n```python\n{program}\n```", problem, run, Limits())

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(judge, pairs))


def test_mbpp_reference_solutions_pass():
    problems = rows("mbpp_part.jsonl")
    verdicts = verify_programs([(problem["code"], problem) for problem in problems])
    failed = [p["task_id"] for p, verdict in zip(problems, verdicts, strict=True) if not verdict]
    assert len(failed) <= 1, failed  # task 367 fails its own tests natively


def test_mbpp_solutions_of_other_problems_fail():
    problems = rows("mbpp_part.jsonl")[:100]
    others = problems[1:] + problems[:1]
    verdicts = verify_programs([(b["code"], a) for a, b in zip(problems, others, strict=True)])
    assert sum(verdicts) == 0
