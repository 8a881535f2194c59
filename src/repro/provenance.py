"""What a run was made of: commit, versions, machine, inputs, time."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import torch

PACKAGES = ("torch", "transformers", "trl", "accelerate", "datasets", "lm-eval", "math-verify")


def write(path: str | Path, run: dict, inputs: dict[str, str], started: datetime) -> None:
    """Write a run's provenance as JSON.

    Args:
        path: the file.
        run: the run's resolved settings.
        inputs: digests of what it was made from, by name.
        started: when the job began; a resumed run says when it was resumed.
    """
    ended = datetime.now(UTC)
    found = {
        "git_commit": _git("rev-parse", "HEAD"),
        "git_changes": _git("status", "--porcelain"),  # empty: exactly that commit
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "machine": {
            "platform": platform.platform(),
            "cpus": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "gpus": [
                torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())
            ],
        },
        "inputs": inputs,
        "started": started.isoformat(timespec="seconds"),
        "ended": ended.isoformat(timespec="seconds"),
        "seconds": round((ended - started).total_seconds(), 1),
        "settings": run,
    }
    Path(path).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _git(*arguments: str) -> str | None:
    """Return what git says of the package's checkout, or None where it is none."""
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
