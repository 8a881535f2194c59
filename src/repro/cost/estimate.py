"""The estimate of an experiment: hours, memory and disk of its trainings and generations."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from math import nan

import pandas as pd
from tqdm import tqdm

from repro import methods
from repro.config import settings
from repro.config.models import Experiment
from repro.cost import jobs, model
from repro.cost.jobs import NO_GPU, Assumptions
from repro.files.progress import duration
from repro.report import rendering

DEFAULT_GPU = "H100-80G"
LINE = {  # what jobs add up to: of which of their columns, and how
    "jobs": ("seconds", "size"),
    "device_hours": ("device_hours", "sum"),  # of GPUs; of CPU cores where there is no GPU
    "job_seconds": ("seconds", "max"),
    "memory_bytes": ("memory", "max"),  # on each device, at the peak of a training
    "disk_bytes": ("disk", "sum"),
}


@dataclass(frozen=True)
class Estimate:
    """What an experiment will cost."""

    name: str  # of the experiment
    hardware: str
    lines: pd.DataFrame  # columns as in `LINE`; by path: "" of all, STAGE[/BACKBONE[/METHOD]]
    assumptions: Assumptions
    notes: list[str]


def estimate(
    config: Experiment, hardware: str | None = None, changes: Sequence[str] = ()
) -> Estimate:
    """Estimate a resolved configuration; `changes` are other assumptions, `NAME=VALUE` each.

    ValueError: the hardware, an assumption or a backbone is not usable.
    """
    hardware = hardware or (DEFAULT_GPU if config.gpus else NO_GPU)
    assume, backbones = jobs.read_assumptions(config, hardware, changes), list(config.backbones)
    runs = sorted(settings.all_runs(config), key=lambda run: backbones.index(run.backbone))
    rows, lacks = [], {}
    for run in (run for run in runs if methods.parse(run.method).algorithm):
        job = jobs.read_training(config, run, assume)
        what = f"train {run.backbone}{' with critic' * (job.learners == 2)}"
        fit, peak = job.count_fitting(), job.peak_bytes()
        lacks[what] = _find_lack(job.sampler, int(job.rows), fit, peak)
        path = f"train/{run.backbone}/{run.method.partition('~')[0]}"
        seconds, devices = config.training.steps * job.step_seconds(), config.processes
        rows.append((path, seconds, devices, peak, job.run_bytes()))
    for run in runs:
        sampler = jobs.read_sampler(config, run.backbone, "generate", assume)
        weights = sampler.number_bytes * sampler.shape.parameters
        fit, at_once = sampler.count_fitting(sampler.memory - weights), config.evaluation.batch_size
        lacks[f"generate {run.backbone}"] = _find_lack(sampler, at_once, fit)
        batches = chain(*(jobs.split_batches(config, name, assume) for name in config.benchmarks))
        seconds = sum(sampler.sampling_seconds(responses, fit) for responses in batches)
        devices = max(1, config.generation_gpus)
        rows.append((f"generate/{run.backbone}", seconds, devices, nan, nan))
    planned = pd.DataFrame(rows, columns=["path", "seconds", "devices", "memory", "disk"])
    planned["seconds"] += assume["model_job_seconds"]
    planned["device_hours"] = planned["seconds"] * planned["devices"] / 3600
    # A job is part of its own line and of those above it, which come before it.
    above = [["", *accumulate(path.split("/"), "{}/{}".format)] for path in planned["path"]]
    lines = planned.assign(path=above).explode("path").groupby("path", sort=False).agg(**LINE)
    notes = [f"OUT OF MEMORY: {what}: {lack}." for what, lack in lacks.items() if lack]
    return Estimate(config.name, hardware, lines, assume, notes)


def _find_lack(sampler: model.Sampler, wanted: int, fit: float, peak: float = 0) -> str | None:
    """Return what a job lacks in memory: it samples `wanted` responses, for `fit` there is room."""
    if peak > sampler.memory:
        return rendering.say("lacks_memory", peak=peak / 1e9, there=sampler.memory / 1e9)
    at_once = wanted if sampler.padded else 1  # transformers samples all at once
    if fit >= at_once:
        return None
    return rendering.say("lacks_room", room=max(0, int(fit)), wanted=at_once)


def write_text(found: Estimate) -> str:
    """Return the estimate as a table, with everything it rests on."""
    paths = [path.split("/") if path else [] for path in found.lines.index]
    names = [" " * len(path) + (path or ["total"])[-1] for path in paths]
    table = found.lines.set_axis(names)
    hours = "core-h" if found.hardware == NO_GPU else "GPU-h"
    table.columns = ["jobs", hours, "a job", "memory", "disk"]
    forms = {"a job": duration, hours: "{:,.2f}".format}
    shown = lambda size: f"{tqdm.format_sizeof(size)}B" if size else "-"  # noqa: E731
    forms |= dict.fromkeys(("memory", "disk"), shown)
    hardware = jobs.NUMBERS["hardware"][found.hardware].items()
    known = jobs.NUMBERS["assumptions"] | {k: (v, f"of {found.hardware}") for k, v in hardware}
    return rendering.render(
        "cost.txt",
        found=found,
        table=table.to_string(formatters=forms, na_rep="-"),
        assumptions=[(name, value, *known[name]) for name, value in found.assumptions.items()],
    )
