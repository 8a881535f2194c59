"""Write the first page of the report."""

import argparse

from repro.commands.options import require


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "experiment", "tables", "output")
    parser.add_argument("--figures", nargs="*", default=[], help="PNG files to show")


def execute(options: argparse.Namespace) -> None:
    from repro.records import experiment
    from repro.report import overview

    read = experiment.read(options.experiment)
    overview.write_pages(
        *(read.folders("all"), read.benchmarks, options.tables, options.output),
        note=read.note,
        name=read.name,
        figures=options.figures,
    )
