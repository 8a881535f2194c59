"""What finished jobs took: the records that correct the model's estimate.

Training: `training.jsonl` (seconds of every step, also where a run was killed in between) with the
machine of `provenance.json`. Other jobs: the times that Snakemake notes for each output.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from repro import jsonl
from repro.cost.model import Spread

SNAKEMAKE = Path(".snakemake")  # of the working directory
LONGEST_NAME = 254  # Snakemake splits longer ones over folders; those are not looked up


@dataclass(frozen=True)
class Training:
    """A finished run: its resolved settings, means over its steps, its processes."""

    run: dict
    step_seconds: float
    response_tokens: float
    spread: Spread


def trainings(results_dir: str | Path, device_name: str | None) -> tuple[list[Training], int]:
    """Return the finished runs on this kind of hardware, and how many there are on another.

    Args:
        results_dir: of the configuration.
        device_name: what the name of a GPU must contain; None for runs without one.

    Raises:
        ValueError: a run's files are not what the workflow writes; the message names its folder.
    """
    found, elsewhere = [], 0
    for file in sorted(Path(results_dir).glob("runs/*/*/*/provenance.json")):
        rows = jsonl.read(file.with_name("training.jsonl"))
        try:
            provenance = json.loads(file.read_text(encoding="utf-8"))
            gpus = provenance["machine"]["gpus"]
            means = [fmean(row[key] for row in rows) for key in ("step_seconds", "response_tokens")]
            spread = Spread(provenance.get("processes", 1), provenance.get("strategy", "ddp"))
            one = Training(provenance["settings"], *means, spread)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{file.parent}: not the record of a run ({error!r})") from None
        fits = any(device_name in gpu for gpu in gpus) if device_name else not gpus
        if fits:
            found.append(one)
        else:
            elsewhere += 1
    return found, elsewhere


def records_hold_waiting() -> bool:
    """Whether jobs went to a cluster: Snakemake's times then hold the time in the queue."""
    return (SNAKEMAKE / "slurm_logs").is_dir()


def job_seconds(outputs: Sequence[str], settings: str | None) -> float | None:
    """Return what Snakemake noted for the finished job that made these files.

    Args:
        outputs: all files of one job, as the workflow names them.
        settings: what the job must have had among its params; None for anything.

    Returns:
        Seconds; None where a file has no record, or the settings were others.
    """
    records = [_record(output) for output in outputs]
    if not records or None in records:
        return None
    if settings is not None and any(repr(settings) not in r["params"] for r in records):
        return None
    return max(r["endtime"] for r in records) - min(r["starttime"] for r in records)


def _record(output: str) -> dict | None:
    name = urlsafe_b64encode(output.encode()).decode()
    file = SNAKEMAKE / "metadata" / name
    if len(name) > LONGEST_NAME or not file.is_file():
        return None
    record = json.loads(file.read_text(encoding="utf-8"))
    finished = not record.get("incomplete") and record.get("starttime") and record.get("endtime")
    return record if finished else None
