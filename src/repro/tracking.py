"""MLflow: one experiment a configuration, one run a model, training and evaluation on the same run.

Written along the way for people to browse, never read back: tables and figures come from the files
under results/. No other module imports mlflow; `repro.tracked` has the names and values. One more
run of an experiment holds its tables and figures.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from repro import digests, jsonl, tracked

FLUSH_SECONDS = 10  # metrics go out in batches: one SQLite transaction for many steps
AT_ONCE = 900  # metrics; MLflow takes 1,000 of metrics and tags together
UI = "http://127.0.0.1:5000"  # where `make ui` shows a SQLite store
TRAINING_UI = "workflowType=machine_learning"  # of MLflow's two interfaces the one with run lists


def absolute(uri: str) -> str:
    """Return a store's address with a relative SQLite path made absolute, as MLflow wants it."""
    prefix = "sqlite:///"
    if not uri.startswith(prefix):
        return uri
    return prefix + str(Path(uri.removeprefix(prefix)).absolute())


def links(uri: str, experiment_id: str, run_id: str) -> dict:
    """Return where a browser finds a run.

    Returns:
        `experiment_id`, `run_id`, `url` of the run, `experiment_url` of the list of runs, and
        `local`: whether `make ui` must be running for these addresses.
    """
    local = uri.startswith("sqlite:")
    server = UI if local else re.sub("//[^/@]*@", "//", uri).rstrip("/")  # without a password
    experiment = f"{server}/#/experiments/{experiment_id}/runs"
    return {
        "experiment_id": experiment_id,
        "run_id": run_id,
        "url": f"{experiment}/{run_id}?{TRAINING_UI}",
        "experiment_url": f"{experiment}?viewStateShareKey={tracked.VIEW}&{TRAINING_UI}",
        "local": local,
    }


def migrate(uri: str, experiment: str, note: str = "") -> None:
    """Create or upgrade the store and create the experiment, once, before jobs write in parallel.

    Several processes that open a fresh SQLite store at once crash in its migration.

    Args:
        uri: the store.
        experiment: its name.
        note: a sentence that becomes its description, such as what its numbers are not.
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
    _describe(client, _experiment(client, experiment), note)


class Writer:
    """Logs one training run; a context manager. A resumed training continues its own MLflow run."""

    def __init__(self, uri: str, experiment: str, run: dict, work_dir: str | Path):
        """Open the run named by `work_dir/mlflow_run_id`, or a new one where there is none.

        Args:
            uri: the store.
            experiment: name of the experiment.
            run: the resolved settings of the run.
            work_dir: where the training keeps its checkpoints; a fresh training has none, and
                replaces the run of an earlier training with the same settings.
        """
        self.client = mlflow.MlflowClient(absolute(uri))
        id_file = Path(work_dir) / "mlflow_run_id"
        within = _experiment(self.client, experiment)
        found = _find(self.client, within, run)
        known = id_file.read_text().strip() if id_file.exists() else None
        if known in found:
            self.run_id = known
            self.client.update_run(self.run_id, status="RUNNING")
        else:  # a fresh training, or a store that has never seen this one
            for old in found:
                self.client.delete_run(old)  # MLflow keeps deleted runs restorable
            self.run_id = _create(self.client, within, run)
            id_file.parent.mkdir(parents=True, exist_ok=True)
            id_file.write_text(self.run_id)
        history = self.client.get_metric_history(self.run_id, "train/reward")
        self.logged = {metric.step for metric in history}
        self.pending: list[Metric] = []
        self.flushed = time.monotonic()

    def add(self, row: dict) -> None:
        """Take a row of training.jsonl; a step that is already logged is skipped."""
        if row["step"] in self.logged:
            return
        self.logged.add(row["step"])
        self.pending += _of_step(row, _now())
        if time.monotonic() - self.flushed > FLUSH_SECONDS or len(self.pending) > 500:
            self.flush()

    def flush(self) -> None:
        """Send what is pending."""
        _send(self.client, self.run_id, self.pending)
        self.pending, self.flushed = [], time.monotonic()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind, *_) -> None:
        self.flush()
        self.client.set_terminated(self.run_id, status="FINISHED" if kind is None else "FAILED")


def log_run(
    uri: str,
    experiment: str,
    run_dir: Path,
    benchmarks: Sequence[str],
    evaluation: dict,
    data: str | Path | None = None,
    note: str = "",
) -> dict:
    """Log what stands in a run's directory to its MLflow run; called again it replaces that.

    A run that the store does not know gets all of its metrics here: `original`, which is not
    trained, or any run where the store was deleted. `eval/mean/...` is the mean over benchmarks,
    for MLflow's compare view. The settings of the evaluation become tags: unlike params they may
    change when a model is evaluated anew.

    Args:
        uri: the store.
        experiment: name of the experiment.
        run_dir: has settings.json and scores/, where trained training.jsonl and provenance.json.
        benchmarks: those that were evaluated.
        evaluation: its resolved settings.
        data: folder of the problems, for the samples of responses; None leaves those out.
        note: a sentence for the run's description.

    Returns:
        See `links`.

    Raises:
        ValueError: a file is missing or no JSON, or the experiment is not in the store; the message
            names it.
    """
    client = mlflow.MlflowClient(absolute(uri))
    run = jsonl.read_json(run_dir / "settings.json")
    within = _experiment(client, experiment)
    found = _find(client, within, run)
    run_id = found[0] if found else _create(client, within, run)
    scores = tracked.scores(run_dir, benchmarks)
    metrics = [Metric(name, value, time_ms, 0) for name, value, time_ms in scores]
    training = run_dir / "training.jsonl"
    if not found and training.exists():
        for row in jsonl.read(training):
            metrics += _of_step(row, tracked.written(training))
    tags = tracked.tags(run) | tracked.tags_of_files(run, run_dir, evaluation, note)
    _send(client, run_id, metrics, tags)
    with tempfile.TemporaryDirectory() as folder:
        tracked.collect(Path(folder), run, run_dir, benchmarks, data, note)
        _replace_artifacts(client, run_id, folder)
    if not found:  # else it ended with its training, which is what its duration should say
        client.set_terminated(run_id)
    return links(uri, within, run_id)


def log_summary(uri: str, experiment: str, files: Sequence[str | Path], note: str) -> dict:
    """Put tables and figures into a run of their own, in the place of those it had.

    Args:
        uri: the store.
        experiment: name of the experiment.
        files: a page stands at the top, anything else under the name of the folder it is in.
        note: a sentence for the descriptions of run and experiment.

    Returns:
        See `links`.
    """
    client = mlflow.MlflowClient(absolute(uri))
    within = _experiment(client, experiment)
    found = client.search_runs([within], f"tags.{tracked.KIND_TAG} = '{tracked.SUMMARY}'")
    created = found[0] if found else client.create_run(within, run_name="tables and figures")
    run_id = created.info.run_id
    _send(client, run_id, [], {tracked.KIND_TAG: tracked.SUMMARY, "mlflow.note.content": note})
    with tempfile.TemporaryDirectory() as folder:
        for file in map(Path, files):
            place = Path(folder) / ("" if file.suffix == ".html" else file.parent.name)
            place.mkdir(exist_ok=True)
            shutil.copy(file, place)
        _replace_artifacts(client, run_id, folder)
    client.set_terminated(run_id)
    _describe(client, within, note)
    return links(uri, within, run_id)


def _describe(client: mlflow.MlflowClient, experiment_id: str, note: str) -> None:
    for key, value in tracked.tags_of_experiment(note, _now()).items():
        client.set_experiment_tag(experiment_id, key, value)


def _experiment(client: mlflow.MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        raise ValueError(f"MLflow has no experiment {name!r}; `python -m repro store` makes it")
    return found.experiment_id


def _find(client: mlflow.MlflowClient, experiment_id: str, run: dict) -> list[str]:
    """Return the ids of the active runs with these settings, the newest first."""
    wanted = f"tags.`{tracked.KEY_TAG}` = '{digests.of_values(run)}'"
    runs = client.search_runs([experiment_id], wanted)
    return [found.info.run_id for found in runs]


def _create(client: mlflow.MlflowClient, experiment_id: str, run: dict) -> str:
    name = f"{run['backbone']}/{run['method']}/{run['seed']}"
    created = client.create_run(experiment_id, run_name=name).info.run_id
    client.log_batch(
        created,
        params=[Param(key, value) for key, value in tracked.params(run).items()],
        tags=[RunTag(key, value) for key, value in tracked.tags(run).items()],
    )
    return created


def _of_step(row: dict, time_ms: int) -> list[Metric]:
    """Return the metrics of a row of training.jsonl."""
    return [
        Metric(f"train/{key}", float(value), time_ms, row["step"])
        for key, value in row.items()
        if key != "step" and value is not None
    ]


def _send(
    client: mlflow.MlflowClient,
    run_id: str,
    metrics: Sequence[Metric],
    tags: dict[str, str] | None = None,
) -> None:
    listed = [RunTag(key, value) for key, value in (tags or {}).items()]
    if listed or metrics:
        client.log_batch(run_id, metrics=metrics[:AT_ONCE], tags=listed)
    for start in range(AT_ONCE, len(metrics), AT_ONCE):
        client.log_batch(run_id, metrics=metrics[start : start + AT_ONCE])


def _replace_artifacts(client: mlflow.MlflowClient, run_id: str, folder: str) -> None:
    """Make a folder's files the artifacts of a run, and what it had before none."""
    there = client.list_artifacts(run_id)
    if there:  # MLflow's client cannot delete, what keeps its files can
        place = client.get_run(run_id).info.artifact_uri
        repository = get_artifact_repository(place, tracking_uri=client.tracking_uri)
        for old in there:
            repository.delete_artifacts(old.path)
    client.log_artifacts(run_id, folder)


def _now() -> int:
    return int(time.time() * 1000)
