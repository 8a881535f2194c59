"""From jobs to a table: sums, wall time, text of 80 columns."""

import heapq
import math
import textwrap
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

from repro import settings
from repro.cost import model
from repro.cost.assumptions import NO_GPU, Assumptions, Stated
from repro.cost.jobs import Job, kind

WIDTH = 80  # columns
RULES = (  # in the workflow's order
    *("access", "data", "training_data", "backbone", "store", "original", "train", "generate"),
    *("score", "objective", "track", "write_tables", "claims", "curve", "objective_figure"),
    *("case_study", "evaluation_figure", "ablation", "overview", "track_summary", "all"),
)


@dataclass(frozen=True)
class Line:
    """Jobs added up: of a rule, of a rule and a backbone, and so on; the empty path: of all."""

    path: tuple[str, ...]
    jobs: int
    tokens: float
    gpu_hours: float
    core_hours: float
    wall_seconds: float
    bytes: float
    source: str  # model, measured, or both


@dataclass(frozen=True)
class Estimate:
    """What an experiment will cost; `text` prints it."""

    name: str
    hardware: str
    cores: int
    gpus_in_parallel: int
    lines: list[Line]  # the total is the last
    work_bytes: float
    assumptions: list[Stated]
    notes: list[str]


def add_up(planned: Sequence[Job], gpus: int, cores: int) -> list[Line]:
    """Return a line for every rule, backbone and kind, in the workflow's order, and the total.

    Args:
        planned: all jobs.
        gpus: over all jobs at a time.
        cores: likewise; a job without a GPU takes one.
    """
    groups: dict[tuple[str, ...], list[Job]] = {}
    for job in planned:
        path = (job.rule, *job.of)
        for depth in range(1, len(path) + 1):
            groups.setdefault(path[:depth], []).append(job)
    backbones = list(dict.fromkeys(path[1:2] for path in groups))
    order = sorted(groups, key=lambda path: (RULES.index(path[0]), backbones.index(path[1:2])))
    lines = [_line(path, groups[path], gpus, cores) for path in order]
    walls = sum(line.wall_seconds for line in lines if len(line.path) == 1)
    return [*lines, replace(_line((), planned, gpus, cores), wall_seconds=walls)]


def _line(path: tuple[str, ...], of: Sequence[Job], gpus: int, cores: int) -> Line:
    timed = {job.measured for job in of if job.seconds}
    slots = {taken: gpus // taken if taken else cores for taken in {job.gpus for job in of}}
    return Line(
        path=path,
        jobs=len(of),
        tokens=sum(job.tokens for job in of),
        gpu_hours=sum(job.seconds * job.gpus for job in of) / 3600,
        core_hours=sum(job.seconds for job in of if not job.gpus) / 3600,
        wall_seconds=max(
            schedule([job.seconds for job in of if job.gpus == taken], at_once)
            for taken, at_once in slots.items()
        ),
        bytes=sum(job.kept + job.work for job in of),
        source="both" if len(timed) == 2 else "measured" if True in timed else "model",
    )


def schedule(seconds: Sequence[float], slots: int) -> float:
    """Return when the last of some jobs ends, each begun, the longest first, in a free slot."""
    ends = [0.0] * slots
    for job in sorted(seconds, reverse=True):
        heapq.heapreplace(ends, ends[0] + job)
    return max(ends)


def longest_training(planned: Sequence[Job], config: dict, assume: Assumptions) -> list[str]:
    """Say how long the longest training on GPUs takes, and what of it a kill loses."""
    trainings = [job for job in planned if job.rule == "train" and job.gpus]
    if not trainings:
        return []
    job = max(trainings, key=lambda job: job.seconds)
    run = next(
        chosen
        for run in settings.all_runs(config)
        for chosen in [settings.run_settings(config, *astuple(run))]
        if chosen["algorithm"] and (run.backbone, kind(run.method)) == job.of
    )
    shape = model.shape(job.of[0], config["backbones"][job.of[0]], config["results_dir"])
    steps, every = run["training"]["steps"], run["training"]["save_every"]
    step = (job.seconds - assume["model_job_seconds"]) / steps
    saving = model.checkpoint_seconds(run, shape, assume)
    often = "step" if every == 1 else f"{every} steps"
    return [
        f"The longest training, {' '.join(job.of)}, takes {duration(job.seconds)} on "
        f"{job.gpus} GPU{'s' * (job.gpus > 1)}: {steps} steps of {duration(step)}, with a "
        f"checkpoint of {duration(saving)} every {often}. Killed without a warning "
        f"it loses at most {duration(every * step)}."
    ]


def text(found: Estimate) -> str:
    """Return the estimate as a table of 80 columns, with everything it rests on."""
    gpu, total = found.hardware != NO_GPU, found.lines[-1]
    on = f"{found.gpus_in_parallel} x {found.hardware} and " if gpu else ""
    head = ("stage", "jobs", "tokens", "GPU-h" if gpu else "core-h", "wall", "disk", "from")
    lines = [f"{found.name}: an estimate on {on}{found.cores} CPU cores", ""]
    for label, jobs, tokens, hours, wall, size, source in [
        head,
        *(_cells(line, gpu) for line in found.lines),
    ]:
        lines.append(
            f"{label[:32]:<32} {jobs:>4} {tokens:>6} {hours:>8} {wall:>8} {size:>7} {source}"
        )
    note = "An ESTIMATE, not a promise: one stage after another, nothing that fails."
    if gpu:
        note += f" Besides, {_hours(total.core_hours)} CPU core-hours."
    note += " Tokens are sampled, of a tiny backbone trained on."
    if found.work_bytes:
        note += (
            f" {amount(found.work_bytes, 'B')} of the disk are checkpoints under work/, which may "
            "be deleted once their run is done."
        )
    for paragraph in (note, *found.notes):
        lines += ["", *textwrap.wrap(paragraph, WIDTH)]
    lines += ["", "It rests on, to be changed with --set NAME=VALUE:"]
    for stated in found.assumptions:
        said = f"  {stated.name} = {stated.value:.4g}: {stated.reason}"
        lines += textwrap.wrap(said, WIDTH, subsequent_indent="      ", break_on_hyphens=False)
    return "\n".join(lines)


def _cells(line: Line, gpu: bool) -> tuple[str, ...]:
    hours = line.gpu_hours if gpu else line.core_hours
    return (
        "  " * (len(line.path) - 1) + line.path[-1] if line.path else "total",
        str(line.jobs),
        amount(line.tokens),
        _hours(hours),
        duration(line.wall_seconds),
        amount(line.bytes, "B"),
        line.source,
    )


def _hours(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= 100 else f"{hours:.2f}" if hours else "-"


def amount(value: float, unit: str = "") -> str:
    """Return a large number with two digits or more: 3.2 M, 410 GB."""
    if value < 1:
        return "-"
    power = min(5, int(math.log10(value) // 3))
    scaled = value / 1000**power
    return f"{scaled:.{int(scaled < 10)}f} {('', 'k', 'M', 'G', 'T', 'P')[power]}{unit}"


def duration(seconds: float) -> str:
    """Return a time with its unit: 45 s, 12 min, 5.2 h, 12.1 d."""
    if not seconds:
        return "-"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            number = seconds / size
            return f"{number:,.{int(number < 100 and unit != 'min')}f} {unit}"
    return f"{seconds:.0f} s"
