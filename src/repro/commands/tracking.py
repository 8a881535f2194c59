"""Commands that send to MLflow; the environment variable MLFLOW_TRACKING_URI says where it is."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from repro.commands.options import CUTOFFS, MANY, NOTE, read_settings, takes
from repro.config.resolved import Generation


@takes()
def store(options: argparse.Namespace) -> None:
    """Create MLflow's store before any job writes to it; MLFLOW_TRACKING_URI says where."""
    _report_unlogged(lambda sync: sync.create_store())


@takes("--settings", "--run", note=NOTE, **CUTOFFS)
def track(options: argparse.Namespace) -> None:
    """Send a finished run to MLflow; mlflow.json in its folder says where it is found."""
    generation = read_settings(options.settings, Generation)
    run, cutoffs = Path(options.run), (options.budgets, options.at_k)
    _report_unlogged(lambda sync: sync.sync_run(run, generation, options.note, cutoffs))


@takes("--output", files=MANY | {"type": Path, "help": "tables, figures, pages"}, note=NOTE)
def track_summary(options: argparse.Namespace) -> None:
    """Send the experiment's tables and figures to MLflow, as a separate run."""
    place = Path(options.output)
    _report_unlogged(lambda sync: sync.sync_summary(options.files, place, options.note))


def _report_unlogged(send: Callable[[ModuleType], object]) -> None:
    """Send something by `tracking.sync`; where MLflow is out of reach, say so and go on."""
    from repro.tracking import sync  # and with it MLflow, which takes seconds

    try:
        send(sync)
    except sync.NotLogged as why:
        print(f"{why}; `make upload` sends what is missing", file=sys.stderr)
