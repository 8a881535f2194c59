"""Test the paper's claims on the runs: supported, not supported or inconclusive."""

import argparse

from repro.commands.options import require


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "experiment", "output")


def execute(options: argparse.Namespace) -> None:
    from repro.records import experiment
    from repro.report import verdicts

    read = experiment.read(options.experiment)
    runs = read.folders("all")
    found = verdicts.write_claims(runs, read.benchmarks, options.output, read.note)
    print(found.to_string(index=False))
