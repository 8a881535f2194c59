"""Show the process reward along one of a run's own responses, as PNG, PDF and HTML."""

import argparse
from pathlib import Path

from repro.commands.options import read_settings, require


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "settings", "run", "benchmark", "data", "note", "output")


def execute(options: argparse.Namespace) -> None:
    from repro import methods
    from repro.config.resolved import Judging
    from repro.explain import responses
    from repro.records.experiment import RunFolder

    run = RunFolder(Path(options.run))
    responses.write_case_study(
        read_settings(options.settings, Judging),
        run.path / "model",
        options.benchmark,
        {
            "generations": run.path / f"generations/{options.benchmark}.jsonl",
            "scores": run.path / f"scores/{options.benchmark}.json",
            "data": options.data,
        },
        options.output,
        name=f"{run.backbone}, {methods.label(run.method)}, seed {run.seed}",
        note=options.note,
    )
