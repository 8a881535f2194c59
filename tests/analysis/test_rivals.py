"""The frontier of RePro and its rivals: by hand, from scores to the sentence."""

import itertools

import pandas as pd
import pytest

from repro.report import compare, rivals, table_sheets
from repro.report.collect import Grid
from repro.report.figures import evaluation

# Method -> accuracy and tokens at seeds 0, 1, 2; plain GRPO has 0.5 and 100 at each.
METHODS = {
    "grpo": [(0.5, 100)] * 3,
    "grpo+repro": [(0.60, 90), (0.62, 88), (0.61, 89)],
    "grpo+repro~alpha=3": [(0.55, 70), (0.56, 71), (0.54, 72)],
    "grpo+length~alpha=0.1": [(0.51, 90), (0.50, 91), (0.52, 89)],
    "grpo+length~alpha=0.3": [(0.40, 60), (0.41, 61), (0.42, 60)],
    "grpo+shuffled": [(0.66, 85), (0.50, 99), (0.58, 95)],
}


def problems() -> pd.DataFrame:
    rows = []
    for (method, runs), benchmark in itertools.product(METHODS.items(), ("aime24", "mbpp")):
        for seed, (accuracy, tokens) in enumerate(runs):
            keys = {"backbone": "tiny", "method": method, "seed": seed, "benchmark": benchmark}
            values = {"accuracy": accuracy, "tokens": tokens, "backtracking": 0, "backtracks": 0}
            rows += [keys | {"doc_id": doc} | values for doc in range(3)]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def points() -> pd.DataFrame:
    grid = Grid([("tiny", method) for method in METHODS], ["aime24", "mbpp"])
    return rivals.measure_points(compare.effects(problems(), grid))


def test_points_are_gains_and_savings_against_the_plain_run_of_the_seed(points):
    row = points[(points["method"] == "grpo+repro~alpha=3") & (points["seed"] == 1)].iloc[0]
    assert (row["algorithm"], row["rule"], row["knob"]) == ("grpo", "repro", "alpha=3")
    assert (row["gain"], row["saving"]) == pytest.approx((6, 29))
    assert len(points) == 3 * (len(METHODS) - 1)


def test_the_area_is_that_of_the_union_of_rectangles(points):
    of_seed = points[(points["rule"] == "repro") & (points["seed"] == 0)]
    # 10 points and 10 %, 5 points and 30 %: 10 x 10 + 5 x 20.
    assert rivals.area(of_seed) == pytest.approx(200)
    worse = pd.DataFrame({"gain": [-3.0, 2.0], "saving": [50.0, -1.0]})
    assert rivals.area(worse) == 0
    assert rivals.save_at_equal_accuracy(worse) == 0
    assert rivals.save_at_equal_accuracy(of_seed) == pytest.approx(30)


def test_seeds_are_paired_by_their_numbers():
    grid, rows = Grid([("tiny", method) for method in METHODS], ["aime24", "mbpp"]), problems()
    rows = rows[(rows["method"] != "grpo+shuffled") | (rows["seed"] > 0)]
    found = rivals.compare_rules(rivals.measure_points(compare.effects(rows, grid)))
    less = found.set_index("rule").loc["shuffled", "less"]
    assert less == pytest.approx((12 * 12 + 11 * 11 - 8 * 5) / 2)


def areas(points: pd.DataFrame, **chosen) -> list[float]:
    for column, value in chosen.items():
        points = points[points[column] == value]
    return [rivals.area(of) for _, of in points.groupby("seed")]


def test_each_rule_is_compared_with_as_many_values_of_repro(points):
    compared = rivals.compare_rules(points).set_index("rule")
    assert compared["values"].tolist() == [2, 2, 1]
    ours, theirs = areas(points, rule="repro"), areas(points, rule="length")
    less = [a - b for a, b in zip(ours, theirs, strict=True)]
    assert compared.loc["length", "less"] == pytest.approx(sum(less) / 3)
    assert compared.loc["length", "less_low"] > 0
    # A rule with the default alone stands beside RePro at the default alone.
    ours, theirs = areas(points, method="grpo+repro"), areas(points, rule="shuffled")
    expected = sum(a - b for a, b in zip(ours, theirs, strict=True)) / 3
    assert compared.loc["shuffled", "less"] == pytest.approx(expected)


def test_the_answer_names_whom_repro_beats_and_what_is_open(points):
    said = rivals.answer(rivals.compare_rules(points))
    assert said == (
        "tiny, GRPO: counting accuracy gained and tokens saved together, RePro reaches more than "
        "length penalty; these seeds do not decide between RePro and shuffled rewards."
    )


def test_table_and_figure(points):
    sheet = table_sheets.rivals_sheet(rivals.compare_rules(points))
    added = sheet.cells["Method"].str.removeprefix("GRPO + ").tolist()
    assert added == ["RePro", "length penalty", "shuffled rewards"]
    assert sheet.cells["RePro's less it"].tolist()[0] == "-"
    [axis] = evaluation.frontier(points).axes
    assert axis.get_xlabel() == "Reasoning tokens saved (%)"


def test_one_seed_decides_nothing(points):
    compared = rivals.compare_rules(points[points["seed"] == 0])
    assert "reaches" not in rivals.answer(compared)
    evaluation.frontier(points[points["seed"] == 0], "tiny world")
