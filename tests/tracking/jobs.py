"""Start `logging_job.py` several times, let all go at once, and read what they left in MLflow."""

import os
import subprocess
import sys
from pathlib import Path

import mlflow

from repro import jsonl, tracked, tracking
from repro.training.callbacks import ROLLOUT_COLUMNS, UPDATE_COLUMNS
from tests.paths import ROOT
from tests.tracking.logging_job import settings


def row(seed: int, step: int) -> dict:
    """Return a row as long as PPO's, every number of it another one."""
    columns = (*ROLLOUT_COLUMNS, *UPDATE_COLUMNS, "step_seconds")
    values = {name: seed + step / 1000 + i / 10**6 for i, name in enumerate(columns)}
    return {"step": step, **values}


def start(folder: Path, uri: str, seeds, steps: int, seconds: float) -> list[subprocess.Popen]:
    """Return processes that have imported everything and wait for `go`."""
    for seed in seeds:
        jsonl.write(folder / f"work{seed}/rows.jsonl", [row(seed, n + 1) for n in range(steps)])
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    started = [
        subprocess.Popen(
            [
                *(sys.executable, str(ROOT / "tests/tracking/logging_job.py")),
                *(uri, str(seed), str(seconds)),
            ],
            cwd=folder,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for seed in seeds
    ]
    for process in started:
        assert process.stdout.readline() == "ready\n", process.communicate()
    return started


def go(processes) -> None:
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()


def end(processes, seconds: float = 240) -> list[tuple[float, str]]:
    """Return of each the seconds of the longest call, and what it said on stderr."""
    ended = []
    for process in processes:
        out, err = process.communicate(timeout=seconds)
        assert process.returncode == 0, err
        ended.append((float(out), err))
    return ended


def check(uri: str, seeds, steps: int) -> None:
    """Every metric that was sent is there, once, with its value; and so is all else of each run."""
    client = mlflow.MlflowClient(uri)
    within = client.get_experiment_by_name("many").experiment_id
    for seed in seeds:
        (run_id,) = tracking._find(client, within, settings(seed))
        run = client.get_run(run_id)
        assert run.info.status == "FINISHED"
        assert run.data.params == tracked.params(settings(seed))
        assert tracked.tags(settings(seed)).items() <= run.data.tags.items()
        sent = [row(seed, step) for step in range(1, steps + 1)]
        names = sent[0].keys() - {"step"}
        trained = {name for name in run.data.metrics if not name.startswith("eval/")}
        assert trained == {f"train/{name}" for name in names}
        for name in names:
            history = client.get_metric_history(run_id, f"train/{name}")
            found = sorted((metric.step, metric.value) for metric in history)
            assert found == [(one["step"], one[name]) for one in sent], (seed, name)
