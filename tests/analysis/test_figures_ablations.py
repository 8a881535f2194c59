"""The figures of the ablations hold the values, their intervals and the baseline."""

import math

import pytest
from tests.analysis.figure_worlds import NOTE, bars, legend, lines, problems, says
from tests.analysis.small_runs import present

from repro.report import collect, compare, figures
from repro.report.figures.ablations import ablation, ablation_runs, ablation_values


@pytest.fixture
def runs(make_run):
    made = [make_run("original", {"aime24": problems([0, 1], 90)})]
    made.append(make_run("grpo", {"aime24": problems([1, 0], 60)}))
    setting = {"w": 0.1, "k": 8}
    made.append(
        make_run("grpo+repro", {"aime24": problems([1, 0], 40)}, None, setting | {"alpha": 0.1})
    )
    for alpha, tokens in ((0.03, 50), (0.5, 30)):
        made.append(
            make_run(
                f"grpo+repro~alpha={alpha}",
                {"aime24": problems([1, 1], tokens)},
                process_reward=setting | {"alpha": alpha},
            )
        )
    return made


def drawn(make_run, key, values, benchmark="lmb"):
    """The figure over some values, the first of them being the default."""
    runs = []
    for number, value in enumerate(values):
        method = f"grpo+repro~{key}={value}" if number else "grpo+repro"
        scores = {benchmark: problems([0, 1], 1000 + number)}
        runs.append(make_run(method, scores, process_reward={key: value}))
    summary = compare.summarise(collect.scores(runs, present(runs)))
    return ablation(key, summary, ablation_values(key, runs), NOTE)


def test_ablation_shows_values_baseline_and_default(runs):
    summary = compare.summarise(collect.scores(runs, present(runs)))
    figure = ablation("alpha", summary, ablation_values("alpha", runs), NOTE)
    assert says(figure, f"Bars and band: 95 % intervals over problems. {NOTE}")
    assert legend(figure) == ["GRPO alone", "GRPO + RePro", "default"]
    accuracy, tokens = figure.axes
    assert accuracy.get_xscale() == "log"  # 0.03 to 0.5 is more than a factor of ten
    assert [tick.get_text() for tick in accuracy.get_xticklabels()] == ["0.03", "0.1", "0.5"]
    assert lines(tokens)["GRPO alone"][1] == [60, 60]
    assert lines(tokens)["default"] == ([0.1], [40])
    x, y, _, _ = bars(tokens)["GRPO + RePro"]
    assert (x, y) == ([0.03, 0.1, 0.5], [50, 40, 30])
    _, y, low, high = bars(accuracy)["GRPO + RePro"]
    assert y == [100, 50, 100]
    row = summary.set_index(["method", "metric", "benchmark"])
    row = row.loc["grpo+repro", "accuracy", "in-domain"]
    assert (low[1], high[1]) == pytest.approx((row["low"], row["high"]))
    assert low[1] < 50 < high[1]


def test_run_of_an_ablation_leaves_out_what_was_not_varied(runs, make_run):
    other = make_run("grpo+repro", {"aime24": problems([1], 9)}, backbone="other")
    chosen = ablation_runs("alpha", [*runs, other])
    assert {run.backbone for run in chosen} == {"tiny"}
    assert "original" not in {run.method for run in chosen}
    assert ablation_values("alpha", chosen) == {
        "grpo+repro": (0.1, True),
        "grpo+repro~alpha=0.03": (0.03, False),
        "grpo+repro~alpha=0.5": (0.5, False),
    }


@pytest.mark.parametrize(
    ("values", "scale", "labels"),
    [
        ([8], "linear", ["8"]),
        ([8, 4], "linear", ["4", "8"]),
        ([20, 4, 8, 16, 32], "linear", ["4", "8", "16", "20", "32"]),
        ([0.1, 0, 0.05, 0.2, 0.5], "linear", ["0", "0.05", "\n0.1", "0.2", "0.5"]),
        ([0.05, 0.01, 0.1, 0.2, 0.5], "log", ["0.01", "0.05", "0.1", "0.2", "0.5"]),
        ([20, 1, 21, 22], "log", ["1", "20", "\n21", "22"]),
    ],
)
def test_axis_of_any_values(make_run, values, scale, labels):
    figure = drawn(make_run, "w", values)
    for axis in figure.axes:
        assert axis.get_xscale() == scale
        left, right = axis.get_xlim()
        assert left < min(values) <= max(values) < right
        assert bars(axis)["GRPO + RePro"][0] == sorted(values)
    figure.canvas.draw()
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == labels


def test_two_algorithms_have_baselines_of_their_own_colour(runs, make_run):
    made = list(runs)
    for method, value in (("ppo", None), ("ppo+repro", 0.1), ("ppo+repro~alpha=0.5", 0.5)):
        made.append(make_run(method, {"aime24": problems([1, 0], 70)}, None, {"alpha": value}))
    summary = compare.summarise(collect.scores(made, present(made)))
    figure = ablation("alpha", summary, ablation_values("alpha", made))
    assert legend(figure) == [
        *("GRPO alone", "PPO alone", "GRPO + RePro", "PPO + RePro"),
        "default",
    ]
    colours = {line.get_label(): line.get_color() for line in figure.axes[0].get_lines()}
    assert colours["GRPO alone"] != colours["PPO alone"]


@pytest.mark.parametrize("there", [True, False])
def test_a_run_that_is_missing_leaves_a_gap(runs, there):
    summary = compare.summarise(collect.scores(runs, present(runs)))
    missing = summary["method"].isin(["grpo", "grpo+repro"])
    if there:  # as rows without numbers
        summary.loc[missing, ["mean", "se", "low", "high"]] = math.nan
    else:
        summary = summary[~missing]
    figure = ablation("alpha", summary, ablation_values("alpha", runs))
    assert bars(figure.axes[1])["GRPO + RePro"][:2] == ([0.03, 0.5], [50, 30])
    assert [tick.get_text() for tick in figure.axes[1].get_xticklabels()] == ["0.03", "0.1", "0.5"]
    assert legend(figure) == ["GRPO + RePro"]


def test_ablation_without_runs_says_which_method_is_missing(runs, tmp_path):
    with pytest.raises(ValueError, match=r"ablation_w: no run of a method ALGORITHM\+repro~w="):
        figures.write_figure("ablation_w", runs, present(runs), tmp_path / "w")


def test_ablation_without_an_in_domain_benchmark_says_so(make_run):
    with pytest.raises(ValueError, match="ablation_k: no in-domain benchmark in the scores"):
        drawn(make_run, "k", [4, 8], benchmark="gpqa")
