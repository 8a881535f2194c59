"""Summaries and paired effects against numbers worked out by hand."""

import pytest
from tests.analysis.worlds import problem, scored, three_methods

from repro.report import compare

EASY, HARD = [problem([1], [10], [0])] * 2, [problem([0], [30], [0])] * 2


def effects(runs):
    """The effects of a single pair, indexed by benchmark and metric."""
    return compare.effects(*scored(runs)).set_index(["benchmark", "metric"])


def test_effects_are_paired_by_problem(make_run):
    frame = compare.effects(*scored(three_methods(make_run)))
    pairs = frame[["method", "baseline"]].drop_duplicates().values.tolist()
    assert pairs == [["grpo", "original"], ["grpo+repro", "original"], ["grpo+repro", "grpo"]]
    found = frame.set_index(["method", "baseline", "benchmark", "metric"]).sort_index()
    rows = found.loc["grpo", "original"]
    # Both problems gain 50 points: no spread between pairs, though the problems differ.
    accuracy = rows.loc["aime24", "accuracy"]
    assert accuracy[["difference", "low", "high"]].tolist() == pytest.approx([50, 50, 50])
    difference = rows["difference"]
    assert difference["aime24", "tokens_percent"] == pytest.approx(-100 / 3)  # 300 to 200
    # Backtracking: 2 in 400 tokens against 6 in 600.
    assert difference["aime24", "backtracking_per_1k"] == pytest.approx(5 - 10)
    of_pools = [difference[pool, "accuracy"] for pool in ("in-domain", "out-of-domain", "all")]
    assert of_pools == pytest.approx([50, 0, 25])
    assert rows.loc["all", "accuracy"][["n", "seeds"]].tolist() == [4, 1]
    same = found.loc["grpo+repro", "grpo", "aime24", "accuracy"]
    assert same["difference"] == pytest.approx(0)


def test_the_interval_is_that_of_the_differences(make_run):
    plain = [problem([0, 0], [100] * 2, [0, 0]), problem([0, 0], [100] * 2, [0, 0])]
    repro = [problem([1, 0], [100] * 2, [0, 0]), problem([0, 0], [100] * 2, [0, 0])]
    rows = effects([make_run("grpo", {"lmb": plain}), make_run("grpo+repro", {"lmb": repro})])
    # Differences 50 and 0: mean 25, SE 25, and t(0.975, 1) = 12.706.
    row = rows.loc[("lmb", "accuracy"), ["difference", "low", "high"]]
    assert row.tolist() == pytest.approx([25, 25 - 25 * 12.7062, 25 + 25 * 12.7062], rel=1e-4)


def test_without_a_seed_that_both_have_nothing_is_compared(make_run):
    rows = effects([make_run("grpo", {"lmb": HARD}), make_run("grpo+repro", {"lmb": EASY}, seed=1)])
    assert set(rows["n"]) == {0}
    assert rows["difference"].isna().all()


@pytest.mark.parametrize(
    ("method", "seed", "function", "who"),
    [
        ("grpo+repro", 0, compare.effects, r"GRPO \+ RePro, GRPO"),
        ("grpo", 1, compare.summarise, "GRPO"),
    ],
)
def test_different_problems_are_refused(make_run, method, seed, function, who):
    runs = [make_run("grpo", {"lmb": EASY}), make_run(method, {"lmb": EASY[:1]}, seed=seed)]
    said = f"tiny, lmb, {who}: the methods or the seeds were scored on different problems"
    with pytest.raises(ValueError, match=said):
        function(*scored(runs))
