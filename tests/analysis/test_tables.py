"""Tables from score files whose numbers are worked out by hand."""

import io
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from repro.analysis import collect, compare, tables


def present(runs: list[dict]) -> list[str]:
    """Return the benchmarks that any of the runs has scores of."""
    return sorted({path.stem for run in runs for path in Path(run["path"]).glob("scores/*.json")})


NOTE = "Tiny world, 100 % generated: these are not the paper's numbers."


def problem(correct, tokens, backtracking):
    return {"correct": correct, "tokens": tokens, "backtracking": backtracking}


@pytest.fixture
def runs(make_run):
    original = [problem([0, 0], [100, 100], [2, 0]), problem([1, 0], [200, 200], [3, 1])]
    grpo = [problem([1, 0], [100, 100], [1, 0]), problem([1, 1], [100, 100], [1, 0])]
    code = [problem([1], [50], [0]), problem([0], [50], [0])]
    return [
        make_run("original", {"aime24": original, "mbpp": code}),
        make_run("grpo", {"aime24": grpo, "mbpp": code}),
        make_run("grpo+repro", {"aime24": grpo, "mbpp": code}),
    ]


def test_main_frame_numbers(runs):
    main = tables.main_frame(compare.summarise(collect.scores(runs, present(runs)))).set_index(
        "method"
    )
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


def test_effects_are_paired_by_problem(runs):
    effect = compare.effects(collect.scores(runs, present(runs)))
    pairs = effect[["method", "baseline"]].drop_duplicates().values.tolist()
    assert pairs == [["grpo", "original"], ["grpo+repro", "original"], ["grpo+repro", "grpo"]]
    index = ["method", "baseline", "benchmark", "metric"]
    effect = effect.set_index(index).sort_index()

    def row(benchmark, metric, method="grpo", baseline="original"):
        return effect.loc[(method, baseline, benchmark, metric)]

    # Both problems gain 50 points: no spread between pairs, though the problems differ.
    accuracy = row("aime24", "accuracy")
    assert accuracy[["difference", "low", "high"]].tolist() == pytest.approx([50, 50, 50])
    assert row("aime24", "tokens")["difference"] == pytest.approx(-50)  # 0 and -100
    assert row("aime24", "tokens_percent")["difference"] == pytest.approx(-100 / 3)  # 300 to 200
    assert row("aime24", "backtracking_per_1k")["difference"] == pytest.approx(5 - 10)
    assert row("in-domain", "accuracy")["difference"] == pytest.approx(50)
    assert row("out-of-domain", "accuracy")["difference"] == pytest.approx(0)
    assert row("all", "accuracy")["difference"] == pytest.approx(25)
    assert row("all", "accuracy")["n"] == 4
    assert row("aime24", "accuracy", "grpo+repro", "grpo")["difference"] == pytest.approx(0)


def test_seeds_are_averaged_per_problem_before_anything_else(make_run):
    first = [problem([1], [10], [0]), problem([0], [30], [0])]
    second = [problem([0], [30], [0]), problem([1], [10], [0])]
    runs = [make_run("grpo", {"lmb": first}), make_run("grpo", {"lmb": second}, seed=1)]
    row = tables.main_frame(compare.summarise(collect.scores(runs, present(runs)))).iloc[0]
    assert (row["seeds"], row["lmb"], row["lmb_se"]) == (2, 50, 0)
    assert (row["tokens"], row["tokens_se"]) == (20, 0)


def test_pairs_of_different_problems_are_refused(make_run):
    one, two = [problem([1], [10], [0])], [problem([1], [10], [0])] * 2
    runs = [make_run("original", {"lmb": one}), make_run("grpo", {"lmb": two})]
    with pytest.raises(ValueError, match="different problems"):
        compare.effects(collect.scores(runs, present(runs)))


def test_run_writes_every_format_with_the_note(runs, tmp_path):
    frame = tables.run(runs, present(runs), tmp_path / "tables", NOTE)
    written = {path.name: path.read_text() for path in (tmp_path / "tables").iterdir()}
    assert set(written) == {"main.csv", "main.md", "main.tex", "effect.csv", "effect.md"}
    for name in ("main", "effect"):
        assert pd.read_csv(io.StringIO(written[f"{name}.csv"]))["note"].unique().tolist() == [NOTE]
        assert written[f"{name}.md"].startswith(f"**{NOTE}**")
    assert NOTE.replace("%", r"\%") in written["main.tex"]
    again = pd.read_csv(io.StringIO(written["main.csv"])).drop(columns="note")
    pd.testing.assert_frame_equal(again, frame, check_dtype=False, rtol=1e-5)


def test_markdown_cells(runs, tmp_path):
    tables.run(runs, present(runs), tmp_path)
    main = (tmp_path / "main.md").read_text()
    assert "| tiny | Original | 25.0 ± 25.0 | - | - | - | - | 50.0 ± 50.0 | - |" in main
    assert "|  | GRPO + RePro | 75.0 ± 25.0 |" in main  # the backbone stands once
    effect = (tmp_path / "effect.md").read_text()
    assert "| tiny | GRPO vs Original | AIME24 | 2 | +50.0 [+50.0, +50.0] | -50.0 [" in effect
    for text in (main, effect):
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) == 1


def test_latex_is_well_formed(make_run):
    extra = make_run("original", {"aime24": [problem([1], [5], [0])] * 2}, backbone="R1_7B & co")
    frame = tables.main_frame(compare.summarise(collect.scores([extra], present([extra]))))
    text = tables.main_latex(frame, NOTE)
    assert r"R1\_7B \& co" in text
    assert text.isascii()
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


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles_with_article_and_booktabs(runs, tmp_path):
    tables.run(runs, present(runs), tmp_path, NOTE)
    document = (
        r"\documentclass{article}\usepackage{booktabs}"
        r"\begin{document}\input{main.tex}\end{document}"
    )
    (tmp_path / "page.tex").write_text(document)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout


def test_printed_table_fits_a_narrow_terminal(runs, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    frame = tables.main_frame(compare.summarise(collect.scores(runs, present(runs))))
    tables.print_table(frame, NOTE)
    printed = capsys.readouterr().out
    assert NOTE in printed
    rows = re.findall(r"^ *(Original|GRPO|GRPO \+ RePro) +(\d+\.\d) ", printed, re.MULTILINE)
    assert rows[:3] == [("Original", "25.0"), ("GRPO", "75.0"), ("GRPO + RePro", "75.0")]
    assert max(map(len, printed.splitlines())) <= 80


def test_show_prints_the_table_and_every_path(runs, tmp_path, capsys):
    with pytest.raises(ValueError, match=r"tables/main\.csv: no such file"):
        tables.show(tmp_path)
    tables.run(runs, present(runs), tmp_path / "tables", NOTE)
    tables.show(tmp_path)
    printed = capsys.readouterr().out
    assert " 75.0 " in printed
    assert NOTE in printed
    assert f"{tmp_path}/tables/effect.md\n" in printed
