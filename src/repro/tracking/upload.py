"""What MLflow did not get while an experiment ran, or a store that is new: sent from the files."""

import os
from pathlib import Path

from repro.config import settings
from repro.config.models import Experiment
from repro.tracking import sync


def send_experiment(experiment: Experiment) -> None:
    """Send all runs of an experiment as far as there is anything of them, tables and figures.

    Its store becomes that of this process. Raises `NotLogged`.
    """
    os.environ["MLFLOW_TRACKING_URI"] = experiment.tracking_uri
    os.environ["MLFLOW_EXPERIMENT_NAME"] = experiment.name
    sync.create_store()
    results, note, sent = Path(experiment.results_dir), experiment.note, 0
    runs = [results / "runs" / run.path for run in settings.all_runs(experiment)]
    for folder in runs:
        if all((folder / f"scores/{name}.json").exists() for name in experiment.benchmarks):
            evaluation = settings.generation_settings(experiment, int(folder.name))
            sync.sync_run(folder, evaluation, results / "data", note)
        elif (folder / "training.jsonl").exists():  # trained and not evaluated yet
            sync.sync_run(folder, note=note)
        else:
            continue
        sent += 1
    page = results / "report/overview.html"
    if page.exists():
        tables = [file for file in results.glob("tables/*") if file.suffix in (".csv", ".md")]
        files = [*sorted(tables), *sorted(results.glob("figures/*.png")), page]
        sync.sync_summary(files, results / "mlflow.json", note)
    also = ", tables and figures" if page.exists() else ""
    print(f"{experiment.tracking_uri} has {sent} of {len(runs)} runs of {experiment.name}{also}")
