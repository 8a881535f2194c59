"""Tokens and backtracking, response by response, against numbers worked out by hand."""

import json
from pathlib import Path

import pandas as pd
import pytest

from repro.measure import intervals
from repro.report import compare, table_frames, table_inputs, tables

# A correct response, and three wrong ones: 1,600 tokens in all.
PROBLEMS = [
    {
        "correct": [1, 0],
        "tokens": [100, 300],
        "backtracking": [1, 3],
        "verification": [2, 0],
        "hesitation": [0, 1],
    },
    {
        "correct": [0, 0],
        "tokens": [200, 1000],
        "backtracking": [0, 2],
        "verification": [0, 0],
        "hesitation": [1, 1],
    },
]
WRONG = [{"correct": [0], "tokens": [500], "backtracking": [1]}] * 2


def backtracking(runs, benchmarks) -> pd.DataFrame:
    inputs = table_inputs.load(runs, benchmarks)
    frame = table_frames.backtracking_frame(inputs.responses, inputs.grid)
    return frame.set_index(["method", "benchmark", "of"])


def test_backtracking_of_all_correct_and_wrong_responses(make_run):
    rows = backtracking([make_run("grpo", {"aime24": PROBLEMS})], ["aime24"]).loc["grpo", "aime24"]
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


def test_it_agrees_with_the_score_files_own_statistics(make_run):
    rows = backtracking([make_run("grpo", {"aime24": PROBLEMS})], ["aime24"]).loc["grpo", "aime24"]
    truncated = [problem | {"truncated": [0, 0]} for problem in PROBLEMS]
    summary = intervals.summary(truncated)
    for of, suffix in (("all", ""), ("correct", "_correct"), ("wrong", "_wrong")):
        expected = summary[f"backtracking_per_1k{suffix}"]
        assert rows.loc[of, "backtracking_per_1k"] == pytest.approx(expected["value"])
        if expected["se"] is not None:
            assert rows.loc[of, "backtracking_per_1k_se"] == pytest.approx(expected["se"])
    share = summary["backtracking_responses"]
    assert rows.loc["all", "backtracking_responses"] == pytest.approx(100 * share["value"])
    assert rows.loc["all", "backtracking_responses_se"] == pytest.approx(100 * share["se"])


def test_the_main_table_and_this_one_say_the_same(make_run):
    runs = [make_run("grpo", {"aime24": PROBLEMS}), make_run("grpo", {"aime24": PROBLEMS}, seed=1)]
    rows = backtracking(runs, ["aime24"])
    summary = compare.summarise(table_inputs.load(runs, ["aime24"]).problems)
    main = summary.set_index(["metric", "benchmark"]).loc["backtracking_per_1k", "aime24"]
    row = rows.loc["grpo", "aime24", "all"]
    assert row["responses"] == 8  # of both seeds
    assert row["backtracking_per_1k"] == pytest.approx(main["mean"])
    assert row["backtracking_per_1k_se"] == pytest.approx(main["se"])


def test_without_correct_responses_their_cells_are_empty(make_run, tmp_path):
    runs = [make_run("original", {"lmb": WRONG})]
    row = backtracking(runs, ["lmb"]).loc["original", "lmb", "correct"]
    assert row["responses"] == 0
    assert row.drop(["backbone", "responses"]).isna().all()
    tables.write_tables(runs, ["lmb"], tmp_path)
    text = (tmp_path / "backtracking.md").read_text()
    cells = "2 (0; 2) | 2.00 ± 0.00 (-; 2.00) | 100.0 ± 0.0 (-; 100.0) | 0.00 ± 0.00 (-; 0.00) |"
    assert f"| tiny | LMB | Original | {cells}" in text
    assert "missing" not in text


def test_methods_stand_below_each_other_benchmark_by_benchmark(make_run, tmp_path):
    both = {"aime24": PROBLEMS, "lmb": WRONG}
    tables.write_tables(
        [make_run("original", both), make_run("grpo", both)], ["lmb", "aime24"], tmp_path, "A note."
    )
    frame = pd.read_csv(tmp_path / "backtracking.csv")
    rows = frame[frame["of"] == "all"][["benchmark", "method"]].values.tolist()
    assert rows == [[b, m] for b in ("aime24", "lmb") for m in ("original", "grpo")]
    text = (tmp_path / "backtracking.md").read_text()
    assert "| tiny | AIME24 | Original | 4 (1; 3) | 3.75 ± 3.12 (10.00; 3.33) | 75.0" in text
    assert "|  |  | GRPO | 4 (1; 3) | 3.75" in text
    latex = (tmp_path / "backtracking.tex").read_text()
    assert "Original & 4 & 3.75 $\\pm$ 3.12 & 75.0" in latex
    assert "\n & (1; 3) & (10.00; 3.33) & (100.0; 66.7)" in latex


def test_mean_and_median_of_the_tokens(make_run, tmp_path):
    runs = [make_run("grpo", {"aime24": PROBLEMS, "lmb": WRONG})]
    tables.write_tables(runs, ["aime24", "lmb"], tmp_path)
    row = pd.read_csv(tmp_path / "tokens.csv").iloc[0]
    # Means of the problems 200 and 600; the responses 100, 200, 300 and 1,000.
    assert (row["aime24_mean"], row["aime24_mean_se"], row["aime24_median"]) == (400, 200, 250)
    assert (row["lmb_mean"], row["lmb_mean_se"], row["lmb_median"]) == (500, 0, 500)
    assert pd.isna(row["mbpp_mean"]) and pd.isna(row["mbpp_median"])
    cells = "400.0 ± 200.0 (250.0) | - | - | 500.0 ± 0.0 (500.0) | - | - | - |"
    assert f"| tiny | GRPO | {cells}" in (tmp_path / "tokens.md").read_text()
    latex = (tmp_path / "tokens.tex").read_text()
    assert "\n & (250.0) &  &  & (500.0) &  &  &  \\\\" in latex


def test_the_median_is_of_the_responses_of_all_seeds(make_run, tmp_path):
    first = [{"correct": [1], "tokens": [10], "backtracking": [0]}] * 2
    second = [{"correct": [1], "tokens": [tokens], "backtracking": [0]} for tokens in (40, 90)]
    runs = [make_run("grpo", {"lmb": first}), make_run("grpo", {"lmb": second}, seed=1)]
    tables.write_tables(runs, ["lmb"], tmp_path)
    row = pd.read_csv(tmp_path / "tokens.csv").iloc[0]
    assert (row["seeds"], row["lmb_mean"], row["lmb_median"]) == (2, 37.5, 25)
    assert "Mean of 2 seeds: the errors are over problems" in (tmp_path / "tokens.md").read_text()


def test_lists_of_different_lengths_are_named(make_run):
    run = make_run("grpo", {"lmb": PROBLEMS})
    path = Path(run.path, "scores", "lmb.json")
    content = json.loads(path.read_text())
    content["problems"][0]["hesitation"] = [1]
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"lmb\.json: not a score file"):
        table_inputs.load([run], ["lmb"])
