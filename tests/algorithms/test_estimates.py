"""The four estimators: random cases against `by_hand.py`, small ones against numbers on paper."""

import math

import pytest
import torch
from tests.algorithms import by_hand
from tests.algorithms.cases import (
    VARIANTS,
    assert_close,
    batch_of,
    one_batch,
    one_term,
    random_case,
    tensor,
    term_of,
)

from repro.algorithms import ADVANTAGES, ppo

ALGORITHMS = pytest.mark.parametrize("algorithm", by_hand.ALGORITHMS)
STD = math.sqrt(14 / 3)  # unbiased, of 1, 2, 6 and 3, whose mean is 3


def assert_as_by_hand(algorithm: str, case: dict) -> None:
    batch = batch_of(case)
    for variant in ("", *VARIANTS):
        found = ADVANTAGES[algorithm](batch, variant and term_of(case, variant) or None)
        advantages, returns = by_hand.advantages(case, algorithm, variant)
        assert_close(found.advantages, advantages)
        assert (found.returns is None) == (returns is None)
        if returns is not None:
            assert_close(found.returns, returns)


@ALGORITHMS
@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"groups": 3, "size": 2, "gamma": 0.9},
        {"groups": 5, "size": 1},  # a group of a single response
        {"groups": 1, "size": 1, "tokens": 1},
        {"gamma": 0.99, "lam": 0.95},
        {"gamma": 0.5, "lam": 0.0},
        {"alpha": 0.0},
        {"alpha": 3.0, "lam": 0.3},
    ],
    ids=str,
)
def test_as_by_hand(algorithm, sizes):
    for seed in range(3):
        assert_as_by_hand(algorithm, random_case(seed, **sizes))


@ALGORITHMS
@pytest.mark.parametrize("rows", [[7], range(8)], ids=["one", "all"])
def test_empty_responses(algorithm, rows):
    case = random_case(0)
    for key in ("response_mask", "outcome_reward", "process_reward", "process_mask", "values"):
        for row in rows:
            case[key][row] = [0] * len(case[key][row])
    assert_as_by_hand(algorithm, case)


def test_grpos_outcome_is_the_z_score_within_each_group():
    found = ADVANTAGES["grpo"](one_batch(1, 0, 0, 1, 5, 5, 5, 5, size=4), None).advantages
    scale = 0.5 / (math.sqrt(1 / 3) + 1e-6)  # unbiased std of 1, 0, 0, 1
    assert_close(found, tensor([scale, -scale, -scale, scale, 0, 0, 0, 0])[:, None].expand(8, 4))


def test_reinforce_pp_whitens_over_the_tokens_of_the_batch():
    # 1, 1, 1 and 0: mean 3/4, unbiased variance 1/4.
    found = ADVANTAGES["reinforce_pp"](one_batch(1, 0, size=2, lengths=[3, 1]), None).advantages
    scale = math.sqrt(1 / 4 + 1e-8)
    assert_close(found, tensor([[0.25, 0.25, 0.25, 0], [-0.75, 0, 0, 0]]) / scale, 1e-7)


def test_with_a_baseline_the_group_is_subtracted_and_the_batch_is_the_scale():
    # Less the group means: 1/2 (3 tokens), -1/2, 2 and -2 (1 token each).
    batch = one_batch(1, 0, 9, 5, size=2, lengths=[3, 1, 1, 1])
    values = [0.5, 0.5, 0.5, -0.5, 2, -2]
    mean = sum(values) / 6
    std = math.sqrt(sum((x - mean) ** 2 for x in values) / 5 + 1e-8)
    rows = [[0.5, 0.5, 0.5], [-0.5], [2], [-2]]
    expected = [[(x - mean) / std for x in row] + [0.0] * (4 - len(row)) for row in rows]
    assert_close(ADVANTAGES["reinforce_pp_baseline"](batch, None).advantages, expected, 1e-7)


@pytest.mark.parametrize(
    ("algorithm", "variant", "scale"),
    [
        ("grpo", "paper", STD + 1e-6),
        ("grpo", "reference", STD + 1e-6),
        ("ppo", "paper", STD + 1e-6),
        ("reinforce_pp", "paper", math.sqrt(14 / 3 + 1e-8)),
        ("reinforce_pp_baseline", "paper", STD + 1e-6),
        ("reinforce_pp_baseline", "reference", 1.0),  # only centred
    ],
)
def test_process_rewards_are_normalised_and_summed_to_the_end(algorithm, variant, scale):
    batch = one_batch(1, 1, size=2, tokens=3, values=torch.zeros(2, 3))
    plain = ADVANTAGES[algorithm](batch, None)
    total = ADVANTAGES[algorithm](batch, one_term([[1, 2], [6, 3]], variant))
    assert_close(total.advantages - plain.advantages, tensor([[-3, -1, 0], [3, 0, 0]]) / scale)
    if algorithm == "ppo":
        assert_close(total.returns, plain.returns, 0)  # the critic's target is the outcome's


VALUES = tensor([[0.2, 0.6, 0.4, 9.0], [0.1, 9.0, 9.0, 9.0]])  # 9: after the response ends


def white(values, mask):
    """Whitened over the tokens, with the textbook mean and variance."""
    scaled = (values - values[mask].mean()) / math.sqrt(values[mask].var().item() + 1e-8)
    return torch.where(mask, scaled, torch.zeros_like(scaled))


def test_ppos_discount_and_lambda():
    batch = one_batch(1, 0, size=2, lengths=[3, 1], values=VALUES, gamma=0.5, lam=0.8)
    # delta: 0.5 * 0.6 - 0.2, 0.5 * 0.4 - 0.6, 1 - 0.4; each step back counts 0.4.
    last = 0.6
    middle = -0.4 + 0.4 * last
    first = 0.1 + 0.4 * middle
    gae, mask = tensor([[first, middle, last, 0], [-0.1, 0, 0, 0]]), batch.mask.bool()
    found = ppo.advantages(batch)
    assert_close(found.advantages, white(gae, mask), 1e-7)
    assert_close(found.returns, torch.where(mask, gae + VALUES, torch.zeros_like(gae)))


def test_the_reference_estimates_with_values_again_and_teaches_the_critic_the_total():
    batch = one_batch(1, 0, size=2, lengths=[3, 1], values=VALUES)
    mask, plain = batch.mask.bool(), ppo.advantages(batch).advantages
    found = ppo.advantages(batch, one_term([[1, 2], [6, 3]], "reference", alpha=0.5))
    to_go = tensor([[-3, -1, 0, 0], [3, 0, 0, 0]]) / (STD + 1e-6)
    total = plain + 0.5 * white(to_go - VALUES, mask)  # gamma = lambda = 1
    assert_close(found.advantages, total, 1e-7)
    assert_close(found.returns, torch.where(mask, VALUES + total, torch.zeros_like(total)), 1e-7)


def test_ppo_needs_values():
    with pytest.raises(ValueError, match="^values: None; PPO needs"):
        ppo.advantages(one_batch(1, 0, size=2))
