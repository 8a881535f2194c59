"""What the tables look like as CSV, Markdown and LaTeX, and in the terminal."""

import os
import re
import shutil
import subprocess

import pandas as pd
import pytest
from tests import paths
from tests.analysis.worlds import (
    CODE,
    GRPO,
    ORIGINAL,
    maker,
    markdown,
    present,
    problem,
    three_methods,
)

from repro import methods
from repro.report import names, tables
from repro.report.table_sheets import SHEETS

PUBLISHED = paths.ROOT / "config/paper_results.csv"
NOTE = "Tiny world, 100 % generated: these are not the paper's numbers."
FILES = {f"{name}.{suffix}" for name in SHEETS for suffix in ("csv", "md", "tex")}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A results folder with the tables of three methods."""
    root = tmp_path_factory.mktemp("tiny")
    runs = three_methods(maker(root))
    tables.write_tables(runs, present(runs), root / "tables", NOTE)
    return root


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """Likewise of the paper's main grid, all seven benchmarks, with wide numbers."""
    root = tmp_path_factory.mktemp("paper")
    long = [problem([1, 0], [12345, 16384], [99, 3]), problem([1, 1], [11000, 16000], [50, 9])]
    scores = dict.fromkeys(("aime24", "aime25", "math500", "lmb", "gpqa", "mbpp", "lcb"), long)
    grid = ["original", *(name for of in methods.ALGORITHMS for name in (of, f"{of}+repro"))]
    make = maker(root)
    backbones = ("DeepSeek-R1-Distill-Qwen-1.5B", "Qwen3-1.7B")
    runs = [make(method, scores, backbone=b) for b in backbones for method in grid]
    tables.write_tables(runs, list(scores), root / "tables", NOTE, PUBLISHED)
    return root


def test_every_format_is_written_with_the_note(tiny):
    written = {path.name: path.read_text() for path in (tiny / "tables").iterdir()}
    assert set(written) == FILES
    for name in SHEETS:
        assert set(pd.read_csv(tiny / f"tables/{name}.csv")["note"]) == {NOTE}
        assert written[f"{name}.md"].startswith(f"**{NOTE}**")
        latex = written[f"{name}.tex"]
        assert latex.count(NOTE.replace("%", r"\%")) == 2  # on the first page, and on further ones


def test_markdown_cells(tiny):
    main, gain, against = (
        markdown(tiny / f"tables/{name}.md") for name in ("main", "gain", "against_original")
    )
    assert "| tiny | Original | 25.0 ± 25.0 | - | - | - | - | 50.0 ± 50.0 | - |" in main
    assert "| | GRPO + RePro | 75.0 ± 25.0 |" in main  # the backbone stands once
    assert "One seed: the errors say nothing about other seeds." in main
    zeros = "+0.0 [+0.0, +0.0] | +0.0 [+0.0, +0.0] | +0.00 [+0.00, +0.00] |"
    assert f"| tiny | GRPO + RePro vs GRPO | AIME24 | 2 | {zeros}" in gain
    assert f"| | | in-domain | 2 | {zeros}" in gain
    assert "Original" not in gain
    assert "| tiny | GRPO vs Original | AIME24 | 2 | +50.0 [+50.0, +50.0] | -33.3 [" in against
    assert "| | GRPO + RePro vs Original | AIME24 | 2 | +50.0 [" in against
    for path in tiny.glob("tables/*.md"):
        rows = [line for line in path.read_text().splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) == 1


def test_a_single_method_has_nothing_to_compare(make_run, tmp_path):
    tables.write_tables([make_run("original", {"lmb": CODE})], ["lmb"], tmp_path, NOTE)
    for name in ("gain", "against_original"):
        frame = pd.read_csv(tmp_path / f"{name}.csv")
        assert frame.empty and {"baseline", "metric", "difference", "low"} <= set(frame.columns)
        text = (tmp_path / f"{name}.md").read_text()
        assert "no such pair of methods" in text
        assert NOTE in text


def test_many_tokens_are_rounded_to_whole_ones(make_run, tmp_path):
    thoughts = [problem([1, 1], [9000, 9501], [0, 0]), problem([1, 1], [8000, 8501], [0, 0])]
    tables.write_tables([make_run("grpo", {"lmb": thoughts})], ["lmb"], tmp_path)
    # Means 9250.5 and 8250.5: 8750.5 ± 500, the median between 8501 and 9000.
    assert "| 8750 ± 500 (8750) |" in markdown(tmp_path / "tokens.md")
    assert "| 8750 ± 500 | 0.00 ± 0.00 |" in markdown(tmp_path / "main.md")


def test_special_characters_are_escaped(make_run, tmp_path):
    backbone = "R1_7B & co~{x}^\\|"
    runs = [make_run(name, {"aime24": ORIGINAL}, backbone=backbone) for name in ("original", "ppo")]
    runs.append(make_run("grpo+repro~alpha=0.3", {"aime24": GRPO}, backbone=backbone))
    tables.write_tables(runs, ["aime24"], tmp_path, NOTE)
    assert "| R1_7B & co~{x}^\\\\| | Original | 25.0" in markdown(tmp_path / "main.md")
    for path in tmp_path.glob("*.tex"):
        text = path.read_text()
        assert text.isascii()
        if path.stem != "gain":  # there is no pair
            name = r"R1\_7B \& co\textasciitilde{}\{x\}\textasciicircum{}\textbackslash{}|"
            assert name in text
        bare = re.sub(r"\\[{}&%$#_]", "", text)
        assert bare.count("{") == bare.count("}")
        assert bare.count("$") % 2 == 0
        columns = re.search(r"\\begin\{longtable\}\{([lr]+)\}", text).group(1)
        for row in re.findall(r"^(?!\\)(.*) \\\\$", bare, flags=re.MULTILINE):
            assert row.count("&") == len(columns) - 1
    assert r"GRPO + RePro ($\alpha$ = 0.3)" in (tmp_path / "main.tex").read_text()
    assert "$-$33.3 [" in (tmp_path / "against_original.tex").read_text()


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("grid", ["tiny", "paper"])
def test_latex_compiles_with_article_booktabs_and_longtable(grid, request):
    folder = request.getfixturevalue(grid) / "tables"
    inputs = "".join(rf"\input{{{name}.tex}}" for name in SHEETS)
    document = r"\documentclass{article}\usepackage{booktabs,longtable}\begin{document}" + inputs
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-jobname=page"]
    environment = os.environ | {"max_print_line": "1000"}
    done = subprocess.run(
        [*command, document + r"\end{document}"],
        cwd=folder, capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout


@pytest.mark.parametrize("scored", ["aime24", "own"])
def test_a_benchmark_of_ones_own_has_a_column_where_it_is_scored(
    make_run, tmp_path, capsys, monkeypatch, scored
):
    monkeypatch.setitem(names.BENCHMARKS, "own", "OWN23")
    runs = [make_run("original", {scored: ORIGINAL}), make_run("grpo", {scored: GRPO})]
    tables.write_tables(runs, [scored], tmp_path / "tables")
    tables.show(tmp_path)
    shown = {"terminal": capsys.readouterr().out}
    shown |= {name: (tmp_path / f"tables/{name}.md").read_text() for name in ("main", "tokens")}
    for name, text in shown.items():
        assert ("OWN23" in text) == (scored == "own"), name
        assert "AIME24" in text and "LCB" in text, name


def test_show_prints_the_table_within_80_columns_and_every_path(paper, tmp_path, capsys):
    with pytest.raises(ValueError, match=r"tables/main\.csv: no such file"):
        tables.show(tmp_path)
    tables.show(paper)
    printed = capsys.readouterr().out
    lines = printed.split("Accuracy in percent")[0].splitlines()
    assert max(map(len, lines)) <= 80
    # 13932 tokens, and 161 segments in 55729.
    rows = [line.split()[4:] for line in lines if line.startswith("RF++ Baseline + RePro")]
    assert rows == [["75"] * 7 + ["13932", "2.89"]] * 2
    assert NOTE in printed
    for name in FILES:
        assert f"{paper}/tables/{name}\n" in printed
