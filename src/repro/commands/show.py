"""Print the main table and say where everything is."""

import argparse

from repro.commands.options import require


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    require(parser, "results")


def execute(options: argparse.Namespace) -> None:
    """Carry out the command."""
    from repro.report import tables

    tables.show(options.results)
