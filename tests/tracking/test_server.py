"""A real MLflow server that is killed in the middle of a training and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import mlflow
import pytest

from repro import jsonl, tracking
from tests import run_folder
from tests.run_folder import EVALUATION, RUN
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
    capsys.readouterr()
    where = tracking.sync_run(run_folder.write(tmp_path), EVALUATION, tmp_path / "data")
    assert where["run_id"] == run_id
    assert where["url"].startswith(f"{server.uri}/#/experiments/") and not where["local"]
    run = client.get_run(run_id)
    assert run.info.artifact_uri.startswith("mlflow-artifacts:")
    assert run.data.metrics["eval/mean/accuracy"] == 0.5
    assert {"samples.html", "scores/mbpp.json"} <= {*artifacts(client, run_id)}
    assert capsys.readouterr().err == ""
