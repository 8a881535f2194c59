"""Scores and rewards beyond what the conformance check compares (tests/test_conformance.py)."""

import math

import torch

from repro.process_reward import reward, scores

NAN = float("nan")


def tensor(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def test_padding_does_not_reach_the_valid_columns():
    short, padded = tensor([-3.0, -1.0, -2.0]), tensor([-3.0, -1.0, -2.0, 0.0, 0.0])
    for ema in (1.0, 0.3):
        assert torch.equal(scores.score(short, 0.5, ema), scores.score(padded, 0.5, ema)[:, :3])


def test_the_reference_variants_average_decides_the_stability_only():
    # New values weigh 1 %: the average still climbs where J has begun to fall.
    objective = tensor([-4.0, -1.0, -2.0])
    magnitude = scores.magnitude(objective)
    found = scores.score(objective, 0.5, ema=0.01)
    assert torch.allclose(found, 0.5 * magnitude + 0.5 * tensor([0.5, 1.0, 1.0]))
    found = scores.score(objective, 0.5)
    assert torch.allclose(found, 0.5 * magnitude + 0.5 * tensor([0.5, 1, 2 / 3]))


def test_the_co_authors_count_shifts_a_single_value_by_a_hair():
    assert reward.whiten(tensor([5.0, 9.0]), torch.tensor([[1, 0]])).tolist() == [[0, 0]]
    # mean = 5 / (1 + 1e-8), so that 5e-8 is left of 5; rsqrt(1e-8) makes that 5e-4.
    found = reward.whiten(tensor([5.0]), torch.tensor([[1]]), reward.CO_AUTHORS_COUNT_EPS)
    assert math.isclose(found.item(), 5e-4, rel_tol=1e-6)
