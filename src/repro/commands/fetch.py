"""Download benchmarks and training problems into a folder, for machines without a network."""

import argparse

from repro.commands.options import require


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "output")
    parser.add_argument("--benchmarks", nargs="+", help="by default all seven")


def execute(options: argparse.Namespace) -> None:
    from repro.benchmarks import declared, hub

    wanted = options.benchmarks or [n for n in declared.benchmarks() if n in declared.sources()]
    hub.fetch_all(options.output, wanted)
