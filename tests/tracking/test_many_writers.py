"""Trainings that log to one fresh SQLite store at once lose nothing, also where it is locked."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import mlflow
import pytest

from repro.commands.cli import main
from repro.files import jsonl
from repro.training.callbacks import ROLLOUT_COLUMNS, UPDATE_COLUMNS
from tests.paths import ROOT
from tests.run_folder import RUN

pytestmark = pytest.mark.long
SEEDS, STEPS = range(6), 100
COLUMNS = (*ROLLOUT_COLUMNS, *UPDATE_COLUMNS, "step_seconds")
TRAINING = """
import sys, time
from pathlib import Path
from repro.config.resolved import RunSettings
from repro.config.words import validate
from repro.files import jsonl
from repro.tracking import live
run = validate(jsonl.read_json("settings.json"), RunSettings)
rows = jsonl.read("rows.jsonl")
live.SYNC_SECONDS, live.END_SECONDS = 0.2, 120
print("ready", flush=True)
sys.stdin.readline()
with live.sync_while_training(run, Path()):
    for row in rows:
        jsonl.append("training.jsonl", [row])
        time.sleep(0.35)
"""


def test_no_metric_is_lost_where_another_process_locks_the_store(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "many")
    assert main(["store"]) == 0
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    trainings, rows = [], {}
    for seed in SEEDS:
        folder = tmp_path / str(seed)
        values = {name: seed + place / 10**6 for place, name in enumerate(COLUMNS)}
        rows[seed] = [{"step": step + 1, **values, "reward": step / 7} for step in range(STEPS)]
        jsonl.write_json(folder / "settings.json", {**RUN, "seed": seed})
        jsonl.write(folder / "rows.jsonl", rows[seed])
        command = [sys.executable, "-c", TRAINING]
        trainings.append(subprocess.Popen(command, cwd=folder, text=True, **pipes))
    for training in trainings:
        assert training.stdout.readline() == "ready\n", training.communicate()
    for training in trainings:
        print("go", file=training.stdin, flush=True)
    time.sleep(3)
    with closing(sqlite3.connect(tmp_path / "mlflow.db", timeout=60)) as store:
        store.execute("BEGIN EXCLUSIVE")
        time.sleep(25)  # longer than MLflow itself waits for a lock
        assert all(training.poll() is None for training in trainings)
    reports = [training.communicate(timeout=240)[1] for training in trainings]
    assert [training.returncode for training in trainings] == [0] * len(SEEDS), reports
    assert all(report.count("\n") <= 1 for report in reports)
    assert any("database is locked" in report for report in reports), reports

    client = mlflow.MlflowClient()
    runs = client.search_runs([client.get_experiment_by_name("many").experiment_id])
    assert sorted(run.data.tags["seed"] for run in runs) == [str(seed) for seed in SEEDS]
    for run in runs:
        assert run.info.status == "FINISHED"
        assert run.data.metrics.keys() == {f"train/{name}" for name in COLUMNS}
        for name in COLUMNS:
            history = client.get_metric_history(run.info.run_id, f"train/{name}")
            found = sorted((metric.step, metric.value) for metric in history)
            expected = rows[int(run.data.tags["seed"])]
            assert found == [(row["step"], row[name]) for row in expected], name
