"""Draw one figure, as PNG and PDF."""

import argparse

from repro.commands.options import require


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "experiment", "output")
    parser.add_argument("name")


def execute(options: argparse.Namespace) -> None:
    from repro.records import experiment
    from repro.report import figures

    read = experiment.read(options.experiment)
    runs = read.folders(figures.group_of(options.name))
    figures.write_figure(options.name, runs, read.benchmarks, options.output, read.note)
