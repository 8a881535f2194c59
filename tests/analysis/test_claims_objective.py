"""Claims 2 and 8: the objective and the process rewards along thoughts."""

import itertools

import numpy as np
import pytest
from tests.analysis.claim_worlds import (
    INCONCLUSIVE,
    NOT_SUPPORTED,
    NOT_TESTED,
    SUPPORTED,
    only,
    problems,
    verdict,
)

from repro.files import jsonl
from repro.report import claim_inputs, claims


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
        row = {"doc_id": doc_id, "sample": sample, "correct": 1, "points": points}
        rows.append(row | {"segments": segments} | more)
    return rows


def with_objective(make_run, *seeds_rows):
    runs = []
    for seed, rows in enumerate(seeds_rows):
        run = make_run("original", {"aime24": problems()}, seed=seed)
        jsonl.write(run.path / "objective.jsonl", rows)
        runs.append(run)
    return runs


@pytest.mark.parametrize(
    ("size", "wanted"), [(-1.0, NOT_SUPPORTED), (0.0, INCONCLUSIVE), (1.0, SUPPORTED)]
)
@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_objective_and_case_study(make_run, size, wanted, seeds):
    rows = [objective_rows(size, -0.1 * size, seed=seed + 1) for seed in range(seeds)]
    runs = with_objective(make_run, *rows)
    for name in ("objective", "case-study"):
        frame = claims.evaluate(only(name), runs, ["aime24"])
        assert verdict(frame) == wanted
        assert (frame["n"].item(), frame["seeds"].item()) == (20, seeds)
    assert frame["effect"].item() == pytest.approx(-0.1 * size, abs=0.05)


def test_only_correct_responses_count_and_a_constant_objective_does_not_fall():
    def row(objective, correct=1):
        points = [[i, i / 3, value] for i, value in enumerate(objective)]
        return {"doc_id": 0, "sample": 0, "correct": correct, "points": points}

    def rank(objective):
        return claim_inputs._response(row(objective))["rank_correlation"]

    assert rank([-3.0, -2.0, -1.0]) == pytest.approx(-1)
    assert rank([-1.0, -2.0, -2.0]) == pytest.approx(0.8660254)  # ties share their rank
    assert rank([0.0, 0.0, 0.0]) == 0
    assert np.isnan(rank([-3.0, -2.0]))


def test_wrong_responses_are_not_averaged(make_run):
    rows = objective_rows(1.0, 0.0) + objective_rows(-1.0, 0.0, n=40, correct=0)
    frame = claims.evaluate(only("objective"), with_objective(make_run, rows), ["aime24"])
    assert frame["n"].item() == 20
    assert frame["effect"].item() < -0.3


def test_seeds_need_not_have_the_same_correct_problems(make_run):
    rows = objective_rows(1.0, 0.0, n=20)
    runs = with_objective(make_run, rows[:30], rows[10:])  # problems 0 to 14 and 5 to 19
    frame = claims.evaluate(only("objective"), runs, ["aime24"])
    assert (frame["n"].item(), frame["seeds"].item()) == (20, 2)
    assert verdict(frame) == SUPPORTED


def test_benchmarks_with_the_same_numbers_are_different_problems(make_run):
    rows = objective_rows(1.0, 0.0, benchmark="lmb") + objective_rows(1.0, 0.0, benchmark="gpqa")
    frame = claims.evaluate(only("objective"), with_objective(make_run, rows), ["aime24"])
    assert frame["n"].item() == 40


def test_without_objectives_or_segments_nothing_is_tested(make_run):
    run = make_run("original", {"aime24": problems()})
    frame = claims.evaluate(only("objective"), [run], ["aime24"])
    assert (verdict(frame), frame["remark"].item()) == (NOT_TESTED, "no run has an objective.jsonl")
    bare = [{k: v for k, v in row.items() if k != "segments"} for row in objective_rows(1, 0)]
    jsonl.write(run.path / "objective.jsonl", bare)
    frame = claims.evaluate(only("case-study"), [run], ["aime24"])
    assert verdict(frame) == NOT_TESTED
    assert frame["remark"].item().startswith("none of the 40 responses in objective.jsonl")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"correct": 2}, "correct = 2; allowed: 0, 1"),
        ({"points": [[0, 0, 0.5]]}, "J at most 0"),
        ({"points": [[0, 0, None]]}, "finite"),
        ({"points": [[0, 0]]}, "reshape"),
        ({"segments": [["waffling", 0.1]]}, "label 'waffling'; allowed: null, backtracking"),
        ({"segments": [[None, float("nan")]]}, "process reward nan"),
        ({"doc_id": None, "points": 3}, "points|reshape"),
    ],
)
def test_malformed_objectives_are_refused(make_run, change, message):
    rows = objective_rows(1.0, 0.0, n=1)
    rows[1] |= change
    runs = with_objective(make_run, rows)
    with pytest.raises(ValueError, match=rf"objective\.jsonl, row 2: .*({message})"):
        claim_inputs.responses(runs)
