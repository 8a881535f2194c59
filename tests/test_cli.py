"""The command line: steps run alone, and what is wrong is one message, not a traceback."""

import errno
import json
import os
import subprocess
import sys

import pytest

from repro.commands.cli import main
from repro.files import jsonl
from repro.sandbox import NotStarted
from tests.paths import ROOT

ADD = ["data", "--settings", '{"name":"aime24","source":"tinyworld","problems":5,"seed":0}']
COST = [sys.executable, "-m", "repro", "cost", "--config", str(ROOT / "config/smoke.yaml")]


def test_data_step_takes_settings_from_a_file_and_problems_from_another(tmp_path):
    source, file = tmp_path / "source.jsonl", tmp_path / "out.jsonl"
    jsonl.write(source, [{"problem": str(n), "answer": "1"} for n in range(4)])
    what = {"name": "aime25", "source": "directory", "file": str(source), "problems": 3}
    (tmp_path / "settings.json").write_text(json.dumps(what))
    assert main(["data", "--settings", f"{tmp_path}/settings.json", "--output", str(file)]) == 0
    assert [row["problem"] for row in jsonl.read(file)] == ["0", "1", "2"]


def test_a_step_imports_only_what_it_uses(tmp_path):
    """Otherwise each job of an experiment would start a second later."""
    step = [*ADD, "--output", str(tmp_path / "aime24.jsonl")]
    command = [sys.executable, "-X", "importtime", "-m", "repro", *step]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    imported = {line.rpartition("|")[2].strip() for line in said.splitlines()}
    assert "repro.records.provenance" in imported
    assert imported.isdisjoint({"datasets", "mlflow", "numpy", "pandas", "torch", "transformers"})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["data", "--settings", "nowhere.json", "--output", "x"], "nowhere.json"),
        (["data", "--settings", "{", "--output", "x"], "settings '{': not valid JSON"),
        (["data", "--settings", "/", "--output", "x"], "/: Is a directory\n"),
        ([*ADD, "--output", "file/x.jsonl"], "file: File exists"),
        (["show", "--results", "nowhere"], "nowhere/tables/main.csv"),
    ],
)
def test_errors_are_one_message(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert main(arguments) == 1
    found = capsys.readouterr().err
    assert found.startswith(f"error: {said}")
    assert found.count("\n") == 1


def test_a_reader_that_leaves_is_said_in_one_line():
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(COST, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.returncode == 1
    assert done.stderr == "error: writing standard output: Broken pipe\n"


@pytest.fixture
def end_by(monkeypatch):
    """Call a step that something ends where it writes its file; return its status."""

    def call(raised: BaseException) -> int:
        def fail(*arguments):
            raise raised

        monkeypatch.setattr(jsonl, "write", fail)
        return main([*ADD, "--output", "out.jsonl"])

    return call


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "f"), 1, "error: f: Permission denied"),
        (OSError(errno.ENOSPC, "No space"), 1, "error: writing out.jsonl: No space"),
        (NotStarted("a program did not start"), 1, "error: a program did not start"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_a_step_that_the_machine_ends_says_so_in_one_line(end_by, raised, status, said, capsys):
    assert end_by(raised) == status
    assert capsys.readouterr().err == f"{said}\n"


@pytest.mark.parametrize("bug", [KeyError("x"), TypeError("x")])
def test_a_bug_keeps_its_traceback(end_by, bug):
    with pytest.raises(type(bug)):
        end_by(bug)
