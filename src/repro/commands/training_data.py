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
    from repro.config.resolved import DataSettings, stated
    from repro.records import provenance

    started, wanted = datetime.now(UTC), read_settings(options.settings, DataSettings)
    files = {Path(file).stem: file for file in options.benchmarks}
    if wanted.source == "hub":
        hub.fetch(wanted.name, stated(wanted), options.output, files)
    else:
        rows, report = contamination.filter_rows(data.local_problems(wanted), files)
        print(f"{options.output}: {contamination.summary(report)}", file=sys.stderr)
        jsonl.write_json(options.report, report)
        jsonl.write(options.output, rows)
    record = provenance.beside(options.output)
    sources, made = files | ({"file": wanted.file} if wanted.file else {}), {"data": options.output}
    provenance.write(record, "training_data", stated(wanted), sources, made, started)
