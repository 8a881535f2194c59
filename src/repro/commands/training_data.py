"""Write the training problems as JSONL, without those that occur in a benchmark."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from repro.commands import data
from repro.commands.options import read_settings, require
from repro.files import jsonl


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "settings", "output", "report")
    parser.add_argument(
        "--benchmarks", nargs="*", default=[], help="files of problems that must not be trained on"
    )


def execute(options: argparse.Namespace) -> None:
    from repro.benchmarks import contamination, hub
    from repro.records import provenance

    started, settings = datetime.now(UTC), read_settings(options.settings)
    files = {Path(file).stem: file for file in options.benchmarks}
    if settings["source"] == "hub":
        hub.fetch(settings["name"], settings, options.output, files)
    else:
        rows, report = contamination.filter_rows(data.local_problems(settings), files)
        print(f"{options.output}: {contamination.summary(report)}", file=sys.stderr)
        jsonl.write_json(options.report, report)
        jsonl.write(options.output, rows)
    record = provenance.beside(options.output)
    sources = files | ({"file": settings["file"]} if settings["source"] == "directory" else {})
    provenance.write(record, "training_data", settings, sources, {"data": options.output}, started)
