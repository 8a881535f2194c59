"""Figures hold the numbers they are made of, and are written alike every time."""

from pathlib import Path

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from repro.analysis import collect, compare, figures


def present(runs: list[dict]) -> list[str]:
    """Return the benchmarks that any of the runs has scores of."""
    return sorted({path.stem for run in runs for path in Path(run["path"]).glob("scores/*.json")})


NOTE = "Tiny world: these are not the paper's numbers."


def problems(accuracy, tokens):
    return [{"correct": [hit], "tokens": [tokens], "backtracking": [0]} for hit in accuracy]


def training(first, last):
    return [
        {"step": step, "reasoning_tokens": first + (last - first) * step / 10, "accuracy": 0.5}
        for step in range(11)
    ]


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
                    {"alpha": 0.1, "w": 0.1, "k": 8} if "repro" in method else None,
                    backbone,
                )
            )
    for alpha, tokens in ((0.03, 50), (0.5, 30)):
        made.append(
            make_run(
                f"grpo+repro~alpha={alpha}",
                {"aime24": problems([1, 1], tokens)},
                process_reward={"alpha": alpha, "w": 0.1, "k": 8},
                backbone="tiny-qwen3",
            )
        )
    return made


def main_runs(runs):
    return [run for run in runs if "~" not in run["method"]]


def lines(axis):
    """Label -> (x, y) of the labelled lines of a panel."""
    found = {}
    for line in axis.get_lines():
        if not line.get_label().startswith("_"):
            found[line.get_label()] = (list(line.get_xdata()), list(line.get_ydata()))
    return found


def texts(figure):
    return [text for text in figure.findobj(Text) if text.get_text().strip()]


def test_over_training_sets_an_algorithm_beside_itself_with_repro(runs):
    figure = figures.tokens_over_training(collect.training(main_runs(runs)), NOTE)
    assert [axis.get_title() for axis in figure.axes] == ["tiny-qwen2", "tiny-qwen3"]
    for axis in figure.axes:
        drawn = lines(axis)
        assert list(drawn) == ["algorithm alone", "with RePro"]
        steps, tokens = drawn["with RePro"]
        assert steps == list(range(11))
        assert tokens[5] == pytest.approx(65)  # a straight line is its own running mean
        assert len(axis.get_lines()) == 4  # light raw lines below
    assert any(NOTE in text.get_text() for text in texts(figure))


def test_over_training_has_a_row_a_backbone_and_a_panel_an_algorithm(runs):
    frame = collect.training(main_runs(runs))
    ppo = frame.assign(method=frame["method"].str.replace("grpo", "ppo"))
    figure = figures.accuracy_over_training(pd.concat([ppo, frame]), NOTE)
    assert [axis.get_title() for axis in figure.axes] == ["PPO", "GRPO"] * 2
    first = [axis.get_ylabel().split("\n")[0] for axis in figure.axes[::2]]
    assert first == ["tiny-qwen2", "tiny-qwen3"]
    assert all(list(lines(axis)) == ["algorithm alone", "with RePro"] for axis in figure.axes)
    ablated = frame.replace({"method": {"grpo+repro": "grpo+repro~alpha=0.3"}})
    figure = figures.accuracy_over_training(pd.concat([frame, ablated]), NOTE)
    assert list(lines(figure.axes[0]))[-1] == "with RePro (α = 0.3)"


def test_accuracy_over_training_is_in_percent(runs):
    figure = figures.accuracy_over_training(collect.training(main_runs(runs)), NOTE)
    assert any(NOTE in text.get_text().replace("\n", " ") for text in texts(figure))
    assert lines(figure.axes[0])["algorithm alone"][1] == pytest.approx([50] * 11)


def test_ablation_shows_values_baseline_and_default(runs):
    chosen = [run for run in runs if run["backbone"] == "tiny-qwen3"]
    summary = compare.summarise(collect.scores(chosen, present(chosen)))
    figure = figures.ablation("alpha", summary, figures.ablation_values("alpha", chosen), NOTE)
    assert any(NOTE in text.get_text().replace("\n", " ") for text in texts(figure))
    accuracy, tokens = figure.axes
    assert accuracy.get_xscale() == "log"  # 0.03 to 0.5 is more than a factor of ten
    assert [tick.get_text() for tick in accuracy.get_xticklabels()] == ["0.03", "0.1", "0.5"]
    drawn = lines(tokens)
    assert drawn["GRPO alone"][1] == [60, 60]
    assert drawn["default"] == ([0.1], [40])
    bars = tokens.containers[0].lines[0]
    assert list(bars.get_xdata()) == [0.03, 0.1, 0.5]
    assert list(bars.get_ydata()) == [50, 40, 30]
    assert list(accuracy.containers[0].lines[0].get_ydata()) == [100, 50, 100]


def test_run_of_an_ablation_leaves_out_what_was_not_varied(runs, tmp_path, monkeypatch):
    seen = {}
    monkeypatch.setattr(figures, "ablation", lambda key, summary, values, note: (summary, values))
    monkeypatch.setattr(figures, "save", lambda figure, output: seen.update(figure=figure))
    figures.run("ablation_alpha", runs, present(runs), tmp_path / "x", NOTE)
    summary, values = seen["figure"]
    assert summary["backbone"].unique().tolist() == ["tiny-qwen3"]
    assert "original" not in summary["method"].tolist()
    assert values == {
        "grpo+repro": (0.1, True),
        "grpo+repro~alpha=0.03": (0.03, False),
        "grpo+repro~alpha=0.5": (0.5, False),
    }


def test_small_range_stays_linear(make_run):
    runs = [
        make_run("grpo+repro~k=4", {"lmb": problems([0, 1], 5)}, process_reward={"k": 4}),
        make_run("grpo+repro", {"lmb": problems([0, 1], 5)}, process_reward={"k": 8}),
    ]
    summary = compare.summarise(collect.scores(runs, present(runs)))
    figure = figures.ablation("k", summary, figures.ablation_values("k", runs))
    assert figure.axes[0].get_xscale() == "linear"


@pytest.mark.parametrize("name", ["tokens_over_training", "ablation_alpha"])
def test_run_writes_legible_files_that_are_the_same_every_time(runs, tmp_path, name):
    given = runs if name.startswith("ablation") else main_runs(runs)
    paths = figures.run(name, given, present(given), tmp_path / f"{name}.png", NOTE)
    assert [path.name for path in paths] == [f"{name}.png", f"{name}.pdf"]
    first = [path.read_bytes() for path in paths]
    assert first[0].startswith(b"\x89PNG")
    assert first[1].startswith(b"%PDF")
    assert b"CreationDate" not in first[1]
    figures.run(name, given, present(given), tmp_path / name, NOTE)
    assert [path.read_bytes() for path in paths] == first


def test_all_text_is_at_least_8_points_and_inside_the_page(runs):
    for figure in (
        figures.tokens_over_training(collect.training(main_runs(runs)), NOTE * 4),
        figures.ablation(
            "alpha",
            compare.summarise(collect.scores(runs, present(runs))),
            figures.ablation_values("alpha", runs),
            NOTE,
        ),
    ):
        FigureCanvasAgg(figure).draw()  # lays the figure out
        assert min(text.get_fontsize() for text in texts(figure)) >= 8
        used, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
        assert used.x0 >= 0
        assert used.y0 >= 0
        assert used.x1 <= width
        assert used.y1 <= height


def test_lines_differ_in_more_than_colour():
    for group in (figures.COLOURS, figures.MARKERS, figures.DASHES):
        assert len(set(group)) == len(group) == 8
    luminance = [
        sum(w * c for w, c in zip((0.21, 0.72, 0.07), to_rgb(colour), strict=True))
        for colour in figures.COLOURS
    ]
    assert max(luminance) < 0.75  # visible on white


def test_unknown_figure_names_the_known_ones(runs, tmp_path):
    with pytest.raises(ValueError, match="'loss': unknown; known are tokens_over_training"):
        figures.run("loss", runs, present(runs), tmp_path / "loss")


def test_ablation_without_runs_says_which_method_is_missing(runs, tmp_path):
    with pytest.raises(ValueError, match=r"ablation_w: no run of a method ALGORITHM\+repro~w="):
        figures.run("ablation_w", runs, present(runs), tmp_path / "w")
