"""The numbers of the tables, response by response, against numbers worked out by hand."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from tests.analysis import worlds
from tests.analysis.worlds import log, markdown, noisy_problems, problem, scored, three_methods

from repro import methods
from repro.report import collect, compare, tables

# A correct response, and three wrong ones: 1,600 tokens in all.
PROBLEMS = [
    problem([1, 0], [100, 300], [1, 3]) | {"verification": [2, 0], "hesitation": [0, 1]},
    problem([0, 0], [200, 1000], [0, 2]) | {"verification": [0, 0], "hesitation": [1, 1]},
]
EASY, HARD = [problem([1], [10], [0])] * 2, [problem([0], [30], [0])] * 2


def backtracking(runs) -> pd.DataFrame:
    frame = tables.backtracking_frame(collect.read_scores(runs, worlds.present(runs)))
    return frame.set_index(["method", "benchmark", "of"])


def test_main_frame_numbers(make_run):
    summary = compare.summarise(*scored(three_methods(make_run)))
    main = tables.main_frame(summary, {}).set_index("method")
    row = main.loc["original"]
    # aime24: avg@2 is 0 and 50 %, sd 35.355, SE 25; mbpp: 100 and 0 %, SE 50.
    assert (row["aime24"], row["aime24_se"]) == (pytest.approx(25), pytest.approx(25))
    assert (row["mbpp"], row["mbpp_se"]) == (pytest.approx(50), pytest.approx(50))
    # Tokens: 150 and 50, SE 50 and 0, so 100 ± 50 / 2 over the two benchmarks.
    assert (row["tokens"], row["tokens_se"]) == (pytest.approx(100), pytest.approx(25))
    # Backtracking: 6 segments in 600 tokens is 10 per 1,000, and 0 on mbpp.
    assert row["backtracking_per_1k"] == pytest.approx(5)
    assert pd.isna(row["math500"])
    assert list(main.index) == ["original", "grpo", "grpo+repro"]
    assert "aime24_published" not in main


def test_backtracking_of_all_correct_and_wrong_responses(make_run):
    rows = backtracking([make_run("grpo", {"aime24": PROBLEMS})]).loc["grpo", "aime24"]
    columns = ["responses", "backtracking_per_1k", "backtracking_responses"]
    columns += ["verification_per_1k", "hesitation_per_1k"]
    assert rows.loc["all", columns].tolist() == pytest.approx([4, 3.75, 75, 1.25, 1.875])
    assert rows.loc["correct", columns].tolist() == pytest.approx([1, 10, 100, 20, 0])
    expected = [3, 5000 / 1500, 200 / 3, 0, 2]
    assert rows.loc["wrong", columns].tolist() == pytest.approx(expected)
    # Of all: 4 and 2 segments in 400 and 1,200 tokens. b - R t is 2.5 and -2.5, over a mean of 800
    # tokens 3.125 per 1,000, which is the SE of two problems.
    assert rows.loc["all", "backtracking_per_1k_se"] == pytest.approx(3.125)
    # Half of one problem's responses more than of the other's: 100 and 50 %.
    assert rows.loc["all", "backtracking_responses_se"] == pytest.approx(25)
    assert pd.isna(rows.loc["correct", "backtracking_per_1k_se"])  # a single problem


def test_the_median_is_of_the_responses_of_all_seeds(make_run, tmp_path):
    first = [problem([1], [10], [0])] * 2
    second = [problem([1], [tokens], [0]) for tokens in (40, 90)]
    runs = [make_run("grpo", {"lmb": first}), make_run("grpo", {"lmb": second}, seed=1)]
    tables.write_tables(runs, ["lmb"], tmp_path)
    row = pd.read_csv(tmp_path / "tokens.csv").iloc[0]
    assert (row["seeds"], row["lmb_mean"], row["lmb_median"]) == (2, 37.5, 25)
    # Two problems with means 25 and 50 over seeds, and seeds with means 10 and 65.
    assert row["lmb_mean_se"] == pytest.approx(np.hypot(12.5, 27.5), rel=1e-5)
    assert "Mean of 2 seeds" in markdown(tmp_path / "tokens.md")


def test_both_scorers_have_a_table_and_what_they_differ_in_is_said(make_run, tmp_path):
    both = problem([1, 0], [30, 20], [0, 0]) | {"math_verify": [0, 1]}
    more = problem([0, 0], [30, 20], [0, 0]) | {"math_verify": [1, 0]}
    # The second run's files are from before there was a second scorer.
    runs = [make_run("grpo", {"lmb": [both, more], "mbpp": worlds.CODE})]
    runs += [make_run("ppo", {"lmb": worlds.GRPO, "mbpp": worlds.CODE})]
    tables.write_tables(runs, ["lmb", "mbpp"], tmp_path, "A note.")
    files = (tmp_path / "main.csv", tmp_path / "main_math_verify.csv")
    main, other = (pd.read_csv(file).set_index("method") for file in files)
    assert main["lmb"].tolist() == [25, 75]
    assert other.loc["grpo", "lmb"] == 50 and pd.isna(other.loc["ppo", "lmb"])
    assert [*main["mbpp"], *other["mbpp"]] == [50] * 4  # programs have one scorer
    (note,) = other["note"].unique()
    said = "decides 3 of 4 responses in mathematics otherwise than the main table: it rejects 1"
    assert said in note and "accepts 2 that count as wrong" in note
    assert set(main["note"]) == {"A note."}
    assert "| tiny | GRPO | - | - | - | 50.0" in markdown(tmp_path / "main_math_verify.md")


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


def test_the_interval_covers_seeds_too(make_run):
    runs = [make_run("grpo", {"lmb": HARD * 10}, seed=seed) for seed in (0, 1)]
    runs.append(make_run("grpo+repro", {"lmb": EASY * 10}))
    runs.append(make_run("grpo+repro", {"lmb": HARD * 5 + EASY * 5}, seed=1))
    # Problems: ten gain 50 points, ten 100; seeds: 100 and 50. Both have sd_problems 25.65 and
    # sd_seeds 35.36.
    row = effects(runs).loc["in-domain", "accuracy"]
    assert row["difference"] == 75 and row["seeds"] == 2 and row["by_seed"] == "100 50"
    se = np.hypot(np.std([50, 100] * 10, ddof=1) / np.sqrt(20), 25)
    assert row["se"] == pytest.approx(se)


def two_algorithms(make_run, seeds=worlds.SEEDS, **how):
    """Each with and without RePro, on two benchmarks; PPO gains much, GRPO nothing."""
    runs = []
    for seed, (i, method) in itertools.product(seeds, enumerate(("ppo", "grpo"))):
        for j, gain in enumerate((0, 0.3 * (method == "ppo"))):
            rows = noisy_problems(0.4 + gain, 100 - 40 * gain, seed=9 * seed + 3 * i + j, noise=0.2)
            name = method + methods.REPRO * j
            scores = {"aime24": rows, "gpqa": rows[::2]}
            runs.append(make_run(name, scores, log(9, 9), seed=seed, **how))
    return runs


def test_tables_and_claims_have_the_same_intervals_of_the_same_comparisons(make_run):
    runs = two_algorithms(make_run) + two_algorithms(make_run, [0, 1], backbone="other")
    table = compare.effects(*scored(runs))
    keys, compared = ["backbone", "method", "pool", "metric"], 0
    table = table.rename(columns={"benchmark": "pool", "difference": "effect"}).set_index(keys)
    for claim, metric in (
        ("accuracy", "accuracy"),
        ("tokens", "tokens_percent"),
        ("backtracking", "backtracking_per_1k"),
    ):
        for part in worlds.evaluate(claim, runs, ["aime24", "gpqa"]).to_dict("records"):
            ran = [run.split("/")[:2] for run in part["runs"].split()]
            of_pair = len({method for _, method in ran}) == 2
            if of_pair and part["of"] == "problems" and part["unit"] == compare.EFFECTS[metric][1]:
                row = table.loc[*ran[0], part["pool"], metric]
                shown = ["effect", "low", "high", "se", "seeds"]
                assert [part[key] for key in shown] == row[shown].tolist()
                compared += 1
    assert compared == 8 + 8 + 2
    # Seeds have 2 + 2 + 1 + 1 degrees of freedom in place of 2, problems 39.
    assert table.loc["tiny", "ppo+repro", "in-domain", "accuracy"]["freedom"] > 6


def test_p_values_are_corrected_by_hand_for_the_pooled_rows_of_a_metric(make_run):
    frame = compare.effects(*scored(two_algorithms(make_run)))
    assert frame["p_holm"].isna().equals(frame["benchmark"].isin(["aime24", "gpqa"]))
    rows = frame[(frame["metric"] == "accuracy") & frame["p_holm"].notna()]
    p = 2 * stats.t.sf((rows["difference"] / rows["se"]).abs(), rows["freedom"])
    order = np.argsort(p)  # Holm: times 6, 5, 4, ..., and never less than the one before
    wanted = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(6, 0, -1)))
    assert rows["p_holm"].to_numpy()[order] == pytest.approx(wanted)
    by_method = rows.groupby("method")["p_holm"]
    assert by_method.max()["ppo+repro"] < 0.01 and by_method.min()["grpo+repro"] > 0.05


@pytest.mark.parametrize(("method", "seed"), [("grpo+repro", 0), ("grpo", 1)])
def test_different_problems_are_refused(make_run, method, seed):
    runs = [make_run("grpo", {"lmb": EASY}), make_run(method, {"lmb": EASY[:1]}, seed=seed)]
    said = "tiny, lmb: scored on different problems: GRPO, seed 0; GRPO"
    with pytest.raises(ValueError, match=said):
        scored(runs)
