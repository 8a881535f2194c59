"""Rules of process rewards: each by hand, and each control differs from RePro in what it says."""

import math

import pytest
import torch

from repro import methods
from repro.process_reward import segments
from repro.process_reward.measured import Measured
from repro.process_reward.rules import RULES, apply
from repro.process_reward.settings import ProcessRewardSettings

SETTINGS = ProcessRewardSettings(w=0.2, alpha=0.4).filled()
J = [[-2.0, -1.0, -1.5, -0.5], [-3.0, -0.3, 0.0, 0.0], [-1.0, -2.0, 0.0, 0.0], [-2.0, -0.1, 0, 0]]
CUTS = [[0, 3, 5, 9], [0, 4, -1, -1], [0, 6, -1, -1], [0, 7, -1, -1]]


def measured(**changes) -> Measured:
    """Two prompts with two responses each; the first response has three cut points, others one."""
    given = {
        "outcome": torch.tensor([1.0, 0.0, 1.0, 1.0]),
        "lengths": torch.tensor([10, 6, 8, 12]),
        "cuts": torch.tensor(CUTS),
        "objective": torch.tensor(J, dtype=torch.float64),
        "entropies": torch.zeros(4, 4),
        "num_generations": 2,
        "step": 3,
    }
    return Measured(**given | changes)


def valid(rewards: torch.Tensor) -> list[list[float]]:
    """The rewards at cut points, by response."""
    mask = measured().rewarded
    return [row[kept].tolist() for row, kept in zip(rewards, mask, strict=True)]


def test_every_rule_has_a_name_and_a_file():
    assert RULES.keys() == methods.RULES.keys()


def test_repro_by_hand():
    first = valid(RULES["repro"](measured(), SETTINGS))[0]
    magnitude = [1 - math.tanh(j / J[0][0]) for j in J[0]]
    # Pairs of J along the cut points: of 2 points 1 rises; of 3, 2 of 3; of 4, 5 of 6.
    stability = [0.5, 1.0, (2 - 1) / 3 / 2 + 0.5, (5 - 1) / 6 / 2 + 0.5]
    scores = [0.8 * m + 0.2 * s for m, s in zip(magnitude, stability, strict=True)]
    assert first == pytest.approx([scores[1], scores[2] - scores[1], scores[3] - scores[2]])


def test_magnitude_and_stability_are_its_two_parts():
    parts = [valid(RULES[rule](measured(), SETTINGS)) for rule in ("magnitude", "stability")]
    whole = valid(RULES["repro"](measured(), SETTINGS))
    for one, two, both in zip(*parts, whole, strict=True):
        assert both == pytest.approx([0.8 * m + 0.2 * s for m, s in zip(one, two, strict=True)])
    for rule, w in (("magnitude", 0.0), ("stability", 1.0)):
        alone = RULES["repro"](measured(), SETTINGS.model_copy(update={"w": w}))
        assert valid(RULES[rule](measured(), SETTINGS)) == valid(alone)


def test_shuffled_rewards_are_the_same_in_another_order():
    whole, mixed = (RULES[rule](measured(), SETTINGS) for rule in ("repro", "shuffled"))
    for ours, theirs in zip(valid(whole), valid(mixed), strict=True):
        assert sorted(ours) == sorted(theirs)
    drawn = [RULES["shuffled"](measured(step=step), SETTINGS) for step in range(60)]
    assert len({tuple(valid(rewards)[0]) for rewards in drawn}) == 6, "every order of three"
    assert torch.equal(drawn[measured().step], mixed), "a resumed training draws the same"


def test_outcome_at_cuts_sums_up_to_the_outcome():
    assert valid(RULES["outcome"](measured(), SETTINGS)) == [
        pytest.approx([1 / 3] * 3),
        [0.0],
        [1.0],
        [1.0],
    ]


def test_the_length_penalty_by_hand():
    """Prompt 1 has one correct response, prompt 2 has two: of 8 and 12 tokens, mean 10, std 2."""
    short, long = (1 / (1 + math.exp(-z)) for z in (-1, 1))
    found = RULES["length"](measured(), SETTINGS).tolist()
    assert found == pytest.approx([1 - 0.4 * 0.5, 0, 1 - 0.4 * short, 1 - 0.4 * long])
    alike = RULES["length"](measured(lengths=torch.tensor([10, 6, 9, 9])), SETTINGS).tolist()
    assert alike == pytest.approx([0.8, 0, 0.8, 0.8])
    with pytest.raises(ValueError, match="alpha = 1.0 does not go with the rule length"):
        ProcessRewardSettings(rule="length", alpha=1.0)


def test_vps_by_hand():
    p = [math.exp(j) for j in J[0]]
    gains = [p[1] - p[0], p[2] - p[1], p[3] - p[2]]
    assert valid(RULES["vps"](measured(), SETTINGS))[0] == pytest.approx(gains)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_random_cuts_are_as_many_among_the_same_segments(k):
    thought = segments.Thought(starts=[0, 3, 5, 9, 14], end=20, closed=True)
    chosen = segments.cut_points(thought, [*range(20)], k)  # the last segments have most entropy
    drawn = {tuple(segments.draw_cut_points(thought, chosen, seed=str(seed))) for seed in range(60)}
    inner = len(chosen) - 2
    assert {len(cuts) for cuts in drawn} == {len(chosen)}
    assert all(cuts[0] == 0 and cuts[-1] == 20 for cuts in drawn)
    assert {*sum(drawn, ())} <= {0, 3, 5, 9, 14, 20}
    assert len(drawn) == math.comb(4, inner), "all choices"


def test_a_rule_of_ones_own_may_return_either_and_nothing_else():
    settings = ProcessRewardSettings(rule=lambda measured, _: measured.lengths).filled()
    assert apply(measured(), settings).tolist() == [10, 6, 8, 12]
    with pytest.raises(ValueError, match=r"^process_reward: returned \(4, 4\); allowed: \(4, 3\)"):
        apply(measured(), ProcessRewardSettings(rule=lambda measured, _: measured.objective))


@pytest.mark.parametrize("rule", methods.RULES)
def test_columns_without_a_cut_point_decide_nothing(rule):
    other = torch.tensor(J, dtype=torch.float64)
    other[1:, 2:] = -7.0
    given = measured(), measured(objective=other)
    first, second = (RULES[rule](of, SETTINGS) for of in given)
    if first.dim() == 1:
        assert first.tolist() == second.tolist()
    else:
        assert valid(first) == valid(second)
