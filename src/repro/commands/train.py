"""Train one run by reinforcement learning; logged where MLFLOW_TRACKING_URI says, if at all."""

import argparse
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from repro.commands.options import WORK, read_settings, require
from repro.files import digests


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "settings", "backbone", "data", "output")


def execute(options: argparse.Namespace) -> None:
    from repro.config.resolved import RunSettings, stated
    from repro.records import provenance
    from repro.tracking import sync
    from repro.training import launched, train

    launched.end_with_launcher()
    started, layout = datetime.now(UTC), launched.layout()
    run = read_settings(options.settings, RunSettings)
    inputs = {
        "backbone": digests.of_model(options.backbone),
        "data": digests.of_content(options.data),
    }
    # Only as many processes as wrote a checkpoint can go on from it: each has its random state.
    name = digests.of_values([stated(run), inputs, *[layout] * bool(layout)])
    work, output = WORK / "training" / name, Path(options.output)
    with sync.sync_while_training(run, work) if launched.is_first() else nullcontext():
        train.train_run(run, options.backbone, options.data, work, output)
    if launched.is_first():
        provenance.write(
            output / "provenance.json",
            "train",
            stated(run),
            {"backbone": options.backbone, "data": options.data},
            {"model": output / "model", "training": output / "training.jsonl"},
            started,
            **layout,
        )
