"""Claims 2 and 8: the objective and the process rewards along thoughts."""

import itertools

import numpy as np
import pytest
from tests.analysis.worlds import evaluate, noisy_problems, verdict

from repro.report.verdicts import INCONCLUSIVE, NOT_SUPPORTED, NOT_TESTED, SUPPORTED

SCORES = {"aime24": noisy_problems()}


def objective_rows(fall: float, labelled: float, n=20, seed=0, **more):
    """Responses whose -J falls with rank correlation about -fall; labelled: their extra reward."""
    rng, rows = np.random.default_rng(seed), []
    for doc_id, sample in itertools.product(range(n), range(2)):
        positions = np.arange(0, 50, 5)
        values = fall * np.arange(10) + rng.normal(0, 4, 10) - 100
        points = [[int(p), p / 45, float(v)] for p, v in zip(positions, values, strict=True)]
        segments = [[None, rng.normal(0.1, 0.1)] for _ in range(5)]
        segments += [
            [label, rng.normal(0.1, 0.1) + labelled] for label in ("backtracking", "verification")
        ]
        row = {"benchmark": "aime24", "doc_id": doc_id, "sample": sample, "correct": 1}
        rows.append(row | {"points": points, "segments": segments} | more)
    return rows


@pytest.fixture
def judge(make_run):
    """Return a function from a claim and the rows of each seed to the claim's parts."""

    def judged(name, *seeds_rows):
        runs = [
            make_run("original", SCORES, backbone=name, seed=seed, objective=rows)
            for seed, rows in enumerate(seeds_rows)
        ]
        return evaluate(name, runs)

    return judged


@pytest.mark.parametrize(
    ("size", "wanted", "seeds"),
    [(-1.0, NOT_SUPPORTED, 1), (0.0, INCONCLUSIVE, 1), (1.0, SUPPORTED, 1), (1.0, SUPPORTED, 2)]
    + [(0.0, INCONCLUSIVE, 3), (-1.0, NOT_SUPPORTED, 3)],
)
def test_objective_and_case_study(judge, size, wanted, seeds):
    rows = [objective_rows(size, -0.1 * size, seed=seed + 1) for seed in range(seeds)]
    for name in ("objective", "case-study"):
        frame = judge(name, *rows)
        assert verdict(frame) == wanted
        assert (frame["n"].item(), frame["seeds"].item()) == (20, seeds)
    assert frame["effect"].item() == pytest.approx(-0.1 * size, abs=0.05)


@pytest.mark.parametrize(
    ("objective", "correlation"),
    [
        ([-3.0, -2.0, -1.0], -1),
        ([-1.0, -2.0, -2.0], 0.8660254),  # ties share their rank
        ([0.0, 0.0, 0.0], 0),  # what is constant does not fall
        ([-3.0, -2.0], None),  # two are always in order
    ],
)
def test_correlation_of_a_response(judge, objective, correlation):
    points = [[i, i / 3, value] for i, value in enumerate(objective)]
    rows = [row | {"points": points} for row in objective_rows(0, 0, n=2)]
    effect = judge("objective", rows)["effect"].item()
    assert np.isnan(effect) if correlation is None else effect == pytest.approx(correlation)


def test_wrong_responses_are_not_averaged(judge):
    rows = objective_rows(1.0, 0.0) + objective_rows(-1.0, 0.0, n=40, correct=0)
    frame = judge("objective", rows)
    assert frame["n"].item() == 20
    assert frame["effect"].item() < -0.3


def test_seeds_need_not_have_the_same_correct_problems(judge):
    rows = objective_rows(1.0, 0.0, n=20)
    frame = judge("objective", rows[:30], rows[10:])  # problems 0 to 14 and 5 to 19
    assert (frame["n"].item(), frame["seeds"].item()) == (20, 2)
    assert verdict(frame) == SUPPORTED


def test_benchmarks_with_the_same_numbers_are_different_problems(judge):
    rows = objective_rows(1.0, 0.0, benchmark="lmb") + objective_rows(1.0, 0.0, benchmark="gpqa")
    assert judge("objective", rows)["n"].item() == 40


def test_without_objectives_or_segments_nothing_is_tested(judge):
    frame = judge("objective", None)
    assert (verdict(frame), frame["remark"].item()) == (NOT_TESTED, "no run has an objective.jsonl")
    bare = [row | {"segments": []} for row in objective_rows(1, 0)]
    frame = judge("case-study", bare)
    assert verdict(frame) == NOT_TESTED
    assert frame["remark"].item().startswith("none of the 40 responses in objective.jsonl")
