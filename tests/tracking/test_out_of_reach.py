"""A store that cannot be used ends nothing: one line reports it, and mlflow.json says why."""

import json
import socket
import sqlite3
import threading
import time
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from repro.commands.cli import main
from repro.files import jsonl
from repro.tracking import live, sync
from tests import run_folder
from tests.run_folder import SETTINGS


class Page(BaseHTTPRequestHandler):
    """A web server that is not MLflow."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hunter2</html>")

    def log_message(self, *words):
        pass


@contextmanager
def a_store(kind, file):
    """Yield the address of a store that cannot be used, and why."""
    uri = f"sqlite:///{file}"
    if kind == "corrupt":
        file.write_text("This is no database. " * 100)
        yield uri, "file is not a database"
    elif kind == "unwritable":
        yield "sqlite:////proc/mlflow.db", "No such file or directory"  # nor may root
    elif kind == "locked":
        with sqlite3.connect(file) as store:
            store.execute("CREATE TABLE alembic_version (version_num)")
            store.commit()
            store.execute("BEGIN EXCLUSIVE")
            yield uri, "database is locked"
    elif kind == "down":
        yield "http://127.0.0.1:9", "Connection refused"
    else:
        with HTTPServer(("127.0.0.1", 0), Page) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}", "not in a valid JSON format"
            server.shutdown()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(live, "SYNC_SECONDS", 0.05)
    monkeypatch.setattr("sqlite3.dbapi2.connect", partial(sqlite3.connect, timeout=0.1))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.mark.parametrize("kind", ["corrupt", "unwritable", "locked", "down", "another_server"])
def test_no_step_fails_and_a_training_goes_on(kind, tmp_path, capsys, monkeypatch):
    folder, place = run_folder.write(tmp_path), tmp_path / "mlflow.json"
    track = ["track", "--run", str(folder), "--settings", json.dumps(run_folder.EVALUATION)]
    summary = ["track-summary", "--files", str(folder / "settings.json"), "--output", str(place)]
    training, connected, calls = threading.Event(), sync._connected, []

    def connect_later():
        assert training.wait(60)  # for ever, if the training waited for the store
        calls.append(1)
        return connected()

    with a_store(kind, tmp_path / "mlflow.db") as (uri, why):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        for step in (["store"], track, summary):
            assert main(step) == 0
            line = capsys.readouterr().err
            assert line.count("\n") == 1
            assert line.startswith(f"MLflow at {uri} does not take anything") and why in line
            assert "make upload" in line
        monkeypatch.setattr(sync, "_connected", connect_later)
        with live.sync_while_training(SETTINGS, tmp_path / "work"):
            training.set()
            while len(calls) < 3:
                time.sleep(0.05)
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert why in line and "training.jsonl" in line and "make upload" in line
    for file in (folder / "mlflow.json", place):
        content = jsonl.read_json(file)
        assert content.keys() == {"not_logged"} and why in content["not_logged"]
    (folder / "scores/mbpp.json").unlink()
    assert main(track) == 1  # what a step itself lacks is still an error
    assert "mbpp.json: no such file" in capsys.readouterr().err


@pytest.mark.long
def test_a_server_that_never_answers_delays_only_the_end(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "6")
    monkeypatch.setattr(live, "END_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.getsockname()[1]}")
        started = time.monotonic()
        with live.sync_while_training(SETTINGS, tmp_path / "work"):
            pass
        assert time.monotonic() - started < 5
        assert main(["store"]) == 0
        assert "timed out" in capsys.readouterr().err
