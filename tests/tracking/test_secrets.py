"""Passwords and tokens of the environment are not written down by a training or by tracking."""

import json
import os
import subprocess
import sys

import pytest

from repro.files import jsonl
from tests import run_folder
from tests.paths import ROOT
from tests.training.conftest import make_model, make_settings, make_tokenizer

NAMES = (
    *("HF_TOKEN", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY"),
    *("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"),
)
SECRETS = {name: f"hunter2-{number}" for number, name in enumerate(NAMES)}
pytestmark = pytest.mark.long


def repro(folder, uri, *arguments):
    """Run a step as a process with secrets in its environment; return what it prints, kept too."""
    environment = {**os.environ, **SECRETS, "MLFLOW_TRACKING_URI": uri}
    done = subprocess.run(
        [sys.executable, "-m", "repro", *map(str, arguments)],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    (folder / f"{arguments[0]}.log").write_text(done.stdout + done.stderr)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_no_secret_is_written_down_and_a_training_without_its_server_ends_well(tmp_path):
    tokenizer = make_tokenizer()
    make_model("qwen3", len(tokenizer) + 2).save_pretrained(tmp_path / "backbone")
    tokenizer.save_pretrained(tmp_path / "backbone")
    rows = [{"problem": f"{i} + {i}", "answer": str(2 * i)} for i in range(7)]
    jsonl.write(tmp_path / "train.jsonl", rows)
    jsonl.write_json(tmp_path / "settings.json", make_settings())
    train = ["train", "--settings", "settings.json", "--backbone", "backbone"]
    train += ["--data", "train.jsonl", "--output", "run"]
    stderr = repro(tmp_path, "http://127.0.0.1:9", *train)
    [line] = [line for line in stderr.splitlines() if "MLflow" in line]
    assert "Connection refused" in line and "make upload" in line
    steps = make_settings()["training"]["steps"]
    assert len(jsonl.read(tmp_path / "run/training.jsonl")) == steps
    assert (tmp_path / "run/model/model.safetensors").exists()

    uri = f"sqlite:///{tmp_path}/mlflow.db"
    repro(tmp_path, uri, "store")
    assert "MLflow" not in repro(tmp_path, uri, *train)  # from its last checkpoint: the end of it
    [place] = tmp_path.glob("work/training/*/mlflow.json")
    assert "run_id" in jsonl.read_json(place)
    run = run_folder.write(tmp_path, {**run_folder.RUN, "seed": 3})
    track = ["track", "--run", run, "--settings", json.dumps(run_folder.EVALUATION)]
    repro(tmp_path, uri, *track, "--data", tmp_path / "data")
    files = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert any(b"thought 0.1" in content for content in files.values())  # what was tracked is found
    assert [file for file, content in files.items() if b"hunter2" in content] == []
