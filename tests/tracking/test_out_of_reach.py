"""A store that cannot be used ends nothing: it is said in one line, and told in mlflow.json."""

import json
import os
import shutil
import socket
import sqlite3
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from repro import tracking
from repro.cli import main
from tests import run_folder
from tests.tracking.servers import free_port


@contextmanager
def corrupt(folder):
    (folder / "mlflow.db").write_text("This is no database. " * 100)
    yield f"sqlite:///{folder}/mlflow.db", "file is not a database"


@contextmanager
def unwritable(folder):
    yield "sqlite:////proc/mlflow.db", "unable to open database file"  # nor may root


@contextmanager
def without_its_folder(folder):
    (folder / "file").touch()
    yield f"sqlite:///{folder}/file/mlflow.db", ""


@contextmanager
def locked(folder):
    with sqlite3.connect(folder / "mlflow.db") as store:
        store.execute("CREATE TABLE alembic_version (version_num)")
        store.commit()
        store.execute("BEGIN EXCLUSIVE")
        yield f"sqlite:///{folder}/mlflow.db", "database is locked"


@contextmanager
def down(folder):
    yield f"http://127.0.0.1:{free_port()}", "Connection refused"


@contextmanager
def another_server(folder):
    """Answer every request as a web server does that is not MLflow."""
    page = b"<html>hunter2</html>"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page)
    with answering(answer) as port:
        yield f"http://127.0.0.1:{port}", "not in a valid JSON format"


@contextmanager
def answering(answer):
    """Serve the same answer to everyone; with None none at all. Yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = []

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                taken.append(connection)
                if answer is not None:
                    connection.recv(1 << 16)
                    connection.sendall(answer)
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


STORES = (corrupt, unwritable, without_its_folder, locked, down, another_server)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(tracking, "LOCKED_SECONDS", 0.1)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.fixture(params=STORES, ids=lambda store: store.__name__)
def store(request, tmp_path):
    (tmp_path / "store").mkdir()
    with request.param(tmp_path / "store") as made:
        yield made


def test_no_step_fails(store, tmp_path, capsys):
    uri, why = store
    folder = run_folder.write(tmp_path)
    to = ["--experiment", "test", "--tracking-uri", uri]
    assert main(["store", *to]) == 0
    said = [capsys.readouterr().err]
    track = ["track", "--run", str(folder), "--settings", json.dumps(run_folder.EVALUATION), *to]
    assert main([*track, "--benchmarks", *run_folder.BENCHMARKS, "--data", f"{tmp_path}/data"]) == 0
    said.append(capsys.readouterr().err)
    (tmp_path / "main.md").write_text("a table")
    summary = ["track_summary", "--files", str(tmp_path / "main.md"), *to]
    assert main([*summary, "--output", str(tmp_path / "mlflow.json")]) == 0
    said.append(capsys.readouterr().err)
    for line in said:
        assert line.count("\n") == 1
        assert line.startswith(f"MLflow at {uri} does not take anything") and why in line
        assert "make upload" in line
    for file in (folder / "mlflow.json", tmp_path / "mlflow.json"):
        told = json.loads(file.read_text())
        assert told.keys() == {"not_logged"} and why in told["not_logged"]


def test_a_training_goes_on(store, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tracking, "FLUSH_SECONDS", 0.05)
    uri, why = store
    started = time.monotonic()
    with tracking.Writer(uri, "test", run_folder.RUN, tmp_path / "work") as writer:
        for step in range(1, 6):
            writer.add({"step": step, "reward": 0.5})
        assert time.monotonic() - started < 0.1  # nothing waits for the store
        time.sleep(0.2)
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert why in line and "training.jsonl" in line and "make upload" in line
    assert writer.run_id is None


def test_what_a_step_itself_lacks_is_still_an_error(tmp_path, capsys):
    folder = run_folder.write(tmp_path)
    (folder / "scores/mbpp.json").unlink()
    to = ["--experiment", "test", "--tracking-uri", "sqlite:////proc/mlflow.db"]
    track = ["track", "--run", str(folder), "--settings", "{}", "--benchmarks", "mbpp", *to]
    assert main(track) == 1
    assert "mbpp.json: no such file" in capsys.readouterr().err
    assert not (folder / "mlflow.json").exists()


def test_a_file_that_may_only_be_read(capsys):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with locked(Path(folder)) as (uri, _):
            pass
        Path(folder, "mlflow.db").chmod(0o444)
        with as_nobody():
            assert main(["store", "--experiment", "test", "--tracking-uri", uri]) == 0
    assert "attempt to write a readonly database" in capsys.readouterr().err


@contextmanager
def as_nobody():
    """Root may write everything: give that up for a while."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.long
def test_a_server_that_accepts_and_never_answers_delays_only_the_end(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES")
    for name, value in tracking.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with answering(None) as port:
        uri = f"http://127.0.0.1:{port}"
        with tracking.Writer(uri, "test", run_folder.RUN, tmp_path / "work") as writer:
            started = time.monotonic()
            writer.add({"step": 1, "reward": 0.5})
            assert time.monotonic() - started < 0.1
        assert time.monotonic() - started < tracking.END_SECONDS + 1
        line = capsys.readouterr().err
        assert line.count("\n") == 1 and uri in line
        started = time.monotonic()
        assert main(["store", "--experiment", "test", "--tracking-uri", uri]) == 0
        assert time.monotonic() - started < 40
        assert "timed out" in capsys.readouterr().err


@pytest.mark.long
def test_a_store_that_disappears_while_it_is_written(tmp_path, capsys, monkeypatch):
    """Its metrics stay, and the training ends in success."""
    monkeypatch.setattr(tracking, "FLUSH_SECONDS", 0.05)
    store = tmp_path / "store"
    store.mkdir()
    uri = f"sqlite:///{store}/mlflow.db"
    tracking.migrate(uri, "test")
    with tracking.Writer(uri, "test", run_folder.RUN, tmp_path / "work") as writer:
        writer.add({"step": 1, "reward": 0.5})
        end = time.monotonic() + 60
        while writer.run_id is None and time.monotonic() < end:
            time.sleep(0.05)
        shutil.rmtree(store)
        writer.add({"step": 2, "reward": 0.5})
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and "make upload" in line
