"""Tables from score files whose numbers are worked out by hand."""

import io
import os
import re
import shutil
import subprocess

import pandas as pd
import pytest
from tests import paths
from tests.analysis.small_runs import CODE, GRPO, ORIGINAL, present, problem, three_methods

from repro.benchmarks import declared
from repro.report import collect, compare, names, table_frames, tables

PUBLISHED = paths.ROOT / "config/paper_results.csv"


def main_frame(runs: list[dict]) -> pd.DataFrame:
    return table_frames.main_frame(compare.summarise(collect.scores(runs, present(runs))))


NOTE = "Tiny world, 100 % generated: these are not the paper's numbers."
FILES = {f"{name}.{suffix}" for name in tables.TABLES for suffix in tables.FORMATS}


@pytest.fixture
def runs(make_run):
    return three_methods(make_run)


def test_main_frame_numbers(runs):
    main = main_frame(runs).set_index("method")
    row = main.loc["original"]
    # aime24: avg@2 is 0 and 50 %, sd 35.355, SE 25; mbpp: 100 and 0 %, SE 50.
    assert (row["aime24"], row["aime24_se"]) == (pytest.approx(25), pytest.approx(25))
    assert (row["mbpp"], row["mbpp_se"]) == (pytest.approx(50), pytest.approx(50))
    # Tokens: 150 and 50, SE 50 and 0, so 100 ± 50 / 2 over the two benchmarks.
    assert (row["tokens"], row["tokens_se"]) == (pytest.approx(100), pytest.approx(25))
    # Backtracking: 6 segments in 600 tokens is 10 per 1,000, and 0 on mbpp.
    assert row["backtracking_per_1k"] == pytest.approx(5)
    assert pd.isna(row["math500"])
    assert list(main.index) == ["original", "grpo", "grpo+repro"]
    assert not {"missing", "aime24_published"} & set(main.columns)


def test_seeds_are_averaged_per_problem_before_anything_else(make_run):
    first = [problem([1], [10], [0]), problem([0], [30], [0])]
    second = [problem([0], [30], [0]), problem([1], [10], [0])]
    runs = [make_run("grpo", {"lmb": first}), make_run("grpo", {"lmb": second}, seed=1)]
    row = main_frame(runs).iloc[0]
    assert (row["seeds"], row["lmb"], row["lmb_se"]) == (2, 50, 0)
    assert (row["tokens"], row["tokens_se"]) == (20, 0)


def test_run_writes_every_format_with_the_note(runs, tmp_path):
    frame = tables.write_tables(runs, present(runs), tmp_path / "tables", NOTE)
    written = {path.name: path.read_text() for path in (tmp_path / "tables").iterdir()}
    assert set(written) == FILES
    for name in tables.TABLES:
        assert pd.read_csv(io.StringIO(written[f"{name}.csv"]))["note"].unique().tolist() == [NOTE]
        assert written[f"{name}.md"].startswith(f"**{NOTE}**")
        latex = written[f"{name}.tex"]
        assert latex.count(NOTE.replace("%", r"\%")) == latex.count(r"\begin{table}") > 0
    again = pd.read_csv(io.StringIO(written["main.csv"])).drop(columns="note")
    pd.testing.assert_frame_equal(again, frame, check_dtype=False, rtol=1e-5)


def test_both_scorers_have_a_table_and_what_they_differ_in_is_said(make_run, tmp_path):
    both = problem([1, 0], [30, 20], [0, 0]) | {"math_verify": [0, 1]}
    more = problem([0, 0], [30, 20], [0, 0]) | {"math_verify": [1, 0]}
    run = make_run("grpo", {"lmb": [both, more], "mbpp": CODE})
    tables.write_tables([run], ["lmb", "mbpp"], tmp_path, NOTE)
    main, other = (pd.read_csv(tmp_path / f"{name}.csv").iloc[0] for name in tables.TABLES[:2])
    assert (main["lmb"], other["lmb"]) == (25, 50)
    assert main["mbpp"] == other["mbpp"] == 50  # programs have one scorer
    said = "decides 3 of 4 responses in mathematics otherwise than the main table: it rejects 1"
    assert said in other["note"] and "accepts 2 that count as wrong" in other["note"]
    assert main["note"] == NOTE
    assert "| tiny | GRPO | - | - | - | 50.0" in (tmp_path / "main_math_verify.md").read_text()


def test_score_files_without_the_second_scorer_have_no_numbers_there(make_run, tmp_path):
    tables.write_tables(
        [make_run("grpo", {"lmb": GRPO, "mbpp": CODE})], ["lmb", "mbpp"], tmp_path, NOTE
    )
    other = pd.read_csv(tmp_path / "main_math_verify.csv").iloc[0]
    assert pd.isna(other["lmb"]) and other["mbpp"] == 50
    assert other["note"] == NOTE


def test_the_same_scores_give_the_same_files(runs, tmp_path):
    for name in "ab":
        tables.write_tables(runs, present(runs), tmp_path / name, NOTE, PUBLISHED)
    for name in FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_markdown_cells(runs, tmp_path):
    tables.write_tables(runs, present(runs), tmp_path)
    main = (tmp_path / "main.md").read_text()
    assert "| tiny | Original | 25.0 ± 25.0 | - | - | - | - | 50.0 ± 50.0 | - |" in main
    assert "|  | GRPO + RePro | 75.0 ± 25.0 |" in main  # the backbone stands once
    assert "One seed: the errors say nothing about other seeds." in main
    gain = (tmp_path / "gain.md").read_text()
    zeros = "+0.0 [+0.0, +0.0] | +0.0 [+0.0, +0.0] | +0.00 [+0.00, +0.00] |"
    assert f"| tiny | GRPO + RePro vs GRPO | AIME24 | 2 | {zeros}" in gain
    assert f"|  |  | in-domain | 2 | {zeros}" in gain
    assert "Original" not in gain
    against = (tmp_path / "against_original.md").read_text()
    assert "| tiny | GRPO vs Original | AIME24 | 2 | +50.0 [+50.0, +50.0] | -33.3 [" in against
    assert "|  | GRPO + RePro vs Original | AIME24 | 2 | +50.0 [" in against
    for path in tmp_path.glob("*.md"):
        rows = [line for line in path.read_text().splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) == 1


def test_a_bar_in_a_name_does_not_end_a_cell_of_markdown(make_run, tmp_path):
    tables.write_tables([make_run("grpo", {"lmb": CODE}, backbone="a|b")], ["lmb"], tmp_path)
    assert r"| a\|b | GRPO | - |" in (tmp_path / "main.md").read_text()


def test_gain_and_against_original_are_in_their_csv_files(runs, tmp_path):
    tables.write_tables(runs, present(runs), tmp_path)
    pairs = {}
    for name in ("gain", "against_original"):
        frame = pd.read_csv(tmp_path / f"{name}.csv")
        pairs[name] = frame[["method", "baseline"]].drop_duplicates().values.tolist()
        benchmarks = ["aime24", "mbpp", "in-domain", "out-of-domain", "all"]
        assert list(frame["benchmark"].unique()) == benchmarks
        assert list(frame["metric"].unique()) == list(compare.EFFECTS)
    assert pairs["gain"] == [["grpo+repro", "grpo"]]
    assert pairs["against_original"] == [["grpo", "original"], ["grpo+repro", "original"]]


def test_a_single_method_has_nothing_to_compare(make_run, tmp_path):
    tables.write_tables([make_run("original", {"lmb": CODE})], ["lmb"], tmp_path, NOTE)
    for name in ("gain", "against_original"):
        assert pd.read_csv(tmp_path / f"{name}.csv").empty
        text = (tmp_path / f"{name}.md").read_text()
        assert "no such pair of methods" in text
        assert NOTE in text


def test_many_tokens_are_rounded_to_whole_ones(make_run, tmp_path):
    thoughts = [problem([1, 1], [9000, 9501], [0, 0]), problem([1, 1], [8000, 8501], [0, 0])]
    tables.write_tables([make_run("grpo", {"lmb": thoughts})], ["lmb"], tmp_path)
    # Means 9250.5 and 8250.5: 8750.5 ± 500, the median between 8501 and 9000.
    assert "| 8750 ± 500 (8750) |" in (tmp_path / "tokens.md").read_text()
    assert "| 8750 ± 500 | 0.00 ± 0.00 |" in (tmp_path / "main.md").read_text()


def test_latex_is_well_formed(make_run, tmp_path):
    backbone = "R1_7B & co~{x}^\\"
    runs = [make_run(name, {"aime24": ORIGINAL}, backbone=backbone) for name in ("original", "ppo")]
    runs.append(make_run("grpo+repro~alpha=0.3", {"aime24": GRPO}, backbone=backbone))
    tables.write_tables(runs, ["aime24"], tmp_path, NOTE)
    for path in tmp_path.glob("*.tex"):
        text = path.read_text()
        assert text.isascii()
        if path.stem != "gain":  # there is no pair
            name = r"R1\_7B \& co\textasciitilde{}\{x\}\textasciicircum{}\textbackslash{}"
            assert name in text
        for environment in ("table", "tabular"):
            assert text.count(rf"\begin{{{environment}}}") == 1
            assert text.count(rf"\end{{{environment}}}") == 1
        bare = re.sub(r"\\[{}&%$#_]", "", text)
        assert bare.count("{") == bare.count("}")
        assert bare.count("$") % 2 == 0
        columns = re.search(r"\\begin\{tabular\}\{([lr]+)\}", text).group(1)
        for row in re.findall(r"^(.*) \\\\$", bare, flags=re.MULTILINE):
            if not row.startswith(rf"\multicolumn{{{len(columns)}}}"):
                assert row.count("&") == len(columns) - 1
    assert r"GRPO + RePro ($\alpha$ = 0.3)" in (tmp_path / "main.tex").read_text()
    assert "$-$33.3 [" in (tmp_path / "against_original.tex").read_text()


def paper_grid(make_run) -> list[dict]:
    """Runs of the paper's main grid, all seven benchmarks, with the widest numbers."""
    long = [problem([1, 0], [12345, 16384], [99, 3]), problem([1, 1], [11000, 16000], [50, 9])]
    scores = dict.fromkeys(("aime24", "aime25", "math500", "lmb", "gpqa", "mbpp", "lcb"), long)
    plain = ("ppo", "reinforce_pp", "reinforce_pp_baseline", "grpo")
    methods = ["original", *(name for of in plain for name in (of, f"{of}+repro"))]
    backbones = ("DeepSeek-R1-Distill-Qwen-1.5B", "Qwen3-1.7B")
    return [make_run(m, scores, backbone=backbone) for backbone in backbones for m in methods]


def test_long_latex_tables_continue_on_further_pages(make_run, tmp_path):
    runs = paper_grid(make_run)
    tables.write_tables(runs, present(runs), tmp_path, NOTE, PUBLISHED)
    text = (tmp_path / "gain.tex").read_text()
    labels = re.findall(r"\\label\{(.*)\}", text)
    assert labels == ["tab:gain", "tab:gain-2"]
    assert r"Table~\ref{tab:gain}, continued." in text
    groups = re.findall(r"\\multicolumn\{5\}\{l\}\{(.*)\} ", text)
    assert len(groups) == len(set(groups)) == 8  # no comparison is cut in two
    assert groups[0] == "DeepSeek-R1-Distill-Qwen-1.5B, PPO + RePro vs PPO"
    assert text.count("AIME24 & 2 & ") == 8
    for table in text.split(r"\begin{table}")[1:]:
        assert table.count("\\\\\n") <= 50


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("grid", ["tiny", "paper"])
def test_latex_compiles_with_article_and_booktabs(grid, runs, make_run, tmp_path):
    runs = runs if grid == "tiny" else paper_grid(make_run)
    tables.write_tables(runs, present(runs), tmp_path, NOTE, PUBLISHED)
    inputs = "".join(rf"\input{{{name}.tex}}" for name in tables.TABLES)
    document = rf"\documentclass{{article}}\usepackage{{booktabs}}\begin{{document}}{inputs}"
    (tmp_path / "page.tex").write_text(document + r"\end{document}")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    environment = os.environ | {"max_print_line": "1000"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
    assert "Float too large" not in done.stdout


@pytest.mark.parametrize("scored", ["aime24", "own"])
def test_a_benchmark_of_ones_own_has_a_column_where_it_is_scored(
    make_run, tmp_path, capsys, monkeypatch, scored
):
    monkeypatch.setitem(names.BENCHMARKS, "own", "OWN23")
    monkeypatch.setenv("COLUMNS", "200")
    runs = [make_run("original", {scored: ORIGINAL}), make_run("grpo", {scored: GRPO})]
    tables.write_tables(runs, [scored], tmp_path / "tables")
    tables.show(tmp_path)
    shown = {"terminal": capsys.readouterr().out}
    shown |= {name: (tmp_path / f"tables/{name}.md").read_text() for name in ("main", "tokens")}
    for name, text in shown.items():
        header = re.sub("[^A-Z0-9]+", " ", text)
        assert ("OWN" in header) == (scored == "own"), name
        assert "AIME" in header and "LCB" in header, name


def test_the_papers_grid_fits_a_narrow_terminal(make_run, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    frame = main_frame(paper_grid(make_run))
    frame[list(declared.PAPER)] = 100.0  # the widest
    frame["missing"] = ["", " ".join(declared.PAPER)] * 9
    tables.print_table(frame, NOTE)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    # Nothing is cut. 13932 tokens, and 161 segments in 55729.
    rows = [line.split()[4:] for line in lines if line.startswith("RF++ Baseline + RePro")]
    assert NOTE in " ".join(map(str.strip, lines))
    assert rows == [["100.0"] * 7 + ["13932", "2.89"], ["miss."] * 9]


def test_show_prints_the_table_and_every_path(runs, tmp_path, capsys):
    with pytest.raises(ValueError, match=r"tables/main\.csv: no such file"):
        tables.show(tmp_path)
    tables.write_tables(runs, present(runs), tmp_path / "tables", NOTE)
    tables.show(tmp_path)
    printed = capsys.readouterr().out
    assert " 75.0 " in printed
    assert NOTE in printed
    for name in FILES:
        assert f"{tmp_path}/tables/{name}\n" in printed
