"""Claims 2 and 8: -J along responses, and the process rewards of their segments."""

import itertools

import numpy as np
import pytest
from tests.analysis.worlds import evaluate, noisy_problems, of_clauses, verdict

from repro.report import verdicts
from repro.report.verdicts import DESCRIBED, INCONCLUSIVE, NOT_SUPPORTED, NOT_TESTED, SUPPORTED

SCORES = {"aime24": noisy_problems()}
BOTH = {"backtracking": 0.1, "verification": 0.1}


def objective_rows(fall=1.0, less=None, n=20, seed=0, last=0.0, **more):
    """Responses whose -J falls by ``fall`` a cut point; less: by how much behaviours earn less."""
    rng, rows = np.random.default_rng(seed), []
    for doc_id, sample in itertools.product(range(n), range(2)):
        positions = np.arange(0, 50, 5)
        values = fall * np.arange(10) + rng.normal(0, 0.5, 10) - 500
        values[-1] += last
        points = [[int(p), p / 45, float(v)] for p, v in zip(positions, values, strict=True)]
        segments = [[None, rng.normal(0.1, 0.1)] for _ in range(5)]
        for label, size in (less or {}).items():
            segments.append([label, rng.normal(0.1, 0.1) - size])
        row = {"benchmark": "aime24", "doc_id": doc_id, "sample": sample, "correct": 1}
        rows.append(row | {"points": points, "segments": segments} | more)
    return rows


@pytest.fixture
def judge(make_run):
    """Return a function from a claim and the rows of each seed to the claim's parts."""

    def judged(name, *seeds_rows, method="original"):
        runs = [
            make_run(method, SCORES, backbone=name, seed=seed, objective=rows)
            for seed, rows in enumerate(seeds_rows)
        ]
        return evaluate(name, runs)

    return judged


@pytest.mark.parametrize(
    ("fall", "last", "wanted"),
    [
        (1.0, 0, [SUPPORTED, SUPPORTED]),
        (0.0, 0, [INCONCLUSIVE, NOT_SUPPORTED]),  # half of the steps of noise rise
        (0.0, 99, [INCONCLUSIVE, NOT_SUPPORTED]),  # only at the end, where the answer stands
        (-1.0, 0, [NOT_SUPPORTED, NOT_SUPPORTED]),
    ],
)
@pytest.mark.parametrize("seeds", [1, 3])
def test_a_steady_fall_is_judged_before_the_last_cut_point(judge, fall, last, wanted, seeds):
    rows = [objective_rows(fall, seed=seed + 1, last=last) for seed in range(seeds)]
    frame = judge("objective", *rows)
    assert of_clauses(frame) == wanted
    tested = frame[frame["verdict"] != DESCRIBED]
    assert tested["n"].tolist() == [20] * 3 and tested["seeds"].tolist() == [seeds] * 3
    assert not tested["few_seeds"].any()  # about these checkpoints
    judged, clauses = verdicts.overall(frame)
    assert " seed" not in verdicts.headline([{"verdict": judged, "clauses": clauses}])


def test_a_fall_in_the_second_half_only_is_not_steady(judge):
    rows = objective_rows(0.0)
    for row in rows:
        row["points"] = [[t, x, v + max(0, 10 * (t - 20))] for t, x, v in row["points"]]
    frame = judge("objective", rows)
    assert of_clauses(frame) == [SUPPORTED, NOT_SUPPORTED]
    assert frame["verdict"].tolist()[2:] == [SUPPORTED, NOT_SUPPORTED]


@pytest.mark.parametrize(
    ("objective", "correlation"),
    [
        ([-3.0, -2.0, -1.0, 0.0], -1),
        ([-1.0, -2.0, -2.0, 0.0], 0.8660254),  # ties share their rank
        ([-1.0, -1.0, -1.0, 0.0], 0),  # what is constant does not fall
        ([-3.0, -2.0, 0.0], None),  # two are always in order
    ],
)
def test_correlation_of_a_response(judge, objective, correlation):
    points = [[i, i / 3, value] for i, value in enumerate(objective)]
    rows = [row | {"points": points} for row in objective_rows(n=2)]
    effect = judge("objective", rows)["effect"][0]
    assert np.isnan(effect) if correlation is None else effect == pytest.approx(correlation)


def test_wrong_responses_are_compared_and_not_averaged(judge):
    rows = objective_rows(1.0) + objective_rows(-1.0, n=40, correct=0)
    tested, described = judge("objective", rows).to_dict("records")[:2]
    assert (tested["n"], described["n"]) == (20, 60)
    assert tested["effect"] < -0.9 and described["effect"] == pytest.approx(-2, abs=0.2)
    assert described["verdict"] == DESCRIBED


@pytest.mark.parametrize(
    ("less", "wanted"),
    [
        (BOTH, [SUPPORTED, SUPPORTED]),
        ({"verification": 0.2, "backtracking": -0.2}, [NOT_SUPPORTED, INCONCLUSIVE]),
        ({"verification": 0.0, "hesitation": 0.0}, [INCONCLUSIVE, INCONCLUSIVE]),
        ({"hesitation": -0.2}, [NOT_SUPPORTED, NOT_SUPPORTED]),
    ],
)
def test_each_behaviour_earns_less(judge, less, wanted):
    frame = judge("case-study", objective_rows(less=less, seed=1))
    assert of_clauses(frame) == wanted
    assert frame["verdict"].eq(NOT_TESTED).sum() == 3 - len(less)
    for label, size in less.items():
        (effect,) = frame.loc[frame["part"].str.contains(f"of {label}"), "effect"]
        assert effect == pytest.approx(-size, abs=0.05)


def test_a_behaviour_of_few_problems_is_shown_and_not_tested(judge):
    rows = objective_rows(less={"verification": 0.1}, n=20)
    rows[:8] = objective_rows(less={"verification": 0.1, "backtracking": -0.3}, n=4)
    frame = judge("case-study", rows)
    assert frame["verdict"].tolist()[:3] == [NOT_TESTED, SUPPORTED, NOT_TESTED]
    assert frame["effect"][0] > 0.1 and frame["remark"][0].startswith("4 problems, fewer than 10")
    assert of_clauses(frame)[0] == SUPPORTED


def test_a_model_trained_on_the_reward_is_no_witness_of_it(make_run):
    runs = [make_run("grpo+repro", SCORES, objective=objective_rows(less=BOTH))]
    frame = evaluate("case-study", runs)
    assert of_clauses(frame) == [INCONCLUSIVE, INCONCLUSIVE]
    assert frame["remark"][0].startswith("no run of Original: a model trained on the reward")
    runs += [make_run("original", SCORES, objective=objective_rows(less={"backtracking": -0.1}))]
    frame = evaluate("case-study", runs)
    assert set(frame["runs"]) - {""} == {"tiny/original/0"}
    assert of_clauses(frame)[0] == NOT_SUPPORTED


def test_quarters_by_hand(judge):
    # Rewards of 1 to 8 in each response: 1 and 2 are the lowest quarter, 7 and 8 the highest.
    labels = ["verification", None, None, None, None, None, "hesitation", "backtracking"]
    segments = [[label, float(reward)] for reward, label in enumerate(labels, start=1)]
    rows = [row | {"segments": segments} for row in objective_rows(n=10)]
    quarters = judge("case-study", rows).iloc[-1]
    assert (quarters["effect"], quarters["unit"]) == (50 - 100, "points")


def test_without_objectives_or_segments_nothing_is_tested(judge):
    frame = judge("objective", None)
    assert verdict(frame) == NOT_TESTED
    assert set(frame["remark"]) == {"no run has an objective.jsonl"}
    frame = judge("case-study", objective_rows())
    assert verdict(frame) == NOT_TESTED
    assert frame["remark"][0].startswith("none of 40 responses in objective.jsonl")
