"""MLflow: one experiment a configuration, one run a model, training and evaluation on the same run.

MLflow is a view of the files under results/, for people to browse. `sync_run` sends what it lacks
of them: called by a thread while a training goes on, by the step `track` afterwards, by `make
upload` for a whole experiment. Nothing here may stop or delay an experiment. The store and the
experiment are those of MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_NAME.
"""

import json
import logging
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from repro.config.resolved import Generation, RunSettings, stated
from repro.config.tracking_uri import absolute, sqlite_file
from repro.config.words import validate
from repro.files import digests, jsonl
from repro.tracking import payload

SYNC_SECONDS = 10  # between two calls while a training goes on: many steps in one transaction
END_SECONDS = 10  # that the end of a training waits for the last call
ROWS_AT_ONCE = 30  # MLflow takes 1,000 metrics in one call; a row has about 20
MARK = "train/reward"  # in every row, and a row is logged whole: its steps are those that are there
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
for _name in ("mlflow", "urllib3.connectionpool"):  # the caller reports a failure, in one line
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class NotLogged(Exception):
    """MLflow cannot be reached or did not take what it was given; one line says why."""


def find_store() -> str:
    """Return the address of the store in the environment; ValueError where it is no store's."""
    return absolute(os.environ.get("MLFLOW_TRACKING_URI", ""))


def create_store() -> None:
    """Create store and experiment before jobs write in parallel; raises `NotLogged`.

    Several processes that open a fresh SQLite store at once crash while they create its tables.
    """
    with _answering(find_store()) as uri:
        _connect(uri, create=True)


def sync_run(
    run_dir: Path,
    evaluation: Generation | None = None,
    data: str | Path | None = None,
    note: str = "",
    training: str = "",
) -> dict:
    """Send to MLflow what it does not have of a run's files; a second call changes nothing.

    Args:
        run_dir: has settings.json and whatever there is of training.jsonl, provenance.json, scores/
            and generations/; mlflow.json is written there.
        evaluation: its resolved settings; None where the run is not evaluated yet. They become
            tags, because MLflow's params may not change when a model is evaluated again.
        data: folder of the problems, for the samples of responses; None leaves those out.
        note: a sentence for the run's description.
        training: RUNNING, FINISHED or FAILED, where `run_dir` is a training's working directory.
            Then only curves are sent, and a run of the same settings that the folder does not know
            is an earlier training's and is replaced.

    Returns:
        See `payload.list_links`.

    Raises:
        ValueError: a file is missing or no JSON, or the address is no store's.
        NotLogged: see there.
    """
    place = run_dir / "mlflow.json"
    run = validate(jsonl.read_json(run_dir / "settings.json"), RunSettings)
    params, tags = payload.list_params(run), payload.list_tags(run)
    metrics, texts, files = {}, {}, []
    rows, written = payload.read_rows(run_dir / "training.jsonl")
    if not training:
        benchmarks = sorted(evaluation.benchmarks) if evaluation else []
        tags |= payload.list_later_tags(run, run_dir, evaluation, note)
        metrics = payload.read_scores(run_dir, benchmarks)
        texts = payload.write_samples(run, run_dir, benchmarks, data, note) if data else {}
        names = ("settings.json", "provenance.json", "training.jsonl")  # `original` has no training
        files = [run_dir / name for name in names if (run_dir / name).exists()]
        files += [run_dir / f"scores/{name}.json" for name in benchmarks]

    def send(client: mlflow.MlflowClient, experiment_id: str) -> str:
        same = f"tags.`{payload.KEY_TAG}` = '{digests.of_values(stated(run))}'"
        found = client.search_runs([experiment_id], same)
        known = jsonl.read_json(place).get("run_id") if place.exists() else None
        if training and known not in [one.info.run_id for one in found]:
            while found:
                client.delete_run(found.pop().info.run_id)  # MLflow keeps deleted runs restorable
        name = f"{run.backbone}/{run.method}/{run.seed}"
        there = found[0] if found else client.create_run(experiment_id, run_name=name, tags=tags)
        run_id, now = there.info.run_id, int(time.time() * 1000)
        client.log_batch(
            run_id,
            [Metric(*new, now, 0) for new in metrics.items() - there.data.metrics.items()],
            [Param(*new) for new in params.items() - there.data.params.items()],
            [RunTag(*new) for new in tags.items() - there.data.tags.items()],
        )
        logged = {metric.step for metric in client.get_metric_history(run_id, MARK)}
        missing = [row for row in rows if row["step"] not in logged]
        for start in range(0, len(missing), ROWS_AT_ONCE):
            of_steps = [
                Metric(f"train/{key}", float(value), written, row["step"])
                for row in missing[start : start + ROWS_AT_ONCE]
                for key, value in row.items()
                if key != "step" and value is not None
            ]
            client.log_batch(run_id, of_steps)
        for file in files:
            folder = "scores" if file.parent.name == "scores" else None
            client.log_artifact(run_id, str(file), folder)
        for name, text in texts.items():
            client.log_text(run_id, text, name)
        if training == "RUNNING":
            client.update_run(run_id, training)
        elif training or there.info.status != "FINISHED":  # else its training ended it
            ended = max(written, there.info.start_time) if rows else None
            client.set_terminated(run_id, training or "FINISHED", ended)
        return run_id

    return _send(place, send)


@contextmanager
def sync_while_training(run: RunSettings, work_dir: Path) -> Iterator[None]:
    """Call `sync_run` every few seconds in a thread, where the environment names a store.

    A failure is reported once; the next call sends what it left. `work_dir` has the checkpoints and
    training.jsonl and gets the settings of the run. ValueError: the address is no store's.
    """
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        yield
        return
    find_store()
    jsonl.write_json(work_dir / "settings.json", stated(run))
    status, ended = "RUNNING", threading.Event()

    def work() -> None:
        sent, reported = "RUNNING", False
        while sent == "RUNNING":
            sent = status
            try:
                sync_run(work_dir, training=sent)
            except NotLogged as why:
                if not reported:
                    text = f"{why}; metrics stay in training.jsonl, `make upload` sends them"
                    print(text, file=sys.stderr, flush=True)
                reported = True
            ended.wait(SYNC_SECONDS)

    thread = threading.Thread(target=work, name="mlflow", daemon=True)
    thread.start()
    try:
        yield
        status = "FINISHED"
    finally:
        status = "FAILED" if status == "RUNNING" else status
        ended.set()
        thread.join(END_SECONDS)


def sync_summary(files: Sequence[str | Path], place: Path, note: str) -> dict:
    """Put tables and figures into a run of their own; a file of the same name is replaced.

    A page is put at the top, anything else under the name of the folder it is in. `place` is the
    mlflow.json to write; `note` describes run and experiment. Returns and raises as `sync_run`.
    """

    def send(client: mlflow.MlflowClient, experiment_id: str) -> str:
        tags, name = {payload.KIND_TAG: payload.SUMMARY}, "tables and figures"
        of_kind = f"tags.{payload.KIND_TAG} = '{payload.SUMMARY}'"
        found = client.search_runs([experiment_id], of_kind)
        there = found[0] if found else client.create_run(experiment_id, run_name=name, tags=tags)
        run_id = there.info.run_id
        for file in map(Path, files):
            folder = None if file.suffix == ".html" else file.parent.name
            client.log_artifact(run_id, str(file), folder)
        client.set_tag(run_id, "mlflow.note.content", note)
        client.set_experiment_tag(experiment_id, "mlflow.note.content", note)
        client.set_terminated(run_id)
        return run_id

    return _send(place, send)


def _send(place: Path, send: Callable[[mlflow.MlflowClient, str], str]) -> dict:
    """Call `send` with a client and the experiment's id; write down where its run is found.

    Where that fails the file says why, unless it knows the run from an earlier call.
    """
    old = jsonl.read_json(place) if place.exists() else {}
    try:
        with _answering(find_store()) as uri:
            client, experiment_id = _connect(uri)
            new = payload.list_links(uri, experiment_id, send(client, experiment_id))
    except NotLogged as why:
        if "run_id" not in old:
            jsonl.write_json(place, {"not_logged": str(why)})
        raise
    if new != old:  # the report is made again where this file is newer, for its links
        jsonl.write_json(place, new)
    return new


@contextmanager
def _answering(uri: str) -> Iterator[str]:
    """Turn what goes wrong between here and a store into `NotLogged`, with the reason of it all."""
    try:
        yield uri
    except FAILURES as error:
        while error.__cause__ or error.__context__:
            error = error.__cause__ or error.__context__
        why = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise NotLogged(f"MLflow at {uri} does not take anything ({why})") from None


def _connect(uri: str, create: bool = False) -> tuple[mlflow.MlflowClient, str]:
    """Return a client and the id of the experiment, which is created where there is none.

    A SQLite file that is locked, damaged or may not be written fails here at once, where MLflow
    would try for 100 seconds; so does one without tables, which must not be created beside others.
    """
    file = sqlite_file(uri)
    if file is not None:
        if create:
            file.parent.mkdir(parents=True, exist_ok=True)
        address = f"{file.as_uri()}?mode={'rwc' if create else 'rw'}"
        with closing(sqlite3.connect(address, uri=True, timeout=LOCKED_SECONDS)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("PRAGMA user_version = 0")  # a file that may only be read fails here
            if not create:
                database.execute("SELECT version_num FROM alembic_version")
            database.rollback()
    client, name = mlflow.MlflowClient(uri), os.environ.get("MLFLOW_EXPERIMENT_NAME", "repro")
    found = client.get_experiment_by_name(name)
    artifacts = (file.parent / "mlartifacts").as_uri() if file is not None else None
    return client, found.experiment_id if found else client.create_experiment(name, artifacts)
