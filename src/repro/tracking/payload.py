"""What MLflow is told of a run: names and values, from its settings and the files it left."""

import json
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from repro import methods
from repro.config.resolved import Generation, RunSettings, stated
from repro.config.tracking_uri import sqlite_file
from repro.files import digests, jsonl
from repro.tracking import samples

KEY_TAG = "repro.key"
KIND_TAG = "kind"  # of an MLflow run: a model's, or the experiment's tables and figures
MODEL, SUMMARY = "model", "summary"
MEANS = ("accuracy", "tokens_mean", "backtracking_per_1k")  # have a mean over the benchmarks
UI = "http://127.0.0.1:5000"  # where `make ui` shows a SQLite store
TRAINING_UI = "workflowType=machine_learning"  # of MLflow's two interfaces the one with run lists


def list_params(run: RunSettings) -> dict[str, str]:
    """Return a run's settings as `group/key` and text; what is not set is left out."""
    chosen = stated(run)
    chosen.update(chosen.pop("process_reward") or {})
    return dict(_flat(chosen))


def list_tags(run: RunSettings) -> dict[str, str]:
    """Return what MLflow's runs are found, filtered and grouped by."""
    method = methods.parse(run.method)
    return {
        KEY_TAG: digests.of_values(stated(run)),
        KIND_TAG: MODEL,
        "backbone": run.backbone,
        "method": run.method,
        "algorithm": run.algorithm or "none",
        "repro": "yes" if method.repro else "no",
        "ablation": f"{method.ablated}={method.value}" if method.ablated else "none",
        "seed": str(run.seed),
    }


def list_later_tags(
    run: RunSettings, run_dir: Path, evaluation: Generation | None, note: str
) -> dict[str, str]:
    """Return the tags that a finished run has besides; see `tracking.sync_run`."""
    description = f"**{methods.label(run.method)}** on {run.backbone}, seed {run.seed}. {note}"
    tags = {}
    if evaluation:
        values = {key: _text(value) for key, value in stated(evaluation).items()}
        counts = sorted((name, of.samples) for name, of in evaluation.benchmarks.items())
        values["samples"] = ", ".join(f"{name} {count}" for name, count in counts)
        del values["benchmarks"]
        tags = {f"evaluation/{key}": value for key, value in values.items()}
        description += "\n\nResponses to read: Artifacts, samples.html."
        # With this MLflow shows the tables of several runs side by side.
        tags["mlflow.loggedArtifacts"] = json.dumps([{"path": "samples.json", "type": "table"}])
    tags["mlflow.note.content"] = description
    file = run_dir / "provenance.json"
    provenance = jsonl.read_json(file) if file.exists() else {}
    if provenance.get("git_commit"):  # under the names that MLflow's page shows as the source
        tags["mlflow.source.name"] = "python -m repro train"
        tags["mlflow.source.git.commit"] = provenance["git_commit"]
        changes = provenance.get("git_changes")
        tags["git_changes"] = "unknown" if changes is None else str(len(changes.splitlines()))
    return tags


def list_links(uri: str, experiment_id: str, run_id: str) -> dict:
    """Return where a browser finds a run and the list of runs: the content of mlflow.json.

    `local` says whether `make ui` must be running for these addresses.
    """
    local = sqlite_file(uri) is not None
    experiment = f"{UI if local else uri.rstrip('/')}/#/experiments/{experiment_id}/runs"
    return {
        "experiment_id": experiment_id,
        "run_id": run_id,
        "url": f"{experiment}/{run_id}?{TRAINING_UI}",
        "experiment_url": f"{experiment}?{TRAINING_UI}",
        "local": local,
    }


def read_rows(file: Path) -> tuple[list[dict], int]:
    """Return the rows of training.jsonl and when it was written, in milliseconds.

    A line without an end is still being written; a file that is not there has no rows.
    """
    if not file.exists():
        return [], 0
    lines = file.read_bytes().split(b"\n")[:-1]
    return [json.loads(line) for line in lines], file.stat().st_mtime_ns // 1_000_000


def read_scores(run_dir: Path, benchmarks: Sequence[str]) -> dict[str, float]:
    """Return the statistics of score files as `eval/BENCHMARK/NAME`, and means as `eval/mean/NAME`.

    Raises:
        ValueError: a score file is missing or no JSON; the message names it.
    """
    metrics = {}
    for benchmark in benchmarks:
        scores = jsonl.read_json(run_dir / f"scores/{benchmark}.json")
        for key, estimate in scores["aggregates"].items():  # none where it could not be scored
            if estimate and estimate["value"] is not None:
                metrics[f"eval/{benchmark}/{key}"] = float(estimate["value"])
    for key in MEANS:
        values = [value for name, value in metrics.items() if name.endswith(f"/{key}")]
        if values:
            metrics[f"eval/mean/{key}"] = statistics.fmean(values)
    return metrics


def write_samples(
    run: RunSettings, run_dir: Path, benchmarks: Sequence[str], data: str | Path, note: str
) -> dict[str, str]:
    """Return samples.html and samples.json, responses to read: see `analysis.samples`."""
    found = samples.read(run_dir, data, benchmarks)
    table = json.dumps(samples.table(found), ensure_ascii=False)
    return {"samples.html": samples.page(found, run, note), "samples.json": table}


def _flat(values: dict, prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}/")
        elif value is not None:
            yield prefix + key, _text(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
