"""Tables of a grid that is not complete: what is there is shown, what is not is named."""

import pandas as pd
import pytest
from tests import paths
from tests.analysis.worlds import markdown, problem, unscored

from repro.records.experiment import RunFolder
from repro.report import tables

NOTE = "Tiny world."
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


def write(runs, folder, **how):
    """Write the tables of what is there; return the main one and the Markdown of all."""
    tables.write_tables(runs, BENCHMARKS, folder, NOTE, **{"partial": True} | how)
    frame = pd.read_csv(folder / "main.csv").set_index("method")
    return frame, {path.stem: markdown(path) for path in folder.glob("*.md")}


def test_a_missing_benchmark_is_marked_and_named(runs, tmp_path, capsys):
    remove(runs[1], "lmb")
    frame, texts = write(runs, tmp_path / "tables")
    said = f"{NOTE} Partial results; missing: LMB of tiny/grpo/0."
    assert all(text.startswith(f"**{said}**") for text in texts.values())
    for path in tmp_path.glob("tables/*.tex"):
        assert rf"\caption{{{said}" in path.read_text()
    assert frame["note"].unique().tolist() == [said]
    assert frame["missing"].fillna("").tolist() == ["", "lmb", ""]
    grpo = frame.loc["grpo"]
    assert (grpo["aime24"], grpo["mbpp"]) == (50, 50)
    # Means over other benchmarks than the other rows' would not compare.
    assert grpo[["lmb", "tokens", "backtracking_per_1k"]].isna().all()
    assert frame.loc["original", "tokens"] == 100
    cells = "50.0 ± 50.0 | - | - | missing | - | 50.0 ± 50.0 | - | missing | missing |"
    assert f"| | GRPO | {cells}" in texts["main"]
    cells = "100.0 ± 0.0 (100.0) | - | - | missing | - | 100.0 ± 0.0 (100.0)"
    assert f"| | GRPO | {cells}" in texts["tokens"]
    for scope in ("LMB", "in-domain", "all"):
        assert f"| | | {scope} | 0 | missing | missing | missing |" in texts["gain"]
    assert "| | | out-of-domain | 2 | +0.0 [" in texts["gain"]
    cells = "missing | missing | missing | missing | missing |"
    assert f"| | | GRPO | {cells}" in texts["backtracking"]
    assert texts["backtracking"].count("missing |") == 5
    tables.show(tmp_path)
    printed = capsys.readouterr().out
    row = next(line for line in printed.splitlines() if line.startswith("GRPO "))
    assert row.split()[1:] == ["50", "-", "-", "-", "-", "50", "-", "-", "-"]
    assert said in printed


def test_a_missing_run_keeps_its_row(runs, tmp_path):
    absent = RunFolder(tmp_path / "runs/tiny/ppo/0")
    remove(runs[0], "aime24", "mbpp")
    frame, texts = write([runs[0], absent, *runs[1:]], tmp_path / "out")
    sentence = "missing: all of tiny/ppo/0; AIME24, MBPP of tiny/original/0."
    assert texts["main"].startswith(f"**{NOTE} Partial results; {sentence}**")
    rows = [line for line in texts["main"].splitlines() if line.startswith("|")]
    assert rows[3] == "| | PPO | missing | - | - | missing | - | missing | - | missing | missing |"
    assert frame["seeds"].to_dict() == {"original": 1, "ppo": 0, "grpo": 1, "grpo+repro": 1}
    effects = pd.read_csv(tmp_path / "out" / "against_original.csv")
    assert set(effects.loc[effects["method"] == "ppo", "n"]) == {0}
    grpo = effects[(effects["method"] == "grpo") & (effects["metric"] == "accuracy")]
    known = grpo[grpo["n"] > 0]
    assert known[["benchmark", "n"]].values.tolist() == [["lmb", 2]]


def test_published_numbers_stand_beside_what_is_missing(make_run, tmp_path):
    runs = [make_run(method, FULL, backbone="Qwen3-1.7B") for method in ("original", "grpo")]
    remove(runs[1], "mbpp")
    _, texts = write(runs, tmp_path, paper=paths.ROOT / "config/paper_results.csv")
    assert "| missing (67.5) |" in texts["main"]


@pytest.mark.parametrize("partial", [False, True])
def test_what_cannot_be_scored_is_no_gap_of_the_grid(runs, tmp_path, partial):
    for run in runs:
        unscored(run, "mbpp", REASON)
    if partial:
        remove(runs[2], "lmb", "mbpp")
    frame, texts = write(runs, tmp_path, partial=partial)
    gap = " Partial results; missing: LMB, MBPP of tiny/grpo+repro/0." if partial else ""
    assert texts["main"].startswith(f"**{NOTE} MBPP not scored: {REASON}.{gap}**")
    cells = "50.0 ± 50.0 | - | - | 100.0 ± 0.0 | - | - | - | 100.0 ±"
    assert f"| tiny | Original | {cells}" in texts["main"]
    lacking = frame["missing"].fillna("").tolist() if "missing" in frame else []
    assert lacking == (["", "", "lmb"] if partial else [])
    assert "MBPP |" not in texts["gain"]
    backtracking = pd.read_csv(tmp_path / "backtracking.csv")
    assert backtracking["benchmark"].unique().tolist() == ["aime24", "lmb"]


def test_a_seed_without_a_benchmark_is_left_out_of_it(make_run, tmp_path):
    first = FULL | {"lmb": problems(1, 0), "aime24": problems(0, 0)}
    runs = [make_run("grpo", first), make_run("grpo", FULL, seed=1)]
    remove(runs[1], "aime24")
    frame, texts = write(runs, tmp_path)
    assert frame[["seeds", "lmb", "aime24"]].values.tolist() == [[2, 75, 0]]
    assert "missing: AIME24 of tiny/grpo/1." in texts["main"]
    assert "missing" not in frame
