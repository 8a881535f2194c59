"""Write one benchmark's problems as JSONL."""

import argparse
from datetime import UTC, datetime

from repro.commands.options import read_settings, require
from repro.config.resolved import DataSettings, stated
from repro.files import jsonl


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "settings", "output")


def execute(options: argparse.Namespace) -> None:
    from repro.records import provenance

    started, data = datetime.now(UTC), read_settings(options.settings, DataSettings)
    if data.source == "hub":
        from repro.benchmarks import hub

        hub.fetch(data.name, stated(data), options.output)
    else:
        jsonl.write(options.output, local_problems(data))
    record = provenance.beside(options.output)
    sources = {"file": data.file} if data.file else {}
    provenance.write(record, "data", stated(data), sources, {"data": options.output}, started)


def local_problems(data: DataSettings) -> list[dict]:
    """Return problems that are generated, or read from a file."""
    from repro.tinyworld import problems

    if data.source == "directory":
        return jsonl.read(data.file)[: data.problems]
    return problems.generate(data.name, data.problems or problems.PROBLEMS[data.name], data.seed)
