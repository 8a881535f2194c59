"""Write one benchmark's problems as JSONL."""

import argparse
from datetime import UTC, datetime

from repro.commands.options import read_settings, require
from repro.files import jsonl


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "settings", "output")


def execute(options: argparse.Namespace) -> None:
    from repro.records import provenance

    started, settings = datetime.now(UTC), read_settings(options.settings)
    if settings["source"] == "hub":
        from repro.benchmarks import hub

        hub.fetch(settings["name"], settings, options.output)
    else:
        jsonl.write(options.output, local_problems(settings))
    record = provenance.beside(options.output)
    sources = {"file": settings["file"]} if settings["source"] == "directory" else {}
    provenance.write(record, "data", settings, sources, {"data": options.output}, started)


def local_problems(settings: dict) -> list[dict]:
    """Return problems that are generated, or read from a file."""
    from repro.tinyworld import problems

    if settings["source"] == "directory":
        return jsonl.read(settings["file"])[: settings["problems"]]
    count = settings["problems"] or problems.PROBLEMS[settings["name"]]
    return problems.generate(settings["name"], count, settings["seed"])
