"""The command line: steps run alone, and what is wrong is one message, not a traceback."""

import json
import subprocess
import sys

import pytest

from repro import jsonl
from repro.cli import main


def test_data_step_writes_the_problems(tmp_path):
    what = {"name": "aime24", "source": "tinyworld", "problems": 5, "seed": 0}
    file = tmp_path / "aime24.jsonl"
    assert main(["data", "--settings", json.dumps(what), "--output", str(file)]) == 0
    assert len(jsonl.read(file)) == 5


def test_data_step_takes_settings_from_a_file_and_problems_from_another(tmp_path):
    source, file = tmp_path / "source.jsonl", tmp_path / "out.jsonl"
    jsonl.write(source, [{"problem": str(n), "answer": "1"} for n in range(4)])
    what = {"name": "aime25", "source": "directory", "file": str(source), "problems": 3}
    (tmp_path / "settings.json").write_text(json.dumps(what))
    assert main(["data", "--settings", f"{tmp_path}/settings.json", "--output", str(file)]) == 0
    assert [row["problem"] for row in jsonl.read(file)] == ["0", "1", "2"]


def test_score_works_on_anyones_file(tmp_path, capsys):
    data, generations = tmp_path / "data.jsonl", tmp_path / "generations.jsonl"
    jsonl.write(data, [{"id": 0, "problem": "What is 1+1?", "answer": "2"}])
    row = {
        "benchmark": "aime25",
        "doc_id": 0,
        "sample": 0,
        "prompt": "What is 1+1?\nPlease reason step by step, and put your final answer within "
        "\\boxed{}.",
        "text": "wait, one and one.</think>\\boxed{2}",
        "n_tokens": 9,
        "n_reasoning_tokens": 6,
        "finish_reason": "stop",
        "seed": 0,
    }
    jsonl.write(generations, [row])
    how = {
        "code_execution": "subprocess",
        "code_timeout_s": 6,
        "benchmarks": {"aime25": {"samples": 1}},
    }
    output = tmp_path / "score.json"
    arguments = ["score", "--settings", json.dumps(how), "--benchmark", "aime25"]
    files = ["--generations", str(generations), "--data", str(data), "--output", str(output)]
    assert main([*arguments, *files]) == 0
    assert json.loads(output.read_text())["aggregates"]["accuracy"] == 1.0
    generations.write_text(generations.read_text() + "{torn")
    assert main([*arguments, *files]) == 1
    assert "generations.jsonl, line 2: not valid JSON" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["data", "--settings", "nowhere.json", "--output", "x"], "nowhere.json"),
        (["data", "--settings", "{", "--output", "x"], "not valid JSON"),
        (["show", "--results", "nowhere"], "nowhere/tables/main.csv"),
    ],
)
def test_errors_are_one_message(arguments, words, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "repro", *arguments], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
