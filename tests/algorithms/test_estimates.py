"""The four estimators against `by_hand.py`, which agrees with the golden numbers, too."""

import pytest
from tests.algorithms import by_hand
from tests.algorithms.cases import VARIANTS, assert_close, batch_of, random_case, term_of

from repro.algorithms import ADVANTAGES, ppo

ALGORITHMS = pytest.mark.parametrize("algorithm", by_hand.ALGORITHMS)


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


def test_ppo_needs_values():
    with pytest.raises(ValueError, match="^values: None; PPO needs"):
        ppo.advantages(batch_of(random_case(0), values=None))
