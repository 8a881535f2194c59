"""The table of what RePro changes in the tiny world's thoughts, on responses written by hand."""

import pandas as pd
import pytest
from tests.analysis.worlds import maker, problems

from repro.files import jsonl
from repro.report import tables

COLUMNS = "ones:7+6=13->3.\n\n{}tens:2+2+1=5->53."
DOUBT = "wait, that is wrong:7+6+1=14->4.\n\nno, I was right before:7+6=13->3.\n\n"
CHECK = "let me check:7+6=13, yes.\n\n"
BENCHMARKS = ["aime24", "lmb"]
INSERTED = {  # into the response to each problem
    "original": ["", "", "", ""],
    "grpo": [DOUBT, DOUBT + CHECK, "", CHECK],
    "grpo+repro": [CHECK, "", "", ""],
}


@pytest.fixture
def runs(tmp_path):
    make, found = maker(tmp_path), []
    for seed in (0, 1, 2):
        for method, inserted in INSERTED.items():
            run = make(method, dict.fromkeys(BENCHMARKS, problems([0, 1, 0, 1], 9)), seed=seed)
            texts = [COLUMNS.format(text) + "\n</think>\n\n53" for text in inserted]
            rows = [{"doc_id": doc, "text": text} for doc, text in enumerate(texts)]
            for benchmark in BENCHMARKS:
                jsonl.write(run.path / f"generations/{benchmark}.jsonl", rows)
            found.append(run)
    return found


def test_kinds_are_counted_per_100_responses_and_compared_by_problem_and_seed(runs, tmp_path):
    tables.write_tables(runs, BENCHMARKS, tmp_path, "Tiny.", thoughts=True)
    frame = pd.read_csv(tmp_path / "overthinking.csv").set_index("kind")
    assert set(frame["method"]) == {"grpo+repro"} and set(frame["note"]) == {"Tiny."}
    columns = ["plain", "repro", "difference", "seeds"]
    assert frame.loc["self_doubt", columns].tolist() == [100, 0, -100, 3]
    assert frame.loc["check", columns].tolist() == [50, 25, -25, 3]
    assert frame.loc["correction", columns].tolist() == [0, 0, 0, 3]
    assert frame.loc["self_doubt", "low"] < -100 < frame.loc["self_doubt", "high"]
    text = (tmp_path / "overthinking.md").read_text()
    assert "Tiny." in text and "Self-doubt" in text and "Mean of 3 seeds." in text


def test_without_a_pair_the_table_has_no_row(runs, tmp_path):
    tables.write_tables(runs[:2], BENCHMARKS, tmp_path, "Tiny.", thoughts=True)
    assert pd.read_csv(tmp_path / "overthinking.csv").empty
