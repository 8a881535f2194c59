"""Evaluation figures: dots and bars are those of the scores, and gaps are seen."""

import numpy as np
import pytest
from scipy import stats
from tests.analysis.figure_worlds import NOTE, bars, legend, problems, says
from tests.analysis.small_runs import present

from repro.report import collect, compare, figures
from repro.report.figures import evaluation, style

METHODS = ("original", "grpo", "grpo+repro")


def rows(seed, benchmark_shift=0, scale=1):
    """Six problems of four responses; half of them are correct."""
    rng = np.random.default_rng(seed)
    return [
        {
            "correct": [0, 1, 0, 1],
            "tokens": (scale * rng.integers(50, 90, 4) + benchmark_shift).tolist(),
            "backtracking": rng.integers(0, 5, 4).tolist(),
        }
        for _ in range(6)
    ]


@pytest.fixture
def runs(make_run):
    return [
        make_run(method, {"aime24": rows(n), "mbpp": rows(n + 9, 5)}, backbone=backbone)
        for backbone in ("tiny-qwen2", "tiny-qwen3")
        for n, method in enumerate(METHODS)
    ]


def summarised(runs):
    return compare.summarise(collect.scores(runs, present(runs)))


def rates_of(runs):
    return evaluation.backtracking_rates(collect.read_scores(runs, present(runs)).responses)


def not_scored(runs):
    for run in runs:
        (path,) = run.path.glob("scores/mbpp.json")
        path.write_text('{"problems": [], "not_scored": "no sandbox"}', encoding="utf-8")


def test_tokens_per_benchmark_are_those_of_the_summary(runs):
    summary = summarised(runs)
    figure = evaluation.tokens_per_benchmark(summary, present(runs), NOTE)
    assert [axis.get_title() for axis in figure.axes] == ["tiny-qwen2", "tiny-qwen3"]
    row = summary.set_index(["backbone", "method", "benchmark", "metric"])
    for axis in figure.axes:
        assert [tick.get_text() for tick in axis.get_xticklabels()] == ["AIME24", "MBPP"]
        drawn = bars(axis)
        assert list(drawn) == ["Original", "GRPO", "GRPO + RePro"]
        for method, (_, y, low, high) in zip(METHODS, drawn.values(), strict=True):
            for number, benchmark in enumerate(("aime24", "mbpp")):
                wanted = row.loc[axis.get_title(), method, benchmark, "tokens"]
                assert (y[number], low[number], high[number]) == pytest.approx(
                    (wanted["mean"], wanted["low"], wanted["high"])
                )
    assert legend(figure) == ["Original", "GRPO", "without RePro", "with RePro"]
    assert says(figure, f"Bars: 95 % intervals over problems, of each method by itself. {NOTE}")


def test_an_algorithm_stands_beside_itself_and_inside_its_group(runs, make_run):
    ppo = make_run("ppo+repro", {"aime24": rows(7), "mbpp": rows(8)}, backbone="tiny-qwen2")
    figure = evaluation.tokens_per_benchmark(summarised([*runs, ppo]), present(runs))
    places = {label: dots[0] for label, dots in bars(figure.axes[0]).items()}
    first = {label: x[0] for label, x in places.items()}
    assert list(first) == ["Original", "PPO + RePro", "GRPO", "GRPO + RePro"]
    gaps = np.diff(list(first.values()))
    assert (gaps > 0).all()
    assert gaps[2] < gaps[1] == pytest.approx(gaps[0])
    assert -0.5 < first["Original"] < first["GRPO + RePro"] < 0.5
    assert list(bars(figure.axes[1])) == list(first)  # PPO's place stays empty
    assert bars(figure.axes[1])["GRPO"][0] == places["GRPO"]


def test_hollow_is_without_repro(runs):
    figure = evaluation.tokens_per_benchmark(summarised(runs), present(runs))
    dots = {c.get_label(): c.lines[0] for c in figure.axes[0].containers}
    colour, marker = style.ALGORITHMS["grpo"]
    for label, fill in (("GRPO", "white"), ("GRPO + RePro", colour)):
        look = (dots[label].get_color(), dots[label].get_marker())
        assert (*look, dots[label].get_markerfacecolor()) == (colour, marker, fill)


def test_a_row_without_numbers_is_a_gap(runs):
    summary = summarised(runs)
    missing = summary["benchmark"] == "mbpp"
    summary.loc[missing, ["mean", "se", "low", "high"]] = np.nan
    for axis in evaluation.tokens_per_benchmark(summary, present(runs)).axes:
        assert [text.get_text() for text in axis.texts] == ["not scored"]
        assert np.isnan(bars(axis)["GRPO"][1]).tolist() == [False, True]


def test_a_benchmark_that_is_not_scored_keeps_its_place(runs, tmp_path, monkeypatch):
    not_scored(runs)
    drawn = []
    monkeypatch.setattr(style, "save", lambda figure, output: drawn.append(figure))
    for name in ("tokens_per_benchmark", "backtracking_at_evaluation"):
        figures.write_figure(name, runs, present(runs), tmp_path / name, NOTE)
    tokens, backtracking = drawn
    for axis in tokens.axes:
        assert [tick.get_text() for tick in axis.get_xticklabels()] == ["AIME24", "MBPP"]
        assert [(text.get_text(), text.get_position()[0]) for text in axis.texts] == [
            ("not scored", 1)
        ]
        assert np.isnan(bars(axis)["GRPO"][1][1])
    assert says(backtracking, f"Not scored: MBPP. {NOTE}")


@pytest.mark.parametrize(("scale", "kind"), [(1, "linear"), (20, "log")])
def test_the_axis_is_logarithmic_where_benchmarks_differ_a_lot(make_run, scale, kind):
    runs = [make_run("grpo", {"aime24": rows(0, scale=scale * 10), "mbpp": rows(1, scale=10)})]
    figure = evaluation.tokens_per_benchmark(summarised(runs), present(runs))
    figure.canvas.draw()
    assert figure.axes[0].get_yscale() == kind
    labels = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert ("10,000" in labels) == (kind == "log")


def test_backtracking_is_split_by_the_verdict(make_run):
    # Correct responses: 1 in 100 tokens, then 3 in 200; wrong: 8 in 300, then 0 in 400.
    scores = [
        {"correct": [1, 0], "tokens": [100, 300], "backtracking": [1, 8]},
        {"correct": [1, 0], "tokens": [200, 400], "backtracking": [3, 0]},
    ]
    rates = rates_of([make_run("original", {"aime24": scores})])
    rates = rates.set_index("responses")
    assert rates["mean"].to_dict() == pytest.approx(
        {"all": 12, "correct": 1000 * 4 / 300, "wrong": 1000 * 8 / 700}
    )
    residuals = np.array([1 - 4 / 300 * 100, 3 - 4 / 300 * 200]) / 150 * 1000
    half = stats.t.ppf(0.975, 1) * stats.sem(residuals)
    assert rates.loc["correct", "high"] - rates.loc["correct", "mean"] == pytest.approx(half)


def test_backtracking_in_all_responses_is_that_of_the_tables(runs):
    rates = rates_of(runs)
    ours = rates[rates["responses"] == "all"].set_index(["backbone", "method"])
    summary = summarised(runs)
    summary = summary[
        (summary["benchmark"] == "all") & (summary["metric"] == "backtracking_per_1k")
    ].set_index(["backbone", "method"])
    for column in ("mean", "low", "high"):
        assert ours[column].to_dict() == pytest.approx(summary[column].to_dict())


def test_backtracking_takes_benchmarks_that_all_methods_have(make_run):
    def scored(correct, backtracking):
        problem = {"correct": [correct], "tokens": [1000], "backtracking": [backtracking]}
        return [problem, problem]

    runs = [
        make_run("grpo", {"aime24": scored(0, 4), "lmb": scored(0, 10)}),
        make_run("grpo+repro", {"aime24": scored(0, 2), "lmb": scored(1, 1)}),
        make_run("original", {"aime24": scored(1, 3), "lmb": scored(1, 3)}),
    ]
    rates = rates_of(runs).set_index(["responses", "method"])
    wrong = rates.loc["wrong"]
    assert wrong["mean"].to_dict() == {"grpo": 4, "grpo+repro": 2}  # on AIME24 alone
    assert set(wrong["benchmarks"]) == {1}
    assert rates.loc[("all", "grpo"), "mean"] == 7
    figure = evaluation.backtracking_at_evaluation(rates.reset_index())
    drawn = bars(figure.axes[0])
    assert drawn["GRPO"][1] == pytest.approx([7, np.nan, 4], nan_ok=True)
    assert drawn["GRPO + RePro"][1] == pytest.approx([1.5, 1, 2])
    assert drawn["Original"][1] == pytest.approx([3, 3, np.nan], nan_ok=True)


def test_seeds_of_a_problem_are_one_observation(make_run):
    first, second = rows(0), rows(1)
    both = [
        {key: one[key] + other[key] for key in one}
        for one, other in zip(first, second, strict=True)
    ]
    seeds = [make_run("grpo", {"lmb": x}, seed=n) for n, x in enumerate((first, second))]
    whole = [make_run("grpo", {"lmb": both}, backbone="whole")]
    of_seeds, of_whole = (rates_of(x) for x in (seeds, whole))
    assert of_seeds["low"].tolist() == pytest.approx(of_whole["low"].tolist())


def test_no_backtracking_at_all_is_drawn_at_zero(make_run):
    runs = [make_run("grpo", {"aime24": problems([1, 1], 50)})]
    figure = evaluation.backtracking_at_evaluation(rates_of(runs))
    axis = figure.axes[0]
    assert bars(axis)["GRPO"][1] == pytest.approx([0, 0, np.nan], nan_ok=True)
    assert [(text.get_text(), text.get_position()[0]) for text in axis.texts] == [("none", 2)]
    low, high = axis.get_ylim()
    assert low < 0 < high
