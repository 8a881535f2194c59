"""Say what is wrong with a configuration, as the workflow does before its first job."""

import argparse

from repro.commands.options import add_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)


def execute(options: argparse.Namespace) -> None:
    from repro.config import settings

    runs = settings.all_runs(settings.read(*options.config))
    print(f"{' + '.join(options.config)}: nothing is wrong; {len(runs)} runs")
