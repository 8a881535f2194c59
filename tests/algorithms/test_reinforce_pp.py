import math

import pytest
import torch
from tests.algorithms.cases import (
    VARIANTS,
    assert_as_by_hand,
    assert_close,
    one_batch,
    one_term,
    random_case,
    tensor,
)

from repro.algorithms import reinforce_pp


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("gamma", [1.0, 0.9])
def test_as_by_hand(seed, gamma):
    assert_as_by_hand("reinforce_pp", random_case(seed, gamma=gamma))


def test_the_reward_reaches_every_token_and_is_whitened_over_the_batch():
    # Tokens: 1, 1, 1 and 0: mean 3/4, unbiased variance 1/4.
    batch = one_batch(1, 0, size=2, lengths=[3, 1])
    found = reinforce_pp.advantages(batch).advantages
    scale = math.sqrt(1 / 4 + 1e-8)
    assert_close(found, tensor([[0.25, 0.25, 0.25, 0], [-0.75, 0, 0, 0]]) / scale, 1e-7)


def test_the_discount_counts_from_the_end_of_each_response():
    batch = one_batch(1, 1, size=2, lengths=[3, 1], gamma=0.5)
    values = [0.25, 0.5, 1, 1]
    mean = sum(values) / 4
    std = math.sqrt(sum((x - mean) ** 2 for x in values) / 3 + 1e-8)
    w, x, y, z = ((value - mean) / std for value in values)
    assert_close(reinforce_pp.advantages(batch).advantages, [[w, x, y, 0], [z, 0, 0, 0]], 1e-7)


def test_groups_do_not_matter():
    rewards, term = (1, 0, 3, 0), one_term([[0.3], [-0.2], [0.1], [0.5]])
    by_two, by_four = (
        reinforce_pp.advantages(one_batch(*rewards, size=size), term).advantages for size in (2, 4)
    )
    assert torch.equal(by_two, by_four)


def test_process_rewards_are_whitened_over_the_batch():
    # 1, 2, 6 and 3 as for GRPO, but by rsqrt(var + 1e-8) and with no group.
    batch = one_batch(1, 1, size=1, tokens=3)
    process = reinforce_pp.advantages(batch, one_term([[1, 2], [6, 3]])).advantages
    process = process - reinforce_pp.advantages(batch).advantages
    assert_close(process, tensor([[-3, -1, 0], [3, 0, 0]]) / math.sqrt(14 / 3 + 1e-8))


def test_both_variants_are_the_same_but_for_the_count():
    batch = one_batch(1, 0, size=2)
    rows = [[0.3, -0.2, 0.1], [0.4, 0.0, 0.2]]
    paper, reference = (
        reinforce_pp.advantages(batch, one_term(rows, variant)).advantages for variant in VARIANTS
    )
    assert_close(paper, reference, 1e-7)
    # It shows where all rewards are equal: a mean off by 1e-8 in 6, times rsqrt(1e-8).
    equal = [[0.3] * 3] * 2
    plain = reinforce_pp.advantages(batch).advantages
    paper, reference = (
        reinforce_pp.advantages(batch, one_term(equal, variant)).advantages - plain
        for variant in VARIANTS
    )
    assert paper.abs().max() < 1e-11
    assert_close(reference[:, 2], [0.3 * 1e-8 / 6 * 1e4] * 2, 1e-9)


def test_a_single_valid_token_has_no_advantage():
    batch = one_batch(1.0, size=1, lengths=[1])
    # Not exactly 0: the co-author's mean is 1 / (1 + 1e-8).
    assert_close(reinforce_pp.advantages(batch).advantages, [[1e-4, 0, 0, 0]], 1e-9)


def test_an_empty_response_changes_nothing_for_the_others():
    found = reinforce_pp.advantages(one_batch(1, 0, 7, size=1, lengths=[3, 2, 0])).advantages
    expected = reinforce_pp.advantages(one_batch(1, 0, size=1, lengths=[3, 2])).advantages
    assert_close(found[:2], expected)
    assert (found[2] == 0).all()
    none = reinforce_pp.advantages(one_batch(1, 1, size=1, lengths=[0, 0])).advantages
    assert (none == 0).all()
