"""A real MLflow server that is killed in the middle, and `make upload` once it is back."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import mlflow
import pytest
import yaml

from repro import jsonl, settings, tracking
from repro.cli import main
from tests import run_folder
from tests.paths import ROOT
from tests.run_folder import BENCHMARKS, EVALUATION, RUN
from tests.test_tracking import artifacts, rewards, wait_for, write_rows

pytestmark = pytest.mark.long
START_SECONDS = 180


class Server:
    """An MLflow server over the store in a folder; it serves the artifacts too."""

    def __init__(self, folder: Path):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.folder, self.uri = folder, f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [
            *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"),
            *("--port", str(self.port), "--workers", "1"),
            *("--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"),
            *("--artifacts-destination", f"{self.folder}/artifacts"),
        ]
        environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with open(self.folder / "server.log", "ab") as log:
            pipes = {"stdout": log, "stderr": log}
            self.process = subprocess.Popen(
                command, env=environment, start_new_session=True, **pipes
            )
        wait_for(self.answers, START_SECONDS)

    def answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "server.log").read_text()
        try:
            return urlopen(f"{self.uri}/health", timeout=5).status == 200
        except OSError:
            return False

    def kill(self) -> None:
        """End it as a crash does; uvicorn is a child."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)


@pytest.fixture
def server(tmp_path, monkeypatch):
    server = Server(tmp_path)
    server.start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    monkeypatch.setattr(tracking, "SYNC_SECONDS", 0.2)
    yield server
    server.kill()


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Write mine.yaml, an experiment of three runs; return the folders of two that are finished."""
    monkeypatch.chdir(tmp_path)
    config = yaml.safe_load((ROOT / "config/smoke.yaml").read_text()) | {"name": "mine"}
    config["tracking_uri"] = os.environ["MLFLOW_TRACKING_URI"]
    config["benchmarks"] = {name: config["benchmarks"][name] for name in BENCHMARKS}
    config["methods"] = ["original", "grpo", "grpo+repro"]
    config["ablations"] = {"backbones": None, "method": "grpo+repro", "alpha": [], "w": [], "k": []}
    config["objective"]["benchmarks"] = ["aime24"]
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config))
    schema = yaml.safe_load((ROOT / "src/repro/config.schema.yaml").read_text())
    config, results = settings.resolve(config, schema, "mine.yaml"), Path(config["results_dir"])
    for name in ("tables/main.md", "tables/main.tex", "figures/a.png", "report/overview.html"):
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text("x")
    return [
        run_folder.write(results, settings.run_settings(config, "tiny-qwen3", method, 0))
        for method in ("grpo", "grpo+repro")
    ]


def test_a_training_continues_when_the_server_is_back(server, tmp_path, capsys):
    work, client = tmp_path / "work", mlflow.MlflowClient()
    with tracking.sync_while_training(RUN, work):
        write_rows(work, (1, 2))
        wait_for((work / "mlflow.json").exists)
        run_id = jsonl.read_json(work / "mlflow.json")["run_id"]
        wait_for(lambda: rewards(client, run_id) == [(1, 0.1), (2, 0.2)])
        server.kill()
        write_rows(work, range(1, 6))
        time.sleep(1)
        server.start()
        wait_for(lambda: len(rewards(client, run_id)) == 5)
        assert client.get_run(run_id).info.status == "RUNNING"
    assert rewards(client, run_id) == [(step, step / 10) for step in range(1, 6)]
    assert client.get_run(run_id).info.status == "FINISHED"
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and "make upload" in line


def test_upload_sends_what_is_missing(server, runs, capsys):
    evaluated, trained = runs
    shutil.rmtree(trained / "scores")
    # A training that was cut off: its last steps are missing and its run is RUNNING.
    write_rows(trained, (1, 2))
    cut = tracking.sync_run(trained, training="RUNNING")["run_id"]
    write_rows(trained, range(1, 6))
    server.kill()
    track = ["track", "--run", str(evaluated), "--settings", json.dumps(EVALUATION)]
    assert main([*track, "--data", str(evaluated.parents[3] / "data")]) == 0
    assert jsonl.read_json(evaluated / "mlflow.json").keys() == {"not_logged"}
    capsys.readouterr()
    upload = ["upload", "--config", "mine.yaml"]
    assert main(upload) == 1  # whoever asks for it is told
    assert capsys.readouterr().err.startswith(f"error: MLflow at {server.uri}")
    server.start()
    client = mlflow.MlflowClient()
    for _ in range(2):
        assert main(upload) == 0
        report = f"{server.uri} has 2 of 3 runs of mine, tables and figures\n"
        assert capsys.readouterr().out == report
        where = jsonl.read_json(evaluated / "mlflow.json")
        assert where["url"].startswith(f"{server.uri}/#/experiments/") and not where["local"]
        run = client.get_run(where["run_id"])
        assert run.data.metrics["eval/mean/accuracy"] == 0.5
        assert run.info.artifact_uri.startswith("mlflow-artifacts:")
        assert "samples.html" in artifacts(client, where["run_id"])
        assert rewards(client, cut) == [(step, step / 10) for step in range(1, 6)]
        assert client.get_run(cut).info.status == "FINISHED"
        summary = jsonl.read_json(evaluated.parents[3] / "mlflow.json")["run_id"]
        assert artifacts(client, summary) == ["figures/a.png", "overview.html", "tables/main.md"]
        within = client.get_experiment_by_name("mine").experiment_id
        assert len(client.search_runs([within])) == 3
