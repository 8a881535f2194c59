"""Download benchmarks and training problems into a folder, for machines without a network."""

import argparse
from pathlib import Path

from repro.commands.options import require


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "output")
    parser.add_argument("--benchmarks", nargs="+", help="by default all seven")


def execute(options: argparse.Namespace) -> None:
    from repro.benchmarks import declared, hub

    wanted = options.benchmarks or [n for n in declared.benchmarks() if n in declared.sources()]
    files = {name: Path(options.output) / f"{name}.jsonl" for name in wanted}
    hub.check_access([*files, declared.TRAIN])
    for name, file in files.items():
        hub.fetch(name, {}, file)
    hub.fetch(declared.TRAIN, {}, Path(options.output) / f"{declared.TRAIN}.jsonl", files)
