"""The conformance vectors, which live outside the repository."""

import json

import torch
from tests.paths import GOLDEN, needs_golden

from repro.algorithms import grpo
from repro.process_reward import reward, scores

pytestmark = needs_golden

TOLERANCE = 1e-8


def load(section: str) -> list[dict]:
    return json.loads(GOLDEN.read_text())[section]


def tensor(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def assert_close(actual: torch.Tensor, expected) -> None:
    error = (actual - tensor(expected)).abs().max().item()
    assert error <= TOLERANCE, f"largest error {error:.3g}"


def test_scores():
    for case in load("scores"):
        objective = tensor([case["J"]])
        score = scores.score(objective, case["w"])
        assert_close(scores.magnitude(objective)[0, 1:], case["magnitude"])
        assert_close(scores.stability(objective)[0, 1:], case["stability"])
        for weight, expected in case["stability_of_ema"].items():
            average = scores.moving_average(objective, float(weight))
            assert_close(scores.stability(average)[0, 1:], expected)
        assert_close(score[0, 1:], case["score"])
        for initial, expected in case["process_reward"].items():
            assert_close(reward.process_reward(score, initial)[0], expected)


def test_grpo():
    for case in load("advantages"):
        group, expected = case["num_generations"], case["expected"]
        mask = tensor(case["response_mask"])
        outcome = grpo.outcome_advantage(tensor(case["outcome_reward"]).sum(1), group)
        normalized = reward.normalize_in_groups(
            tensor(case["process_reward"]), tensor(case["process_mask"]), group
        )
        total = grpo.total_advantage(outcome, mask, normalized, case["alpha"], case["gamma"])
        assert_close(grpo.total_advantage(outcome, mask), expected["grpo"])
        assert_close(total, expected["grpo_repro_paper"])
        if "grpo_repro_reference" in expected:
            assert_close(total, expected["grpo_repro_reference"])
