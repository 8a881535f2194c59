"""A real MLflow server that is killed in the middle of a training and started again."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from urllib.request import urlopen

import mlflow
import pytest

from repro.files import jsonl
from repro.tracking import live, sync
from tests import run_folder
from tests.run_folder import GENERATION, SETTINGS
from tests.test_tracking import artifacts, rewards, wait_for, write_rows


@contextmanager
def serving(folder, address):
    """Run a server over the store in a folder, with the artifacts; end it as a crash does."""
    command = [sys.executable, "-m", "mlflow", "server", "--port", address.rpartition(":")[2]]
    command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--artifacts-destination", f"{folder}/artifacts"]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    process = subprocess.Popen(command, env=environment, start_new_session=True)

    def answers():
        assert process.poll() is None
        try:
            return urlopen(f"{address}/health", timeout=5).status == 200
        except OSError:
            return False

    try:
        wait_for(answers, seconds=180)
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # uvicorn is a child
        process.wait(30)


@pytest.mark.long
def test_a_training_continues_when_the_server_is_back(tmp_path, capsys, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{address}/")
    monkeypatch.setattr(live, "SYNC_SECONDS", 0.2)
    work, client, reported = tmp_path / "work", mlflow.MlflowClient(), []
    with ExitStack() as training:
        with serving(tmp_path, address):
            training.enter_context(live.sync_while_training(SETTINGS, work))
            write_rows(work, (1, 2))
            wait_for((work / "mlflow.json").exists)
            run_id = jsonl.read_json(work / "mlflow.json")["run_id"]
            wait_for(lambda: len(rewards(client, run_id)) == 2)
        write_rows(work, range(1, 6))
        wait_for(lambda: reported or reported.extend(capsys.readouterr().err.splitlines()))
        with serving(tmp_path, address):
            wait_for(lambda: len(rewards(client, run_id)) == 5)
            assert client.get_run(run_id).info.status == "RUNNING"
            training.close()
            assert not capsys.readouterr().err
            assert len(reported) == 1 and "make upload" in reported[0]
            where = sync.sync_run(run_folder.write(tmp_path), GENERATION)
            assert where["run_id"] == run_id and not where["local"]
            assert where["url"].startswith(f"{address}/#/experiments/")
            run = client.get_run(run_id)
            assert run.info.status == "FINISHED"
            assert run.info.artifact_uri.startswith("mlflow-artifacts:")
            assert rewards(client, run_id) == [(step, step / 10) for step in range(1, 6)]
            assert {"samples.json", "scores/mbpp.json"} <= {*artifacts(client, run_id)}
