"""Commands that send to MLflow; the environment variable MLFLOW_TRACKING_URI says where it is."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from repro.commands.options import CONFIG, CUTOFFS, MANY, NOTE, read_settings, takes


@takes()
def store(options: argparse.Namespace) -> None:
    """Create MLflow's store before any job writes to it; MLFLOW_TRACKING_URI says where."""
    from repro.tracking import sync

    _report_unlogged(sync.create_store)


@takes("--settings", "--run", note=NOTE, **CUTOFFS)
def track(options: argparse.Namespace) -> None:
    """Send a finished run to MLflow; mlflow.json in its folder says where it is found."""
    from repro.config.resolved import Generation
    from repro.tracking import sync

    generation = read_settings(options.settings, Generation)
    cutoffs = options.budgets, options.at_k
    _report_unlogged(sync.sync_run, Path(options.run), generation, options.note, cutoffs)


@takes("--output", files=MANY | {"help": "tables, figures, pages"}, note=NOTE)
def track_summary(options: argparse.Namespace) -> None:
    """Send the experiment's tables and figures to MLflow, as a separate run."""
    from repro.tracking import sync

    _report_unlogged(sync.sync_summary, options.files, Path(options.output), options.note)


@takes(config=CONFIG)
def upload(options: argparse.Namespace) -> None:
    """Send to MLflow what it does not have of an experiment's finished runs, tables and figures."""
    from repro.config import settings
    from repro.tracking import sync

    sync.sync_experiment(settings.read(*options.config))


def _report_unlogged(send: Callable, *arguments: object) -> None:
    """Send something to MLflow; where it is out of reach, say so in a line and go on."""
    from repro.tracking import sync

    try:
        send(*arguments)
    except sync.NotLogged as why:
        print(f"{why}; `make upload` sends what is missing", file=sys.stderr)
