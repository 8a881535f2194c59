"""What runs were made of and how long they took, as far as it was recorded."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from repro import methods
from repro.files import jsonl
from repro.records.experiment import RunFolder

NOT_RECORDED = "not recorded"
BENCHMARKS = "work/benchmark"  # where the rules' `benchmark:` files lie
STAGES = ("train", "generate", "score", "objective")


@dataclass(frozen=True)
class Facts:
    """One run: settings, provenance and place in MLflow (empty: not recorded); seconds by stage."""

    backbone: str
    method: str
    seed: int
    settings: dict
    provenance: dict
    mlflow: dict
    step_seconds: float | None  # median over the training steps
    seconds: dict[str, float | None]

    @property
    def trained(self) -> bool:
        """Whether there was a training that could have been recorded."""
        return self.method != methods.ORIGINAL


def read_seconds(run_dir: str | Path, rule: str) -> float | None:
    """Return the seconds in a rule's finished job, without any in a queue; None without its file.

    Raises:
        ValueError: the file is not a benchmark file of Snakemake; the message names it.
    """
    file = Path(BENCHMARKS, os.path.relpath(run_dir), f"{rule}.tsv")
    if not file.is_file():
        return None
    try:
        _header, *_, last = file.read_text(encoding="utf-8").splitlines()
        return float(last.split("\t")[0])
    except ValueError:
        raise ValueError(f"{file}: expected a benchmark file with seconds in column s") from None


def read(runs: Sequence[RunFolder]) -> list[Facts]:
    """Return the facts of runs; ValueError, with its name, where a file is no valid JSON."""
    found = []
    for run in runs:
        # `original` is not trained and has no provenance.
        read = {name: run.read_json(name) for name in ("settings", "provenance", "mlflow")}
        log = run.path / "training.jsonl"
        rows = jsonl.read(log) if log.is_file() else []
        steps = [row["step_seconds"] for row in rows if row.get("step_seconds") is not None]
        seconds = {stage: read_seconds(run.path, stage) for stage in STAGES[1:]}
        seconds["train"] = read["provenance"].get("seconds")  # kept without work/
        step_seconds = median(steps) if steps else None
        found.append(Facts(**run.keys(), **read, step_seconds=step_seconds, seconds=seconds))
    return found


def commit(of: Facts) -> str:
    """Return the commit that a run was trained with, and whether files differed from it."""
    found, changes = of.provenance.get("git_commit"), of.provenance.get("git_changes")
    if not found:
        return NOT_RECORDED
    if not changes:
        return f"{found}, {'clean' if changes == '' else NOT_RECORDED}"
    count = len(changes.splitlines())
    return f"{found}, dirty: {count} changed file{'s' * (count > 1)}"


def hardware(of: Facts) -> str:
    """Return the machine that a run was trained on."""
    machine = of.provenance.get("machine")
    if not machine:
        return NOT_RECORDED
    gpus = machine["gpus"]
    kinds = [f"{gpus.count(name)} x {name}" for name in dict.fromkeys(gpus)] or ["no GPU"]
    cores = f"{machine['cpus']} CPU cores ({machine['threads']} used by PyTorch)"
    return ", ".join([*kinds, cores, machine["platform"]])


def versions(of: Facts) -> str:
    """Return Python and the packages that a run was trained with."""
    packages = of.provenance.get("packages")
    if not packages:
        return NOT_RECORDED
    named = {"Python": of.provenance["python"]} | packages
    return ", ".join(f"{name} {version}" for name, version in named.items())


def alike(runs: Sequence[Facts], told: Callable[[Facts], str]) -> str:
    """Return what trained runs say: once where they agree, else with who says what."""
    by_text: dict[str, list[str]] = {}
    for run in runs:
        if run.trained:
            name = f"{run.backbone}, {methods.label(run.method)}, seed {run.seed}"
            by_text.setdefault(told(run), []).append(name)
    if len(by_text) < 2:
        return next(iter(by_text), "nothing was trained")
    return "; ".join(
        f"{text} ({names[0] if len(names) == 1 else f'{len(names)} runs'})"
        for text, names in by_text.items()
    )
