"""MLflow: one experiment a configuration, one run a model, training and evaluation on the same run.

`sync_run` sends to MLflow what it lacks of a run's files: called by `live` while a training goes
on, and by the step `track` afterwards, which `make upload` repeats. Nothing here may stop
or delay an experiment. MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_NAME say where to send it.
"""

import json
import logging
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import mlflow
import pandas as pd
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from repro import methods
from repro.benchmarks import declared
from repro.config.resolved import Generation, RunSettings, stated
from repro.config.tracking_uri import SQLITE, absolute
from repro.config.words import validate
from repro.files import digests, jsonl
from repro.measure.sampling_metrics import Cutoffs, measure_samples

UI = "http://127.0.0.1:5000"  # where `make ui` shows a SQLite store
TRAINING_UI = "?workflowType=machine_learning"  # of MLflow's two interfaces the one with run lists
# What may go wrong between here and a store; the last where a server is not MLflow
FAILURES = (MlflowException, SQLAlchemyError, OSError, json.JSONDecodeError)
KEY_TAG = "repro.key"
KIND_TAG = "kind"  # of an MLflow run: a model's, or the experiment's tables and figures
NOTE_TAG = "mlflow.note.content"  # MLflow shows it as the description
REWARD = "train/reward"
MEANS = ("accuracy", "tokens_mean", "backtracking_per_1k")  # have a mean over the benchmarks
SENT = ("settings.json", "provenance.json", "training.jsonl", "validation.jsonl", "checkpoint.json")
SAMPLES = "samples.json"
PROBLEMS, LONG = 3, 3000  # in the samples: of each benchmark, and characters of a response

# MLflow would try for minutes, and tell its makers and stdout of runs; what is set already stays.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")  # seconds
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
for _name in ("mlflow", "urllib3.connectionpool"):  # the caller reports a failure, in one line
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class NotLogged(ValueError):
    """MLflow cannot be reached or did not take what it was given; one line says why."""


class Payload(NamedTuple):
    """All that one MLflow run is to have."""

    name: str
    tags: dict[str, str]
    files: dict[Path, str | None]  # with their folders
    params: dict[str, str] = {}
    curves: list[Metric] = []
    scores: dict[str, float] = {}
    samples: dict[str, list] = {}  # a table of responses


def create_store() -> None:
    """Create store and experiment; processes that open a fresh SQLite store at once would crash."""
    with _connected(create=True):
        pass


def sync_run(
    run_dir: Path,
    evaluation: Generation | None = None,
    note: str = "",
    cutoffs: Cutoffs = (),
    training: str = "",
) -> dict:
    """Send to MLflow what it does not have of a run's files; a second call changes nothing.

    Args:
        run_dir: has settings.json and whatever there is of the other files; gets mlflow.json, which
            is also returned: id and addresses, `local` where `make ui` must run for them.
        evaluation: None where the run is not evaluated yet.
        note: a sentence for the run's description.
        cutoffs: what is measured over several responses.
        training: RUNNING, FINISHED or FAILED in a training's own folder: a run of the same settings
            that this folder does not know is an earlier training's and is replaced.

    ValueError: a file is missing or no JSON, or the address is no store's. NotLogged: mlflow.json
    says why, unless it knows the run.
    """
    content = _read(run_dir, evaluation, note, cutoffs)
    return _send(content, KEY_TAG, run_dir / "mlflow.json", training)


def sync_summary(files: Sequence[Path], place: Path, note: str) -> dict:
    """Put tables and figures into one run, pages at its top; `place` is its mlflow.json."""
    folders = {file: None if file.suffix == ".html" else file.parent.name for file in files}
    tags = {KIND_TAG: "summary", NOTE_TAG: note}
    return _send(Payload("tables and figures", tags, folders), KIND_TAG, place)


def _read(run_dir: Path, evaluation: Generation | None, note: str, cutoffs: Cutoffs) -> Payload:
    run = validate(jsonl.read_json(run_dir / "settings.json"), RunSettings)
    chosen = stated(run)
    chosen |= chosen.pop("process_reward") or {}
    [flat] = pd.json_normalize(chosen, sep="/").to_dict("records")
    params = {name: _text(value) for name, value in flat.items() if value is not None}
    files = {run_dir / name: None for name in SENT if (run_dir / name).exists()}
    curves, tags = list(_read_curves(run_dir)), list_tags(run)
    tags[NOTE_TAG] = f"**{methods.label(run.method)}** on {run.backbone}, seed {run.seed}. {note}"
    # Under the names that MLflow's page shows as the source.
    if commit := jsonl.read_json(run_dir / "provenance.json", {}).get("git_commit"):
        tags["mlflow.source.git.commit"] = commit
        tags["mlflow.source.name"] = "python -m repro train"
    content = Payload(f"{run.backbone}/{run.method}/{run.seed}", tags, files, params, curves)
    if not evaluation:
        return content
    counts = {name: one.samples for name, one in sorted(evaluation.benchmarks.items())}
    values = stated(evaluation) | {"samples": ", ".join(f"{k} {n}" for k, n in counts.items())}
    tags |= {f"evaluation/{name}": _text(values[name]) for name in values.keys() - {"benchmarks"}}
    # With this MLflow shows the tables of several runs side by side.
    tags["mlflow.loggedArtifacts"] = json.dumps([{"path": SAMPLES, "type": "table"}])
    files |= {run_dir / f"scores/{name}.json": "scores" for name in counts}
    scores = {name: jsonl.read_json(run_dir / f"scores/{name}.json") for name in counts}
    samples = {"columns": ["problem", "response", "prompt"], "data": _read_rows(run_dir, scores)}
    return content._replace(scores=_list_metrics(scores, cutoffs), samples=samples)


def list_tags(run: RunSettings) -> dict[str, str]:
    """Return what MLflow's runs are found, filtered and grouped by."""
    method = methods.parse(run.method)
    return {
        KEY_TAG: digests.of_values(stated(run)),
        KIND_TAG: "model",
        "backbone": run.backbone,
        "method": run.method,
        "algorithm": run.algorithm or "none",
        "repro": "yes" if method.repro else "no",
        "ablation": f"{method.ablated}={method.value}" if method.ablated else "none",
        "seed": str(run.seed),
    }


def _read_curves(run_dir: Path) -> Iterator[Metric]:
    files = [run_dir / "validation.jsonl", run_dir / "training.jsonl"]
    for file in filter(Path.exists, files):
        written = file.stat().st_mtime_ns // 1_000_000  # in milliseconds
        for line in file.read_bytes().split(b"\n")[:-1]:  # one without an end is being written
            row = json.loads(line)
            step, benchmark = row.pop("step"), row.pop("benchmark", None)
            group = f"validation/{benchmark}" if benchmark else "train"
            for key, value in row.items():
                if value is not None:
                    yield Metric(f"{group}/{key}", float(value), written, step)


def _list_metrics(scores: dict[str, dict], cutoffs: Cutoffs) -> dict[str, float]:
    metrics = {}
    for benchmark, found in scores.items():
        values = measure_samples(found, *cutoffs).mean().to_dict()
        for key, estimate in found["aggregates"].items():  # none where it could not be scored
            if estimate and estimate["value"] is not None:
                values[key] = float(estimate["value"])
        metrics |= {f"eval/{benchmark}/{key}": value for key, value in values.items()}
    for key in MEANS:
        values = [value for name, value in metrics.items() if name.endswith(f"/{key}")]
        if values:
            metrics[f"eval/mean/{key}"] = statistics.fmean(values)
    return metrics


def _read_rows(run_dir: Path, scores: dict[str, dict]) -> list[list[str]]:
    """Return the first response to each of the first problems that were scored."""
    rows = []
    for benchmark, found in scores.items():
        right = {row["doc_id"]: row["correct"][0] for row in found["problems"]}
        responses = jsonl.read(run_dir / f"generations/{benchmark}.jsonl")
        first = {row["doc_id"]: row for row in responses if row["sample"] == 0}
        for number in sorted(right)[:PROBLEMS]:
            row, verdict = first[number], "right" if right[number] else "wrong"
            verdict += ", cut off" * (row["finish_reason"] == "length")
            title = f"{declared.benchmarks()[benchmark].title}, problem {number}"
            text = f"{verdict}, {row['n_tokens']} tokens\n\n{row['text'].strip()[:LONG]}"
            rows.append([title, text, row["prompt"].strip()])
    return rows


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _send(content: Payload, key: str, place: Path, training: str = "") -> dict:
    """Bring the MLflow run with this tag up to date, or a new one, and write down where it is."""
    old = jsonl.read_json(place, {})
    try:
        with _connected() as (client, experiment_id):
            same = client.search_runs([experiment_id], f"tags.`{key}` = '{content.tags[key]}'")
            known = [run.info.run_id for run in same]
            if training:
                is_earlier = old.get("run_id") not in known
            else:
                is_earlier = any(_differs(client, run_id, content.curves) for run_id in known)
            while is_earlier and same:
                client.delete_run(same.pop().info.run_id)  # MLflow can restore it
            same = same or [client.create_run(experiment_id, None, content.tags, content.name)]
            _update(client, same[0], content, training)
            if key == KIND_TAG:
                client.set_experiment_tag(experiment_id, NOTE_TAG, content.tags[NOTE_TAG])
    except NotLogged as why:
        if "run_id" not in old:
            jsonl.write_json(place, {"not_logged": str(why)})
        raise
    run_id, uri = same[0].info.run_id, client.tracking_uri
    local = uri.startswith(SQLITE)
    page = f"{UI if local else uri.rstrip('/')}/#/experiments/{experiment_id}/runs"
    new = {"run_id": run_id, "local": local, "url": f"{page}/{run_id}{TRAINING_UI}"}
    new["experiment_url"] = f"{page}{TRAINING_UI}"
    if new != old:  # the report is made again where this file is newer, for its links
        jsonl.write_json(place, new)
    return new


def _differs(client: mlflow.MlflowClient, run_id: str, curves: list[Metric]) -> bool:
    """Whether a run has other rewards: it is of an earlier training with the same settings."""
    ours = {one.step: one.value for one in curves if one.key == REWARD}
    there = client.get_metric_history(run_id, REWARD)
    return any(ours.get(one.step, one.value) != one.value for one in there)


def _update(client: mlflow.MlflowClient, there: Run, content: Payload, status: str) -> None:
    run_id, known, now = there.info.run_id, there.data, int(1000 * time.time())
    newest = {one.key: one.step for one in known.to_proto().metrics}
    metrics = [one for one in content.curves if one.step > newest.get(one.key, -1)]
    metrics += [Metric(*new, now, 0) for new in content.scores.items() - known.metrics.items()]
    params = [Param(*new) for new in content.params.items() - known.params.items()]
    tags = [RunTag(*new) for new in content.tags.items() - known.tags.items()]
    client.log_batch(run_id, metrics, params, tags)
    if status == "RUNNING":
        client.update_run(run_id, status)
        return
    for file, folder in content.files.items():
        client.log_artifact(run_id, str(file), folder)
    if content.samples:
        client.log_dict(run_id, content.samples, SAMPLES)
    if status or there.info.status != "FINISHED":  # else its training ended it
        ended = [max(metric.timestamp, there.info.start_time) for metric in content.curves[-1:]]
        client.set_terminated(run_id, status or "FINISHED", *ended)


@contextmanager
def _connected(create: bool = False) -> Iterator[tuple[mlflow.MlflowClient, str]]:
    """Give a client and the id of the experiment; what goes wrong on the way is `NotLogged`."""
    uri = absolute(os.environ.get("MLFLOW_TRACKING_URI", ""))
    file = Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "repro")
    artifacts = (file.parent / "mlartifacts").as_uri() if file else None
    try:
        if file:  # fail at once where it cannot be opened: MLflow would try for 100 s
            if create:
                file.parent.mkdir(parents=True, exist_ok=True)
            file.open("ab" if create else "rb+").close()
        client = mlflow.MlflowClient(uri)
        found = client.get_experiment_by_name(name)
        yield client, found.experiment_id if found else client.create_experiment(name, artifacts)
    except FAILURES as error:
        while error.__cause__ or error.__context__:
            error = error.__cause__ or error.__context__
        why = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise NotLogged(f"MLflow at {uri} does not take anything ({why})") from None
