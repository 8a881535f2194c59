"""Print the main table and say where everything is."""

import argparse

from repro.commands.options import require


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "results")


def execute(options: argparse.Namespace) -> None:
    from repro.report import tables

    tables.show(options.results)
