"""Evaluation figures hold the scores, their intervals and the baselines, and gaps are seen."""

import math

import numpy as np
import pytest
from tests.analysis.drawn import bars, legend, lines, said, says, ticks
from tests.analysis.worlds import NOTE, maker, problem, problems, scored, unscored

from repro.report import compare, figures
from repro.report.figures import evaluation, style
from repro.report.figures.evaluation import ablation

METHODS = ("original", "grpo", "grpo+repro")


def rows(seed):
    """Six problems of four responses; half of them are correct."""
    rng = np.random.default_rng(seed)
    tokens, segments = rng.integers(50, 90, (6, 4)), rng.integers(0, 5, (6, 4))
    pairs = zip(tokens.tolist(), segments.tolist(), strict=True)
    return [problem([0, 1, 0, 1], *numbers) for numbers in pairs]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    make = maker(tmp_path_factory.mktemp("evaluation"))
    return [
        make(method, {"aime24": rows(n + s), "mbpp": rows(n + 9)}, backbone=backbone, seed=s)
        for backbone in ("tiny-qwen2", "tiny-qwen3")
        for n, method in enumerate(METHODS)
        for s in ((0, 1) if method == "grpo" else (0,))
    ]


@pytest.fixture(scope="module")
def summary(runs):
    return compare.summarise(*scored(runs))


def test_tokens_per_benchmark_are_those_of_the_summary(summary):
    figure = evaluation.tokens_per_benchmark(summary, ["mbpp", "aime24"], NOTE)
    assert [axis.get_title() for axis in figure.axes] == ["tiny-qwen2", "tiny-qwen3"]
    row = summary.set_index(["backbone", "method", "benchmark", "metric"])
    for axis in figure.axes:
        assert ticks(axis) == ["AIME24", "MBPP"]
        drawn = bars(axis)
        assert list(drawn) == ["Original", "GRPO", "GRPO + RePro"]
        for method, (_, y, low, high) in zip(METHODS, drawn.values(), strict=True):
            for number, benchmark in enumerate(("aime24", "mbpp")):
                wanted = row.loc[axis.get_title(), method, benchmark, "tokens"]
                assert (y[number], low[number], high[number]) == pytest.approx(
                    (wanted["mean"], wanted["low"], wanted["high"])
                )
    assert legend(figure) == ["GRPO", "GRPO + RePro", "Original"]
    assert says(figure, f"problems and, of several, seeds, of each method by itself. {NOTE}")
    dots = {c.get_label(): c.lines[0] for c in figure.axes[0].containers}
    for label, fill in (("GRPO", "white"), ("GRPO + RePro", style.ALGORITHMS["grpo"][0])):
        assert dots[label].get_markerfacecolor() == fill


def test_a_benchmark_that_is_not_scored_keeps_its_place(make_run):
    run = make_run("grpo", {"aime24": rows(0)})
    unscored(run, "mbpp", "no sandbox")
    benchmarks = ["aime24", "mbpp"]
    (axis,) = figures.draw("figure6_tokens_per_benchmark", [run], benchmarks).axes
    assert ticks(axis) == ["AIME24", "MBPP"]
    assert said(axis) == [("not scored", 1)]


VALUES = {"grpo+repro~alpha=0.03": 0.03, "grpo+repro": 0.1, "grpo+repro~alpha=0.5": 0.5}


@pytest.fixture(scope="module")
def ablated(tmp_path_factory):
    make = maker(tmp_path_factory.mktemp("ablation"))
    made = [make("grpo", {"aime24": problems([1, 0], 60)})]
    for (method, value), tokens in zip(VALUES.items(), (50, 40, 30), strict=True):
        hits = [1, 0] if value == 0.1 else [1, 1]
        scores = {"aime24": problems(hits, tokens), "gpqa": problems(hits, 9)}
        made.append(make(method, scores, setting={"alpha": value}))
    return made


def test_ablation_shows_values_baseline_and_default(ablated):
    figure = figures.draw("ablation_alpha", ablated, ["aime24"], NOTE)
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
    row = compare.summarise(*scored(ablated, partial=True))
    row = row.set_index(["method", "metric", "benchmark"])
    row = row.loc["grpo+repro", "accuracy", "in-domain"]
    assert (low[1], high[1]) == pytest.approx((row["low"], row["high"]))
    assert low[1] < 50 < high[1]


def test_a_run_that_is_missing_leaves_a_gap(ablated):
    summary = compare.summarise(*scored(ablated, partial=True))
    missing = summary["method"].isin(["grpo", "grpo+repro"])
    summary.loc[missing, ["mean", "se", "low", "high"]] = math.nan
    figure = ablation("alpha", summary, VALUES)
    assert bars(figure.axes[1])["GRPO + RePro"][:2] == ([0, 2], [50, 30])
    assert ticks(figure.axes[1]) == ["0.03", "0.1\n(default)", "0.5"]
    assert legend(figure) == ["GRPO + RePro"]
