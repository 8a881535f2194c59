"""A store that cannot be used ends nothing: one line reports it, and mlflow.json says why."""

import base64
import json
import socket
import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from repro.commands.cli import main
from repro.files import jsonl
from repro.tracking import sync
from tests import run_folder
from tests.run_folder import SETTINGS


@contextmanager
def corrupt(folder):
    (folder / "mlflow.db").write_text("This is no database. " * 100)
    yield f"sqlite:///{folder}/mlflow.db", "file is not a database"


@contextmanager
def unwritable(folder):
    yield "sqlite:////proc/mlflow.db", "unable to open database file"  # nor may root


@contextmanager
def locked(folder):
    with sqlite3.connect(folder / "mlflow.db") as store:
        store.execute("CREATE TABLE alembic_version (version_num)")
        store.commit()
        store.execute("BEGIN EXCLUSIVE")
        yield f"sqlite:///{folder}/mlflow.db", "database is locked"


@contextmanager
def down(folder):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    yield f"http://127.0.0.1:{port}", "Connection refused"


@contextmanager
def another_server(folder):
    """Answer every request as a web server does that is not MLflow."""
    page = b"<html>hunter2</html>"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page)
    with answering(answer) as (uri, _):
        yield uri, "not in a valid JSON format"


@contextmanager
def answering(answer):
    """Give the same answer to everyone, with None none at all; yield address and requests."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken, requests = [], []

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                taken.append(connection)
                if answer is not None:
                    requests.append(connection.recv(1 << 16).decode())
                    connection.sendall(answer)
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", requests
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(sync, "SYNC_SECONDS", 0.05)
    monkeypatch.setattr(sync, "LOCKED_SECONDS", 0.1)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.fixture(
    params=(corrupt, unwritable, locked, down, another_server),
    ids=lambda store: store.__name__,
)
def store(request, tmp_path, monkeypatch):
    """Name a store that cannot be used in the environment; return its address and the reason."""
    (tmp_path / "store").mkdir()
    with request.param(tmp_path / "store") as (uri, why):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        yield uri, why


def track(folder: Path) -> int:
    arguments = ["track", "--run", str(folder), "--settings", json.dumps(run_folder.EVALUATION)]
    return main([*arguments, "--data", str(folder.parents[3] / "data")])


def test_no_step_fails(store, tmp_path, capsys):
    uri, why = store
    folder = run_folder.write(tmp_path)
    (tmp_path / "main.md").write_text("a table")
    summary = ["track_summary", "--files", str(tmp_path / "main.md")]
    summary += ["--output", str(tmp_path / "mlflow.json")]
    for step in (lambda: main(["store"]), lambda: track(folder), lambda: main(summary)):
        assert step() == 0
        line = capsys.readouterr().err
        assert line.count("\n") == 1
        assert line.startswith(f"MLflow at {uri} does not take anything") and why in line
        assert "make upload" in line
    for file in (folder / "mlflow.json", tmp_path / "mlflow.json"):
        content = jsonl.read_json(file)
        assert content.keys() == {"not_logged"} and why in content["not_logged"]


def test_a_training_goes_on(store, tmp_path, capsys, monkeypatch):
    training, connect, failures = threading.Event(), sync._connect, []

    def connect_later(uri):
        assert training.wait(60)  # for ever, if the training waited for the store
        failures.append(uri)
        return connect(uri)

    monkeypatch.setattr(sync, "_connect", connect_later)
    with sync.sync_while_training(SETTINGS, tmp_path / "work"):
        training.set()
        while len(failures) < 3:
            time.sleep(0.05)
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert store[1] in line and "training.jsonl" in line and "make upload" in line


def test_what_a_step_itself_lacks_is_still_an_error(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////proc/mlflow.db")
    folder = run_folder.write(tmp_path)
    (folder / "scores/mbpp.json").unlink()
    assert track(folder) == 1
    assert "mbpp.json: no such file" in capsys.readouterr().err
    assert not (folder / "mlflow.json").exists()


@pytest.mark.long
def test_a_server_that_never_answers_delays_only_the_end(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "6")
    monkeypatch.setattr(sync, "END_SECONDS", 1)
    with answering(None) as (uri, _):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        started = time.monotonic()
        with sync.sync_while_training(SETTINGS, tmp_path / "work"):
            pass
        assert time.monotonic() - started < 5
        assert main(["store"]) == 0
        assert "timed out" in capsys.readouterr().err


def test_a_password_goes_to_the_server_and_is_not_told(capsys, monkeypatch):
    with answering(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n") as (uri, requests):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "me")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "hunter2")
        assert main(["store"]) == 0
    password = base64.b64encode(b"me:hunter2").decode()
    assert [f"Authorization: Basic {password}\r\n" in request for request in requests] == [True]
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and "401" in line
    assert "hunter2" not in line and password not in line
