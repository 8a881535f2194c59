"""Passwords and tokens of the environment reach the server that asks for them, and nothing else."""

import base64
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from repro import jsonl
from tests import run_folder
from tests.paths import ROOT
from tests.training.conftest import make_model, make_settings, make_tokenizer

SECRETS = {
    name: f"hunter2-{number}"
    for number, name in enumerate(
        (
            *("HF_TOKEN", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY"),
            *("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"),
        )
    )
}
pytestmark = pytest.mark.long


def repro(folder, *arguments, **environment):
    """Run a step as a process with secrets in its environment; everything it says goes to a log."""
    done = subprocess.run(
        [sys.executable, "-m", "repro", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **SECRETS, "PYTHONPATH": str(ROOT / "src"), **environment},
        capture_output=True,
        text=True,
    )
    (folder / f"{arguments[0]}.log").write_text(done.stdout + done.stderr)
    assert done.returncode == 0, done.stderr
    return done


def holding(folder: Path, text: str) -> list[Path]:
    """Return the files that hold a text."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) > 20
    return [file for file in files if text.encode() in file.read_bytes()]


@pytest.fixture
def trained(tmp_path):
    """Return the folder where a run is trained, and its arguments."""
    tokenizer = make_tokenizer()
    make_model("qwen3", len(tokenizer) + 2).save_pretrained(tmp_path / "backbone")
    tokenizer.save_pretrained(tmp_path / "backbone")
    rows = [{"problem": f"{i} + {i}", "answer": str(2 * i)} for i in range(7)]
    jsonl.write(tmp_path / "train.jsonl", rows)
    jsonl.write_json(tmp_path / "settings.json", make_settings())
    arguments = ["train", "--settings", "settings.json", "--backbone", "backbone"]
    return tmp_path, [*arguments, "--data", "train.jsonl", "--output", "run", "--experiment", "e"]


def test_no_secret_is_written_down(trained):
    folder, train = trained
    to = ["--tracking-uri", f"sqlite:///{folder}/mlflow.db"]
    repro(folder, "store", "--experiment", "e", *to)
    done = repro(folder, *train, *to)
    assert "MLflow" not in done.stderr
    run = run_folder.write(folder, {**run_folder.RUN, "seed": 3})
    track = ["track", "--run", run, "--settings", json.dumps(run_folder.EVALUATION)]
    track += ["--benchmarks", *run_folder.BENCHMARKS, "--data", folder / "data"]
    repro(folder, *track, "--experiment", "e", *to)
    assert holding(folder, "thought 0.1")  # the search finds what was tracked
    assert holding(folder, "hunter2") == []


def test_a_training_whose_server_is_down_ends_well(trained):
    folder, train = trained
    done = repro(folder, *train, "--tracking-uri", "http://127.0.0.1:9")
    (said,) = [line for line in done.stderr.splitlines() if "MLflow" in line]
    assert "Connection refused" in said and "make upload" in said
    steps = make_settings()["training"]["steps"]
    assert len(jsonl.read(folder / "run/training.jsonl")) == steps
    assert (folder / "run/model/model.safetensors").exists()
    assert holding(folder, "hunter2") == []


class Refusing(BaseHTTPRequestHandler):
    """Knows no password."""

    asked = []

    def do_GET(self):
        self.asked.append(self.headers.get("Authorization"))
        self.send_error(401)

    do_POST = do_GET

    def log_message(self, *_):
        pass


def test_a_password_goes_to_the_server_and_is_not_told(tmp_path):
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    to = ["--tracking-uri", f"http://127.0.0.1:{server.server_port}"]
    done = repro(tmp_path, "store", "--experiment", "e", *to)
    server.shutdown()
    user, password = (SECRETS[f"MLFLOW_TRACKING_{part}"] for part in ("USERNAME", "PASSWORD"))
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    assert Refusing.asked == [f"Basic {basic}"]
    assert done.stderr.count("\n") == 1 and "401" in done.stderr
    assert "hunter2" not in done.stderr and basic not in done.stderr
