import math

import pytest
import torch
from tests.algorithms.cases import (
    assert_as_by_hand,
    assert_close,
    batch_of,
    one_batch,
    one_term,
    random_case,
    tensor,
)

from repro.algorithms import ppo

VALUES = tensor([[0.2, 0.6, 0.4, 9.0], [0.1, 9.0, 9.0, 9.0]])  # 9: after the response ends
BATCH = one_batch(1, 0, size=2, lengths=[3, 1], values=VALUES)
MASK = BATCH.mask.bool()


def white(values):
    """Whitened over the tokens of BATCH, with the textbook mean and variance."""
    inside = values[MASK]
    scaled = (values - inside.mean()) / math.sqrt(inside.var().item() + 1e-8)
    return torch.where(MASK, scaled, torch.zeros_like(scaled))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("gamma", "lam"), [(1.0, 1.0), (0.99, 0.95), (0.5, 1.0), (1.0, 0.3)])
def test_as_by_hand(seed, gamma, lam):
    assert_as_by_hand("ppo", random_case(seed, gamma=gamma, lam=lam))


def test_without_discount_the_advantage_is_reward_less_value():
    found = ppo.advantages(BATCH)
    gae = tensor([[0.8, 0.4, 0.6, 0], [-0.1, 0, 0, 0]])
    assert_close(ppo.generalized_advantage(ppo.terminal_rewards(BATCH), BATCH), gae)
    assert_close(found.advantages, white(gae), 1e-7)
    assert_close(found.returns, [[1, 1, 1, 0], [0, 0, 0, 0]])  # unwhitened


def test_discount_and_lambda_by_hand():
    batch = one_batch(1, 0, size=2, lengths=[3, 1], values=VALUES, gamma=0.5, lam=0.8)
    # delta: 0.5 * 0.6 - 0.2, 0.5 * 0.4 - 0.6, 1 - 0.4; each step back counts 0.4.
    last = 0.6
    middle = -0.4 + 0.4 * last
    first = 0.1 + 0.4 * middle
    gae = tensor([[first, middle, last, 0], [-0.1, 0, 0, 0]])
    assert_close(ppo.generalized_advantage(ppo.terminal_rewards(batch), batch), gae)
    found = ppo.advantages(batch)
    assert_close(found.advantages, white(gae), 1e-7)
    assert_close(found.returns, torch.where(MASK, gae + VALUES, torch.zeros_like(gae)))


def test_lambda_zero_is_the_one_step_error():
    batch = one_batch(1, 0, size=2, lengths=[3, 1], values=VALUES, lam=0.0)
    gae = ppo.generalized_advantage(ppo.terminal_rewards(batch), batch)
    assert_close(gae, [[0.4, -0.2, 0.6, 0], [-0.1, 0, 0, 0]])


ROWS = [[1, 2], [6, 3]]  # z-scored about 3; the response of row 1 has a single token
NORMALIZED = tensor([[-2, -1, 0, 0], [3, 0, 0, 0]]) / (math.sqrt(14 / 3) + 1e-6)


def test_the_paper_subtracts_no_values_from_process_rewards_and_leaves_the_target():
    found = ppo.advantages(BATCH, one_term(ROWS, "paper", alpha=0.5))
    plain = ppo.advantages(BATCH)
    to_go = tensor([[-3, -1, 0, 0], [3, 0, 0, 0]]) / (math.sqrt(14 / 3) + 1e-6)
    assert_close(found.advantages, plain.advantages + 0.5 * to_go)
    assert_close(found.returns, plain.returns, 0)


def test_the_reference_estimates_with_values_again_and_teaches_the_critic_the_total():
    found = ppo.advantages(BATCH, one_term(ROWS, "reference", alpha=0.5))
    rewards = NORMALIZED.clone()
    second = rewards.flip(1).cumsum(1).flip(1) - VALUES  # gamma = lambda = 1
    total = ppo.advantages(BATCH).advantages + 0.5 * white(second)
    assert_close(found.advantages, total, 1e-7)
    assert_close(found.returns, torch.where(MASK, VALUES + total, torch.zeros_like(total)), 1e-7)


def test_the_references_second_estimate_is_whitened_even_without_process_rewards():
    # Its values alone make an advantage: that is the difference between the two.
    nothing = one_term([[0, 0], [0, 0]], "reference")
    assert (ppo.advantages(BATCH, nothing).advantages - ppo.advantages(BATCH).advantages).any()
    nothing = one_term([[0, 0], [0, 0]], "paper")
    assert_close(ppo.advantages(BATCH, nothing).advantages, ppo.advantages(BATCH).advantages, 0)


def test_a_single_valid_token():
    batch = one_batch(1.0, size=1, lengths=[1], values=tensor([[0.25, 0, 0, 0]]))
    found = ppo.advantages(batch)
    # Not exactly 0: the co-author's mean is 0.75 / (1 + 1e-8).
    assert_close(found.advantages, [[0.75e-4, 0, 0, 0]], 1e-9)
    assert_close(found.returns, [[1, 0, 0, 0]])


def test_a_group_of_a_single_response_is_no_special_case_for_its_outcome():
    case = random_case(0, groups=4, size=1)
    plain = ppo.advantages(batch_of(case)).advantages
    assert_close(plain, ppo.advantages(batch_of(case, num_generations=4)).advantages, 0)
    assert_as_by_hand("ppo", case)


def test_values_are_needed():
    with pytest.raises(ValueError, match="^values: None; PPO needs"):
        ppo.advantages(one_batch(1, 0, size=2))
