"""The paper's numbers: as on the page they were copied from, and beside its own backbones only."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from tests import paths
from tests.analysis.worlds import markdown, problem

from repro.records.experiment import RunFolder
from repro.report import published, tables

FILE = paths.ROOT / "config/paper_results.csv"
PAGE = paths.DATA.parent / "paper.md"
BACKBONES = {"R1-Distill-Qwen-1.5B": "DeepSeek-R1-Distill-Qwen-1.5B"}  # others are called the same
HEADER = "| backbone | method | AIME24 | AIME25 | MATH500 | LMB | GPQA-D | MBPP | LCB |"
BENCHMARKS = {"AIME24": "aime24", "AIME25": "aime25", "MATH500": "math500", "LMB": "lmb"}
BENCHMARKS |= {"GPQA-D": "gpqa", "MBPP": "mbpp", "LCB": "lcb"}
METHODS = {"original": "original", "PPO": "ppo", "PPO + RePro": "ppo+repro"}
METHODS |= {"GRPO": "grpo", "GRPO + RePro": "grpo+repro"}
HALF = [problem([verdict] * 2, [100, 100], [0, 0]) for verdict in (0, 1)]
needs_page = pytest.mark.skipif(not PAGE.is_file(), reason="no page on the paper beside the data")


@pytest.fixture
def figures():
    return published.load(FILE)


@needs_page
def test_main_table_is_that_of_the_page(figures):
    table = PAGE.read_text().split(HEADER)[1].split("\n\n")[0]
    lines = [line.strip("|").split("|") for line in table.strip().splitlines()[1:]]
    backbone, wanted = "", {}
    for cells in ([cell.strip() for cell in line] for line in lines):
        backbone = cells[0] or backbone
        for title, cell in zip(BENCHMARKS, cells[2:], strict=True):
            if cell != "-":
                key = (BACKBONES.get(backbone, backbone), METHODS[cells[1]], BENCHMARKS[title])
                wanted[key] = float(cell)
    rows = figures[(figures["kind"] == "published") & (figures["backbone"] != "")]
    keys = zip(rows["backbone"], rows["method"], rows["benchmark"], strict=True)
    assert dict(zip(keys, rows["value"], strict=True)) == wanted
    assert len(wanted) > 40


@needs_page
def test_bands_are_those_of_the_page(figures):
    text = re.search(r"Sanity bands.*?: (.*?)\.\n", PAGE.read_text(), re.DOTALL).group(1)
    wanted = {}
    for part in text.replace("\n", " ").split(";"):
        name, _, rest = part.strip().partition(" ")
        pattern = r"([A-Z][A-Z0-9-]+) ([\d.]+)(?:\N{EN DASH}([\d.]+))?"
        for title, low, high in re.findall(pattern, rest):
            key = (BACKBONES.get(name, name), BENCHMARKS[title])
            wanted[key] = {"band_low": float(low), "band_high": float(high or low)}
    rows = figures[figures["kind"] != "published"]
    found = rows.pivot(index=["backbone", "benchmark"], columns="kind", values="value")
    assert found.to_dict("index") == wanted
    assert len(wanted) == 10


def runs_of(make_run, *backbones: str) -> list[RunFolder]:
    scores = {"aime24": HALF, "lmb": HALF}
    chosen = ("original", "grpo", "grpo+repro", "reinforce_pp")
    return [make_run(method, scores, backbone=b) for b in backbones for method in chosen]


def write(runs: list[RunFolder], folder: Path) -> tuple[pd.DataFrame, list[str]]:
    """Write the tables with the paper's numbers; return the main one and its Markdown rows."""
    tables.write_tables(runs, ["aime24", "lmb"], folder, paper=FILE)
    text = markdown(folder / "main.md")
    return pd.read_csv(folder / "main.csv"), [x for x in text.splitlines() if x.startswith("|")]


def test_ours_stands_beside_the_published_number_and_the_difference(make_run, tmp_path):
    frame, text = write(runs_of(make_run, "Qwen3-1.7B"), tmp_path)
    frame = frame.set_index("method")
    grpo = frame.loc["grpo"]
    assert (grpo["aime24"], grpo["aime24_published"]) == (50, 47.3)
    assert grpo["aime24_difference"] == pytest.approx(2.7)
    assert grpo["lmb_difference"] == pytest.approx(50 - 18.8)
    assert pd.isna(frame.loc["original", "lmb_published"])  # the paper's number is not known
    assert pd.isna(frame.loc["original", "lmb_difference"])
    assert frame.loc["reinforce_pp"].filter(like="_published").isna().all()
    assert text[2].startswith(
        "| Qwen3-1.7B | Original | 50.0 ± 50.0 (46.8; +3.2) | - (36.1) | - (93.0) | 50.0 ± 50.0 | -"
    )
    assert text[4].startswith("| | GRPO + RePro | 50.0 ± 50.0 (49.8; +0.2) |")
    assert text[5].startswith("| | RF++ | 50.0 ± 50.0 | - | - | 50.0 ± 50.0 | - | - | - | 100.0 ±")
    assert "the paper states (RePro, arXiv 2512.01925)" in markdown(tmp_path / "main.md")


def test_backbones_and_figures_are_told_apart(make_run, tmp_path):
    changed = tmp_path / "figures.csv"
    row = 'Qwen3-1.7B,grpo,aime24,accuracy,an ablation,99.0,percent,published,"arXiv 2512.01925"\n'
    changed.write_text(FILE.read_text() + row)
    runs = runs_of(make_run, "R1-Distill-Qwen-1.5B", "DeepSeek-R1-Distill-Qwen-1.5B", "Qwen3-1.7B")
    stated = published.stated_accuracy(changed, runs)
    assert stated["Qwen3-1.7B", "grpo", "aime24"] == 47.3  # not that of the ablation
    for backbone in ("R1-Distill-Qwen-1.5B", "DeepSeek-R1-Distill-Qwen-1.5B"):
        assert stated[backbone, "ppo", "aime24"] == 34.8
        # A band or a number of the other backbone is none of the main table's.
        assert sum(key[0] == backbone for key in stated) == 29


@pytest.mark.parametrize(
    ("name", "source"),
    [(name, "local") for name in ("tiny-qwen3", "Qwen3", "tiny-Qwen3-1.7B", "qwen3-1.7b")]
    + [("Qwen3-1.7B", "tinyworld")],  # built here, whatever it is called
)
def test_another_backbone_never_gets_published_numbers(make_run, tmp_path, name, source):
    runs = runs_of(make_run, name)
    for run in runs:
        settings = {"backbone_settings": {"source": source}}
        (run.path / "settings.json").write_text(json.dumps(settings))
    write(runs, tmp_path / "with")
    tables.write_tables(runs, ["aime24", "lmb"], tmp_path / "without")
    for path in (tmp_path / "without").iterdir():
        assert (tmp_path / "with" / path.name).read_bytes() == path.read_bytes()
