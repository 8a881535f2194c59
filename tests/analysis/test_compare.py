"""Summaries and paired effects against numbers worked out by hand."""

import pandas as pd
import pytest
from tests.analysis.small_runs import ORIGINAL, present, problem, three_methods

from repro.report import collect, compare


def scores(runs: list[dict]) -> pd.DataFrame:
    return collect.scores(runs, present(runs))


EASY = [problem([1], [10], [0])] * 2


@pytest.fixture
def runs(make_run):
    return three_methods(make_run)


def test_effects_are_paired_by_problem(runs):
    effect = compare.effects(scores(runs))
    pairs = effect[["method", "baseline"]].drop_duplicates().values.tolist()
    assert pairs == [["grpo", "original"], ["grpo+repro", "original"], ["grpo+repro", "grpo"]]
    index = ["method", "baseline", "benchmark", "metric"]
    effect = effect.set_index(index).sort_index()

    def row(benchmark, metric, method="grpo", baseline="original"):
        return effect.loc[(method, baseline, benchmark, metric)]

    # Both problems gain 50 points: no spread between pairs, though the problems differ.
    accuracy = row("aime24", "accuracy")
    assert accuracy[["difference", "low", "high"]].tolist() == pytest.approx([50, 50, 50])
    assert row("aime24", "tokens_percent")["difference"] == pytest.approx(-100 / 3)  # 300 to 200
    # Backtracking: 2 in 400 tokens against 6 in 600.
    assert row("aime24", "backtracking_per_1k")["difference"] == pytest.approx(5 - 10)
    assert row("in-domain", "accuracy")["difference"] == pytest.approx(50)
    assert row("out-of-domain", "accuracy")["difference"] == pytest.approx(0)
    assert row("all", "accuracy")["difference"] == pytest.approx(25)
    assert row("all", "accuracy")["n"] == 4
    assert row("all", "accuracy")["seeds"] == 1
    assert row("aime24", "accuracy", "grpo+repro", "grpo")["difference"] == pytest.approx(0)


def test_the_interval_is_that_of_the_differences(make_run):
    plain = [problem([0, 0], [100] * 2, [0, 0]), problem([0, 0], [100] * 2, [0, 0])]
    repro = [problem([1, 0], [100] * 2, [0, 0]), problem([0, 0], [100] * 2, [0, 0])]
    runs = [make_run("grpo", {"lmb": plain}), make_run("grpo+repro", {"lmb": repro})]
    effect = compare.effects(scores(runs)).set_index(["benchmark", "metric"])
    # Differences 50 and 0: mean 25, SE 25, and t(0.975, 1) = 12.706.
    row = effect.loc[("lmb", "accuracy"), ["difference", "low", "high"]]
    assert row.tolist() == pytest.approx([25, 25 - 25 * 12.7062, 25 + 25 * 12.7062], rel=1e-4)


def test_one_seed_too_many_is_not_compared(make_run):
    hard = [problem([0], [30], [0])] * 2
    runs = [
        make_run("grpo", {"lmb": hard}),
        make_run("grpo+repro", {"lmb": EASY}),
        make_run("grpo+repro", {"lmb": hard}, seed=1),
    ]
    problems = scores(runs)
    rows = compare.effects(problems).set_index(["benchmark", "metric"])
    row = rows.loc[("lmb", "accuracy")]
    assert (row["difference"], row["n"], row["seeds"]) == (100, 2, 1)
    summary = compare.summarise(problems).set_index(["method", "benchmark", "metric"])
    mean = summary.loc[("grpo+repro", "lmb", "accuracy")]
    assert (mean["mean"], mean["seeds"]) == (50, 2)


def test_methods_without_a_common_seed_have_no_difference(make_run):
    runs = [make_run("grpo", {"lmb": EASY}), make_run("grpo+repro", {"lmb": EASY}, seed=1)]
    rows = compare.effects(scores(runs))
    assert set(rows["n"]) == {0}
    assert rows["difference"].isna().all()


def test_a_pool_needs_all_of_its_benchmarks(make_run):
    both, one = {"aime24": ORIGINAL, "lmb": EASY}, {"lmb": EASY}
    runs = [make_run("original", both), make_run("grpo", one)]
    problems = pd.concat(
        [collect.scores(runs[:1], ["aime24", "lmb"]), collect.scores(runs[1:], ["lmb"])]
    )
    summary = compare.summarise(problems).set_index(["method", "metric", "benchmark"])
    # Over aime24 (avg@2 of 0 and 50 %) and lmb; for grpo over lmb alone it would be 100.
    assert summary.loc[("original", "accuracy", "in-domain"), "mean"] == pytest.approx(62.5)
    for metric in compare.METRICS:
        for pool in ("in-domain", "all", "aime24"):
            row = summary.loc[("grpo", metric, pool)]
            assert (row["n"], row["seeds"]) == (0, 0)
            assert pd.isna(row["mean"])
    assert summary.loc[("grpo", "accuracy", "lmb"), "mean"] == 100
    assert "out-of-domain" not in summary.index.get_level_values("benchmark")
    effects = compare.effects(problems).set_index(["metric", "benchmark"])["difference"]
    assert effects["accuracy", "lmb"] == 0
    assert effects[["accuracy", "tokens_percent"]][:, "in-domain"].isna().all()


def test_pairs_of_different_problems_are_refused(make_run):
    runs = [make_run("original", {"lmb": EASY[:1]}), make_run("grpo", {"lmb": EASY})]
    with pytest.raises(ValueError, match="tiny, lmb: grpo and original .* different problems"):
        compare.effects(scores(runs))


def test_seeds_of_different_problems_are_refused(make_run):
    runs = [make_run("grpo", {"lmb": EASY[:1]}), make_run("grpo", {"lmb": EASY}, seed=1)]
    with pytest.raises(ValueError, match="tiny/grpo, lmb: the seeds were not scored on the same"):
        compare.summarise(scores(runs))


def test_without_a_pair_the_frame_is_empty_with_its_columns(make_run):
    effects = compare.effects(scores([make_run("grpo", {"lmb": EASY})]))
    assert effects.empty
    assert {"method", "baseline", "metric", "difference", "low", "high"} <= set(effects.columns)
