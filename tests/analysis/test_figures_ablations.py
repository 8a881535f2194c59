"""The figures of the ablations hold the values, their intervals and the baseline."""

import math

import pytest
from tests.analysis.drawn import bars, legend, lines, says, ticks
from tests.analysis.worlds import NOTE, maker, problems, scored

from repro.report import compare, figures
from repro.report.figures.evaluation import ablation

VALUES = {"grpo+repro~alpha=0.03": 0.03, "grpo+repro": 0.1, "grpo+repro~alpha=0.5": 0.5}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    make = maker(tmp_path_factory.mktemp("ablation"))
    made = [make("grpo", {"aime24": problems([1, 0], 60)})]
    for (method, value), tokens in zip(VALUES.items(), (50, 40, 30), strict=True):
        hits = [1, 0] if value == 0.1 else [1, 1]
        scores = {"aime24": problems(hits, tokens), "gpqa": problems(hits, 9)}
        made.append(make(method, scores, setting={"alpha": value}))
    return made


def test_ablation_shows_values_baseline_and_default(runs):
    figure = figures.draw("ablation_alpha", runs, ["aime24"], NOTE)
    assert says(
        figure, f"Bars and band: 95 % intervals over problems and, of several, seeds. {NOTE}"
    )
    assert legend(figure) == ["GRPO alone", "GRPO + RePro"]
    accuracy, tokens = figure.axes
    assert accuracy.get_title() == "Accuracy, in-domain (%)"
    assert accuracy.get_ylabel() == "tiny"
    assert ticks(accuracy) == ["0.03", "0.1\n(default)", "0.5"]
    assert lines(tokens)["GRPO alone"][1] == [60, 60]
    x, y, _, _ = bars(tokens)["GRPO + RePro"]
    assert (x, y) == ([0, 1, 2], [50, 40, 30])
    _, y, low, high = bars(accuracy)["GRPO + RePro"]
    assert y == [100, 50, 100]
    row = compare.summarise(*scored(runs, partial=True))
    row = row.set_index(["method", "metric", "benchmark"])
    row = row.loc["grpo+repro", "accuracy", "in-domain"]
    assert (low[1], high[1]) == pytest.approx((row["low"], row["high"]))
    assert low[1] < 50 < high[1]


def test_a_run_that_is_missing_leaves_a_gap(runs):
    summary = compare.summarise(*scored(runs, partial=True))
    missing = summary["method"].isin(["grpo", "grpo+repro"])
    summary.loc[missing, ["mean", "se", "low", "high"]] = math.nan
    figure = ablation("alpha", summary, VALUES)
    assert bars(figure.axes[1])["GRPO + RePro"][:2] == ([0, 2], [50, 30])
    assert ticks(figure.axes[1]) == ["0.03", "0.1\n(default)", "0.5"]
    assert legend(figure) == ["GRPO + RePro"]


def test_ablation_without_an_in_domain_benchmark_says_so(runs):
    with pytest.raises(ValueError, match="ablation_alpha: no in-domain benchmark in the scores"):
        figures.draw("ablation_alpha", runs[1:], ["gpqa"])
