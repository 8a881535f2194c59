"""The objective over the position: averaged by problem, with intervals over problems."""

import numpy as np
import pytest
from scipy import stats
from tests.analysis.drawn import legend, lines, said, says
from tests.analysis.worlds import NOTE

from repro.report.collect import read_objective
from repro.report.figures.curves import (
    POSITIONS,
    mean_curves,
    objective_over_position,
)


def response(doc_id, end, correct=1, benchmark="aime24", middle=None):
    """-J goes from 3 to `end`, straight or by way of `middle`."""
    points = [[0, 0.0, -3.0], [40, 1.0, -float(end)]]
    if middle is not None:
        points.insert(1, [20, 0.5, -float(middle)])
    keys = {"benchmark": benchmark, "doc_id": doc_id, "sample": 0, "correct": correct}
    return keys | {"tokens": 40, "points": points, "segments": []}


def test_responses_are_interpolated_and_averaged_by_problem_first(make_run):
    rows = [
        response(0, 1),  # 2 in the middle
        response(1, 2),  # 2.5
        response(0, 3, benchmark="math500"),  # another problem 0: 3
        response(2, 3, correct=0),
    ]
    runs = [make_run("original", objective=rows)]
    runs += [make_run("original", objective=[response(0, 1, middle=1)], seed=1)]  # 1
    curves = mean_curves(read_objective(runs))
    correct = curves[curves["correct"]].set_index("position")
    values = [1.5, 2.5, 3]
    assert correct.loc[0.5, "mean"] == pytest.approx(np.mean(values))
    assert correct.loc[0, ["mean", "low", "high"]].tolist() == pytest.approx([3, 3, 3])
    assert correct.loc[0.25, "mean"] == pytest.approx((2.25 + 2.75 + 3) / 3)
    assert correct.loc[1, "mean"] == pytest.approx(2)
    half = stats.t.ppf(0.975, 2) * stats.sem(values)
    assert correct.loc[0.5, "high"] - correct.loc[0.5, "mean"] == pytest.approx(half)
    assert set(correct["n"]) == {3}
    wrong = curves[~curves["correct"]]
    assert wrong["mean"].tolist() == pytest.approx([3] * len(POSITIONS))
    assert wrong["low"].isna().all()  # one problem has no interval


def test_panels_lines_and_bands(make_run):
    both = [response(n, n % 3 / 2, n % 2) for n in range(8)]
    runs = [
        make_run("original", objective=both),
        make_run("grpo", objective=[row for row in both if row["correct"]]),
        make_run("grpo+repro", objective=both),
        make_run("ppo"),  # not measured
        make_run("grpo", objective=both, backbone="other"),
    ]
    found = read_objective(runs)
    figure = objective_over_position(found, NOTE)
    assert [axis.get_title() for axis in figure.axes] == ["Original", "GRPO", "", ""]
    without = ["correct, without RePro", "wrong, without RePro"]
    with_repro = ["correct, with RePro", "wrong, with RePro"]
    assert list(lines(figure.axes[0])) == without
    assert list(lines(figure.axes[1])) == [without[0], *with_repro]
    curves = mean_curves(found)
    rows = curves[(curves["method"] == "grpo+repro") & curves["correct"]]
    x, y = lines(figure.axes[1])["correct, with RePro"]
    assert (x, y) == (rows["position"].tolist(), rows["mean"].tolist())
    drawn = [band.get_paths()[0].vertices[:, 1] for band in figure.axes[1].collections]
    assert (pytest.approx(rows["low"].min()), pytest.approx(rows["high"].max())) in [
        (band.min(), band.max()) for band in drawn
    ]
    assert said(figure.axes[2]) == [("not measured", 0.5)]
    assert legend(figure) == without + with_repro
    assert says(figure, f"95 % bands over problems of AIME24, 4 a line. {NOTE}")


def test_runs_without_the_file_and_thoughts_of_no_tokens_are_left_out(make_run):
    empty = response(0, 1) | {"tokens": 0, "points": [[0, 0.0, -3.0], [0, 0.0, -3.0]]}
    runs = [make_run("original"), make_run("grpo", objective=[empty, response(1, 1)])]
    figure = objective_over_position(read_objective(runs))
    assert [axis.get_title() for axis in figure.axes] == ["tiny"]
    assert says(figure, "AIME24, 1 a line")
    for nothing in (runs[:1], [make_run("ppo", objective=[empty])]):
        with pytest.raises(ValueError, match=r"no objective\.jsonl with responses in any run"):
            objective_over_position(read_objective(nothing))
