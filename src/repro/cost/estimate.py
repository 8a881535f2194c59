"""The estimate of an experiment: hours, memory and disk of its trainings and generations."""

import math
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from tqdm import tqdm

from repro import methods
from repro.config import settings
from repro.config.models import Experiment
from repro.config.settings import Run
from repro.cost import jobs, model
from repro.cost.jobs import NO_GPU, Assumptions
from repro.files.progress import duration
from repro.records.run_facts import read_seconds

DEFAULT_GPU = "H100-80G"
WIDTH = 80  # columns
ROW = "{:<31.31}{:>5}{:>10}{:>8}{:>9}{:>8}{:>8}"
ABOUT = (
    "An ESTIMATE by formulas that nobody has checked on a GPU, not a promise. It counts training "
    "and generation; `snakemake -n` lists all jobs. A job: the longest of the line. Measured: the "
    "mean of its finished jobs, from work/benchmark. Memory: the peak of a device in training, "
    "without the cache of responses. Disk: of a training mostly checkpoints under work/, which may "
    "be deleted once it is done."
)


@dataclass(frozen=True)
class Part:
    """One training, or the responses of one run to one benchmark."""

    path: tuple[str, str, str]  # stage, backbone, method without its ablation or benchmark
    run: Run
    seconds: float
    devices: int
    disk_bytes: float
    memory_bytes: float = 0  # on each device


@dataclass(frozen=True)
class Line:
    """Parts added up: of a stage, of a stage and a backbone, and so on; the empty path: of all."""

    path: tuple[str, ...]
    jobs: int
    device_hours: float  # of GPUs; of CPU cores where there is no GPU
    job_seconds: float  # of the longest job
    measured_seconds: float | None  # mean of the finished jobs
    memory_bytes: float
    disk_bytes: float


@dataclass(frozen=True)
class Estimate:
    """What an experiment will cost."""

    name: str
    hardware: str
    lines: list[Line]  # the total is the last
    assumptions: Assumptions
    notes: list[str]


def estimate(
    config: Experiment, hardware: str | None = None, changes: Sequence[str] = ()
) -> Estimate:
    """Estimate a resolved configuration.

    Args:
        config: as `settings.read` returns it.
        hardware: a name in `numbers.yml`; by default H100-80G, or cpu-core where `gpus` is 0.
        changes: other assumptions, `NAME=VALUE` each.

    Raises:
        ValueError: the hardware, an assumption or a backbone is not usable.
    """
    hardware = hardware or (DEFAULT_GPU if config.gpus else NO_GPU)
    assume, backbones = jobs.read_assumptions(config, hardware, changes), list(config.backbones)
    runs = sorted(settings.all_runs(config), key=lambda run: backbones.index(run.backbone))
    trained = [run for run in runs if methods.parse(run.method).algorithm]
    trainings = {run: jobs.read_training(config, run, assume) for run in trained}
    samplers = {name: jobs.read_sampler(config, name, "generate", assume) for name in backbones}
    parts = [_plan_training(run, job, assume) for run, job in trainings.items()]
    for name, sampler in samplers.items():
        sampling = [run for run in runs if run.backbone == name]
        parts += _plan_generation(config, sampling, sampler, assume)
    notes = [_describe_longest(trainings, assume)] if trainings and config.gpus else []
    lacks = {
        f"train {run.backbone}{' with critic' * (job.learners == 2)}": _check_training(job)
        for run, job in trainings.items()
    }
    at_once = config.evaluation.batch_size
    for name, sampler in samplers.items():
        lacks[f"generate {name}"] = _check_cache(sampler, at_once, sampler.fit_alone())
    notes += [f"OUT OF MEMORY: {what}: {lack}." for what, lack in lacks.items() if lack]
    groups: dict[tuple[str, ...], list[Part]] = {}
    for part in parts:
        for depth in (1, 2, 3):
            groups.setdefault(part.path[:depth], []).append(part)
    groups[()] = parts
    lines = [_add_up(path, of, config.results_dir) for path, of in groups.items()]
    return Estimate(config.name, hardware, lines, assume, notes)


def _checkpoint_seconds(job: model.Training, assume: Assumptions) -> float:
    """Return the time to write a checkpoint, and to read it for the digests of its files."""
    return 2 * job.checkpoint_bytes() / assume["checkpoint_bytes_per_second"]


def _plan_training(run: Run, job: model.Training, assume: Assumptions) -> Part:
    saving = math.ceil(job.steps / job.save_every) * _checkpoint_seconds(job, assume)
    return Part(
        path=("train", run.backbone, run.method.partition("~")[0]),
        run=run,
        seconds=assume["model_job_seconds"] + job.steps * job.step_seconds() + saving,
        devices=job.processes,
        disk_bytes=job.run_bytes(),
        memory_bytes=job.peak_bytes(),
    )


def _plan_generation(
    config: Experiment, runs: Sequence[Run], sampler: model.Sampler, assume: Assumptions
) -> list[Part]:
    parts, backbone = [], runs[0].backbone
    kind = jobs.kind_of(config.backbones[backbone])
    text = (sampler.prompt + sampler.mean) * assume[f"bytes_per_token.{kind}"]
    start = assume["model_job_seconds"] / len(config.benchmarks)  # a job samples for all
    devices = max(1, config.generation_gpus)
    for name in config.benchmarks:
        batches = jobs.split_batches(config, name, assume)
        seconds = sum(sampler.sampling_seconds(n, sampler.fit_alone()) for n in batches)
        disk = sum(batches) * (text + assume["row_bytes"])
        path = ("generate", backbone, name)
        parts += [Part(path, run, start + seconds, devices, disk) for run in runs]
    return parts


def _describe_longest(trainings: dict[Run, model.Training], assume: Assumptions) -> str:
    """Say what a kill of the longest training loses."""
    run, job = max(trainings.items(), key=lambda one: one[1].steps * one[1].step_seconds())
    step, saving = job.step_seconds(), _checkpoint_seconds(job, assume)
    often = "step" if job.save_every == 1 else f"{job.save_every} steps"
    return (
        f"The longest training, {run.backbone} {run.method}, has {job.steps} steps of "
        f"{duration(step)}, with a checkpoint of {duration(saving)} every {often}. Killed "
        f"without a warning it loses at most {duration(job.save_every * step + saving)}."
    )


def _check_training(job: model.Training) -> str | None:
    peak, there = job.peak_bytes(), job.sampler.memory
    if peak <= there:
        return _check_cache(job.sampler, int(job.rows), job.count_fitting())
    return (
        f"takes {peak / 1e9:.0f} GB of a GPU, {there / 1e9:.0f} GB are there. Less takes a smaller "
        "training.micro_batch_size or gpu_memory of vLLM, or more GPUs that share the model (gpus, "
        "training.parallel.strategy = fsdp)"
    )


def _check_cache(sampler: model.Sampler, wanted: int, fit: float) -> str | None:
    at_once = wanted if sampler.scheduling is None else 1  # transformers samples all at once
    if fit >= at_once:
        return None
    return f"there is room for the cache of {max(0, int(fit)):,} responses, not for {at_once:,}"


def _add_up(path: tuple[str, ...], of: Sequence[Part], results_dir: str) -> Line:
    times: Counter[tuple[str, Run]] = Counter()  # of a job, which generates for several benchmarks
    for part in of:
        times[part.path[0], part.run] += part.seconds
    comparable = path and (path[0] == "train" or len(path) < 3)  # and whole jobs
    found = [read_seconds(f"{results_dir}/runs/{run.path}", stage) for stage, run in times]
    measured = [seconds for seconds in found if seconds is not None and comparable]
    return Line(
        path=path,
        jobs=len(times),
        device_hours=sum(part.seconds * part.devices for part in of) / 3600,
        job_seconds=max(times.values()),
        measured_seconds=fmean(measured) if measured else None,
        memory_bytes=max(part.memory_bytes for part in of),
        disk_bytes=sum(part.disk_bytes for part in of),
    )


def write_text(found: Estimate) -> str:
    """Return the estimate as a table of 80 columns, with everything it rests on."""
    hours = "core-h" if found.hardware == NO_GPU else "GPU-h"
    text = [f"{found.name}: an estimate on {found.hardware}", ""]
    text.append(ROW.format("", "jobs", hours, "a job", "measured", "memory", "disk"))
    for line in found.lines:
        name = "  " * (len(line.path) - 1) + line.path[-1] if line.path else "total"
        times = duration(line.job_seconds), duration(line.measured_seconds or 0)
        sizes = [
            f"{tqdm.format_sizeof(size)}B" if size else "-"
            for size in (line.memory_bytes, line.disk_bytes)
        ]
        text.append(ROW.format(name, line.jobs, f"{line.device_hours:,.2f}", *times, *sizes))
    for paragraph in (ABOUT, *found.notes):
        text += ["", *textwrap.wrap(paragraph, WIDTH)]
    text += ["", "It rests on, to be changed with --set NAME=VALUE:"]
    hardware = jobs.numbers()["hardware"][found.hardware]
    for name, value in found.assumptions.items():
        of_hardware = (hardware.get(name), f"of {found.hardware}")
        stated, reason = jobs.numbers()["assumptions"].get(name, of_hardware)
        changed = "" if value == stated else f"set by you, {stated:.4g} is stated; "
        text.append(f"  {name} = {value:.4g}: {changed}{reason}")
    return "\n".join(text)
