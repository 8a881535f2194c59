"""Tables of a grid that is not complete: what is there is shown, what is not is named."""

import json
from pathlib import Path

import pandas as pd
import pytest

from repro.records.experiment import RunFolder
from repro.report import table_inputs, tables

NOTE = "Tiny world."
BENCHMARKS = ["aime24", "lmb", "mbpp"]
REASON = "no sandbox works here: programs of a model are not run"


def problems(*correct: int) -> list[dict]:
    return [{"correct": [c], "tokens": [100], "backtracking": [1]} for c in correct]


FULL = {"aime24": problems(1, 0), "lmb": problems(1, 1), "mbpp": problems(0, 1)}


@pytest.fixture
def runs(make_run):
    methods = ("original", "grpo", "grpo+repro")
    return [make_run(method, FULL) for method in methods]


def remove(run: dict, *benchmarks: str) -> None:
    for benchmark in benchmarks:
        Path(run.path, "scores", f"{benchmark}.json").unlink()


def not_scored(run: dict, benchmark: str) -> None:
    content = {"benchmark": benchmark, "not_scored": REASON, "aggregates": {}, "problems": []}
    Path(run.path, "scores", f"{benchmark}.json").write_text(json.dumps(content))


def texts(folder: Path, suffix: str) -> dict[str, str]:
    return {path.stem: path.read_text() for path in folder.glob(f"*.{suffix}")}


def test_a_missing_file_is_an_error_unless_partial_is_asked_for(runs, tmp_path):
    remove(runs[1], "lmb")
    with pytest.raises(ValueError, match=r"grpo/0/scores/lmb\.json: no such file"):
        tables.write_tables(runs, BENCHMARKS, tmp_path / "tables")
    assert not (tmp_path / "tables").exists()


def test_a_complete_grid_is_the_same_with_partial(runs, tmp_path):
    tables.write_tables(runs, BENCHMARKS, tmp_path / "strict", NOTE)
    tables.write_tables(runs, BENCHMARKS, tmp_path / "partial", NOTE, partial=True)
    for path in (tmp_path / "strict").iterdir():
        assert (tmp_path / "partial" / path.name).read_bytes() == path.read_bytes()
        assert "missing" not in path.read_text()


def test_a_missing_benchmark_is_marked_and_named(runs, tmp_path):
    remove(runs[1], "lmb")
    tables.write_tables(runs, BENCHMARKS, tmp_path, NOTE, partial=True)
    sentence = "Partial results; missing: LMB of tiny/grpo/0."
    for text in texts(tmp_path, "md").values():
        assert text.startswith(f"**{NOTE} {sentence}**")
    for text in texts(tmp_path, "tex").values():
        assert rf"\caption{{{NOTE} {sentence}" in text
    frame = pd.read_csv(tmp_path / "main.csv").set_index("method")
    assert frame["note"].unique().tolist() == [f"{NOTE} {sentence}"]
    assert frame["missing"].fillna("").tolist() == ["", "lmb", ""]
    grpo = frame.loc["grpo"]
    assert (grpo["aime24"], grpo["mbpp"]) == (50, 50)
    # Means over other benchmarks than the other rows' would not compare.
    assert grpo[["lmb", "tokens", "backtracking_per_1k"]].isna().all()
    assert frame.loc["original", "tokens"] == 100
    main = (tmp_path / "main.md").read_text()
    cells = "50.0 ± 50.0 | - | - | missing | - | 50.0 ± 50.0 | - | missing | missing |"
    assert f"|  | GRPO | {cells}" in main
    tokens = (tmp_path / "tokens.md").read_text()
    assert "|  | GRPO | 100.0 ± 0.0 (100.0) | - | - | missing | - | 100.0 ± 0.0 (100.0)" in tokens
    gain = (tmp_path / "gain.md").read_text()
    assert "|  |  | LMB | 0 | missing | missing | missing |" in gain
    for pool in ("in-domain", "all"):
        assert f"|  |  | {pool} | 0 | missing | missing | missing |" in gain
    assert "|  |  | out-of-domain | 2 | +0.0 [" in gain
    backtracking = (tmp_path / "backtracking.md").read_text()
    assert "|  |  | GRPO | missing | missing | missing | missing | missing |" in backtracking
    assert backtracking.count("missing |") == 5


def test_a_missing_run_keeps_its_row(runs, make_run, tmp_path):
    absent = RunFolder(tmp_path / "runs/tiny/ppo/0")
    remove(runs[0], "aime24", "mbpp")
    tables.write_tables([runs[0], absent, *runs[1:]], BENCHMARKS, tmp_path / "out", partial=True)
    text = (tmp_path / "out" / "main.md").read_text()
    sentence = "missing: all of tiny/ppo/0; AIME24, MBPP of tiny/original/0."
    assert text.startswith(f"**Partial results; {sentence}**")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows[3] == "|  | PPO | missing | - | - | missing | - | missing | - | missing | missing |"
    frame = pd.read_csv(tmp_path / "out" / "main.csv").set_index("method")
    assert list(frame.index) == ["original", "ppo", "grpo", "grpo+repro"]
    assert frame["seeds"].tolist() == [1, 0, 1, 1]
    effects = pd.read_csv(tmp_path / "out" / "against_original.csv")
    assert set(effects.loc[effects["method"] == "ppo", "n"]) == {0}
    grpo = effects[(effects["method"] == "grpo") & (effects["metric"] == "accuracy")]
    assert grpo.set_index("benchmark")["n"].to_dict() == {
        "aime24": 0,
        "lmb": 2,
        "mbpp": 0,
        "in-domain": 0,
        "out-of-domain": 0,
        "all": 0,
    }


def test_a_benchmark_that_no_run_has_yet_is_missing_everywhere(runs, tmp_path):
    for run in runs:
        remove(run, "mbpp")
    frame = tables.write_tables(runs, BENCHMARKS, tmp_path, partial=True)
    assert frame["missing"].tolist() == ["mbpp"] * 3
    assert frame["tokens"].isna().all()
    assert (tmp_path / "main.md").read_text().count("| missing | - | missing | missing |") == 3


def test_published_numbers_stand_beside_what_is_missing(make_run, tmp_path):
    from tests import paths

    runs = [make_run(method, FULL, backbone="Qwen3-1.7B") for method in ("original", "grpo")]
    remove(runs[1], "mbpp")
    figures = paths.ROOT / "config/paper_results.csv"
    tables.write_tables(runs, BENCHMARKS, tmp_path, paper=figures, partial=True)
    assert "| missing (67.5) |" in (tmp_path / "main.md").read_text()


def test_nothing_to_show_is_an_error(runs, tmp_path):
    for run in runs:
        remove(run, *BENCHMARKS)
    with pytest.raises(ValueError, match="none of the 3 runs has scores: tiny/original/0, tiny/g"):
        tables.write_tables(runs, BENCHMARKS, tmp_path, partial=True)


def test_a_damaged_file_is_an_error_all_the_same(runs, tmp_path):
    remove(runs[1], "lmb")
    path = Path(runs[2].path, "scores", "lmb.json")
    path.write_text("{")
    with pytest.raises(ValueError, match=r"grpo\+repro/0/scores/lmb\.json: not valid JSON"):
        tables.write_tables(runs, BENCHMARKS, tmp_path, partial=True)


def test_an_unknown_benchmark_and_a_run_given_twice_are_refused(runs, tmp_path):
    remove(runs[1], "lmb")
    with pytest.raises(ValueError, match=r"benchmarks: \['aime99'\]; allowed: aime24, aime25"):
        tables.write_tables(runs, [*BENCHMARKS, "aime99"], tmp_path, partial=True)
    with pytest.raises(ValueError, match="tiny/original/0 is given twice"):
        tables.write_tables([*runs, runs[0]], BENCHMARKS, tmp_path, partial=True)


@pytest.mark.parametrize("partial", [False, True])
def test_what_cannot_be_scored_is_no_gap_of_the_grid(runs, tmp_path, partial):
    for run in runs:
        not_scored(run, "mbpp")
    if partial:
        remove(runs[2], "lmb", "mbpp")
    frame = tables.write_tables(runs, BENCHMARKS, tmp_path, NOTE, partial=partial)
    main = (tmp_path / "main.md").read_text()
    gap = " Partial results; missing: LMB, MBPP of tiny/grpo+repro/0." if partial else ""
    assert main.startswith(f"**{NOTE} MBPP not scored: {REASON}.{gap}**")
    assert "| tiny | Original | 50.0 ± 50.0 | - | - | 100.0 ± 0.0 | - | - | - | 100.0 ±" in main
    assert ("missing" in frame) == partial
    if partial:
        assert frame["missing"].tolist() == ["", "", "lmb"]
    assert "MBPP |" not in (tmp_path / "gain.md").read_text()
    assert pd.read_csv(tmp_path / "backtracking.csv")["benchmark"].unique().tolist() == [
        "aime24",
        "lmb",
    ]


def test_unequal_seeds_are_said_and_compared_where_both_have_them(make_run, tmp_path):
    runs = [
        make_run("grpo", {"lmb": problems(0, 0)}),
        make_run("grpo+repro", {"lmb": problems(1, 0)}),
        make_run("grpo+repro", {"lmb": problems(1, 1)}, seed=1),
    ]
    tables.write_tables(runs, ["lmb"], tmp_path, NOTE)
    for text in texts(tmp_path, "md").values():
        assert f"**{NOTE} Unequal seeds; tiny, GRPO: 0; tiny, GRPO + RePro: 0, 1.**" in text
    main = pd.read_csv(tmp_path / "main.csv").set_index("method")
    assert main.loc["grpo+repro", ["seeds", "lmb"]].tolist() == [2, 75]
    assert "Mean of 1 to 2 seeds" in (tmp_path / "main.md").read_text()
    gain = pd.read_csv(tmp_path / "gain.csv").set_index(["metric", "benchmark"])
    assert gain.loc[("accuracy", "lmb"), ["difference", "seeds"]].tolist() == [50, 1]
    assert "One seed" in (tmp_path / "gain.md").read_text()


def test_a_seed_without_a_benchmark_is_left_out_of_it(make_run, tmp_path):
    first, second = {"lmb": problems(1, 0), "aime24": problems(0, 0)}, {"lmb": problems(1, 1)}
    runs = [make_run("grpo", first), make_run("grpo", second, seed=1)]
    frame = tables.write_tables(runs, ["aime24", "lmb"], tmp_path, partial=True)
    assert frame[["seeds", "lmb", "aime24"]].values.tolist() == [[2, 75, 0]]
    assert "missing: AIME24 of tiny/grpo/1." in (tmp_path / "main.md").read_text()
    assert "missing" not in frame


def test_the_terminal_shows_gaps_within_80_columns(runs, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    remove(runs[1], "lmb")
    tables.write_tables(runs, BENCHMARKS, tmp_path / "tables", NOTE, partial=True)
    tables.show(tmp_path)
    printed = capsys.readouterr().out
    table = printed.split("tables/main.md.")[0]
    assert max(map(len, table.splitlines())) <= 80
    row = next(line for line in table.splitlines() if line.startswith("GRPO "))
    assert row.split()[1:] == ["50.0", "-", "-", "miss.", "-", "50.0", "-", "miss.", "miss."]
    assert "missing: LMB of tiny/grpo/0." in " ".join(printed.split())


def test_a_file_that_is_not_scored_for_one_run_only_leaves_its_cells_empty(runs):
    not_scored(runs[1], "mbpp")
    inputs = table_inputs.load(runs, BENCHMARKS)
    assert inputs.grid.benchmarks == BENCHMARKS
    assert inputs.remarks == f"MBPP not scored: {REASON}."
