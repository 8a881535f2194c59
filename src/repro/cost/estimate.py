"""The estimate of an experiment: hours, memory and disk of its trainings and generations."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from math import nan
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from repro import methods
from repro.config import settings
from repro.config.models import Experiment
from repro.cost import jobs, model
from repro.cost.jobs import NO_GPU, Assumptions
from repro.files.progress import duration
from repro.records.experiment import RunFolder

DEFAULT_GPU = "H100-80G"
COLUMNS = ["stage", "run", "method", "seconds", "devices", "memory", "disk"]  # of a job
PARTS = ("stage", "backbone", "method")  # no method of a generation: all take as long
ABOUT = (
    "An ESTIMATE by formulas that nobody has checked on a GPU, not a promise. It counts training "
    "and generation; `snakemake -n` lists all jobs. A job: the longest. Measured: the mean of the "
    "finished jobs. Memory: the peak of a device, without the cache of responses. Disk: mostly "
    "checkpoints under work/, which may be deleted once a training is done."
)


@dataclass(frozen=True)
class Line:
    """Jobs added up: of a stage, of a stage and a backbone, and so on; the empty path: of all."""

    path: tuple[str, ...]
    jobs: int
    device_hours: float  # of GPUs; of CPU cores where there is no GPU
    job_seconds: float  # of the longest job
    measured_seconds: float  # mean of the finished jobs; NaN where there are none
    memory_bytes: float  # on each device, at the peak of a training; NaN of a generation
    disk_bytes: float  # the same


@dataclass(frozen=True)
class Estimate:
    """What an experiment will cost."""

    name: str  # of the experiment
    hardware: str
    lines: list[Line]  # the total is the first
    assumptions: Assumptions
    notes: list[str]


def estimate(
    config: Experiment, hardware: str | None = None, changes: Sequence[str] = ()
) -> Estimate:
    """Estimate a resolved configuration; `changes` are other assumptions, `NAME=VALUE` each.

    Raises:
        ValueError: the hardware, an assumption or a backbone is not usable.
    """
    hardware = hardware or (DEFAULT_GPU if config.gpus else NO_GPU)
    assume, backbones = jobs.read_assumptions(config, hardware, changes), list(config.backbones)
    runs = sorted(settings.all_runs(config), key=lambda run: backbones.index(run.backbone))
    rows, lacks, runs_dir = [], {}, Path(config.results_dir, "runs")
    for run in (run for run in runs if methods.parse(run.method).algorithm):
        job = jobs.read_training(config, run, assume)
        what = f"train {run.backbone}{' with critic' * (job.learners == 2)}"
        fit, peak = job.count_fitting(), job.peak_bytes()
        lacks[what] = _find_lack(job.sampler, int(job.rows), fit, peak)
        seconds, method = config.training.steps * job.step_seconds(), run.method.partition("~")[0]
        rows.append(("train", run, method, seconds, config.processes, peak, job.run_bytes()))
    for run in runs:
        sampler = jobs.read_sampler(config, run.backbone, "generate", assume)
        weights = sampler.number_bytes * sampler.shape.parameters
        fit, at_once = sampler.count_fitting(sampler.memory - weights), config.evaluation.batch_size
        lacks[f"generate {run.backbone}"] = _find_lack(sampler, at_once, fit)
        batches = chain(*(jobs.split_batches(config, name, assume) for name in config.benchmarks))
        seconds = sum(sampler.sampling_seconds(responses, fit) for responses in batches)
        rows.append(("generate", run, None, seconds, max(1, config.generation_gpus), nan, nan))
    planned = pd.DataFrame(rows, columns=COLUMNS)
    planned["seconds"] += assume["model_job_seconds"]
    folders = [(RunFolder(runs_dir / run.path), stage) for stage, run, *_ in rows]
    planned["measured"] = [folder.read_seconds(stage) for folder, stage in folders]
    planned["backbone"] = [run.backbone for _, run, *_ in rows]
    notes = [f"OUT OF MEMORY: {what}: {lack}." for what, lack in lacks.items() if lack]
    return Estimate(config.name, hardware, _add_up(planned), assume, notes)


def _find_lack(sampler: model.Sampler, wanted: int, fit: float, peak: float = 0) -> str | None:
    """Return what a job lacks in memory: it samples `wanted` responses, for `fit` there is room."""
    if peak > sampler.memory:
        return (
            f"takes {peak / 1e9:.0f} GB of a GPU, {sampler.memory / 1e9:.0f} GB are there. Less "
            "takes a smaller training.micro_batch_size or gpu_memory of vLLM, or more GPUs that "
            "share the model (gpus, training.parallel.strategy = fsdp)"
        )
    at_once = wanted if sampler.padded else 1  # transformers samples all at once
    if fit >= at_once:
        return None
    return f"there is room for the cache of {max(0, int(fit)):,} responses, not for {at_once:,}"


def _add_up(rows: pd.DataFrame, path: tuple[str, ...] = ()) -> list[Line]:
    """Return the line of some jobs, and below it those of their parts."""
    line = Line(
        path=path,
        jobs=len(rows),
        device_hours=(rows["seconds"] * rows["devices"]).sum() / 3600,
        job_seconds=rows["seconds"].max(),
        measured_seconds=rows["measured"].astype(float).mean() if path else nan,
        memory_bytes=rows["memory"].max(),
        disk_bytes=rows["disk"].sum(min_count=1),
    )
    if len(path) == len(PARTS):
        return [line]
    parts = rows.groupby(PARTS[len(path)], sort=False)
    return [line, *(below for name, part in parts for below in _add_up(part, (*path, name)))]


def write_text(found: Estimate) -> str:
    """Return the estimate as a table, with everything it rests on."""
    table = pd.DataFrame(found.lines).set_index("path")
    table.index = [" " * len(path) + (path[-1] if path else "total") for path in table.index]
    hours = "core-h" if found.hardware == NO_GPU else "GPU-h"
    table.columns = ["jobs", hours, "a job", "measured", "memory", "disk"]
    forms = dict.fromkeys(("a job", "measured"), duration) | {hours: "{:,.2f}".format}
    forms |= dict.fromkeys(("memory", "disk"), lambda size: f"{tqdm.format_sizeof(size)}B")
    for column, form in forms.items():
        table[column] = ["-" if pd.isna(value) else form(value) for value in table[column]]
    text = [f"{found.name}: an estimate on {found.hardware}", "", table.to_string()]
    for paragraph in (ABOUT, *found.notes):
        text += ["", *textwrap.wrap(paragraph, 80)]
    text += ["", "It rests on, to be changed with --set NAME=VALUE:"]
    hardware = jobs.NUMBERS["hardware"][found.hardware].items()
    known = jobs.NUMBERS["assumptions"] | {k: (v, f"of {found.hardware}") for k, v in hardware}
    for name, value in found.assumptions.items():
        stated, reason = known[name]
        changed = "" if value == stated else f"set by you, {stated:.4g} is stated; "
        text.append(f"  {name} = {value:.4g}: {changed}{reason}")
    return "\n".join(text)
