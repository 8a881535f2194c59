"""What MLflow is to have of a run: names and values, from its settings and the files it left."""

import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from mlflow.entities import Metric

from repro import methods
from repro.config.resolved import Generation, RunSettings, stated
from repro.config.words import validate
from repro.files import digests, jsonl
from repro.tracking import samples

KEY_TAG = "repro.key"
KIND_TAG = "kind"  # of an MLflow run: a model's, or the experiment's tables and figures
NOTE_TAG = "mlflow.note.content"  # MLflow shows it as the description
REWARD = "train/reward"  # the last metric that is sent of a row: where it is, the row is
MEANS = ("accuracy", "tokens_mean", "backtracking_per_1k")  # have a mean over the benchmarks
FILES = ("settings.json", "provenance.json", "training.jsonl")  # `original` has the first only


class Payload(NamedTuple):
    """All that one MLflow run is to have."""

    name: str
    tags: dict[str, str]
    files: dict[Path, str | None]  # with their folders
    params: dict[str, str] = {}
    curves: list[Metric] = []
    scores: dict[str, float] = {}
    texts: dict[str, str] = {}  # of files, by name


def read(
    run_dir: Path, evaluation: Generation | None, data: str | Path | None, note: str
) -> Payload:
    """Return all that there is of a run; for arguments and errors see `sync.sync_run`."""
    run = validate(jsonl.read_json(run_dir / "settings.json"), RunSettings)
    title = f"{run.backbone}/{run.method}/{run.seed}"
    chosen = stated(run)
    chosen |= chosen.pop("process_reward") or {}
    [flat] = pd.json_normalize(chosen, sep="/").to_dict("records")
    params = {name: _text(value) for name, value in flat.items() if value is not None}
    files = {run_dir / name: None for name in FILES if (run_dir / name).exists()}
    curves, tags = list(_read_curves(run_dir / "training.jsonl")), list_tags(run)
    label = methods.label(run.method)
    tags[NOTE_TAG] = f"**{label}** on {run.backbone}, seed {run.seed}. {note}"
    file = run_dir / "provenance.json"
    provenance = jsonl.read_json(file) if file.exists() else {}
    if provenance.get("git_commit"):  # under the names that MLflow's page shows as the source
        changes = provenance.get("git_changes")
        tags["git_changes"] = "unknown" if changes is None else str(len(changes.splitlines()))
        tags["mlflow.source.git.commit"] = provenance["git_commit"]
        tags["mlflow.source.name"] = "python -m repro train"
    if not evaluation:
        return Payload(title, tags, files, params, curves)
    benchmarks = sorted(evaluation.benchmarks)
    counts = [f"{name} {evaluation.benchmarks[name].samples}" for name in benchmarks]
    values = stated(evaluation) | {"samples": ", ".join(counts)}
    tags |= {f"evaluation/{name}": _text(values[name]) for name in values.keys() - {"benchmarks"}}
    tags[NOTE_TAG] += "\n\nResponses to read: Artifacts, samples.html."
    # With this MLflow shows the tables of several runs side by side.
    tags["mlflow.loggedArtifacts"] = '[{"path": "samples.json", "type": "table"}]'
    files |= {run_dir / f"scores/{name}.json": "scores" for name in benchmarks}
    texts = samples.write(run_dir, data, benchmarks, run, note) if data else {}
    return Payload(title, tags, files, params, curves, _read_scores(run_dir, benchmarks), texts)


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


def _read_curves(file: Path) -> Iterator[Metric]:
    if not file.exists():
        return
    written = file.stat().st_mtime_ns // 1_000_000  # in milliseconds
    for line in file.read_bytes().split(b"\n")[:-1]:  # one without an end is being written
        row = json.loads(line)
        step, reward = row.pop("step"), row.pop("reward")
        for name, value in [*row.items(), ("reward", reward)]:
            if value is not None:
                yield Metric(f"train/{name}", float(value), written, step)


def _read_scores(run_dir: Path, benchmarks: list[str]) -> dict[str, float]:
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


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
