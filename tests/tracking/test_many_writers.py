"""Eight trainings that log to one SQLite store at once lose nothing, also where it is locked."""

import sqlite3
import time

import pytest

from repro.cli import main
from tests.tracking import jobs

pytestmark = pytest.mark.long
SEEDS = range(8)


@pytest.fixture
def uri(tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    assert main(["store", "--experiment", "many", "--tracking-uri", uri]) == 0
    return uri


def test_no_metric_is_lost(uri, tmp_path):
    processes = jobs.start(tmp_path, uri, SEEDS, steps=100, seconds=0.05)
    jobs.go(processes)
    for longest, said in jobs.end(processes):
        assert said == ""
        assert longest < 1  # second, of a call in the training; eight processes share the machine
    jobs.check(uri, SEEDS, steps=100)


def test_no_metric_is_lost_where_another_process_locks_the_store(uri, tmp_path):
    steps = 450
    processes = jobs.start(tmp_path, uri, SEEDS, steps, seconds=0.1)
    jobs.go(processes)
    time.sleep(5)
    store = sqlite3.connect(tmp_path / "mlflow.db", timeout=60)
    store.execute("BEGIN EXCLUSIVE")
    time.sleep(30)  # longer than anything waits for a lock
    assert all(process.poll() is None for process in processes)
    store.rollback()
    store.close()
    ended = jobs.end(processes)
    for longest, said in ended:
        assert longest < 1
        assert said.count("\n") <= 1
    assert any("database is locked" in said for _, said in ended)
    jobs.check(uri, SEEDS, steps)
