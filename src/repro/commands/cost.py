"""Say what an experiment will cost, before anything runs."""

import argparse

from repro.commands.options import add_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--hardware", help="A100-80G, H100-80G, H200 or cpu-core")
    parser.add_argument(
        *("--set", "-s"), action="append", default=[], metavar="NAME=VALUE", help="an assumption"
    )


def execute(options: argparse.Namespace) -> None:
    from repro.config import settings
    from repro.cost import estimate

    experiment = settings.read(*options.config)
    print(estimate.write_text(estimate.estimate(experiment, options.hardware, options.set)))
