"""What the tables look like in every format, and of a grid that is not complete."""

import json

import pandas as pd
import pytest
from tests import paths
from tests.analysis import worlds
from tests.analysis.worlds import CODE, GRPO, ORIGINAL, maker, markdown, problem, three_methods

from repro import methods
from repro.records.experiment import RunFolder
from repro.report import tables
from repro.report.table_sheets import SHEETS

PUBLISHED = paths.ROOT / "config/paper_results.csv"
NOTE = "Tiny world, 100 % generated: these are not the paper's numbers."
# Those that every experiment has.
TABLES = [name for name in SHEETS if name not in ("overthinking", "rivals")]
FILES = {f"{name}.{suffix}" for name in TABLES for suffix in ("csv", "md")}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A results folder with the tables of three methods."""
    root = tmp_path_factory.mktemp("tiny")
    runs = three_methods(maker(root))
    tables.write_tables(runs, worlds.present(runs), root / "tables", NOTE)
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
    cutoffs = [[2048, 4096, 8192, 16384]]
    tables.write_tables(runs, list(scores), root / "tables", NOTE, PUBLISHED, cutoffs=cutoffs)
    return root


def test_every_format_is_written_with_the_note(tiny):
    written = {path.name: path.read_text() for path in (tiny / "tables").iterdir()}
    assert set(written) == FILES
    for name in TABLES:
        assert set(pd.read_csv(tiny / f"tables/{name}.csv")["note"]) == {NOTE}
        assert written[f"{name}.md"].startswith(f"**{NOTE}**")


def test_markdown_cells(tiny):
    main, gain, against = (
        markdown(tiny / f"tables/{name}.md") for name in ("main", "gain", "against_original")
    )
    assert "| tiny | Original | 25.0 ± 25.0 | - | - | - | - | 50.0 ± 50.0 | - |" in main
    assert "| | GRPO + RePro | 75.0 ± 25.0 |" in main  # the backbone stands once
    assert "One seed: the errors say nothing about other seeds." in main
    zeros = "+0.0 [+0.0, +0.0] | +0.0 [+0.0, +0.0] | +0.00 [+0.00, +0.00] |"
    assert f"| tiny | GRPO + RePro vs GRPO | AIME24 | descriptive | 2 | {zeros}" in gain
    assert f"| | | in-domain | Holm | 2 | {zeros.replace(' |', ' (p = 1.000) |')}" in gain
    assert "Original" not in gain
    row = "| tiny | GRPO vs Original | AIME24 | descriptive | 2 | +50.0 [+50.0, +50.0] | -33.3 ["
    assert row in against
    assert "| | GRPO + RePro vs Original | AIME24 | descriptive | 2 | +50.0 [" in against
    assert "| | | in-domain | Holm | 2 | +50.0 [+50.0, +50.0] (p < 0.001) | -33.3 [" in against
    for said in ("corrected by Holm's method", "so that one seed looks more precise than it is."):
        assert said in gain and said in against
    for path in tiny.glob("tables/*.md"):
        rows = [line for line in path.read_text().splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) == 1


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([{"rule": "last", "step": 9, "steps": 9}] * 2, "those of the last of 9 steps."),
        ([{"rule": "4", "step": 4, "steps": 9}] * 2, "those of step 4 of 9."),
        (
            [{"rule": "best-validation", "step": step, "steps": 9} for step in (4, 8)],
            "those of steps 4 to 8 of 9, each run's best in its validation.",
        ),
    ],
)
def test_the_tables_name_the_steps_whose_models_they_show(make_run, tmp_path, records, said):
    scores = {"aime24": GRPO}
    runs = [make_run("original", scores)]
    for name, record in zip(("grpo", "grpo+repro"), records, strict=True):
        runs.append(make_run(name, scores))
        (runs[-1].path / "checkpoint.json").write_text(json.dumps(record))
    tables.write_tables(runs, ["aime24"], tmp_path, NOTE)
    for path in (tmp_path / "main.md", tmp_path / "gain.md"):
        assert f"{NOTE} Trained models are {said}" in path.read_text()


def test_a_single_method_has_nothing_to_compare(make_run, tmp_path):
    tables.write_tables([make_run("original", {"lmb": CODE})], ["lmb"], tmp_path, NOTE)
    for name in ("gain", "against_original"):
        frame = pd.read_csv(tmp_path / f"{name}.csv")
        assert frame.empty and {"baseline", "metric", "difference", "low"} <= set(frame.columns)
        text = (tmp_path / f"{name}.md").read_text()
        assert "no such pair of methods" in text
        assert NOTE in text


def test_special_characters_are_escaped(make_run, tmp_path):
    backbone = "R1_7B & co~{x}^\\|"
    runs = [make_run(name, {"aime24": ORIGINAL}, backbone=backbone) for name in ("original", "ppo")]
    runs.append(make_run("grpo+repro~alpha=0.3", {"aime24": GRPO}, backbone=backbone))
    tables.write_tables(runs, ["aime24"], tmp_path, NOTE)
    assert "| R1_7B & co~{x}^\\\\| | Original | 25.0" in markdown(tmp_path / "main.md")


def test_show_prints_the_table_within_80_columns_and_where_the_rest_is(paper, tmp_path, capsys):
    with pytest.raises(FileNotFoundError, match=r"tables/main\.csv"):
        tables.show(tmp_path)
    tables.show(paper)
    printed = capsys.readouterr().out
    lines = printed.split("Accuracy in percent")[0].splitlines()
    assert max(map(len, lines)) <= 80
    # 13932 tokens, and 161 segments in 55729.
    rows = [line.split()[4:] for line in lines if "RF++ Baseline + RePro" in line]
    assert rows == [["75.0"] * 7 + ["13932", "2.89"]] * 2
    assert NOTE in printed
    assert f"{paper}/report/overview.html has the verdicts" in printed


SHORT = "Tiny world."
BENCHMARKS = ["aime24", "lmb", "mbpp"]
REASON = "no sandbox works here: programs of a model are not run"


def problems(*correct: int) -> list[dict]:
    return [problem([verdict], [100], [1]) for verdict in correct]


FULL = {"aime24": problems(1, 0), "lmb": problems(1, 1), "mbpp": problems(0, 1)}


@pytest.fixture
def runs(make_run):
    return [make_run(method, FULL) for method in ("original", "grpo", "grpo+repro")]


def remove(run: RunFolder, *benchmarks: str) -> None:
    for benchmark in benchmarks:
        (run.path / "scores" / f"{benchmark}.json").unlink()


def write(runs, folder):
    """Write the tables of what is there; return the main one and the Markdown of all."""
    tables.write_tables(runs, BENCHMARKS, folder, SHORT, partial=True)
    frame = pd.read_csv(folder / "main.csv").set_index("method")
    return frame, {path.stem: markdown(path) for path in folder.glob("*.md")}


def test_rates_are_unknown_where_a_responses_tokens_are(make_run, tmp_path):
    run = make_run("original", {"aime24": [problem([1, 0], [None, 40], [2, 2])]})
    (tmp_path / "rivals.csv").write_text("of an earlier grid")
    tables.write_tables([run], ["aime24"], tmp_path)
    assert not (tmp_path / "rivals.csv").exists()
    row = pd.read_csv(tmp_path / "backtracking.csv").iloc[0]
    assert pd.isna(row["backtracking_per_1k"]) and row["backtracking_responses"] == 100


def test_a_missing_benchmark_is_a_gap_and_named(runs, tmp_path, capsys):
    remove(runs[1], "lmb")
    frame, texts = write(runs, tmp_path / "tables")
    said = f"{SHORT} no scores of tiny/grpo/0 on LMB."
    assert all(text.startswith(f"**{said}**") for text in texts.values())
    assert frame["note"].unique().tolist() == [said]
    grpo = frame.loc["grpo"]
    assert (grpo["aime24"], grpo["mbpp"]) == (50, 50)
    # Means over other benchmarks than the other rows' would not compare.
    assert grpo[["lmb", "tokens", "backtracking_per_1k"]].isna().all()
    assert frame.loc["original", "tokens"] == 100
    cells = "50.0 ± 50.0 | - | - | - | - | 50.0 ± 50.0 | - | - | - |"
    assert f"| | GRPO | {cells}" in texts["main"]
    cells = "100.0 ± 0.0 (100.0) | - | - | - | - | 100.0 ± 0.0 (100.0)"
    assert f"| | GRPO | {cells}" in texts["tokens"]
    for scope in ("LMB", "in-domain", "all"):
        assert f"| | | {scope} | descriptive | 0 | - | - | - |" in texts["gain"]
    assert "| | | out-of-domain | Holm | 2 | +0.0 [" in texts["gain"]
    assert "| | | GRPO | 0 (0; 0) | - (-; -) | - (-; -) | -" in texts["backtracking"]
    tables.show(tmp_path)
    printed = capsys.readouterr().out
    assert "GRPO 50.0 - - - - 50.0 - - -" in " ".join(printed.split())
    assert said in printed


def test_a_missing_run_keeps_its_row(runs, tmp_path):
    absent = RunFolder(tmp_path / "runs/tiny/ppo/0")
    remove(runs[0], "aime24", "mbpp")
    frame, texts = write([runs[0], absent, *runs[1:]], tmp_path / "out")
    said = "no scores of tiny/original/0 on AIME24, MBPP; no scores of tiny/ppo/0 on AIME24, LMB"
    assert texts["main"].startswith(f"**{SHORT} {said}, MBPP.**")
    rows = [line for line in texts["main"].splitlines() if line.startswith("|")]
    assert rows[3] == "| | PPO |" + " - |" * 9
    assert frame["seeds"].to_dict() == {"original": 1, "ppo": 0, "grpo": 1, "grpo+repro": 1}
    effects = pd.read_csv(tmp_path / "out" / "against_original.csv")
    assert set(effects.loc[effects["method"] == "ppo", "n"]) == {0}
    grpo = effects[(effects["method"] == "grpo") & (effects["metric"] == "accuracy")]
    known = grpo[grpo["n"] > 0]
    assert known[["benchmark", "n"]].values.tolist() == [["lmb", 2]]


def test_what_cannot_be_scored_is_no_gap_of_the_grid(runs, tmp_path):
    for run in runs:
        worlds.unscored(run, "mbpp", REASON)
    remove(runs[2], "lmb", "mbpp")
    frame, texts = write(runs, tmp_path)
    gap = "no scores of tiny/grpo+repro/0 on LMB, MBPP."
    assert texts["main"].startswith(f"**{SHORT} MBPP not scored: {REASON}; {gap}**")
    cells = "50.0 ± 50.0 | - | - | 100.0 ± 0.0 | - | - | - | 100.0 ±"
    assert f"| tiny | Original | {cells}" in texts["main"]
    assert "MBPP |" not in texts["gain"]
    backtracking = pd.read_csv(tmp_path / "backtracking.csv")
    assert backtracking["benchmark"].unique().tolist() == ["aime24", "lmb"]


def test_a_seed_without_a_benchmark_is_left_out_of_it(make_run, tmp_path):
    first = FULL | {"lmb": problems(1, 0), "aime24": problems(0, 0)}
    runs = [make_run("grpo", first), make_run("grpo", FULL, seed=1)]
    remove(runs[1], "aime24")
    frame, texts = write(runs, tmp_path)
    assert frame[["seeds", "lmb", "aime24"]].values.tolist() == [[2, 75, 0]]
    assert "no scores of tiny/grpo/1 on AIME24." in texts["main"]
