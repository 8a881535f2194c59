"""Draw one figure, as PNG and PDF."""

import argparse

from repro.commands.options import require


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "experiment", "output")
    parser.add_argument("name")


def execute(options: argparse.Namespace) -> None:
    from repro.records import experiment
    from repro.report import figures
    from repro.report.figures import style

    read = experiment.read(options.experiment)
    runs = read.folders(figures.group_of(options.name))
    style.save(figures.draw(options.name, runs, read.benchmarks, read.note), options.output)
