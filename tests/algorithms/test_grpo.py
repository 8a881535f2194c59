import math

import pytest
import torch
from tests.algorithms.cases import (
    assert_as_by_hand,
    assert_close,
    one_batch,
    one_term,
    random_case,
    same,
)

from repro.algorithms import grpo


@pytest.mark.parametrize("seed", range(4))
def test_as_by_hand(seed):
    assert_as_by_hand("grpo", random_case(seed))
    assert_as_by_hand("grpo", random_case(seed, groups=3, size=2, gamma=0.9))


def test_outcome_is_the_z_score_within_each_group():
    found = grpo.advantages(one_batch(1, 0, 0, 1, 5, 5, 5, 5, size=4)).advantages
    scale = 0.5 / (math.sqrt(1 / 3) + 1e-6)  # unbiased std of 1, 0, 0, 1
    expected = torch.tensor([scale, -scale, -scale, scale, 0, 0, 0, 0], dtype=torch.float64)
    assert_close(found, expected[:, None].expand(8, 4))


def test_process_rewards_are_z_scored_over_all_cut_points_of_the_group():
    # 1, 2, 6 and 3: mean 3, unbiased variance (4 + 1 + 9 + 0) / 3.
    batch, term = one_batch(1, 1, size=2, tokens=3), one_term([[1, 2], [6, 3]])
    std = math.sqrt(14 / 3) + 1e-6
    expected = torch.tensor([[-3, -1, 0], [3, 0, 0]], dtype=torch.float64) / std
    assert_close(grpo.advantages(batch, term).advantages, expected)


def test_both_variants_are_the_same():
    batch, rows = one_batch(1, 0, size=2), [[0.3, -0.2, 0.1], [0.4, 0.0, 0.2]]
    same(
        grpo.advantages(batch, one_term(rows, "paper")),
        grpo.advantages(batch, one_term(rows, "reference")),
    )


def test_tokens_after_the_last_cut_have_the_outcome_alone():
    batch = one_batch(1, 0, size=2, lengths=[4, 3])
    plain = grpo.advantages(batch).advantages
    total = grpo.advantages(batch, one_term([[0.3, -0.2], [0.4, 0.1]])).advantages
    assert torch.equal(total[:, 2:], plain[:, 2:])
    assert (total[:, :2] != plain[:, :2]).all()
    assert total[1, 3] == 0, "nothing after the response ends"


def test_the_discount_is_per_token():
    batch = one_batch(1, 1, size=2, tokens=3, gamma=0.5)
    total = grpo.advantages(batch, one_term([[0, 0, 1], [0, 0, 1]])).advantages
    std = math.sqrt(6 * (2 / 9) / 5) + 1e-6  # of 0, 0, 1, 0, 0, 1
    low, high = -1 / 3 / std, 2 / 3 / std
    expected = [low + 0.5 * low + 0.25 * high, low + 0.5 * high, high]
    assert_close(total, [expected, expected])


def test_a_group_of_a_single_response_keeps_its_reward():
    batch = one_batch(0.7, -2.0, size=1, tokens=2)
    found = grpo.advantages(batch).advantages
    assert_close(found, [[0.7, 0.7], [-2.0, -2.0]], 2.1e-6)  # over a std of 1 + 1e-6
    assert_as_by_hand("grpo", random_case(0, groups=5, size=1))


def test_alpha_zero_is_plain_grpo():
    batch = one_batch(1, 0, size=2)
    same(grpo.advantages(batch), grpo.advantages(batch, one_term([[1.0], [2.0]], alpha=0.0)))


def test_alpha_weighs_the_process_advantage():
    batch, rows = one_batch(1, 0, size=2), [[0.3, -0.2], [0.4, 0.1]]
    plain, once, thrice = (
        grpo.advantages(batch, one_term(rows, alpha=alpha)).advantages for alpha in (0, 1, 3)
    )
    assert_close(thrice - plain, 3 * (once - plain))
