"""Create MLflow's store before any job writes to it; MLFLOW_TRACKING_URI says where."""

import argparse

from repro.commands.track import report_unlogged


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has no options."""


def execute(options: argparse.Namespace) -> None:
    from repro.tracking import sync

    report_unlogged(sync.create_store)
