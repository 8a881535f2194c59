"""Say whether the untrained backbones are where other publications found them."""

import argparse

from repro.commands.options import require


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "experiment", "published")


def execute(options: argparse.Namespace) -> None:
    from repro.records import experiment
    from repro.report import published, sanity

    read = experiment.read(options.experiment)
    ours = sanity.read_accuracies(read.folders("main"), read.benchmarks)
    bands = sanity.compare_bands(published.load(options.published), ours)
    print(sanity.write_text(bands))
    if off := bands["verdict"].isin(["below", "above"]).sum():
        raise ValueError(
            f"{off} of {len(bands)} bands are missed: look at prompts, problems, verifier and "
            "sampling before anything is trained"
        )
