"""The published figures: the file in the repository, against the page they were copied from."""

import re

import pytest
from tests import paths

from repro.report import published

FILE = paths.ROOT / "config/paper_results.csv"
PAGE = paths.DATA.parent / "paper.md"
BACKBONES = {"R1-Distill-Qwen-1.5B": "DeepSeek-R1-Distill-Qwen-1.5B"}  # others are called the same
HEADER = "| backbone | method | AIME24 | AIME25 | MATH500 | LMB | GPQA-D | MBPP | LCB |"
BENCHMARKS = {"AIME24": "aime24", "AIME25": "aime25", "MATH500": "math500", "LMB": "lmb"}
BENCHMARKS |= {"GPQA-D": "gpqa", "MBPP": "mbpp", "LCB": "lcb"}
METHODS = {"original": "original", "PPO": "ppo", "PPO + RePro": "ppo+repro"}
METHODS |= {"GRPO": "grpo", "GRPO + RePro": "grpo+repro"}
needs_page = pytest.mark.skipif(not PAGE.is_file(), reason="no page on the paper beside the data")


@pytest.fixture
def figures():
    return published.load(FILE)


def number(frame, **wanted) -> float:
    for column, value in wanted.items():
        frame = frame[frame[column] == value]
    return frame["value"].item()


def test_no_source_is_a_path(figures):
    assert not figures["source"].str.contains(r"/|\.md").any()


def test_numbers_known_by_heart(figures):
    grpo = {"backbone": "DeepSeek-R1-Distill-Qwen-1.5B", "metric": "accuracy", "kind": "published"}
    assert number(figures, **grpo, method="grpo+repro", benchmark="aime24") == 36.0
    assert number(figures, **grpo, method="ppo", benchmark="mbpp") == 61.0
    assert number(figures, detail="ablation of k, most segments") == 36.9
    assert number(figures, metric="tokens_percent") == -36.8


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
            wanted[key] = (float(low), float(high or low))
    ends = figures[figures["kind"].isin(published.BANDS)]
    found = ends.groupby(["backbone", "benchmark"])["value"].agg(tuple).to_dict()
    assert found == wanted  # the lower end is the first
    assert len(wanted) == 10


@needs_page
def test_the_other_numbers_stand_on_the_page(figures):
    page = PAGE.read_text().replace("\N{MINUS SIGN}", "-")
    rows = figures[(figures["kind"] == "published") & (figures["backbone"] == "")]
    assert len(rows) == 8
    assert "AIME24 36.0 → 36.9" in page
    for value in rows["value"]:
        assert re.search(rf"(?<![\d.-]){value}", page)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ppo,aime24,accuracy,,34.8", "ppo,aime24,accuracy,,much", "line 5: value = 'much'"),
        ("ppo,aime24,accuracy,,34.8", "ppo,aime24,accuracy,,nan", "allowed: a number from 0 to"),
        ("ppo,aime24,accuracy,,34.8", "ppo,aime24,accuracy,,348", "allowed: a number from 0 to"),
        ("ppo,aime24,accuracy", "ppo,aime23,accuracy", r"benchmark = 'aime23'; allowed: \(empty\)"),
        ("ppo,aime24,accuracy", "pppo,aime24,accuracy", "method 'pppo' does not exist"),
        ("ppo,aime24,accuracy", "ppo,aime24,speed", "metric = 'speed'; allowed: accuracy"),
        ("34.8,percent,", "34.8,share,", "unit = 'share'; allowed: percent"),
        ("34.8,percent,published", "34.8,percent,guessed", "kind = 'guessed'; allowed: published"),
        ("ppo,aime25,accuracy", "ppo,aime24,accuracy", "line 6: the same figure is there"),
        ("28.7,percent,band_low", "31.7,percent,band_low", r"aime24 accuracy: 31\.7 to 30\.7"),
        ("original,lcb,accuracy,,16.1", "original,lmb,accuracy,,16.1", "both ends"),
        ('published,"RePro, arXiv 2512.01925', 'published,"RePro, arXiv', "names arXiv 2512"),
        ("metric,detail", "metric,remark", "columns .*allowed: backbone, method"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, old, new, message):
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    bad = tmp_path / "figures.csv"
    bad.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=rf"figures\.csv.*{message}"):
        published.load(bad)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"none\.csv: no such file"):
        published.load(tmp_path / "none.csv")


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n3,4,5\n"])
def test_a_file_that_is_no_table_is_named(tmp_path, text):
    path = tmp_path / "figures.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"figures\.csv: not a CSV file"):
        published.load(path)
