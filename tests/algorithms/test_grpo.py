import pytest
import torch

from repro.algorithms import grpo


def test_outcome_advantage_is_the_z_score_within_each_group():
    rewards = torch.tensor([1.0, 0.0, 0.0, 1.0, 5.0, 5.0, 5.0, 5.0], dtype=torch.float64)
    advantage = grpo.outcome_advantage(rewards, 4)
    scale = 0.5 / (rewards[:4].std() + 1e-6)
    assert torch.allclose(advantage[:4], scale * torch.tensor([1, -1, -1, 1]).double())
    assert (advantage[4:] == 0).all(), "a group whose responses are all alike teaches nothing"


def test_a_group_of_one_keeps_its_reward():
    rewards = torch.tensor([0.7, -2.0], dtype=torch.float64)
    assert torch.allclose(grpo.outcome_advantage(rewards, 1), rewards, rtol=2e-6)


def test_groups_must_be_whole():
    with pytest.raises(ValueError, match="num_generations: 4 does not divide the 6 responses"):
        grpo.outcome_advantage(torch.zeros(6), 4)


def test_total_advantage_adds_the_weighted_return_to_go_up_to_the_last_cut():
    mask = torch.tensor([[1, 1, 1, 1, 0]])
    process = torch.tensor([[0.0, 2.0, 1.0, 0.0, 0.0]])
    total = grpo.total_advantage(torch.tensor([0.5]), mask, process, alpha=0.1)
    assert torch.allclose(total, torch.tensor([[0.8, 0.8, 0.6, 0.5, 0.0]]))
    discounted = grpo.total_advantage(torch.tensor([0.5]), mask, process, alpha=0.1, gamma=0.5)
    assert torch.allclose(discounted, torch.tensor([[0.625, 0.75, 0.6, 0.5, 0.0]]))


def test_alpha_zero_is_plain_grpo():
    mask, outcome = torch.ones(3, 4), torch.randn(3)
    plain = grpo.total_advantage(outcome, mask)
    assert torch.equal(plain, grpo.total_advantage(outcome, mask, torch.randn(3, 4), alpha=0.0))
