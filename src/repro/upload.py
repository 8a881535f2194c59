"""What MLflow did not get while an experiment ran, or a store that is new: sent from the files."""

from pathlib import Path

from repro import jsonl, settings, tracking


def run(config: dict) -> None:
    """Log the runs of an experiment that are finished, and its tables and figures.

    Called again it does no harm. A run that was trained and not yet evaluated gets its training.

    Args:
        config: the resolved configuration.

    Raises:
        NotLogged: see `tracking.NotLogged`.
    """
    store = config["tracking_uri"], config["name"]
    results, note = Path(config["results_dir"]), config["note"]
    tracking.migrate(*store, note)
    runs = [results / "runs" / run.path for run in settings.all_runs(config)]
    sent = [folder for folder in runs if _send_run(store, folder, config)]
    page = results / "report/overview.html"
    if page.exists():
        tables = [file for file in results.glob("tables/*") if file.suffix in (".csv", ".md")]
        files = [*sorted(tables), *sorted(results.glob("figures/*.png")), page]
        _write(results / "mlflow.json", tracking.log_summary(*store, files, note))
    also = ", tables and figures" if page.exists() else ""
    print(f"{store[0]} has {len(sent)} of {len(runs)} runs of {store[1]}{also}")


def _send_run(store: tuple[str, str], folder: Path, config: dict) -> bool:
    """Log one run as far as there is anything to log, and return whether there was."""
    benchmarks = sorted(config["benchmarks"])
    if all((folder / f"scores/{benchmark}.json").exists() for benchmark in benchmarks):
        evaluation = settings.generation_settings(config, int(folder.name))
        data = Path(config["results_dir"]) / "data"
        where = tracking.log_run(*store, folder, benchmarks, evaluation, data, config["note"])
        _write(folder / "mlflow.json", where)
    elif (folder / "training.jsonl").exists():
        tracking.log_run(*store, folder, [], {}, note=config["note"])
    else:
        return False
    return True


def _write(file: Path, where: dict) -> None:
    """Write mlflow.json where it changes: the report is made anew then, for its links."""
    if not file.exists() or jsonl.read_json(file) != where:
        jsonl.write_json(file, where)
