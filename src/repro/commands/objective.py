"""Judge a run's responses by the model itself: J and process reward at every segment."""

import argparse

from repro.commands.options import read_settings, require


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "settings", "model", "output")
    for option in ("benchmark", "generations", "scores", "data"):
        parser.add_argument(f"--{option}", nargs="+", required=True)
    parser.add_argument("--problems", type=int, required=True, help="of each benchmark")


def execute(options: argparse.Namespace) -> None:
    from repro.config.resolved import Judging
    from repro.explain import responses

    columns = (options.benchmark, options.generations, options.scores, options.data)
    files = {
        name: {"generations": generations, "scores": scores, "data": problems}
        for name, generations, scores, problems in zip(*columns, strict=True)
    }
    judging = read_settings(options.settings, Judging)
    responses.write_objectives(judging, options.model, files, options.output, options.problems)
