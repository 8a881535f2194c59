"""`python -m repro cost`: jobs, time and disk of an experiment before anything runs.

Nothing is loaded or downloaded: the jobs are counted from the configuration (`jobs`), each has a
time and a size by formulas (`model`) over stated numbers (`assumptions`), and where finished jobs
left records (`past`), those correct the model.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from repro import config_files, layout
from repro.cost import assumptions, jobs, memory, past
from repro.cost.table import Estimate, add_up, longest_training, text

DEFAULT_GPU = "H100-80G"


def report(
    *files: str | Path,
    hardware: str | None = None,
    cores: int | None = None,
    gpus_in_parallel: int | None = None,
    changes: Sequence[str] = (),
    as_json: bool = False,
) -> str:
    """Return the estimate of a configuration file, to print.

    Args:
        files: the configuration; where there are several, later ones change what earlier ones say.
        hardware: a name in `numbers.yml`; by default H100-80G, or cpu-core where `gpus` is 0.
        cores: CPU cores that jobs share; by default the machine's.
        gpus_in_parallel: GPUs there are, over all jobs at a time; by default those of one job.
        changes: other assumptions, `NAME=VALUE` each.
        as_json: JSON instead of a table.

    Raises:
        ValueError: the configuration, the hardware or an assumption is not usable.
        FileNotFoundError: no such file.
    """
    resolved = config_files.read(*files)
    found = estimate(
        resolved,
        hardware or (DEFAULT_GPU if resolved["gpus"] else assumptions.NO_GPU),
        cores if cores is not None else os.cpu_count() or 1,
        gpus_in_parallel,
        parse_changes(changes),
    )
    return json.dumps(asdict(found), indent=1) if as_json else text(found)


def parse_changes(changes: Sequence[str]) -> dict[str, float]:
    """Return `NAME=VALUE` texts as a mapping.

    Raises:
        ValueError: no `=`, or a value that is no number.
    """
    found = {}
    for change in changes:
        name, equals, value = change.rpartition("=")
        try:
            found[name] = float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise ValueError(f"--set {change}: expected NAME=VALUE with a number")
    return found


def estimate(
    config: dict,
    hardware: str,
    cores: int,
    gpus_in_parallel: int | None = None,
    changes: Mapping[str, float] | None = None,
) -> Estimate:
    """Estimate a resolved configuration; see `report` for the arguments."""
    most = max(1, config["gpus"], layout.generation_gpus(config))
    gpus_in_parallel = most if gpus_in_parallel is None else gpus_in_parallel
    if cores < 1 or gpus_in_parallel < most:
        raise ValueError(
            f"--cores {cores}, --gpus-in-parallel {gpus_in_parallel}: a job takes a core, or "
            f"gpus = {most}"
        )
    assume = assumptions.read(config, hardware, changes or {})
    device_name = assumptions.numbers()["hardware"][hardware]["is"]
    finished, elsewhere = past.trainings(config["results_dir"], device_name)
    finished = [one for one in finished if jobs.same_backbone(config, one.run)]
    jobs.learn_lengths(finished, assume)
    planned = jobs.correct(jobs.plan(config, assume), config, finished, assume)
    notes = [*longest_training(planned, config, assume), *memory.notes(config, assume)]
    if elsewhere:
        notes.append(f"{elsewhere} finished runs are on other hardware and were not used.")
    if past.records_hold_waiting():
        notes.append("Snakemake's times hold time in the queue here and were not used.")
    return Estimate(
        name=config["name"],
        hardware=hardware,
        cores=cores,
        gpus_in_parallel=gpus_in_parallel,
        lines=add_up(planned, gpus_in_parallel, cores),
        work_bytes=sum(job.work for job in planned),
        assumptions=assume.list_used(),
        notes=notes,
    )
