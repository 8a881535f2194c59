"""Send to MLflow what it does not have of an experiment's finished runs, tables and figures."""

import argparse

from repro.commands.options import add_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)


def execute(options: argparse.Namespace) -> None:
    from repro.config import settings
    from repro.tracking import sync

    try:
        sync.sync_experiment(settings.read(*options.config))
    except sync.NotLogged as why:
        raise ValueError(str(why)) from None
