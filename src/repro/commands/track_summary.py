"""Put the experiment's tables and figures into an MLflow run of their own."""

import argparse
from pathlib import Path

from repro.commands.options import require
from repro.commands.track import report_unlogged


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "output")
    parser.add_argument("--files", nargs="+", required=True, help="tables, figures, pages")
    parser.add_argument("--note", default="", help="a sentence for the run's description")


def execute(options: argparse.Namespace) -> None:
    from repro.tracking import sync

    report_unlogged(sync.sync_summary, options.files, Path(options.output), options.note)
