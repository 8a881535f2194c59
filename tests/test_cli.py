"""The command line: steps run alone, and what is wrong is one message, not a traceback."""

import errno
import json
import os
import subprocess
import sys

import pytest

from repro.commands import data
from repro.commands.cli import main
from repro.files import jsonl
from repro.sandbox import NotStarted
from tests.paths import ROOT


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


def test_training_problems_of_a_benchmark_are_left_out_and_counted(tmp_path, capsys):
    asked = "Find the number of ordered pairs of integers whose product is exactly 60."
    jsonl.write(tmp_path / "aime24.jsonl", [{"problem": asked, "answer": "24"}])
    jsonl.write(
        tmp_path / "source.jsonl",
        [
            {"problem": asked.replace("Find", "find "), "answer": "24"},
            {"problem": "What is 1 + 1?", "answer": "2"},
        ],
    )
    what = {
        "name": "train",
        "source": "directory",
        "file": str(tmp_path / "source.jsonl"),
        "problems": None,
    }
    output, report = tmp_path / "train.jsonl", tmp_path / "train.contamination.json"
    arguments = ["training_data", "--settings", json.dumps(what), "--output", str(output)]
    arguments += ["--report", str(report), "--benchmarks", str(tmp_path / "aime24.jsonl")]
    assert main(arguments) == 0
    assert [row["problem"] for row in jsonl.read(output)] == ["What is 1 + 1?"]
    assert json.loads(report.read_text())["benchmarks"]["aime24"]["exact"] == 1
    assert "1 of 2 training problems" in capsys.readouterr().err


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
    output = tmp_path / "score.json"
    arguments = ["score", "--benchmark", "aime25"]
    files = ["--generations", str(generations), "--data", str(data), "--output", str(output)]
    assert main([*arguments, *files]) == 0
    assert json.loads(output.read_text())["aggregates"]["accuracy"]["value"] == 1.0
    output.unlink()
    generations.write_text(generations.read_text() + "{torn")
    assert main([*arguments, *files]) == 1
    assert "generations.jsonl, line 2: not valid JSON" in capsys.readouterr().err
    assert json.loads(output.read_text())["aggregates"]["accuracy"]["value"] == 1.0


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


def run(*arguments: str, **how) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "repro", *arguments]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, **how)


ADD = ["data", "--settings", '{"name":"aime24","source":"tinyworld","problems":5,"seed":0}']


def test_a_reader_that_leaves_is_no_error():
    read, write = os.pipe()
    os.close(read)
    config = ["cost", "--config", str(ROOT / "config/smoke.yaml")]
    done = run(*config, stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_what_the_machine_refuses_is_one_line(tmp_path):
    (tmp_path / "folder").mkdir()
    with open("/dev/full", "w") as full:
        config = ["cost", "--config", str(ROOT / "config/smoke.yaml")]
        done = run(*config, stdout=full, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "error: writing standard output: No space left on device\n"
    done = run(*ADD[:2], str(tmp_path / "folder"), "--output", "x", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"error: {tmp_path}/folder: Is a directory\n"
    (tmp_path / "file").touch()
    done = run(*ADD, "--output", "file/x.jsonl", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: file")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "f.jsonl"), "f.jsonl: Permission deni"),
        (OSError(errno.EROFS, "Read-only file system", "f"), "f: Read-only file system"),
        (OSError(errno.ENOSPC, "No space left on device"), "writing out.jsonl: No space left on"),
        (NotStarted("a program did not start"), "a program did not start"),
        (KeyboardInterrupt(), None),
    ],
)
def test_a_step_that_the_machine_ends_says_so_in_one_line(raised, said, monkeypatch, capsys):
    def fail(options):
        raise raised

    monkeypatch.setattr(data, "execute", fail)
    code = main([*ADD, "--output", "out.jsonl"])
    found = capsys.readouterr().err
    assert (code, found.count("\n")) == ((1, 1) if said else (130, 1))
    assert found.startswith(f"error: {said}" if said else "interrupted")


@pytest.mark.parametrize("bug", [KeyError("x"), TypeError("x"), OSError(errno.EBADF, "x")])
def test_a_bug_keeps_its_traceback(bug, monkeypatch):
    def fail(options):
        raise bug

    monkeypatch.setattr(data, "execute", fail)
    with pytest.raises(type(bug)):
        main([*ADD, "--output", "out.jsonl"])
