"""MLflow: one experiment a configuration, one run a model, training and evaluation on the same run.

`sync_run` sends to MLflow what it lacks of a run's files: called by a thread while a training goes
on, by the step `track` afterwards, by `make upload` for a whole experiment. Nothing here may stop
or delay an experiment. MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_NAME say where to send it.
"""

import json
import logging
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from repro.config import settings
from repro.config.models import Experiment
from repro.config.resolved import Generation, RunSettings, stated
from repro.config.tracking_uri import absolute, sqlite_file
from repro.files import jsonl
from repro.tracking import payload

SYNC_SECONDS = 10  # between two calls while a training goes on: many steps in one transaction
END_SECONDS = 10  # that the end of a training waits for the last call
LOCKED_SECONDS = 20  # to wait for a SQLite file that another process writes; MLflow's own limit
UI = "http://127.0.0.1:5000"  # where `make ui` shows a SQLite store
TRAINING_UI = "workflowType=machine_learning"  # of MLflow's two interfaces the one with run lists
# What may go wrong between here and a store; the last where a server is not MLflow
FAILURES = (MlflowException, SQLAlchemyError, sqlite3.Error, OSError, json.JSONDecodeError)

# MLflow would try for minutes, and tell its makers and stdout of runs; what is set already stays.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")  # seconds
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
for _name in ("mlflow", "urllib3.connectionpool"):  # the caller reports a failure, in one line
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class NotLogged(Exception):
    """MLflow cannot be reached or did not take what it was given; one line says why."""


def create_store() -> None:
    """Create store and experiment; processes that open a fresh SQLite store at once would crash."""
    with _connected(create=True):
        pass


def sync_run(
    run_dir: Path,
    evaluation: Generation | None = None,
    data: str | Path | None = None,
    note: str = "",
    training: str = "",
) -> dict:
    """Send to MLflow what it does not have of a run's files; a second call changes nothing.

    Args:
        run_dir: has settings.json and whatever there is of the other files; gets mlflow.json.
        evaluation: its resolved settings, None where the run is not evaluated yet.
        data: folder of the problems; None leaves the samples of responses out.
        note: a sentence for the run's description.
        training: RUNNING, FINISHED or FAILED in a training's own folder: a run of the same settings
            that this folder does not know is an earlier training's and is replaced.

    Returns:
        mlflow.json: ids and addresses, `local` where `make ui` must run for them.

    Raises:
        ValueError: a file is missing or no JSON, or the address is no store's.
        NotLogged: mlflow.json says why, unless it knows the run.
    """
    content = payload.read(run_dir, evaluation, data, note)
    return _send(content, payload.KEY_TAG, run_dir / "mlflow.json", training)


def sync_summary(files: Sequence[str | Path], place: Path, note: str) -> dict:
    """Put tables and figures into a run of their own, pages at its top; see `sync_run`.

    `place` is the mlflow.json to write; `note` describes run and experiment.
    """
    folders = {file: file.parent.name for file in map(Path, files)}
    folders |= {file: None for file in folders if file.suffix == ".html"}
    tags = {payload.KIND_TAG: "summary", payload.NOTE_TAG: note}
    content = payload.Payload("tables and figures", tags, folders)
    return _send(content, payload.KIND_TAG, place)


def sync_experiment(config: Experiment) -> None:
    """Send what there is of the runs, tables and figures of an experiment to its store."""
    os.environ["MLFLOW_TRACKING_URI"] = config.tracking_uri
    os.environ["MLFLOW_EXPERIMENT_NAME"] = config.name
    create_store()
    results, runs, sent = Path(config.results_dir), settings.all_runs(config), 0
    for run in runs:
        folder, evaluated = results / "runs" / run.path, {}
        if all((folder / f"scores/{name}.json").exists() for name in config.benchmarks):
            evaluated["evaluation"] = settings.generation_settings(config, int(folder.name))
            evaluated["data"] = results / "data"
        if evaluated or (folder / "training.jsonl").exists():
            sync_run(folder, note=config.note, **evaluated)
            sent += 1
    page, also = results / "report/overview.html", ""
    if page.exists():
        tables = [file for file in results.glob("tables/*") if file.suffix in (".csv", ".md")]
        files = [*sorted(tables), *sorted(results.glob("figures/*.png")), page]
        sync_summary(files, results / "mlflow.json", config.note)
        also = ", tables and figures"
    print(f"{config.tracking_uri} has {sent} of {len(runs)} runs of {config.name}{also}")


@contextmanager
def sync_while_training(run: RunSettings, work_dir: Path) -> Iterator[None]:
    """Call `sync_run` every few seconds in a thread, where the environment names a store.

    A failure is reported once; the next call sends what it left. `work_dir` has training.jsonl and
    gets the settings of the run. ValueError: the address is no store's.
    """
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        yield
        return
    absolute(os.environ["MLFLOW_TRACKING_URI"])
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


def _send(content: payload.Payload, key: str, place: Path, training: str = "") -> dict:
    """Bring the MLflow run with this tag up to date, or a new one, and write down where it is."""
    old = jsonl.read_json(place) if place.exists() else {}
    try:
        with _connected() as (client, experiment_id):
            same = client.search_runs([experiment_id], f"tags.`{key}` = '{content.tags[key]}'")
            if training and old.get("run_id") not in [one.info.run_id for one in same]:
                while same:
                    client.delete_run(same.pop().info.run_id)  # MLflow can restore it
            if not same:
                same = [client.create_run(experiment_id, None, content.tags, content.name)]
            run_id = same[0].info.run_id
            _update(client, same[0], content, training)
            if key == payload.KIND_TAG:
                note = content.tags[payload.NOTE_TAG]
                client.set_experiment_tag(experiment_id, payload.NOTE_TAG, note)
    except NotLogged as why:
        if "run_id" not in old:
            jsonl.write_json(place, {"not_logged": str(why)})
        raise
    local = sqlite_file(client.tracking_uri) is not None
    server = UI if local else client.tracking_uri.rstrip("/")
    page = f"{server}/#/experiments/{experiment_id}/runs"
    new = {"experiment_id": experiment_id, "run_id": run_id, "local": local}
    new |= {"url": f"{page}/{run_id}?{TRAINING_UI}", "experiment_url": f"{page}?{TRAINING_UI}"}
    if new != old:  # the report is made again where this file is newer, for its links
        jsonl.write_json(place, new)
    return new


def _update(client: mlflow.MlflowClient, there, content: payload.Payload, training: str) -> None:
    run_id, known, now = there.info.run_id, there.data, int(1000 * time.time())
    logged = {metric.step for metric in client.get_metric_history(run_id, payload.REWARD)}
    metrics = [metric for metric in content.curves if metric.step not in logged]
    metrics += [Metric(*new, now, 0) for new in content.scores.items() - known.metrics.items()]
    params = [Param(*new) for new in content.params.items() - known.params.items()]
    tags = [RunTag(*new) for new in content.tags.items() - known.tags.items()]
    client.log_batch(run_id, metrics, params, tags)
    if training == "RUNNING":
        client.update_run(run_id, training)
        return
    for file, folder in content.files.items():
        client.log_artifact(run_id, str(file), folder)
    for name, text in content.texts.items():
        client.log_text(run_id, text, name)
    if training or there.info.status != "FINISHED":  # else its training ended it
        ended = [max(metric.timestamp, there.info.start_time) for metric in content.curves[-1:]]
        client.set_terminated(run_id, training or "FINISHED", *ended)


@contextmanager
def _connected(create: bool = False) -> Iterator[tuple[mlflow.MlflowClient, str]]:
    """Give a client and the id of the experiment, created where there is none.

    What goes wrong between here and the store becomes `NotLogged`. A SQLite file that is locked,
    damaged or may not be written fails at once, where MLflow would try for 100 seconds; so does one
    without tables, which must not be created beside others.
    """
    uri = absolute(os.environ.get("MLFLOW_TRACKING_URI", ""))
    file, name = sqlite_file(uri), os.environ.get("MLFLOW_EXPERIMENT_NAME", "repro")
    artifacts = (file.parent / "mlartifacts").as_uri() if file else None
    try:
        if file and create:
            file.parent.mkdir(parents=True, exist_ok=True)
        if file:
            _try_to_write(f"{file.as_uri()}?mode={'rwc' if create else 'rw'}", create)
        client = mlflow.MlflowClient(uri)
        found = client.get_experiment_by_name(name)
        yield client, found.experiment_id if found else client.create_experiment(name, artifacts)
    except FAILURES as error:
        while error.__cause__ or error.__context__:
            error = error.__cause__ or error.__context__
        why = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise NotLogged(f"MLflow at {uri} does not take anything ({why})") from None


def _try_to_write(address: str, create: bool) -> None:
    with closing(sqlite3.connect(address, uri=True, timeout=LOCKED_SECONDS)) as database:
        database.execute("BEGIN IMMEDIATE")
        database.execute("PRAGMA user_version = 0")  # a file that may only be read fails here
        if not create:
            database.execute("SELECT version_num FROM alembic_version")
        database.rollback()
