"""MLflow: one experiment a configuration, one run a model, training and evaluation on the same run.

Written along the way for people to browse, never read back: so nothing here may stop or delay an
experiment, and what MLflow does not take is sent later, from the files under results/. No other
module imports mlflow; `repro.tracked` has the names and values.
"""

import json
import logging
import os
import queue
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from sqlalchemy.exc import SQLAlchemyError

from repro import digests, jsonl, tracked
from repro.tracking_uri import absolute, sqlite_file

FLUSH_SECONDS = 10  # metrics go out in batches: one SQLite transaction for many steps
END_SECONDS = 30  # for what is left at the end of a training
KEPT = 10_000  # steps that wait for MLflow, the newest; `log_run` sends older ones from the file
AT_ONCE = 900  # metrics; MLflow takes 1,000 of metrics and tags together
LOCKED_SECONDS = 20  # to wait for a SQLite file that another process writes; MLflow's own limit
# MLflow would try for minutes, and tell its makers and stdout of runs; what is set already stays.
ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # seconds
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
# What may go wrong between here and a store; the last where a server is not MLflow
FAILURES = (MlflowException, SQLAlchemyError, sqlite3.Error, OSError, json.JSONDecodeError)

for _name, _value in ENVIRONMENT.items():
    os.environ.setdefault(_name, _value)
for _name in ("mlflow", "urllib3.connectionpool"):  # what fails is said once, in one line
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class NotLogged(Exception):
    """MLflow cannot be reached or did not take what it was given; one line says why."""


def migrate(uri: str, experiment: str, note: str = "") -> None:
    """Create or upgrade the store and create the experiment, once, before jobs write in parallel.

    Several processes that open a fresh SQLite store at once crash in its migration.

    Args:
        uri: the store.
        experiment: its name.
        note: a sentence that becomes its description, such as what its numbers are not.

    Raises:
        ValueError: the address is no store's.
        NotLogged: see there.
    """
    uri = absolute(uri)
    file = sqlite_file(uri)
    with _answering(uri):
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            _check_sqlite(file, create=True)
            command = [sys.executable, "-m", "mlflow", "db", "upgrade", uri]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise OSError((done.stderr.strip() or "mlflow db upgrade failed").splitlines()[-1])
        client = _client(uri)
        _describe(client, _experiment(client, experiment), note)


class Writer:
    """Logs one training run; a context manager. A resumed training continues its own MLflow run.

    A thread of its own does it: the training neither waits for MLflow nor ends because of it. What
    could not be sent is sent again, until the training ends; that it could not is said once. (With
    MLflow's own asynchronous logging a batch that fails is lost, and the end may take for ever.)

    Attributes:
        run_id: of the MLflow run; None before MLflow answered.
    """

    def __init__(self, uri: str, experiment: str, run: dict, work_dir: str | Path):
        """Open the run named by `work_dir/mlflow_run_id`, or a new one where there is none.

        Args:
            uri: the store.
            experiment: name of the experiment.
            run: the resolved settings of the run.
            work_dir: where the training keeps its checkpoints; a fresh training has none, and
                replaces the run of an earlier training with the same settings.

        Raises:
            ValueError: the address is no store's.
        """
        self.uri, self.experiment, self.run = absolute(uri), experiment, run
        self.id_file = Path(work_dir) / "mlflow_run_id"
        self.run_id: str | None = None
        self._client: mlflow.MlflowClient | None = None
        self._added: set[int] = set()
        self._taken: queue.SimpleQueue[tuple[dict, int]] = queue.SimpleQueue()
        self._pending: list[tuple[dict, int]] = []
        self._known: dict[str, set[int]] = {}
        self._status = "FAILED"
        self._said = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    def add(self, row: dict) -> None:
        """Take a row of training.jsonl; a step that is already logged is skipped."""
        if row["step"] not in self._added:
            self._added.add(row["step"])
            self._taken.put((row, _now()))

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind, *_) -> None:
        self._status = "FINISHED" if kind is None else "FAILED"
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(END_SECONDS)
        if self._thread.is_alive():
            self._say(f"MLflow at {self.uri} does not answer")

    def _work(self) -> None:
        while True:
            ended = self._ended.is_set()
            try:
                with _answering(self.uri):
                    self._send()
                    if ended:
                        self._client.set_terminated(self.run_id, status=self._status)
            except NotLogged as why:
                self._known = {}  # it may have arrived nevertheless
                self._say(str(why))
            if ended:
                return
            self._ended.wait(FLUSH_SECONDS)

    def _send(self) -> None:
        while not self._taken.empty():
            self._pending.append(self._taken.get())
        del self._pending[:-KEPT]
        if self._client is None:
            client = _client(self.uri)
            self.run_id = self._open(client)
            self._client = client
        metrics = [metric for row in self._pending for metric in _of_step(*row)]
        _log_missing(self._client, self.run_id, metrics, self._known)
        self._pending = []

    def _open(self, client: mlflow.MlflowClient) -> str:
        within = _experiment(client, self.experiment)
        found = _find(client, within, self.run)
        known = self.id_file.read_text().strip() if self.id_file.exists() else None
        if known in found:
            client.update_run(known, status="RUNNING")
        else:  # a fresh training, or a store that has never seen this one
            for old in found:
                client.delete_run(old)  # MLflow keeps deleted runs restorable
            known = _create(client, within, self.run)
            self.id_file.parent.mkdir(parents=True, exist_ok=True)
            self.id_file.write_text(known)
        client.log_batch(known, params=_params(self.run))  # again does no harm
        return known

    def _say(self, why: str) -> None:
        if not self._said:
            self._said = True
            text = f"{why}; metrics stay in training.jsonl, `make upload` sends what is missing"
            print(text, file=sys.stderr, flush=True)


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

    What MLflow did not get from the training, it gets here; `original` is not trained.
    `eval/mean/...` is the mean over benchmarks, for MLflow's compare view. The settings of the
    evaluation become tags: unlike params they may change when a model is evaluated anew.

    Args:
        uri: the store.
        experiment: name of the experiment.
        run_dir: has settings.json and scores/, where trained training.jsonl and provenance.json.
        benchmarks: those that were evaluated.
        evaluation: its resolved settings; empty where there was none yet.
        data: folder of the problems, for the samples of responses; None leaves those out.
        note: a sentence for the run's description.

    Returns:
        See `tracked.links`.

    Raises:
        ValueError: a file is missing or no JSON, or the address is no store's.
        NotLogged: see there.
    """
    uri = absolute(uri)
    run = jsonl.read_json(run_dir / "settings.json")
    scores = tracked.scores(run_dir, benchmarks)
    metrics = [Metric(name, value, time_ms, 0) for name, value, time_ms in scores]
    training = run_dir / "training.jsonl"
    rows = jsonl.read(training) if training.exists() else []
    of_steps = [metric for row in rows for metric in _of_step(row, tracked.written(training))]
    tags = tracked.tags(run) | tracked.tags_of_files(run, run_dir, evaluation, note)
    tags = [RunTag(key, value) for key, value in tags.items()]
    with tempfile.TemporaryDirectory() as folder:
        tracked.collect(Path(folder), run, run_dir, benchmarks, data, note)
        with _answering(uri):
            client = _client(uri)
            within = _experiment(client, experiment)
            found = _find(client, within, run)
            run_id = found[0] if found else _create(client, within, run)
            client.log_batch(run_id, params=_params(run), tags=tags)
            _log_missing(client, run_id, of_steps, {})
            _log_metrics(client, run_id, metrics)
            _replace_artifacts(client, run_id, folder)
            if client.get_run(run_id).info.status != "FINISHED":  # else its training ended it
                ended = tracked.written(training) if found and rows else None
                client.set_terminated(run_id, end_time=ended)
            return tracked.links(uri, within, run_id)


def log_summary(uri: str, experiment: str, files: Sequence[str | Path], note: str) -> dict:
    """Put tables and figures into a run of their own, in the place of those it had.

    Args:
        uri: the store.
        experiment: name of the experiment.
        files: a page stands at the top, anything else under the name of the folder it is in.
        note: a sentence for the descriptions of run and experiment.

    Returns:
        See `tracked.links`.

    Raises:
        ValueError: the address is no store's.
        FileNotFoundError: one of the files is not there.
        NotLogged: see there.
    """
    uri = absolute(uri)
    with tempfile.TemporaryDirectory() as folder:
        for file in map(Path, files):
            place = Path(folder) / ("" if file.suffix == ".html" else file.parent.name)
            place.mkdir(exist_ok=True)
            shutil.copy(file, place)
        with _answering(uri):
            client = _client(uri)
            within = _experiment(client, experiment)
            found = client.search_runs([within], f"tags.{tracked.KIND_TAG} = '{tracked.SUMMARY}'")
            tags = {tracked.KIND_TAG: tracked.SUMMARY}
            name = "tables and figures"
            created = found[0] if found else client.create_run(within, run_name=name, tags=tags)
            run_id = created.info.run_id
            client.set_tag(run_id, "mlflow.note.content", note)
            _replace_artifacts(client, run_id, folder)
            client.set_terminated(run_id)
            _describe(client, within, note)
            return tracked.links(uri, within, run_id)


@contextmanager
def _answering(uri: str) -> Iterator[None]:
    """Turn what goes wrong between here and a store into `NotLogged`, with the reason of it all."""
    try:
        yield
    except FAILURES as error:
        while error.__cause__ or error.__context__:
            error = error.__cause__ or error.__context__
        why = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise NotLogged(f"MLflow at {uri} does not take anything ({why})") from None


def _client(uri: str) -> mlflow.MlflowClient:
    file = sqlite_file(uri)
    if file is not None:
        _check_sqlite(file)
    return mlflow.MlflowClient(uri)


def _check_sqlite(file: Path, create: bool = False) -> None:
    """Fail at once where MLflow would try for 100 seconds, or would migrate beside other jobs."""
    where = f"{file.as_uri()}?mode={'rwc' if create else 'rw'}"
    with closing(sqlite3.connect(where, uri=True, timeout=LOCKED_SECONDS)) as store:
        store.execute("BEGIN IMMEDIATE")
        store.execute("PRAGMA user_version = 0")  # a file that may only be read fails here
        if not create:
            store.execute("SELECT version_num FROM alembic_version")
        store.rollback()


def _describe(client: mlflow.MlflowClient, experiment_id: str, note: str) -> None:
    for key, value in tracked.tags_of_experiment(note, _now()).items():
        client.set_experiment_tag(experiment_id, key, value)


def _experiment(client: mlflow.MlflowClient, name: str) -> str:
    """Return the id of the experiment, which is made here where `migrate` did not get through."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found.experiment_id
    file = sqlite_file(client.tracking_uri)
    artifacts = (file.parent / "mlartifacts").as_uri() if file is not None else None
    try:
        return client.create_experiment(name, artifact_location=artifacts)
    except MlflowException:
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return found.experiment_id  # another job was faster


def _find(client: mlflow.MlflowClient, experiment_id: str, run: dict) -> list[str]:
    """Return the ids of the active runs with these settings, the newest first."""
    wanted = f"tags.`{tracked.KEY_TAG}` = '{digests.of_values(run)}'"
    runs = client.search_runs([experiment_id], wanted)
    return [found.info.run_id for found in runs]


def _create(client: mlflow.MlflowClient, experiment_id: str, run: dict) -> str:
    name = f"{run['backbone']}/{run['method']}/{run['seed']}"
    return client.create_run(experiment_id, run_name=name, tags=tracked.tags(run)).info.run_id


def _params(run: dict) -> list[Param]:
    return [Param(key, value) for key, value in tracked.params(run).items()]


def _of_step(row: dict, time_ms: int) -> list[Metric]:
    """Return the metrics of a row of training.jsonl."""
    return [
        Metric(f"train/{key}", float(value), time_ms, row["step"])
        for key, value in row.items()
        if key != "step" and value is not None
    ]


def _log_missing(
    client: mlflow.MlflowClient,
    run_id: str,
    metrics: Sequence[Metric],
    known: dict[str, set[int]],
) -> None:
    """Log those metrics that the run does not have at their step.

    Args:
        client: of the store.
        run_id: the run.
        metrics: any, in any order.
        known: the steps that each metric has in the store; filled and kept here.
    """
    for name in {metric.key for metric in metrics} - known.keys():
        known[name] = {metric.step for metric in client.get_metric_history(run_id, name)}
    missing = {(m.key, m.step): m for m in metrics if m.step not in known[m.key]}
    _log_metrics(client, run_id, list(missing.values()))
    for name, step in missing:
        known[name].add(step)


def _log_metrics(client: mlflow.MlflowClient, run_id: str, metrics: Sequence[Metric]) -> None:
    for start in range(0, len(metrics), AT_ONCE):
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
