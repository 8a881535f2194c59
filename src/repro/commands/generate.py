"""Sample responses to every benchmark of one run."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from repro.commands.options import WORK, read_settings, require
from repro.files import digests


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "settings", "run", "model", "data", "output")
    parser.add_argument(
        "--tensor-parallel", type=int, default=1, help="GPUs over which vLLM splits the model"
    )


def execute(options: argparse.Namespace) -> None:
    from repro.config.resolved import Generation, RunSettings, stated
    from repro.evaluation import generate
    from repro.records import provenance

    started, run = datetime.now(UTC), read_settings(options.run, RunSettings)
    generation = read_settings(options.settings, Generation)
    work = WORK / "generations" / digests.of_values(stated(run))  # runs may have the same weights
    generate.generate_responses(
        *(generation, run.backbone_settings, options.model, options.data, work, options.output),
        tensor_parallel=options.tensor_parallel,
    )
    names = [*generation.benchmarks]
    outputs = {name: Path(options.output) / f"{name}.jsonl" for name in names}
    sources = {name: Path(options.data) / f"{name}.jsonl" for name in names}
    before = [name for name in names if outputs[name].stat().st_mtime < started.timestamp()]
    provenance.write(
        provenance.beside(options.output),
        "generate",
        {"evaluation": stated(generation), "run": stated(run)},
        {"model": options.model, **sources},
        outputs,
        started,
        finished_before=before,  # by an earlier call, perhaps of other code: found under work/
    )
