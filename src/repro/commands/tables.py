"""Make the tables: main, RePro's gain, against the original, tokens, backtracking."""

import argparse

from repro.commands.options import require


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "experiment", "output")
    parser.add_argument("--published", help="the paper's numbers, to stand beside ours")
    parser.add_argument(
        "--partial", action="store_true", help="mark what is missing instead of refusing"
    )


def execute(options: argparse.Namespace) -> None:
    from repro.records import experiment
    from repro.report import tables

    read = experiment.read(options.experiment)
    tables.write_tables(
        *(read.folders("main"), read.benchmarks, options.output, read.note),
        paper=options.published,
        partial=options.partial,
    )
