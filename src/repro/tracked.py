"""What MLflow is told of a run: names and values, from its settings and the files it left."""

import json
import shutil
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from repro import digests, jsonl, methods
from repro.analysis import samples
from repro.tracking_uri import sqlite_file

KEY_TAG = "repro.key"
KIND_TAG = "kind"  # of an MLflow run: a model's, or the experiment's tables and figures
MODEL, SUMMARY = "model", "summary"
MEANS = ("accuracy", "tokens_mean", "backtracking_per_1k")  # have a mean over the benchmarks
VIEW = "methods"  # key of the saved view of the list of runs
UI = "http://127.0.0.1:5000"  # where `make ui` shows a SQLite store
TRAINING_UI = "workflowType=machine_learning"  # of MLflow's two interfaces the one with run lists


def params(run: dict) -> dict[str, str]:
    """Return a run's settings as `group/key` and text; what is not set is left out."""
    chosen = {key: run[key] for key in ("backbone", "method", "algorithm", "seed")}
    chosen.update(run["process_reward"] or {})
    chosen.update({group: run[group] or {} for group in ("training", "backbone_settings")})
    return dict(_flat(chosen))


def tags(run: dict) -> dict[str, str]:
    """Return what MLflow's runs are found, filtered and grouped by."""
    method = methods.parse(run["method"])
    return {
        KEY_TAG: digests.of_values(run),
        KIND_TAG: MODEL,
        "backbone": run["backbone"],
        "method": run["method"],
        "algorithm": run["algorithm"] or "none",
        "repro": "yes" if method.repro else "no",
        "ablation": f"{method.ablated}={method.value}" if method.ablated else "none",
        "seed": str(run["seed"]),
    }


def tags_of_files(run: dict, run_dir: Path, evaluation: dict, note: str) -> dict[str, str]:
    """Return the tags that are known once a run is evaluated.

    Args:
        run: its settings.
        run_dir: has provenance.json where the run was trained.
        evaluation: the resolved settings of the evaluation; empty where there was none yet.
        note: a sentence for the run's description.
    """
    found = {key: _text(value) for key, value in evaluation.items() if key != "benchmarks"}
    if "benchmarks" in evaluation:
        counts = sorted((name, of["samples"]) for name, of in evaluation["benchmarks"].items())
        found["samples"] = ", ".join(f"{name} {count}" for name, count in counts)
    found = {f"evaluation/{key}": value for key, value in found.items()}
    of = f"**{methods.label(run['method'])}** on {run['backbone']}, seed {run['seed']}. {note}"
    if evaluation:
        of += "\n\nResponses to read: Artifacts, samples.html."
        # With this MLflow shows the tables of several runs side by side.
        found["mlflow.loggedArtifacts"] = json.dumps([{"path": "samples.json", "type": "table"}])
    found["mlflow.note.content"] = of
    file = run_dir / "provenance.json"
    provenance = jsonl.read_json(file) if file.exists() else {}
    if provenance.get("git_commit"):  # under the names that MLflow's page shows as the source
        found["mlflow.source.name"] = "python -m repro train"
        found["mlflow.source.git.commit"] = provenance["git_commit"]
        changes = provenance.get("git_changes")
        count = None if changes is None else len(changes.splitlines())
        found["git_changes"] = "unknown" if count is None else f"{count} file{'s' * (count != 1)}"
    return found


def tags_of_experiment(note: str, time_ms: int) -> dict[str, str]:
    """Return an experiment's description and a saved view: the columns to compare runs by.

    The view is what MLflow itself saves under "Views"; a page that does not know it shows its own.
    """
    means = [f"eval/mean/{key}" for key in MEANS]
    state = {
        "searchFilter": f"tags.{KIND_TAG} = '{MODEL}'",
        "orderByKey": f"metrics.`{means[0]}`",
        "orderByAsc": False,
        "selectedColumns": [f"metrics.`{name}`" for name in means],
        "runsHiddenMode": "SHOW_ALL",
    }
    view = {"name": "Methods", "createdAt": time_ms, "state": json.dumps(state)}
    return {
        "mlflow.note.content": note,
        "mlflow.experimentKind": "custom_model_development",
        f"mlflow.sharedViewState.{VIEW}": json.dumps(view),
    }


def links(uri: str, experiment_id: str, run_id: str) -> dict:
    """Return where a browser finds a run.

    Returns:
        `experiment_id`, `run_id`, `url` of the run, `experiment_url` of the list of runs, and
        `local`: whether `make ui` must be running for these addresses.
    """
    local = sqlite_file(uri) is not None
    server = UI if local else uri.rstrip("/")
    experiment = f"{server}/#/experiments/{experiment_id}/runs"
    return {
        "experiment_id": experiment_id,
        "run_id": run_id,
        "url": f"{experiment}/{run_id}?{TRAINING_UI}",
        "experiment_url": f"{experiment}?viewStateShareKey={VIEW}&{TRAINING_UI}",
        "local": local,
    }


def scores(run_dir: Path, benchmarks: Sequence[str]) -> Iterator[tuple[str, float, int]]:
    """Yield name, value and time (ms) of the statistics of the score files and of their means.

    The time is that of the files: MLflow takes the same value of the same time only once, and shows
    the newest.

    Raises:
        ValueError: a score file is missing or no JSON; the message names it.
    """
    newest, of_benchmarks = 0, {key: [] for key in MEANS}
    for benchmark in benchmarks:
        file = run_dir / "scores" / f"{benchmark}.json"
        aggregates = jsonl.read_json(file)["aggregates"]  # empty where it could not be scored
        newest = max(newest, written(file))
        for key, estimate in aggregates.items():
            if estimate and estimate["value"] is not None:
                yield f"eval/{benchmark}/{key}", float(estimate["value"]), written(file)
                if key in MEANS:
                    of_benchmarks[key].append(estimate["value"])
    for key, values in of_benchmarks.items():
        if values:
            yield f"eval/mean/{key}", statistics.fmean(values), newest


def collect(
    folder: Path,
    run: dict,
    run_dir: Path,
    benchmarks: Sequence[str],
    data: str | Path | None,
    note: str,
) -> None:
    """Fill an empty folder with what is to read of a run: settings, records, scores, responses.

    Args:
        folder: the empty folder.
        run: the run's settings.
        run_dir: the run's directory.
        benchmarks: those that were evaluated.
        data: folder of the problems, for the samples of responses; None leaves those out.
        note: a sentence that stands at the top of the samples.
    """
    (folder / "scores").mkdir()
    files = [f"scores/{benchmark}.json" for benchmark in benchmarks]
    for name in ("settings.json", "provenance.json", "training.jsonl", *files):
        if (run_dir / name).exists():  # `original` has no training
            shutil.copy(run_dir / name, folder / name)
    if data is not None:
        found = samples.read(run_dir, data, benchmarks)
        page, table = samples.page(found, run, note), samples.table(found)
        (folder / "samples.html").write_text(page, encoding="utf-8")
        jsonl.write_json(folder / "samples.json", table)


def written(file: Path) -> int:
    """Return when a file was written, in milliseconds."""
    return file.stat().st_mtime_ns // 1_000_000


def _flat(values: dict, prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}/")
        elif value is not None:
            yield prefix + key, _text(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
