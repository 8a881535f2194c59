"""The table of what RePro changes in the tiny world's thoughts, on responses written by hand."""

import pandas as pd
import pytest

from repro.files import jsonl
from repro.records.experiment import RunFolder
from repro.report import overthinking

COLUMNS = "ones:7+6=13->3.\n\n{}tens:2+2+1=5->53."
DOUBT = "wait, that is wrong:7+6+1=14->4.\n\nno, I was right before:7+6=13->3.\n\n"
CHECK = "let me check:7+6=13, yes.\n\n"


def write_run(folder, method: str, seed: int, insertions: list[str]) -> RunFolder:
    """Write a run whose response to each problem has something inserted."""
    run = RunFolder(folder / f"runs/tiny/{method}/{seed}")
    texts = [COLUMNS.format(inserted) + "\n</think>\n\n53" for inserted in insertions]
    rows = [{"doc_id": doc, "text": text} for doc, text in enumerate(texts)]
    for benchmark in ("aime24", "lmb"):
        jsonl.write(run.path / f"generations/{benchmark}.jsonl", rows)
    return run


@pytest.fixture
def runs(tmp_path):
    found = []
    for seed in (0, 1, 2):
        found.append(write_run(tmp_path, "original", seed, ["", "", "", ""]))
        found.append(write_run(tmp_path, "grpo", seed, [DOUBT, DOUBT + CHECK, "", CHECK]))
        found.append(write_run(tmp_path, "grpo+repro", seed, [CHECK, "", "", ""]))
    return found


def test_kinds_are_counted_per_100_responses_and_compared_by_problem_and_seed(runs, tmp_path):
    overthinking.write_table(runs, ["aime24", "lmb"], tmp_path, "Tiny.")
    frame = pd.read_csv(tmp_path / "overthinking.csv").set_index("kind")
    assert set(frame["method"]) == {"grpo+repro"} and set(frame["note"]) == {"Tiny."}
    columns = ["plain", "repro", "difference", "seeds"]
    assert frame.loc["self_doubt", columns].tolist() == [100, 0, -100, 3]
    assert frame.loc["check", columns].tolist() == [50, 25, -25, 3]
    assert frame.loc["correction", columns].tolist() == [0, 0, 0, 3]
    assert frame.loc["self_doubt", "low"] < -100 < frame.loc["self_doubt", "high"]
    text = (tmp_path / "overthinking.md").read_text()
    assert "Tiny." in text and "Self-doubt" in text and "Mean of 3 seeds." in text


def test_without_a_pair_the_table_is_refused(runs, tmp_path):
    with pytest.raises(ValueError, match="with and without RePro"):
        overthinking.write_table(runs[:2], ["aime24"], tmp_path, "")
