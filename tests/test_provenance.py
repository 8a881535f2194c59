"""Records of what something was made of, and making it again from them alone."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import repro
from repro import jsonl, provenance, rerun
from repro.cli import main

BACKBONE = {
    **{"source": "tinyworld", "architecture": "qwen3", "hidden_size": 64, "layers": 2},
    **{"heads": 4, "key_value_heads": 2, "steps": 5, "batch_size": 8, "learning_rate": 0.003},
    "seed": 0,
}
EVALUATION = {
    **{"engine": "transformers", "temperature": 0.6, "top_p": 0.95, "top_k": None, "seed": 0},
    **{"max_new_tokens": 16, "batch_size": 8, "benchmarks": {"math500": {"samples": 2}}},
}


@pytest.fixture
def record(tmp_path, monkeypatch):
    """Return the file that says how training problems were made, of a file and a benchmark."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    rows = [{"problem": f"What is {i} + {i}?", "answer": str(2 * i)} for i in range(5)]
    jsonl.write("own/train.jsonl", rows)
    generated = {"name": "math500", "source": "tinyworld", "problems": 3, "seed": 0}
    own = {"name": "train", "source": "directory", "problems": None, "file": "own/train.jsonl"}
    call = ["data", "--settings", json.dumps(generated), "--output", "made/math500.jsonl"]
    assert main(call) == 0
    call = ["training_data", "--settings", json.dumps(own), "--output", "made/train.jsonl"]
    call += ["--report", "made/report.json", "--benchmarks", "made/math500.jsonl"]
    monkeypatch.setattr(sys, "argv", ["repro", *call, "--uri=postgresql://me:secret@host/db"])
    assert main(call) == 0
    return tmp_path / "made/train.provenance.json"


def changed(file: Path, change) -> Path:
    """Return a copy of a record with something changed."""
    value = json.loads(file.read_text())
    change(value)
    copy = file.with_name("changed.json")
    copy.write_text(json.dumps(value))
    return copy


def again(file: Path, output: Path, *options: str) -> int:
    return main(["rerun", "--provenance", str(file), "--output", str(output), *options])


def test_a_record_says_what_is_needed_and_no_secret(record, tmp_path):
    found = provenance.read(record)
    assert found["step"] == "training_data"
    assert found["directory"] == str(tmp_path)
    assert found["settings"]["file"] == "own/train.jsonl"
    assert found["inputs"]["file"]["made"] is None
    assert found["inputs"]["math500"]["made"]["settings"]["seed"] == 0
    assert found["packages"]["torch"] == torch.__version__
    assert found["machine"]["threads"] == torch.get_num_threads()
    assert found["command"].endswith("--uri=postgresql://host/db")
    assert "secret" not in record.read_text()


def test_made_again_from_the_record_alone_it_is_equal(record, tmp_path, capfd):
    shutil.move(record, tmp_path / "kept.json")
    shutil.rmtree(tmp_path / "made")
    assert again(tmp_path / "kept.json", tmp_path / "new") == 0
    said = capfd.readouterr().out
    assert [line.rsplit(maxsplit=1) for line in said.splitlines()] == [
        ["data/math500.jsonl, content", "equal"],
        ["data/train.jsonl, content", "equal"],
    ]
    assert len(jsonl.read(tmp_path / "new/data/train.jsonl")) == 5


@pytest.mark.long
def test_what_was_something_else_is_different(record, tmp_path, capfd):
    def other(value):
        value["outputs"]["data"]["content"] = "0" * 64

    assert again(changed(record, other), tmp_path / "new") == 1
    said = capfd.readouterr()
    assert [line.split()[-1] for line in said.out.splitlines()] == ["equal", "DIFFERENT"]
    assert said.err.splitlines()[-1].endswith("changed.json: 1 of 2 differ")


def test_other_versions_are_refused_before_anything_is_made(record, tmp_path, capfd):
    def older(value):
        value["inputs"]["math500"]["made"]["packages"]["sympy"] = "1.0"

    file = changed(record, older)
    assert again(file, tmp_path / "new") == 1
    said = capfd.readouterr().err
    assert "the result would differ" in said
    assert "sympy: 1.0 in the record, " in said
    assert not (tmp_path / "new").exists()
    assert again(file, tmp_path / "new", "--anyway") == 0
    assert "warning: sympy: 1.0 in the record, " in capfd.readouterr().err


@pytest.mark.parametrize(
    ("change", "decides", "line"),
    [
        ({"code": "abc"}, True, "code: the files of repro are not those of the record"),
        ({"processes": 4}, True, "processes: 4 in the record, 1 here"),
        ({"machine": {"gpus": ["H100"]}}, True, "gpus: ['H100'] in the record, [] here"),
        ({"machine": {"cpu_instructions": "NEON"}}, True, "cpu_instructions: NEON in the record, "),
        ({"git_commit": "abc"}, False, "git_commit: abc in the record, "),
        ({"python": "2.7"}, False, "python: 2.7 in the record, "),
        ({"machine": {"cpu": "Z80"}}, False, "cpu: Z80 in the record, "),
        ({"machine": {"threads": 64}}, None, ""),  # the step is given as many
        ({"machine": {"gpus": []}}, None, ""),  # the step is shown none
    ],
)
def test_what_differs_here_is_told(record, monkeypatch, change, decides, line):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    found = provenance.read(record)
    assert rerun.differences(found) == ([], [])
    machine = found["machine"] | change.pop("machine", {})
    deciding, told = rerun.differences({**found, **change, "machine": machine})
    assert [one.startswith(line) for one in deciding] == [True] * (decides is True)
    assert [one.startswith(line) for one in told] == [True] * (decides is False)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, ": no such file"),
        ("{", ": not valid JSON"),
        ("[]", ": expected a JSON object"),
        ('{"git_commit": "abc", "settings": {}}', ": format = None, allowed: 2"),
        ('{"format": 1}', ": format = 1, allowed: 2"),
        ('{"format": 2, "step": "train"}', ": 'settings' is missing"),
    ],
)
def test_what_is_no_record_is_said_in_one_message(tmp_path, capsys, content, message):
    file = tmp_path / "provenance.json"
    if content is not None:
        file.write_text(content)
    assert again(file, tmp_path / "new") == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: {file}{message}")
    assert said.count("error") == 1


def test_an_input_that_is_gone_or_changed_is_named(record, tmp_path, capsys):
    jsonl.append(tmp_path / "own/train.jsonl", [{"problem": "More?", "answer": "1"}])
    assert again(record, tmp_path / "new") == 1
    assert "own/train.jsonl, is no longer what it was; wanted: " in capsys.readouterr().err
    (tmp_path / "own/train.jsonl").unlink()
    assert again(record, tmp_path / "new") == 1
    assert "own/train.jsonl, which is not there; wanted: " in capsys.readouterr().err


def test_a_folder_that_is_in_use_is_refused(record, tmp_path, capsys):
    assert again(record, tmp_path) == 1
    assert capsys.readouterr().err == f"error: {tmp_path}: is not empty; allowed: a new folder\n"


def test_a_step_that_is_not_made_again_is_named(record, tmp_path, capsys):
    assert again(changed(record, lambda value: value.update(step="score")), tmp_path / "new") == 1
    assert "step = 'score', allowed: data, training_data, " in capsys.readouterr().err


def test_a_record_of_something_else_is_not_believed(record, tmp_path):
    """Somebody changed the problems after they were made."""
    problems = tmp_path / "made/train.jsonl"
    started, out = datetime.now(UTC), tmp_path / "next.provenance.json"
    provenance.write(out, "train", {}, {"data": problems}, {}, started)
    assert provenance.read(out)["inputs"]["data"]["made"]["step"] == "training_data"
    jsonl.append(problems, [{"problem": "More?", "answer": "1"}])
    provenance.write(out, "train", {}, {"data": problems}, {}, started)
    assert provenance.read(out)["inputs"]["data"]["made"] is None


def test_digests_are_of_what_counts(tmp_path):
    first, second, other = (tmp_path / name for name in "abc")
    tensors = {"x": torch.arange(6, dtype=torch.bfloat16).reshape(2, 3), "y": torch.tensor(1.0)}
    for folder in (first, second, other):
        folder.mkdir()
        (folder / "config.json").write_text("{}")
    save_file(tensors, first / "model.safetensors")
    for number, (name, tensor) in enumerate(tensors.items()):
        save_file({name: tensor}, second / f"model-{number}.safetensors")
    (second / "model.safetensors.index.json").write_text("{}")
    save_file({**tensors, "y": torch.tensor(1.0000001)}, other / "model.safetensors")
    digest = provenance.of_artifact(first)
    assert provenance.of_artifact(second) == digest
    assert provenance.of_artifact(other)["weights"] != digest["weights"]
    assert provenance.of_artifact(other)["files"] == digest["files"]
    found = set()
    for row in ({"reward": 1, "step_seconds": 1}, {"reward": 1, "step_seconds": 2}, {"reward": 2}):
        jsonl.write(tmp_path / "training.jsonl", [row])
        found.add(provenance.of_artifact(tmp_path / "training.jsonl")["metrics"])
    assert len(found) == 2


def test_the_record_of_responses_holds_the_seed_that_drew_them(tmp_path, monkeypatch):
    def draw(how, model, data, work, output, **_):
        jsonl.write(Path(output) / "math500.jsonl", [{"seed": how["seed"]}])

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("repro.evaluation.generate.run", draw)
    jsonl.write("data/math500.jsonl", [])
    run = {"seed": 3, "backbone_settings": {"prompt": None}}
    call = ["generate", "--settings", json.dumps({**EVALUATION, "seed": 7})]
    call += ["--run", json.dumps(run), "--model", "data/math500.jsonl", "--data", "data"]
    assert main([*call, "--output", "run/generations"]) == 0
    record = provenance.read("run/generations.provenance.json")
    drawn = jsonl.read("run/generations/math500.jsonl")
    assert record["settings"]["evaluation"]["seed"] == drawn[0]["seed"] == 7


@pytest.mark.long
def test_a_run_is_made_again_from_the_record_of_its_responses(tmp_path, capfd):
    """Problems, backbone, training, generation: real processes, and then from one file."""
    from tests.training.conftest import make_settings

    run = {**make_settings(), "backbone": "tiny"}
    run["training"]["steps"] = 2
    benchmark = {"name": "math500", "source": "tinyworld", "problems": 2, "seed": 0}
    problems = {"name": "train", "source": "tinyworld", "problems": 20, "seed": 0}
    # A copy: nobody edits it between the record and the second time.
    shutil.copytree(Path(repro.__file__).parent, tmp_path / "src/repro")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}

    def call(arguments: list[str], folder: Path) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "repro", *arguments]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)

    old = tmp_path / "old"
    old.mkdir()
    for arguments in (
        ["data", "--settings", json.dumps(benchmark), "--output", "data/math500.jsonl"],
        ["training_data", "--settings", json.dumps(problems), "--output", "data/train.jsonl"]
        + ["--report", "data/report.json", "--benchmarks", "data/math500.jsonl"],
        ["backbone", "--settings", json.dumps(BACKBONE), "--name", "tiny", "--output", "tiny"],
        ["train", "--settings", json.dumps(run), "--backbone", "tiny", "--output", "run"]
        + ["--data", "data/train.jsonl"],
        ["generate", "--settings", json.dumps(EVALUATION), "--run", json.dumps(run)]
        + ["--model", "run/model", "--data", "data", "--output", "run/generations"],
    ):
        done = call(arguments, old)
        assert done.returncode == 0, done.stderr
    kept = tmp_path / "kept.json"
    shutil.move(old / "run/generations.provenance.json", kept)
    shutil.move(old / "run/provenance.json", tmp_path / "run.json")
    shutil.rmtree(old)

    done = call(["rerun", "--provenance", "kept.json", "--output", "new"], tmp_path)
    assert done.returncode == 0, done.stderr
    folder = "runs/tiny/grpo+repro/0"
    assert [line.rsplit(maxsplit=1) for line in done.stdout.splitlines()] == [
        ["backbones/tiny, weights", "equal"],
        ["backbones/tiny, files", "equal"],
        ["data/math500.jsonl, content", "equal"],
        ["data/train.jsonl, content", "equal"],
        [f"{folder}/model, weights", "equal"],
        [f"{folder}/model, files", "equal"],
        [f"{folder}/training.jsonl, metrics", "equal"],
        [f"{folder}/generations/math500.jsonl, content", "equal"],
    ]

    file = changed(tmp_path / "run.json", lambda value: value["settings"].update(seed=1))
    done = call(["rerun", "--provenance", str(file), "--output", "other"], tmp_path)
    assert done.returncode == 1
    lines = [line.rsplit(maxsplit=1) for line in done.stdout.splitlines()]
    assert [name for name, verdict in lines if verdict == "DIFFERENT"] == [
        "runs/tiny/grpo+repro/1/model, weights",
        "runs/tiny/grpo+repro/1/training.jsonl, metrics",
    ]
