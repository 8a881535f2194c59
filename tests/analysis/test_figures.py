"""What holds for every figure, and the curves over training."""

import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from tests.analysis.figure_worlds import (
    NOTE,
    legend,
    lines,
    problems,
    says,
    texts,
    training,
)
from tests.analysis.small_runs import present

from repro import methods
from repro.files import jsonl
from repro.report import collect, figures
from repro.report.figures import style
from repro.report.figures.training import over_training

ALGORITHMS_TWICE = [method for name in methods.ALGORITHMS for method in (name, f"{name}+repro")]


@pytest.fixture
def runs(make_run):
    made = []
    for backbone in ("tiny-qwen2", "tiny-qwen3"):
        made.append(make_run("original", {"aime24": problems([0, 1], 90)}, backbone=backbone))
        for method, tokens in (("grpo", 60), ("grpo+repro", 40)):
            made.append(
                make_run(
                    method,
                    {"aime24": problems([1, 0], tokens)},
                    training(90, tokens),
                    None,
                    backbone,
                )
            )
    return made


def paper_world(make_run, backbones=("DeepSeek-R1-Distill-Qwen-1.5B", "b", "c", "d")):
    """Every method on every backbone but the last, which lacks two; ablations; an objective."""
    made, rng = [], np.random.default_rng(0)
    points = [[0, 0.0, -3.0], [5, 0.5, -2.0], [10, 1.0, -1.0]]
    for backbone in backbones:
        ablated = [f"grpo+repro~{key}=0.{n}" for key in methods.ABLATED for n in (3, 9)]
        for method in ["original", *ALGORITHMS_TWICE, *ablated]:
            if len(backbones) > 1 and backbone == backbones[-1] and method.startswith("ppo"):
                continue
            scores = {
                benchmark: [
                    {"correct": [0, 1], "tokens": [9000, int(tokens)], "backtracking": [3, 1]}
                    for tokens in rng.integers(8000, 12000, 5)
                ]
                for benchmark in ("aime24", "aime25", "math500", "lmb", "gpqa", "mbpp", "lcb")
            }
            setting = dict.fromkeys(methods.ABLATED, 0.1)
            if parts := methods.parse(method).ablated:
                setting[parts] = float(methods.parse(method).value)
            rows = None if method == "original" else training(9000, 7000)
            run = make_run(method, scores, rows, setting, backbone)
            response = {"benchmark": "aime24", "sample": 0, "points": points}
            objective = [response | {"doc_id": n, "correct": n % 2} for n in range(4)]
            jsonl.write(run.path / "objective.jsonl", objective)
            made.append(run)
    return made


def draw(monkeypatch, name, runs, note=NOTE):
    """Return the figure that `write_figure` would write."""
    seen = []
    monkeypatch.setattr(style, "save", lambda figure, output: seen.append(figure))
    figures.write_figure(name, runs, present(runs), "nowhere", note)
    return seen[0]


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


def test_over_training_sets_an_algorithm_beside_itself_with_repro(runs):
    figure = over_training("tokens_over_training", collect.training(runs), NOTE)
    assert [axis.get_title() for axis in figure.axes] == ["tiny-qwen2", "tiny-qwen3"]
    for axis in figure.axes:
        drawn = lines(axis)
        assert list(drawn) == ["without RePro", "with RePro"]
        steps, tokens = drawn["with RePro"]
        assert steps == list(range(11))
        assert tokens[5] == pytest.approx(65)  # a straight line is its own running mean
        assert len(axis.get_lines()) == 4  # light raw lines below
    assert legend(figure) == ["without RePro", "with RePro"]
    assert says(figure, f"Faint: every step; strong: the running mean. {NOTE}")


def test_over_training_has_a_row_a_backbone_and_a_panel_an_algorithm(runs):
    frame = collect.training(runs)
    ppo = frame.assign(method=frame["method"].str.replace("grpo", "ppo"))
    figure = over_training("accuracy_over_training", pd.concat([ppo, frame]), NOTE)
    assert [axis.get_title() for axis in figure.axes] == ["PPO", "GRPO", "", ""]
    first = [axis.get_ylabel().split("\n")[0] for axis in figure.axes[::2]]
    assert first == ["tiny-qwen2", "tiny-qwen3"]
    assert all(list(lines(axis)) == ["without RePro", "with RePro"] for axis in figure.axes)
    ablated = frame.replace({"method": {"grpo+repro": "grpo+repro~alpha=0.3"}})
    figure = over_training("accuracy_over_training", pd.concat([frame, ablated]), NOTE)
    assert list(lines(figure.axes[0]))[-1] == "with RePro (α = 0.3)"


def test_accuracy_over_training_is_in_percent(runs):
    figure = over_training("accuracy_over_training", collect.training(runs), NOTE)
    assert lines(figure.axes[0])["without RePro"][1] == pytest.approx([50] * 11)


def test_backtracking_over_training_is_that_of_the_logs(runs):
    figure = over_training("backtracking_over_training", collect.training(runs), NOTE)
    assert lines(figure.axes[1])["with RePro"][1][5] == pytest.approx(3.5)
    assert "1,000 reasoning tokens" in figure.axes[0].get_ylabel()


def test_a_log_without_the_key_is_named(runs):
    path = runs[-1].path / "training.jsonl"
    rows = jsonl.read(path)
    del rows[3]["backtracking_per_1k"]
    jsonl.write(path, rows)
    message = r"^tiny-qwen3/grpo\+repro/0/training.jsonl, step 3: no 'backtracking_per_1k'"
    with pytest.raises(ValueError, match=message):
        over_training("backtracking_over_training", collect.training(runs), NOTE)
    over_training("tokens_over_training", collect.training(runs), NOTE)  # needs another key


def test_with_repro_looks_alike_with_and_without_its_algorithm(runs):
    frame = collect.training(runs)
    lonely = frame[frame["method"] == "grpo+repro"].replace({"method": {"grpo": "ppo"}}, regex=True)
    figure = over_training("tokens_over_training", pd.concat([lonely, frame]))
    looks = set()
    for axis in figure.axes:
        line = next(line for line in axis.get_lines() if line.get_label() == "with RePro")
        looks.add((line.get_color(), line.get_marker(), line.get_linestyle()))
    assert looks == {("#0072B2", "s", "-")}
    assert legend(figure) == ["without RePro", "with RePro"]


def test_a_missing_run_is_a_visible_gap(runs):
    frame = collect.training(runs)
    ppo = frame[frame["backbone"] == "tiny-qwen2"].replace({"method": {"grpo": "ppo"}}, regex=True)
    figure = over_training("tokens_over_training", pd.concat([ppo, frame]))
    said = [[text.get_text() for text in axis.texts] for axis in figure.axes]
    assert said == [[], [], ["no run"], []]


@pytest.mark.parametrize("name", figures.NAMES)
@pytest.mark.parametrize("backbones", [("one",), ("DeepSeek-R1-Distill-Qwen-1.5B", "b", "c", "d")])
def test_text_is_at_least_8_points_inside_a_page_and_does_not_touch(
    make_run, monkeypatch, name, backbones
):
    figure = draw(monkeypatch, name, paper_world(make_run, backbones), NOTE * 3)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # lays the figure out
    renderer = canvas.get_renderer()
    assert min(text.get_fontsize() for text in texts(figure)) >= 8
    assert says(figure, NOTE)
    used, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert width <= 6.8
    assert height <= 9.0
    assert used.x0 >= 0
    assert used.y0 >= 0
    assert used.x1 <= width
    assert used.y1 <= height
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in shown_texts(figure)]
    assert len(boxes) > 10
    touching = [
        (one, other)
        for number, (one, box) in enumerate(boxes)
        for other, other_box in boxes[number + 1 :]
        if box.overlaps(other_box)
    ]
    assert touching == []


@pytest.mark.parametrize("name", figures.NAMES)
def test_run_writes_files_that_are_the_same_every_time(make_run, tmp_path, name):
    given = paper_world(make_run, ("one",))
    paths = figures.write_figure(name, given, present(given), tmp_path / f"{name}.png", NOTE)
    assert [path.name for path in paths] == [f"{name}.png", f"{name}.pdf"]
    first = [path.read_bytes() for path in paths]
    assert first[0].startswith(b"\x89PNG")
    assert first[1].startswith(b"%PDF")
    assert b"CreationDate" not in first[1]
    figures.write_figure(name, given, present(given), tmp_path / name, NOTE)
    assert [path.read_bytes() for path in paths] == first


def test_only_the_files_that_a_figure_shows_are_read(make_run, tmp_path):
    given = paper_world(make_run, ("one",))
    for run in given:
        (run.path / "training.jsonl").unlink(missing_ok=True)
    for name in ("objective_over_position", "tokens_per_benchmark", "backtracking_at_evaluation"):
        figures.write_figure(name, given, present(given), tmp_path / name)
    with pytest.raises(ValueError, match=r"training\.jsonl: no such file"):
        figures.write_figure("tokens_over_training", given, present(given), tmp_path / "x")


def test_lines_differ_in_more_than_colour():
    for group in (style.COLOURS, style.MARKERS):
        assert len(set(group)) == len(group) == 8
    luminance = [
        sum(w * c for w, c in zip((0.21, 0.72, 0.07), to_rgb(colour), strict=True))
        for colour in style.COLOURS
    ]
    assert max(luminance) < 0.75  # visible on white
    for number in (0, 1):  # colour, marker
        assert len({look[number] for look in style.ALGORITHMS.values()}) == len(methods.ALGORITHMS)


def test_unknown_figure_names_the_known_ones(runs, tmp_path):
    with pytest.raises(
        ValueError, match="'loss': unknown; known are tokens_over_training"
    ) as error:
        figures.write_figure("loss", runs, present(runs), tmp_path / "loss")
    assert all(name in str(error.value) for name in figures.NAMES)


def test_a_broken_score_file_is_named(runs, tmp_path):
    path = runs[1].path / "scores" / "aime24.json"
    path.write_text(json.dumps({"problems": [{"doc_id": 0}]}), encoding="utf-8")
    for name in ("tokens_per_benchmark", "backtracking_at_evaluation"):
        with pytest.raises(ValueError, match=r"grpo/0/scores/aime24\.json"):
            figures.write_figure(name, runs, present(runs), tmp_path / "x")
