"""The paper's numbers stand beside ours for the paper's backbones, and beside no other."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from tests import paths

from repro.report import published, tables

FILE = paths.ROOT / "config/paper_results.csv"
HALF = [
    {"correct": [0, 0], "tokens": [100, 100], "backtracking": [0, 0]},
    {"correct": [1, 1], "tokens": [100, 100], "backtracking": [0, 0]},
]


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.startswith("|")]


def runs_of(make_run, *backbones: str) -> list[dict]:
    methods = ("original", "grpo", "grpo+repro", "reinforce_pp")
    scores = {"aime24": HALF, "lmb": HALF}
    return [make_run(method, scores, backbone=b) for b in backbones for method in methods]


def test_ours_stands_beside_the_published_number_and_the_difference(make_run, tmp_path):
    runs = runs_of(make_run, "Qwen3-1.7B")
    tables.write_tables(runs, ["aime24", "lmb"], tmp_path, paper=FILE)
    frame = pd.read_csv(tmp_path / "main.csv").set_index("method")
    grpo = frame.loc["grpo"]
    assert (grpo["aime24"], grpo["aime24_published"]) == (50, 47.3)
    assert grpo["aime24_difference"] == pytest.approx(2.7)
    assert grpo["lmb_difference"] == pytest.approx(50 - 18.8)
    assert pd.isna(frame.loc["original", "lmb_published"])  # the paper's number is not known
    assert pd.isna(frame.loc["original", "lmb_difference"])
    assert frame.loc["reinforce_pp"].filter(like="_published").isna().all()
    text = lines(tmp_path / "main.md")
    assert text[2].startswith(
        "| Qwen3-1.7B | Original | 50.0 ± 50.0 (46.8; +3.2) | - (36.1) | - (93.0) | 50.0 ± 50.0 | -"
    )
    assert text[4].startswith("|  | GRPO + RePro | 50.0 ± 50.0 (49.8; +0.2) |")
    assert text[5].startswith("|  | RF++ | 50.0 ± 50.0 | - | - | 50.0 ± 50.0 | - | - | - | 100.0 ±")
    assert "the paper states (RePro, arXiv 2512.01925)" in (tmp_path / "main.md").read_text()
    latex = (tmp_path / "main.tex").read_text()
    assert "Original & 50.0 $\\pm$ 50.0 & - & - & 50.0 $\\pm$ 50.0 &" in latex
    assert "\n & (46.8; +3.2) & (36.1) & (93.0) &  &  &  &  &  &  \\\\" in latex


def test_the_difference_that_is_shown_is_that_of_the_numbers_shown(make_run, tmp_path):
    # 27 of 32 correct: 84.375 %, shown as 84.4, the published number.
    right = [{"correct": [1], "tokens": [9], "backtracking": [0]}] * 27
    wrong = [{"correct": [0], "tokens": [9], "backtracking": [0]}] * 5
    name = "DeepSeek-R1-Distill-Qwen-1.5B"
    runs = [make_run("original", {"math500": right + wrong}, backbone=name)]
    tables.write_tables(runs, ["math500"], tmp_path, paper=FILE)
    assert "| 84.4 ± 6.5 (84.4; +0.0) |" in (tmp_path / "main.md").read_text()
    frame = pd.read_csv(tmp_path / "main.csv")
    assert frame["math500_difference"].item() == pytest.approx(-0.025)


def test_the_papers_short_name_of_a_backbone_is_known(make_run):
    runs = [
        make_run("ppo", {"aime24": HALF}, backbone=name)
        for name in ("R1-Distill-Qwen-1.5B", "DeepSeek-R1-Distill-Qwen-1.5B")
    ]
    stated = published.stated_accuracy(FILE, runs)
    for run in runs:
        assert stated[run.backbone, "ppo", "aime24"] == 34.8
        # A band or a number of the other backbone is none of the main table's.
        assert sum(key[0] == run.backbone for key in stated) == 29


def test_a_figure_of_an_ablation_is_not_shown(make_run, tmp_path):
    changed = tmp_path / "figures.csv"
    row = 'Qwen3-1.7B,grpo,aime24,accuracy,an ablation,99.0,percent,published,"arXiv 2512.01925"\n'
    changed.write_text(FILE.read_text() + row)
    stated = published.stated_accuracy(changed, runs_of(make_run, "Qwen3-1.7B"))
    assert stated["Qwen3-1.7B", "grpo", "aime24"] == 47.3


@pytest.mark.parametrize(
    ("name", "source"),
    [(name, "local") for name in ("tiny-qwen3", "Qwen3", "tiny-Qwen3-1.7B", "qwen3-1.7b")]
    + [("Qwen3-1.7B", "tinyworld")],  # built here, whatever it is called
)
def test_another_backbone_never_gets_published_numbers(make_run, tmp_path, name, source):
    runs = runs_of(make_run, name)
    for run in runs:
        path = Path(run.path, "settings.json")
        path.write_text(json.dumps({"backbone_settings": {"source": source}}))
    tables.write_tables(runs, ["aime24", "lmb"], tmp_path / "with", paper=FILE)
    tables.write_tables(runs, ["aime24", "lmb"], tmp_path / "without")
    for path in (tmp_path / "without").iterdir():
        assert (tmp_path / "with" / path.name).read_bytes() == path.read_bytes()


def test_beside_a_backbone_of_the_paper_a_tiny_one_stays_without(make_run, tmp_path):
    runs = runs_of(make_run, "Qwen3-1.7B", "tiny-qwen3")
    tables.write_tables(runs, ["aime24", "lmb"], tmp_path, paper=FILE)
    frame = pd.read_csv(tmp_path / "main.csv").set_index("backbone")
    columns = frame.filter(regex="_published|_difference")
    assert columns.loc["tiny-qwen3"].isna().all(axis=None)
    assert columns.loc["Qwen3-1.7B"].notna().any(axis=None)
    text = lines(tmp_path / "main.md")
    assert not any("(" in line for line in text[6:])
    assert sum("(" in line for line in text[2:6]) == 3


def test_every_backbone_of_the_file_can_be_reached_and_no_tiny_one():
    known = published.BACKBONES
    assert set(published.load(FILE)["backbone"]) - {""} <= set(known.values())
    configurations = {
        path.name: yaml.safe_load(path.read_text())["backbones"]
        for path in (paths.ROOT / "config").glob("*.yaml")
        if "backbones:" in path.read_text()
    }
    assert set(configurations["paper.yaml"]) <= set(known)
    for backbones in configurations.values():
        tiny = {name for name, backbone in backbones.items() if backbone["source"] == "tinyworld"}
        assert not tiny & set(known)
    assert len(configurations) > 2


def test_a_broken_file_is_named(make_run, tmp_path):
    runs = runs_of(make_run, "Qwen3-1.7B")
    with pytest.raises(ValueError, match=r"none\.csv: no such file"):
        tables.write_tables(runs, ["aime24"], tmp_path / "tables", paper=tmp_path / "none.csv")
    assert not (tmp_path / "tables").exists()
