"""Create MLflow's store before any job writes to it; MLFLOW_TRACKING_URI says where."""

import argparse

from repro.commands.track import report_unlogged


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    del parser  # it has none


def execute(options: argparse.Namespace) -> None:
    """Carry out the command."""
    from repro.tracking import sync

    report_unlogged(sync.create_store)
