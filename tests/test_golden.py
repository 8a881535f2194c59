"""Scores and estimators against golden numbers, which were computed elsewhere, and by hand.

Other numbers of the same form are compared by `REPRO_GOLDEN=FILE pytest tests/test_golden.py`.
"""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.algorithms import ADVANTAGES, ppo
from repro.process_reward import reward, scores
from tests.algorithms import by_hand
from tests.algorithms.cases import assert_close, batch_of, random_case, tensor, term_of
from tests.paths import GOLDEN, needs_golden

TOLERANCE = 1e-8


def check_advantages(case: dict) -> None:
    """Everything that a case expects; tokens after a response ends do not count."""
    batch = batch_of(case)
    for name, expected in case["expected"].items():
        algorithm, _, variant = name.partition("_repro_")
        if name == "ppo_returns":
            found = ppo.advantages(batch).returns
        else:
            term = term_of(case, variant) if variant else None
            found = ADVANTAGES[algorithm](batch, term).advantages
        expected = tensor(expected)
        assert expected.shape == batch.mask.shape, name
        assert_close(found, batch.masked(expected), TOLERANCE)


def check_scores(case: dict) -> None:
    objective = tensor([case["J"]])  # (1, C)
    score = scores.score(objective, case["w"])
    assert_close(scores.magnitude(objective)[0, 1:], case["magnitude"], TOLERANCE)
    assert_close(scores.stability(objective)[0, 1:], case["stability"], TOLERANCE)
    for weight, expected in case["stability_of_ema"].items():
        average = scores.moving_average(objective, float(weight))
        assert_close(scores.stability(average)[0, 1:], expected, TOLERANCE)
    assert_close(score[0, 1:], case["score"], TOLERANCE)
    for initial, expected in case["process_reward"].items():
        assert_close(reward.process_reward(score, initial)[0], expected, TOLERANCE)


@needs_golden
def test_golden_advantages():
    cases = json.loads(GOLDEN.read_text())["advantages"]
    known = {*by_hand.expected_advantages(random_case(0))}
    assert {name for case in cases for name in case["expected"]} <= known
    for case in cases:
        check_advantages(case)


@needs_golden
def test_golden_scores():
    cases = json.loads(GOLDEN.read_text())["scores"]
    assert cases
    for case in cases:
        check_scores(case)


def test_one_wrong_number_fails():
    case = random_case(5, gamma=0.9, lam=0.8)
    case["expected"] = by_hand.expected_advantages(case)
    check_advantages(case)
    for name in case["expected"]:
        wrong = by_hand.expected_advantages(case)
        wrong[name][2][0] += 1e-6  # each response has a first token
        with pytest.raises(AssertionError):
            check_advantages(case | {"expected": wrong})


OBJECTIVES = st.sampled_from([0.0, -0.0, -1.0, -0.5, -1e-9]) | st.floats(-30, 0)  # with ties


@settings(max_examples=60, deadline=None)
@given(st.lists(OBJECTIVES, min_size=1, max_size=8), st.floats(0, 1), st.sampled_from([0.01, 1.0]))
def test_random_scores_as_by_hand(objective, w, ema):
    """Random estimates are compared in tests/algorithms/test_estimates.py."""
    check_scores(by_hand.expected_scores(objective, w, [ema]))
