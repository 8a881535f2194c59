import math

import pytest
from tests.algorithms.cases import (
    assert_as_by_hand,
    assert_close,
    one_batch,
    one_term,
    random_case,
    tensor,
)

from repro.algorithms import reinforce_pp_baseline


@pytest.mark.parametrize("seed", range(4))
def test_as_by_hand(seed):
    assert_as_by_hand("reinforce_pp_baseline", random_case(seed))
    assert_as_by_hand("reinforce_pp_baseline", random_case(seed, groups=3, size=2, gamma=0.9))


def test_the_group_is_the_baseline_and_the_batch_the_scale():
    # Less the group means: 1/2 (3 tokens), -1/2, 2 and -2 (1 token each).
    batch = one_batch(1, 0, 9, 5, size=2, lengths=[3, 1, 1, 1])
    values = [0.5, 0.5, 0.5, -0.5, 2, -2]
    mean = sum(values) / 6
    std = math.sqrt(sum((x - mean) ** 2 for x in values) / 5 + 1e-8)
    rows = [[0.5, 0.5, 0.5], [-0.5], [2], [-2]]
    expected = [[(x - mean) / std for x in row] + [0.0] * (4 - len(row)) for row in rows]
    assert_close(reinforce_pp_baseline.advantages(batch).advantages, expected, 1e-7)


def test_the_paper_z_scores_process_rewards_and_the_reference_only_centres_them():
    batch = one_batch(1, 1, size=2, tokens=3)
    plain = reinforce_pp_baseline.advantages(batch).advantages
    paper, reference = (
        reinforce_pp_baseline.advantages(batch, one_term([[1, 2], [6, 3]], variant)).advantages
        - plain
        for variant in ("paper", "reference")
    )
    centred = tensor([[-3, -1, 0], [3, 0, 0]])  # return-to-go of 1, 2, 6 and 3 less 3
    assert_close(paper, centred / (math.sqrt(14 / 3) + 1e-6))
    assert_close(reference, centred)


def test_a_group_of_a_single_response_keeps_its_reward():
    found = reinforce_pp_baseline.advantages(one_batch(3, 1, size=1, tokens=1)).advantages
    scale = math.sqrt(2 + 1e-8)  # whitened: 3 and 1 about 2
    assert_close(found, [[1 / scale], [-1 / scale]], 1e-7)
    assert_as_by_hand("reinforce_pp_baseline", random_case(0, groups=5, size=1))


def test_the_outcome_is_not_discounted():
    found = reinforce_pp_baseline.advantages(one_batch(1, 0, size=2, gamma=0.5)).advantages
    assert_close(found, reinforce_pp_baseline.advantages(one_batch(1, 0, size=2)).advantages, 0)


def test_a_group_all_alike_teaches_nothing():
    found = reinforce_pp_baseline.advantages(one_batch(1, 1, 0, 0, size=2)).advantages
    assert (found == 0).all()
