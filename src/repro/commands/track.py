"""Send a finished run to MLflow; mlflow.json in its folder says where it is found."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from repro.commands.options import read_settings, require


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "settings", "run")
    parser.add_argument("--note", default="", help="a sentence for the run's description")


def execute(options: argparse.Namespace) -> None:
    from repro.config.resolved import Generation
    from repro.tracking import sync

    generation = read_settings(options.settings, Generation)
    report_unlogged(sync.sync_run, Path(options.run), generation, options.note)


def report_unlogged(send: Callable, *arguments: object) -> None:
    """Send something to MLflow; where it is out of reach, say so in a line and go on."""
    from repro.tracking import sync

    try:
        send(*arguments)
    except sync.NotLogged as why:
        print(f"{why}; `make upload` sends what is missing", file=sys.stderr)
