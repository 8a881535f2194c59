"""Ask the hub whether everything may be downloaded; name all that may not."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--names", nargs="+", required=True, help="benchmarks, or train")


def execute(options: argparse.Namespace) -> None:
    from repro.benchmarks import hub

    hub.check_access(options.names)
