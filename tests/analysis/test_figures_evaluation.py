"""Evaluation figures hold the scores, their intervals and the baselines, and gaps are seen."""

import math

import numpy as np
import pytest
from tests.analysis.drawn import bars, dots, legend, lines, says, ticks
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
    figure = evaluation.tokens_per_benchmark(summary, NOTE)
    backbones = ["tiny-qwen2", "tiny-qwen3"]
    assert ticks(figure.axes[-1]) == ["AIME24", "MBPP"]
    row = summary.set_index(["backbone", "method", "benchmark", "metric"])
    for backbone, axis in zip(backbones, figure.axes, strict=True):
        assert axis.get_ylabel() == f"{backbone}\nReasoning tokens"
        drawn = bars(axis)
        assert list(drawn) == ["Original", "GRPO", "GRPO + RePro"]
        for method, (_, y, low, high) in zip(METHODS, drawn.values(), strict=True):
            for number, benchmark in enumerate(("aime24", "mbpp")):
                wanted = row.loc[backbone, method, benchmark, "tokens"]
                assert (y[number], low[number], high[number]) == pytest.approx(
                    (wanted["mean"], wanted["low"], wanted["high"])
                )
    assert legend(figure) == ["GRPO", "GRPO + RePro", "Original"]
    assert says(figure, f"over problems and seeds; small dots: each of 1 to 2 seeds. {NOTE}")
    found = [np.mean([p["tokens"] for p in rows(n)]) for n in (1, 2)]  # of GRPO, which has two
    assert [numbers[0] for numbers in dots(figure.axes[0])] == pytest.approx(found)
    markers = {c.get_label(): c.lines[0] for c in figure.axes[0].containers}
    for label, fill in (("GRPO", "white"), ("GRPO + RePro", style.ALGORITHMS["grpo"][0])):
        assert markers[label].get_markerfacecolor() == fill


def test_a_benchmark_that_is_not_scored_is_left_out_and_named(make_run):
    run = make_run("grpo", {"aime24": rows(0)})
    unscored(run, "mbpp", "no sandbox")
    figure = figures.draw("figure6_tokens_per_benchmark", [run], ["aime24", "mbpp"], NOTE)
    assert ticks(figure.axes[0]) == ["AIME24"]
    assert says(figure, f"MBPP not scored: no sandbox. {NOTE}")


VALUES = {"grpo+repro~k=2": 2, "grpo+repro": 10, "grpo+repro~k=all": math.inf}


@pytest.fixture
def ablated(make_run):
    """GRPO alone and at three values of k, two seeds each."""
    made = []
    for seed in (0, 1):
        made.append(make_run("grpo", {"aime24": problems([1, 0], 60)}, seed=seed))
        for method, k, tokens in zip(VALUES, (2, 10, "all"), (54, 48, 42), strict=True):
            scores = {"aime24": problems([1, seed], tokens), "gpqa": problems([1, 1], 9)}
            made.append(make_run(method, scores, setting={"k": k}, seed=seed))
    return made


def test_ablation_shows_paired_differences_to_the_algorithm_alone(ablated):
    figure = figures.draw("ablation_k", ablated, ["aime24"], NOTE)
    said = (
        "Differences to GRPO alone on the in-domain benchmarks, paired by problem and seed. Bars:"
    )
    assert says(figure, said)
    assert says(figure, f"intervals over problems and seeds; small dots: each of 2 seeds. {NOTE}")
    assert legend(figure) == ["GRPO alone", "GRPO + RePro"]
    accuracy, tokens = figure.axes
    assert accuracy.get_title() == "Difference in accuracy (points)"
    assert accuracy.get_ylabel() == "tiny"
    assert ticks(accuracy) == ["2", "10\n(default)", "all"]
    assert lines(tokens)["GRPO alone"][1] == [0, 0]
    x, y, _, _ = bars(tokens)["GRPO + RePro"]
    assert (x, y) == ([0, 1, 2], pytest.approx([-10, -20, -30]))
    assert dots(accuracy) == [pytest.approx([seed] * 3) for seed in (0, 50)]
    _, y, low, high = bars(accuracy)["GRPO + RePro"]
    assert y == [25, 25, 25]
    row = compare.effects(*scored(ablated, partial=True))
    row = row.set_index(["method", "metric", "benchmark"])
    row = row.loc["grpo+repro", "accuracy", "in-domain"]
    assert (low[1], high[1]) == pytest.approx((row["low"], row["high"]))
    assert low[1] < 25 < high[1]


def test_a_run_that_is_missing_leaves_a_gap(ablated):
    effects = compare.effects(*scored(ablated, partial=True))
    missing = effects["method"] == "grpo+repro"
    effects.loc[missing, ["difference", "se", "low", "high"]] = math.nan
    figure = ablation("k", effects, VALUES)
    x, y, *_ = bars(figure.axes[1])["GRPO + RePro"]
    assert x == [0, 1, 2]
    assert y == pytest.approx([-10, math.nan, -30], nan_ok=True)
    assert ticks(figure.axes[1]) == ["2", "10\n(default)", "all"]
    with pytest.raises(ValueError, match="ablation of k: no in-domain benchmark in the scores"):
        ablation("k", effects[missing], VALUES)
