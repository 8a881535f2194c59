"""What holds for every figure, and the curves over training and along thoughts."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scipy import stats
from tests.analysis.drawn import legend, lines, said, says, texts
from tests.analysis.worlds import NOTE, log, maker

from repro import methods
from repro.benchmarks import declared
from repro.files import jsonl
from repro.report import collect, figures
from repro.report.collect import read_objective
from repro.report.figures import style
from repro.report.figures.curves import mean_curves, objective_over_position, over_training

RELATIVE = "figure2_objective_over_position"
POINTS = [[0, 0.0, -3.0], [5, 0.5, -2.0], [10, 1.0, -1.0]]
TOKENS = "figure3_tokens_over_training"
VALIDATED = collect.read_validation([])


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """Training logs of GRPO with and without RePro on two backbones."""
    make = maker(tmp_path_factory.mktemp("logs"))
    return collect.read_training(
        [
            make(method, training=log(90, tokens, steps=11, noise=0), backbone=backbone)
            for backbone in ("tiny-qwen2", "tiny-qwen3")
            for method, tokens in (("grpo", 60), ("grpo+repro", 40))
        ]
    )


def validated(step, accuracy, benchmark="aime24"):
    """Return a row of validation.jsonl."""
    found = dict.fromkeys(collect.LOGGED, 0.5) | {"reasoning_tokens": 9000.0}
    return {"step": step, "benchmark": benchmark, **found, "accuracy": accuracy, "seconds": 1.0}


@pytest.fixture(scope="module", params=[("one",), ("DeepSeek-R1-Distill-Qwen-1.5B", "b", "c", "d")])
def world(request, tmp_path_factory):
    """Every method on every backbone but the last of several, which lacks two; and ablations.

    One backbone has two seeds.
    """
    make, rng, runs = maker(tmp_path_factory.mktemp("world")), np.random.default_rng(0), []
    backbones = request.param
    pairs = [method for name in methods.ALGORITHMS for method in (name, f"{name}+repro")]
    for backbone in backbones:
        ablated = [f"grpo+repro~{key}=0.{n}" for key in methods.ABLATED for n in (3, 9)]
        seeds = (0, 1) if len(backbones) == 1 else (0,)
        for method, seed in itertools.product(["original", *pairs, *ablated], seeds):
            parts = methods.parse(method)
            if len(backbones) > 1 and backbone == backbones[-1] and parts.algorithm == "ppo":
                continue
            numbers = rng.integers(8000, 12000, 5)
            scores = [
                {"correct": [0, 1], "tokens": [9000, int(tokens)], "backtracking": [3, 1]}
                for tokens in numbers
            ]
            setting = dict.fromkeys(methods.ABLATED, 0.1)
            setting |= {parts.ablated: float(parts.value)} if parts.ablated else {}
            curve = None if method == "original" else log(9000, 7000)
            response = {"benchmark": "aime24", "sample": 0, "points": POINTS, "segments": []}
            objective = [response | {"doc_id": n, "correct": n % 2} for n in range(4)]
            of_benchmarks = dict.fromkeys(declared.PAPER, scores)
            run = make(method, of_benchmarks, curve, setting, backbone, seed, objective)
            if curve and len(backbones) > 1:
                jsonl.write(run.path / "validation.jsonl", [validated(n, n / 9) for n in (0, 4, 8)])
            runs.append(run)
    return runs


def draw(name, runs, note=NOTE):
    """Draw a figure from its group of the runs, on a benchmark each in and out of the domain."""
    key = figures.GROUPS[name]
    wanted = [None, key]
    if key in methods.ABLATED:
        runs = [run for run in runs if methods.parse(run.method).algorithm == "grpo"]
    runs = [run for run in runs if methods.parse(run.method).ablated in wanted]
    benchmarks = declared.PAPER if name == "figure6_tokens_per_benchmark" else ("aime24", "gpqa")
    return figures.draw(name, runs, benchmarks, note, 2048, 4096, 8192, 16384)


def shown_texts(figure):
    """Every text that is seen; matplotlib also keeps ticks beyond an axis and inside a grid."""
    found = [figure._supxlabel, *figure.legends[0].get_texts()]
    for axis in figure.axes:
        found += [axis.title, axis.xaxis.label, axis.yaxis.label, *axis.texts]
        for side in (axis.xaxis, axis.yaxis):
            low, high = sorted(side.get_view_interval())
            found += [
                tick.label1
                for tick in (*side.get_major_ticks(), *side.get_minor_ticks())
                if low <= tick.get_loc() <= high
            ]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


@pytest.mark.parametrize("name", figures.GROUPS)
def test_text_is_at_least_8_points_inside_a_page_and_does_not_touch(world, name):
    figure = draw(name, world, NOTE * 3)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # lays the figure out
    renderer = canvas.get_renderer()
    assert min(text.get_fontsize() for text in texts(figure)) >= 8
    assert says(figure, NOTE)
    used, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert width <= 6.8 and height <= 9.0
    assert used.x0 >= 0 and used.y0 >= 0
    assert used.x1 <= width and used.y1 <= height
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in shown_texts(figure)]
    assert len(boxes) > 10
    touching = [
        (one, other)
        for number, (one, box) in enumerate(boxes)
        for other, other_box in boxes[number + 1 :]
        if box.overlaps(other_box)
    ]
    assert touching == []


def test_files_are_the_same_every_time(logs, tmp_path):
    written = []
    for output in ("a.png", "folder/a"):
        paths = style.save(over_training(TOKENS, logs, VALIDATED), tmp_path / output)
        assert [path.name for path in paths] == ["a.png", "a.pdf"]
        written.append([path.read_bytes() for path in paths])
    png, pdf = written[0]
    assert png.startswith(b"\x89PNG")
    assert pdf.startswith(b"%PDF") and b"CreationDate" not in pdf
    assert written[0] == written[1]


def test_an_unknown_figure_and_one_without_runs_are_refused():
    with pytest.raises(ValueError, match="'loss': unknown; known are figure2_") as error:
        figures.draw("loss", [], [])
    assert all(name in str(error.value) for name in figures.GROUPS)
    with pytest.raises(ValueError, match="figure4_ablation_w: the experiment has no runs for it"):
        figures.draw("figure4_ablation_w", [], ["aime24"])


def test_over_training_sets_an_algorithm_beside_itself_with_repro(logs):
    figure = over_training(TOKENS, logs, VALIDATED, NOTE)
    assert [axis.get_title() for axis in figure.axes] == ["GRPO", ""]
    rows = [axis.get_ylabel().split("\n")[0] for axis in figure.axes]
    assert rows == ["tiny-qwen2", "tiny-qwen3"]
    for axis in figure.axes:
        drawn = lines(axis)
        assert list(drawn) == ["without RePro", "with RePro"]
        steps, tokens = drawn["with RePro"]
        assert steps == list(range(1, 12))
        assert tokens[5] == pytest.approx(65)  # a straight line is its own running mean
        assert len(axis.get_lines()) == 4  # light raw lines below
    assert legend(figure) == ["without RePro", "with RePro"]
    assert says(figure, f"Strong: running mean of one seed; faint: every step. {NOTE}")


def test_of_several_seeds_the_curves_are_what_repro_changes_on_the_same_prompts(logs):
    swings = np.tile([0, 30, 0, 0, 0, 0, 0, 0, 0, 0, -20], 4)  # of a step's prompts
    other = logs.assign(seed=1, reasoning_tokens=logs["reasoning_tokens"] + swings)
    shorter = other["method"] == "grpo+repro"
    other.loc[shorter, "reasoning_tokens"] -= 4
    alone = logs[logs["method"] == "grpo+repro"].assign(method="ppo+repro")
    figure = over_training(TOKENS, pd.concat([logs, other, alone]), VALIDATED)
    grpo, ppo = figure.axes[:2]
    assert lines(grpo)["without RePro"][1] == [0] * 11
    steps, difference = lines(grpo)["with RePro"]
    assert difference[5] == pytest.approx(-10 - 2)  # 65 - 75, and the mean of 0 and 4
    faint = [line.get_ydata()[5] for line in grpo.get_lines() if line.get_alpha()]
    assert faint == pytest.approx([0, 0, -10, -14])
    assert said(ppo) == [("no pair", 0.5)]
    assert grpo.get_ylabel().endswith("Reasoning tokens,\nwith minus without RePro")
    assert says(figure, "the same for a seed's runs. Strong: running mean of 1 to 2 seeds; faint:")


def test_over_training_has_a_row_a_backbone_and_a_panel_an_algorithm(logs):
    ppo = logs[(logs["backbone"] == "tiny-qwen2") & (logs["method"] == "grpo+repro")]
    ppo = ppo.assign(method="ppo+repro")  # without its algorithm alone
    figure = over_training(TOKENS, pd.concat([ppo, logs]), VALIDATED)
    assert [axis.get_title() for axis in figure.axes] == ["PPO", "GRPO", "", ""]
    first = [axis.get_ylabel().split("\n")[0] for axis in figure.axes[::2]]
    assert first == ["tiny-qwen2", "tiny-qwen3"]
    assert [said(axis) for axis in figure.axes] == [[], [], [("no run", 0.5)], []]
    assert legend(figure) == ["without RePro", "with RePro"]


def test_validation_is_averaged_over_benchmarks_and_seeds_and_gives_the_tokens(make_run):
    made = itertools.product(("grpo", "grpo+repro"), range(3))
    runs = [make_run(method, training=log(9, 9), seed=seed) for method, seed in made]
    for number, run in enumerate(runs):
        rows = [validated(step, (number + step) / 10) for step in (0, 4)]
        rows += [validated(step, 0, "math500") for step in (0, 4)]
        rows = [row | {"reasoning_tokens": 50 + row["step"] + number} for row in rows]
        jsonl.write(run.path / "validation.jsonl", rows)
    figure = figures.draw("accuracy_over_training", runs, ["aime24"], NOTE)
    drawn = lines(figure.axes[0])
    assert drawn["without RePro"] == ([0, 4], pytest.approx([5, 25]))
    assert drawn["with RePro"] == ([0, 4], pytest.approx([20, 40]))
    figure = figures.draw(TOKENS, runs[:2], ["aime24"], NOTE)
    assert lines(figure.axes[0])["without RePro"] == ([0, 4], [50.5, 54.5])
    faint = [line.get_ydata().tolist() for line in figure.axes[0].get_lines() if line.get_alpha()]
    assert faint == [[50, 54], [51, 55]]
    said = "From validation, with the same problems at every step. Strong: mean of 2 seeds; faint:"
    assert says(figure, said)


def test_positions_in_tokens_end_where_the_other_problems_are_left_over(make_run):
    short = response(1, 2) | {"points": [[0, 0.0, -3.0], [10, 1.0, -2.0]]}
    rows = [response(0, 1), response(2, 1), short]  # to 40, 40 and 10 tokens
    curves = mean_curves(read_objective([make_run("original", objective=rows)]), axis=0)
    curves = curves.set_index("position")
    assert curves.loc[10.0, ["mean", "n"]].tolist() == pytest.approx([(2.5 + 2.5 + 2) / 3, 3])
    assert curves.loc[20.0, ["mean", "n"]].tolist() == pytest.approx([2, 2])
    alone = [response(0, 1), short, short | {"doc_id": 5}]
    curves = mean_curves(read_objective([make_run("grpo", objective=alone)]), axis=0)
    assert curves["position"].max() == pytest.approx(10)


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
    assert wrong["mean"].tolist() == pytest.approx([3] * 21)
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
    figure = objective_over_position(RELATIVE, found, NOTE)
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
    figure = objective_over_position(RELATIVE, read_objective(runs))
    assert [axis.get_ylabel().split("\n")[0] for axis in figure.axes] == ["tiny"]
    assert says(figure, "AIME24, 1 a line")
    for nothing in (runs[:1], [make_run("ppo", objective=[empty])]):
        with pytest.raises(ValueError, match=r"no objective\.jsonl with responses in any run"):
            objective_over_position(RELATIVE, read_objective(nothing))
