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


@pytest.mark.long
def test_no_secret_is_written_down(tmp_path):
    tokenizer = make_tokenizer()
    make_model("qwen3", len(tokenizer) + 2).save_pretrained(tmp_path / "backbone")
    tokenizer.save_pretrained(tmp_path / "backbone")
    rows = [{"problem": f"{i} + {i}", "answer": str(2 * i)} for i in range(7)]
    jsonl.write(tmp_path / "train.jsonl", rows)
    jsonl.write_json(tmp_path / "settings.json", make_settings())
    run = run_folder.write(tmp_path, {**run_folder.RUN, "seed": 3})
    train = ["--settings", "settings.json", "--backbone", "backbone", "--data", "train.jsonl"]
    track = ["--run", run, "--settings", json.dumps(run_folder.EVALUATION), "--data", "data"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    environment |= {name: f"hunter2-{number}" for number, name in enumerate(NAMES)}
    environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{tmp_path}/mlflow.db"
    for step in (["store"], ["train", *train, "--output", "run"], ["track", *track]):
        command = [sys.executable, "-m", "repro", *map(str, step)]
        with open(tmp_path / f"{step[0]}.log", "w") as log:
            subprocess.run(command, cwd=tmp_path, env=environment, stderr=log, check=True)
    [place] = tmp_path.glob("work/training/*/mlflow.json")
    assert "run_id" in jsonl.read_json(place)
    files = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert any(b"thought 0.1" in content for content in files.values())  # what was tracked is found
    assert [file for file, content in files.items() if b"hunter2" in content] == []
