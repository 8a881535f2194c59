"""Evaluation figures: dots and bars are those of the scores, and gaps are seen."""

import numpy as np
import pytest
from scipy import stats
from tests.analysis.drawn import bars, legend, said, says, ticks
from tests.analysis.worlds import NOTE, maker, present, problem, scored, unscored

from repro.report import collect, compare, figures
from repro.report.figures import evaluation, style

METHODS = ("original", "grpo", "grpo+repro")


def rows(seed, scale=1):
    """Six problems of four responses; half of them are correct."""
    rng = np.random.default_rng(seed)
    tokens, segments = scale * rng.integers(50, 90, (6, 4)), rng.integers(0, 5, (6, 4))
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


def rates_of(runs):
    return evaluation.backtracking_rates(collect.read_scores(runs, present(runs)).responses)


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
    assert says(
        figure,
        f"problems and, of several, seeds, of each method by itself. {NOTE}",
    )
    dots = {c.get_label(): c.lines[0] for c in figure.axes[0].containers}
    colour, marker = style.ALGORITHMS["grpo"]
    for label, fill in (("GRPO", "white"), ("GRPO + RePro", colour)):
        look = (dots[label].get_color(), dots[label].get_marker())
        assert (*look, dots[label].get_markerfacecolor()) == (colour, marker, fill)


def test_a_benchmark_that_is_not_scored_keeps_its_place(make_run):
    run = make_run("grpo", {"aime24": rows(0)})
    unscored(run, "mbpp", "no sandbox")
    benchmarks = ["aime24", "mbpp"]
    (axis,) = figures.draw("tokens_per_benchmark", [run], benchmarks).axes
    assert ticks(axis) == ["AIME24", "MBPP"]
    assert said(axis) == [("not scored", 1)]
    figure = figures.draw("backtracking_at_evaluation", [run], benchmarks, NOTE)
    assert says(figure, f"Not scored: MBPP. {NOTE}")


def test_backtracking_is_split_by_the_verdict(make_run):
    # Correct responses: 1 in 100 tokens, then 3 in 200; wrong: 8 in 300, then 0 in 400.
    scores = [problem([1, 0], [100, 300], [1, 8]), problem([1, 0], [200, 400], [3, 0])]
    rates = rates_of([make_run("original", {"aime24": scores})]).set_index("responses")
    assert rates["mean"].to_dict() == pytest.approx(
        {"all": 12, "correct": 1000 * 4 / 300, "wrong": 1000 * 8 / 700}
    )
    residuals = np.array([1 - 4 / 300 * 100, 3 - 4 / 300 * 200]) / 150 * 1000
    half = stats.t.ppf(0.975, 1) * stats.sem(residuals)
    assert rates.loc["correct", "high"] - rates.loc["correct", "mean"] == pytest.approx(half)


def test_backtracking_in_all_responses_is_that_of_the_tables(runs, summary):
    rates = rates_of(runs)
    ours = rates[rates["responses"] == "all"].set_index(["backbone", "method"])
    chosen = (summary["benchmark"] == "all") & (summary["metric"] == "backtracking_per_1k")
    theirs = summary[chosen].set_index(["backbone", "method"])
    for column in ("mean", "low", "high"):
        assert ours[column].to_dict() == pytest.approx(theirs[column].to_dict())


def test_backtracking_takes_benchmarks_that_all_methods_have(make_run):
    def answered(correct, backtracking):
        return [problem([correct], [1000], [backtracking])] * 2

    runs = [
        make_run("grpo", {"aime24": answered(0, 4), "lmb": answered(0, 10)}),
        make_run("grpo+repro", {"aime24": answered(0, 2), "lmb": answered(1, 1)}),
        make_run("original", {"aime24": answered(1, 3), "lmb": answered(1, 3)}),
    ]
    rates = rates_of(runs)
    wrong = rates[rates["responses"] == "wrong"].set_index("method")["mean"]
    assert wrong.to_dict() == {"grpo": 4, "grpo+repro": 2}  # on AIME24 alone
    drawn = bars(evaluation.backtracking_at_evaluation(rates).axes[0])
    assert drawn["GRPO"][1] == pytest.approx([7, np.nan, 4], nan_ok=True)
    assert drawn["GRPO + RePro"][1] == pytest.approx([1.5, 1, 2])
    assert drawn["Original"][1] == pytest.approx([3, 3, np.nan], nan_ok=True)
