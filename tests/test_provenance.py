"""Records of what something was made of."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from repro.commands.cli import main
from repro.files import jsonl
from repro.records import provenance
from tests.run_folder import RUN


@pytest.fixture
def record(tmp_path, monkeypatch):
    """Return the file that says how training problems were made, of a file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    rows = [{"problem": f"What is {i} + {i}?", "answer": str(2 * i)} for i in range(5)]
    jsonl.write("own/train.jsonl", rows)
    own = {"name": "train", "source": "directory", "problems": None, "file": "own/train.jsonl"}
    call = ["data", "--settings", json.dumps(own), "--output", "made/train.jsonl"]
    monkeypatch.setattr(sys, "argv", ["repro", *call, "--uri=postgresql://me:secret@host/db"])
    assert main(call) == 0
    return tmp_path / "made/train.provenance.json"


def test_a_record_says_what_is_needed_and_no_secret(record, tmp_path):
    found = jsonl.read_json(record)
    assert found["step"] == "data"
    assert found["directory"] == str(tmp_path)
    assert found["settings"]["file"] == "own/train.jsonl"
    assert found["inputs"]["file"]["made"] is None
    assert found["packages"]["torch"] == torch.__version__
    assert found["machine"]["threads"] == torch.get_num_threads()
    assert found["command"].endswith("--uri=postgresql://host/db")
    assert "secret" not in record.read_text()


def test_a_record_of_something_else_is_not_believed(record, tmp_path):
    """Somebody changed the problems after they were made."""
    problems = tmp_path / "made/train.jsonl"
    started, out = datetime.now(UTC), tmp_path / "next.provenance.json"
    provenance.write(out, "train", {}, {"data": problems}, {}, started)
    assert jsonl.read_json(out)["inputs"]["data"]["made"]["step"] == "data"
    jsonl.append(problems, [{"problem": "More?", "answer": "1"}])
    provenance.write(out, "train", {}, {"data": problems}, {}, started)
    assert jsonl.read_json(out)["inputs"]["data"]["made"] is None


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
    def draw(generation, backbone, model, data, work, output, **_):
        jsonl.write(Path(output) / "math500.jsonl", [{"seed": generation.seed}])

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("repro.evaluation.generate.generate_responses", draw)
    jsonl.write("data/math500.jsonl", [])
    how = {"seed": 7, "benchmarks": {"math500": {"samples": 1}}}
    run = {**RUN, "seed": 3}
    call = ["generate", "--settings", json.dumps(how), "--run", json.dumps(run), "--data", "data"]
    assert main([*call, "--model", "data/math500.jsonl", "--output", "run/generations"]) == 0
    record = jsonl.read_json("run/generations.provenance.json")
    drawn = jsonl.read("run/generations/math500.jsonl")
    assert record["settings"]["evaluation"]["seed"] == drawn[0]["seed"] == 7
