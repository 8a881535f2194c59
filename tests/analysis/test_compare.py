"""Summaries and paired effects against numbers worked out by hand."""

import pandas as pd
import pytest
from tests.analysis.small_runs import ORIGINAL, problem, scored, three_methods

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


def test_one_seed_too_many_is_not_compared(make_run):
    runs = [
        make_run("grpo", {"lmb": HARD}),
        make_run("grpo+repro", {"lmb": EASY}),
        make_run("grpo+repro", {"lmb": HARD}, seed=1),
    ]
    row = effects(runs).loc["lmb", "accuracy"]
    assert (row["difference"], row["n"], row["seeds"]) == (100, 2, 1)
    summary = compare.summarise(*scored(runs)).set_index(["method", "benchmark", "metric"])
    mean = summary.loc["grpo+repro", "lmb", "accuracy"]
    assert (mean["mean"], mean["seeds"]) == (50, 2)
    rows = effects(runs[::2])  # no seed that both have
    assert set(rows["n"]) == {0}
    assert rows["difference"].isna().all()


def test_a_pool_needs_all_of_its_benchmarks(make_run):
    runs = [
        make_run("original", {"aime24": ORIGINAL, "lmb": EASY}),
        make_run("grpo", {"lmb": EASY}),
    ]
    found = scored(runs, partial=True)
    summary = compare.summarise(*found).set_index(["method", "metric", "benchmark"])
    # Over aime24 (avg@2 of 0 and 50 %) and lmb; for grpo over lmb alone it would be 100.
    assert summary.loc[("original", "accuracy", "in-domain"), "mean"] == pytest.approx(62.5)
    for metric in compare.METRICS:
        for pool in ("in-domain", "all", "aime24"):
            row = summary.loc["grpo", metric, pool]
            assert (row["n"], row["seeds"]) == (0, 0)
            assert pd.isna(row["mean"])
    assert summary.loc[("grpo", "accuracy", "lmb"), "mean"] == 100
    assert "out-of-domain" not in summary.index.get_level_values("benchmark")
    difference = compare.effects(*found).set_index(["metric", "benchmark"])["difference"]
    assert difference["accuracy", "lmb"] == 0
    assert difference[["accuracy", "tokens_percent"]][:, "in-domain"].isna().all()


@pytest.mark.parametrize(
    ("method", "seed", "function", "message"),
    [
        ("grpo+repro", 0, compare.effects, r"lmb: grpo\+repro and grpo .* different problems"),
        ("grpo", 1, compare.summarise, "tiny/grpo, lmb: the seeds were not scored on the same"),
    ],
)
def test_different_problems_are_refused(make_run, method, seed, function, message):
    runs = [make_run("grpo", {"lmb": EASY}), make_run(method, {"lmb": EASY[:1]}, seed=seed)]
    with pytest.raises(ValueError, match=message):
        function(*scored(runs))
