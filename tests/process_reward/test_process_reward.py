import pytest
import torch

from repro.process_reward import reward, scores


def test_differences_under_both_initial_scores():
    score = torch.tensor([[0.2, 0.5, 0.4]])
    assert torch.allclose(reward.process_reward(score), torch.tensor([[0.3, -0.1]]))
    assert torch.allclose(reward.process_reward(score, "zero"), torch.tensor([[0.5, -0.1]]))
    with pytest.raises(ValueError, match="initial_score: 'one'; allowed: empty_prefix, zero"):
        reward.process_reward(score, "one")


def test_an_objective_that_stays_certain_is_worth_nothing():
    score = scores.score(torch.zeros(1, 4), w=0.0)
    assert reward.process_reward(score).tolist() == [[0, 0, 0]]


def test_rewards_sit_on_the_last_token_before_their_cut():
    cuts = torch.tensor([[0, 2, 5], [0, 1, -1], [0, -1, -1]])
    values = torch.tensor([[0.3, 0.7], [0.4, 9.0], [9.0, 9.0]])  # 9: padding, to be ignored
    placed = reward.place_before_cuts(values, cuts, length=5)
    expected = [[0, 0.3, 0, 0, 0.7], [0.4, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert torch.equal(placed, torch.tensor(expected))


def test_normalisation_pools_the_cut_points_of_a_group():
    values = torch.tensor([[1.0, 2.0], [6.0, 9.0], [4.0, 4.0], [4.0, 4.0]], dtype=torch.float64)
    mask = torch.tensor([[1, 1], [1, 0], [1, 1], [1, 1]])
    normalized = reward.normalize_in_groups(values, mask, group_size=2)
    pool = torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64)
    expected = (pool - 3) / (pool.std() + 1e-6)
    assert torch.allclose(normalized[:2].flatten()[[0, 1, 2]], expected)
    assert normalized[1, 1] == 0
    assert (normalized[2:] == 0).all(), "all cut points alike: no signal, no division by zero"


def test_a_single_cut_point_is_centred_and_not_scaled():
    normalized = reward.normalize_in_groups(
        torch.tensor([[0.7, 0.0], [0.0, 0.0]]), torch.tensor([[1, 0], [0, 0]]), group_size=2
    )
    assert (normalized == 0).all()


def test_a_group_without_cut_points_gets_zero():
    zeros = torch.zeros(2, 3)
    assert (reward.normalize_in_groups(zeros + 5, zeros, group_size=2) == 0).all()
    with pytest.raises(ValueError, match="group_size: 2 does not divide the 3 rows"):
        reward.normalize_in_groups(torch.zeros(3, 2), torch.zeros(3, 2), group_size=2)


def test_return_to_go_with_and_without_discount():
    rewards = torch.tensor([[0.0, 1.0, 0.0, 2.0, 0.0]], dtype=torch.float64)
    assert reward.return_to_go(rewards).tolist() == [[3, 3, 2, 2, 0]]
    assert reward.return_to_go(rewards, 0.5).tolist() == [[0.75, 1.5, 1.0, 2.0, 0.0]]
