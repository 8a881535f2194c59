"""MLflow: one experiment a configuration, one run a model, training and evaluation on the same run.

Written along the way for people to browse, never read back: tables and figures come from the files
under results/. No other module imports mlflow.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import mlflow
from mlflow.entities import Metric, Param, RunTag

from repro import settings as run_settings

FLUSH_SECONDS = 10  # metrics go out in batches: one SQLite transaction for many steps
KEY_TAG = "repro.key"


def absolute(uri: str) -> str:
    """Return a store's address with a relative SQLite path made absolute, as MLflow wants it."""
    prefix = "sqlite:///"
    if not uri.startswith(prefix):
        return uri
    return prefix + str(Path(uri.removeprefix(prefix)).absolute())


def migrate(uri: str, experiment: str) -> None:
    """Create or upgrade the store and create the experiment, once, before jobs write in parallel.

    Several processes that open a fresh SQLite store at once crash in its migration.
    """
    uri = absolute(uri)
    artifacts = None
    if uri.startswith("sqlite:///"):
        file = Path(uri.removeprefix("sqlite:///"))
        file.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "mlflow", "db", "upgrade", uri], check=True)
        artifacts = (file.parent / "mlartifacts").as_uri()
    client = mlflow.MlflowClient(uri)
    if client.get_experiment_by_name(experiment) is None:
        client.create_experiment(experiment, artifact_location=artifacts)


class Writer:
    """Logs one training run; a context manager. A resumed training continues its own MLflow run."""

    def __init__(self, uri: str, run: dict, work_dir: str | Path):
        """Open the run named by `work_dir/mlflow_run_id`, or a new one where there is none.

        Args:
            uri: the store.
            run: the resolved settings of the run.
            work_dir: where the training keeps its checkpoints; a fresh training has none, and
                replaces the run of an earlier training with the same settings.
        """
        self.client = mlflow.MlflowClient(absolute(uri))
        id_file = Path(work_dir) / "mlflow_run_id"
        if id_file.exists():
            self.run_id = id_file.read_text().strip()
            self.client.update_run(self.run_id, status="RUNNING")
        else:
            for old in _find(self.client, run):
                self.client.delete_run(old.info.run_id)  # MLflow keeps deleted runs restorable
            self.run_id = _create(self.client, run)
            id_file.parent.mkdir(parents=True, exist_ok=True)
            id_file.write_text(self.run_id)
        history = self.client.get_metric_history(self.run_id, "train/reward")
        self.last_step = max((metric.step for metric in history), default=0)
        self.pending: list[Metric] = []
        self.flushed = time.monotonic()

    def add(self, row: dict) -> None:
        """Take a row of training.jsonl; steps that a killed training already logged are skipped."""
        if row["step"] <= self.last_step:
            return
        now = int(time.time() * 1000)
        self.pending += [
            Metric(f"train/{key}", float(value), now, row["step"])
            for key, value in row.items()
            if key != "step" and value is not None
        ]
        if time.monotonic() - self.flushed > FLUSH_SECONDS or len(self.pending) > 500:
            self.flush()

    def flush(self) -> None:
        """Send what is pending."""
        if self.pending:
            self.client.log_batch(self.run_id, metrics=self.pending)
        self.pending, self.flushed = [], time.monotonic()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind, *_) -> None:
        self.flush()
        self.client.set_terminated(self.run_id, status="FINISHED" if kind is None else "FAILED")


def log_scores(uri: str, run_dir: Path) -> None:
    """Log the scores of one run directory to its MLflow run; `original` gets its run here.

    `eval/mean/...` is the mean over benchmarks, for MLflow's compare view.
    """
    client = mlflow.MlflowClient(absolute(uri))
    run = json.loads((run_dir / "settings.json").read_text(encoding="utf-8"))
    found = _find(client, run)
    run_id = found[0].info.run_id if found else _create(client, run)
    values, now = {}, int(time.time() * 1000)
    files = sorted((run_dir / "scores").glob("*.json"))
    for file in files:
        aggregates = json.loads(file.read_text(encoding="utf-8"))["aggregates"]
        values |= {f"eval/{file.stem}/{key}": value for key, value in aggregates.items()}
    for key in ("accuracy", "tokens_mean", "backtracking_per_1k"):
        of_benchmarks = [values[f"eval/{file.stem}/{key}"] for file in files]
        values[f"eval/mean/{key}"] = statistics.fmean(of_benchmarks)
    metrics = [Metric(k, float(v), now, 0) for k, v in values.items() if v is not None]
    client.log_batch(run_id, metrics=metrics)
    client.set_terminated(run_id)


def _find(client: mlflow.MlflowClient, run: dict) -> list:
    experiment = client.get_experiment_by_name(run["experiment"])
    key = run_settings.digest(run)
    return client.search_runs([experiment.experiment_id], f"tags.`{KEY_TAG}` = '{key}'")


def _create(client: mlflow.MlflowClient, run: dict) -> str:
    experiment = client.get_experiment_by_name(run["experiment"])
    name = f"{run['backbone']}/{run['method']}/{run['seed']}"
    created = client.create_run(experiment.experiment_id, run_name=name).info.run_id
    params = {key: run[key] for key in ("backbone", "method", "algorithm", "seed")}
    params.update(run["process_reward"] or {})
    params.update({f"training/{key}": value for key, value in (run["training"] or {}).items()})
    tags = {KEY_TAG: run_settings.digest(run), "backbone": run["backbone"], "method": run["method"]}
    client.log_batch(
        created,
        params=[Param(key, json.dumps(value).strip('"')) for key, value in params.items()],
        tags=[RunTag(key, value) for key, value in tags.items()],
    )
    return created
