import math

import pytest
import torch

from repro.process_reward import reward

NAN = float("nan")


def tensor(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def test_differences_under_both_initial_scores():
    score = torch.tensor([[0.2, 0.5, 0.4]])
    assert torch.allclose(reward.process_reward(score), torch.tensor([[0.3, -0.1]]))
    assert torch.allclose(reward.process_reward(score, "zero"), torch.tensor([[0.5, -0.1]]))


def test_rewards_sit_on_the_last_token_before_their_cut():
    cuts = torch.tensor([[0, 2, 5], [0, 1, -1], [0, -1, -1]])
    values = torch.tensor([[0.3, 0.7], [0.4, NAN], [9.0, NAN]])  # padding holds anything
    placed = reward.place_on_tokens(values, cuts[:, 1:] >= 0, cuts[:, 1:] - 1, length=5)
    expected = [[0, 0.3, 0, 0, 0.7], [0.4, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert torch.equal(placed, torch.tensor(expected))


def test_a_reward_on_the_first_token_is_not_mixed_with_padding():
    placed = reward.place_on_tokens(
        tensor([0.4, 9.0]), torch.tensor([[1, 0]]), torch.tensor([[0, 0]]), length=2
    )
    assert placed.tolist() == [[0.4, 0]]


def test_normalisation_pools_the_cut_points_of_a_group():
    values = tensor([1, 2], [6, NAN], [4, 4], [4, 4])
    mask = torch.tensor([[1, 1], [1, 0], [1, 1], [1, 1]])
    normalized = reward.normalize_in_groups(values, mask, num_generations=2)
    std = math.sqrt((4 + 1 + 9) / 2)  # of 1, 2 and 6 about 3, unbiased
    expected = tensor([-2, -1], [3, 0]) / (std + 1e-6)
    assert torch.allclose(normalized[:2], expected, rtol=0, atol=1e-12)
    assert (normalized[2:] == 0).all(), "all cut points alike: no signal, no division by zero"
    centred = reward.center_in_groups(values, mask, num_generations=2)
    assert centred.tolist() == [[-2, -1], [3, 0], [0, 0], [0, 0]]


def test_a_single_cut_point_is_centred_and_not_scaled():
    values, mask = tensor([0.7, 5.0], [3.0, 3.0]), torch.tensor([[1, 0], [0, 0]])
    assert (reward.normalize_in_groups(values, mask, num_generations=2) == 0).all()


def test_a_group_without_cut_points_gets_zero():
    zeros = torch.zeros(2, 3)
    assert (reward.normalize_in_groups(zeros + 5, zeros, num_generations=2) == 0).all()
    assert (reward.whiten(zeros + 5, zeros) == 0).all()


def test_whitening_by_hand():
    values, mask = tensor([1, 2, NAN], [6, NAN, NAN]), torch.tensor([[1, 1, 0], [1, 0, 0]])
    expected = tensor([-2, -1, 0], [3, 0, 0]) / math.sqrt(7 + 1e-8)
    assert torch.allclose(reward.whiten(values, mask), expected, rtol=0, atol=1e-12)


def test_whitening_one_value_gives_zero():
    assert reward.whiten(tensor([5.0, 9.0]), torch.tensor([[1, 0]])).tolist() == [[0, 0]]


def test_the_co_authors_count_shifts_a_single_value_by_a_hair():
    # mean = 5 / (1 + 1e-8), so that 5e-8 is left of 5; rsqrt(1e-8) makes that 5e-4.
    found = reward.whiten(tensor([5.0]), torch.tensor([[1]]), reward.CO_AUTHORS_COUNT_EPS)
    assert math.isclose(found.item(), 5e-4, rel_tol=1e-6)


def test_return_to_go_with_and_without_discount():
    rewards = tensor([0, 1, 0, 2, 0])
    assert reward.return_to_go(rewards).tolist() == [[3, 3, 2, 2, 0]]
    assert reward.return_to_go(rewards, 0.5).tolist() == [[0.75, 1.5, 1.0, 2.0, 0.0]]
    assert reward.return_to_go(rewards, 0.0).tolist() == rewards.tolist()


@pytest.mark.parametrize("num_generations", [1, 2, 4])
def test_groups_do_not_see_each_other(num_generations):
    torch.manual_seed(0)
    values, mask = torch.randn(4, 3).double(), torch.ones(4, 3)
    whole = reward.normalize_in_groups(values, mask, num_generations)
    for first in range(0, 4, num_generations):
        rows = slice(first, first + num_generations)
        alone = reward.normalize_in_groups(values[rows], mask[rows], num_generations)
        assert torch.allclose(whole[rows], alone)
