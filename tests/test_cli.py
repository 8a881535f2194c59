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


def test_data_step_takes_settings_from_a_file_and_problems_from_another(tmp_path):
    source, file = tmp_path / "source.jsonl", tmp_path / "out.jsonl"
    jsonl.write(source, [{"problem": str(n), "answer": "1"} for n in range(4)])
    what = {"name": "aime25", "source": "directory", "file": str(source), "problems": 3}
    (tmp_path / "settings.json").write_text(json.dumps(what))
    assert main(["data", "--settings", f"{tmp_path}/settings.json", "--output", str(file)]) == 0
    assert [row["problem"] for row in jsonl.read(file)] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["data", "--settings", "nowhere.json", "--output", "x"], "nowhere.json"),
        (["data", "--settings", "{", "--output", "x"], "not valid JSON"),
        (["show", "--results", "nowhere"], "nowhere/tables/main.csv"),
    ],
)
def test_errors_are_one_message(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert words in said
    assert "Traceback" not in said


def run(*arguments: str, **how) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "repro", *arguments]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, **how)


ADD = ["data", "--settings", '{"name":"aime24","source":"tinyworld","problems":5,"seed":0}']


COST = ["cost", "--config", str(ROOT / "config/smoke.yaml")]


def test_a_reader_that_leaves_is_no_error():
    read, write = os.pipe()
    os.close(read)
    done = run(*COST, stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_full_disk_is_said_in_one_line():
    with open("/dev/full", "w") as full:
        done = run(*COST, stdout=full)
    assert done.returncode == 1
    assert done.stderr == "error: writing standard output: No space left on device\n"


def test_what_the_machine_refuses_is_one_line(tmp_path, capsys):
    assert main([*ADD[:2], str(tmp_path), "--output", "x"]) == 1
    assert capsys.readouterr().err == f"error: {tmp_path}: Is a directory\n"
    (tmp_path / "file").touch()
    assert main([*ADD, "--output", f"{tmp_path}/file/x.jsonl"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: {tmp_path}/file")
    assert said.count("\n") == 1


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
