"""The estimate of an experiment: hours, memory and disk of its trainings and generations."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from tqdm import tqdm

from repro import methods
from repro.config import settings
from repro.config.models import Experiment
from repro.config.settings import Run
from repro.cost import assumptions, jobs, memory, model
from repro.cost.assumptions import NO_GPU, Assumptions
from repro.cost.model import Training
from repro.files.progress import duration
from repro.records.run_facts import read_seconds

DEFAULT_GPU = "H100-80G"
WIDTH = 80  # columns
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

    stage: str  # train or generate
    run: Run
    of: str  # the method without what an ablation changes, or the benchmark
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
    assume = assumptions.read(config, hardware, changes)
    backbones = list(config.backbones)
    runs = sorted(settings.all_runs(config), key=lambda run: backbones.index(run.backbone))
    trainings = {
        run: jobs.read_training(config, run, assume)
        for run in runs
        if methods.parse(run.method).algorithm
    }
    parts = [_plan_training(run, job, assume) for run, job in trainings.items()]
    parts += [
        part for backbone in backbones for part in _plan_generation(config, backbone, runs, assume)
    ]
    return Estimate(
        name=config.name,
        hardware=hardware,
        lines=_add_up(parts, config.results_dir),
        assumptions=assume,
        notes=_list_notes(config, trainings, assume) if config.gpus else [],
    )


def _plan_training(run: Run, job: Training, assume: Assumptions) -> Part:
    saving = math.ceil(job.steps / job.save_every) * model.checkpoint_seconds(job, assume)
    return Part(
        *("train", run, run.method.partition("~")[0]),
        seconds=assume["model_job_seconds"] + job.steps * model.step_seconds(job) + saving,
        devices=job.processes,
        disk_bytes=model.run_bytes(job),
        memory_bytes=max(memory.update_bytes(job)[1], memory.rollout_bytes(job) + job.vllm_bytes),
    )


def _plan_generation(
    config: Experiment, backbone: str, runs: Sequence[Run], assume: Assumptions
) -> list[Part]:
    sampler, parts = jobs.read_sampler(config, backbone, "generate", assume), []
    kind = assumptions.kind_of(config.backbones[backbone])
    text = (sampler.prompt + sampler.mean) * assume[f"bytes_per_token.{kind}"]
    start = assume["model_job_seconds"] / len(config.benchmarks)  # a job samples for all
    for name in config.benchmarks:
        batches = jobs.split_batches(config, name, assume)
        seconds = sum(model.sampling_seconds(sampler, rows, sampler.fit_alone) for rows in batches)
        disk = sum(batches) * (text + assume["row_bytes"])
        devices = max(1, config.generation_gpus)
        parts += [
            Part("generate", run, name, start + seconds, devices, disk)
            for run in runs
            if run.backbone == backbone
        ]
    return parts


def _list_notes(
    config: Experiment, trainings: dict[Run, Training], assume: Assumptions
) -> list[str]:
    """Say what a kill of the longest training loses, and what does not fit into the memory."""
    found, notes, at_once = [], [], config.evaluation.batch_size
    for run, job in trainings.items():
        critic = " with critic" if job.learners == 2 else ""
        found += memory.training_notes(f"train {run.backbone}{critic}", job)
    for name in config.backbones:
        sampler = jobs.read_sampler(config, name, "generate", assume)
        found += memory.sampling_notes(f"generate {name}", sampler, at_once, sampler.fit_alone)
    if trainings:
        run, job = max(trainings.items(), key=lambda one: one[1].steps * model.step_seconds(one[1]))
        step, saving = model.step_seconds(job), model.checkpoint_seconds(job, assume)
        often = "step" if job.save_every == 1 else f"{job.save_every} steps"
        notes.append(
            f"The longest training, {run.backbone} {run.method}, has {job.steps} steps of "
            f"{duration(step)}, with a checkpoint of {duration(saving)} every {often}. Killed "
            f"without a warning it loses at most {duration(job.save_every * step + saving)}."
        )
    return notes + list(dict.fromkeys(f"OUT OF MEMORY: {note}" for note in found))


def _add_up(parts: Sequence[Part], results_dir: str) -> list[Line]:
    groups: dict[tuple[str, ...], list[Part]] = {}
    for part in parts:
        path = (part.stage, part.run.backbone, part.of)
        for depth in range(1, len(path) + 1):
            groups.setdefault(path[:depth], []).append(part)
    return [_add_line(path, of, results_dir) for path, of in (groups | {(): parts}).items()]


def _add_line(path: tuple[str, ...], of: Sequence[Part], results_dir: str) -> Line:
    times: dict[tuple[str, Run], float] = {}  # of a job, which generates for several benchmarks
    for part in of:
        job = part.stage, part.run
        times[job] = times.get(job, 0) + part.seconds
    found = [read_seconds(f"{results_dir}/runs/{run.path}", stage) for stage, run in times]
    measured = [seconds for seconds in found if seconds is not None]
    if not path or (path[0] == "generate" and len(path) == 3):
        measured = []  # not of comparable jobs, or not of a whole one
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
    row = "{:<31.31}{:>5}{:>10}{:>8}{:>9}{:>8}{:>8}"
    text = [f"{found.name}: an estimate on {found.hardware}", ""]
    text.append(row.format("", "jobs", hours, "a job", "measured", "memory", "disk"))
    for line in found.lines:
        name = "  " * (len(line.path) - 1) + line.path[-1] if line.path else "total"
        times = duration(line.job_seconds), duration(line.measured_seconds or 0)
        sizes = _write_size(line.memory_bytes), _write_size(line.disk_bytes)
        text.append(row.format(name, line.jobs, f"{line.device_hours:,.2f}", *times, *sizes))
    for paragraph in (ABOUT, *found.notes):
        text += ["", *textwrap.wrap(paragraph, WIDTH)]
    text += ["", "It rests on, to be changed with --set NAME=VALUE:"]
    for name, value in found.assumptions.items():
        text.append(f"  {name} = {value:.4g}: {assumptions.explain(name, value, found.hardware)}")
    return "\n".join(text)


def _write_size(size: float) -> str:
    return f"{tqdm.format_sizeof(size)}B" if size else "-"
