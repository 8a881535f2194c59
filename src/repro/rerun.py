"""Make something again from its record alone, in a fresh folder, and compare it with the record.

Inputs that have a record are made again too: problems, backbone, model. Others are taken from where
they lay, if they still are what they were.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from repro import provenance

STEPS = ("data", "training_data", "backbone", "train", "generate")
# What changes numbers where it changes; the rest of machine and versions is only worth a warning.
DECIDING = ("code", "packages", "cpu_instructions", "gpus", "cuda", "processes")
TOLD = ("git_commit", "python", "all_packages", "platform", "cpu", "cpus", "cudnn", "driver")

STDERR = 2  # file descriptor
HASHED = {
    "code": "the files of repro are not those of the record",
    "all_packages": "other versions of some other package",
}


@dataclass(frozen=True)
class Item:
    """One thing that was made again, and whether it is what it was."""

    name: str
    equal: bool


def run(file: str | Path, folder: str | Path, anyway: bool = False) -> list[Item]:
    """Make again what a record describes, and all that it was made from.

    Args:
        file: the record, `provenance.json` of a run or one that lies beside problems, a backbone
            or generations.
        folder: a folder that does not exist yet, or is empty.
        anyway: go on where code, versions or machine are others than recorded.

    Returns:
        What was made again, inputs first.

    Raises:
        ValueError: no such record, other code, versions or machine (unless `anyway`), an input that
            is gone or has changed: all said before anything is made; or a step that fails.
    """
    record, folder = provenance.read(file), Path(folder).absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder}: is not empty; allowed: a new folder")
    for of_one in _all(record):
        _check_inputs(file, of_one)
    deciding, told = differences(record)
    for line in told + deciding * anyway:
        print(f"warning: {line}", file=sys.stderr)
    if deciding and not anyway:
        raise ValueError(
            f"{file}: made under other conditions, the result would differ; --anyway tries it:\n"
            + "\n".join(deciding)
        )
    folder.mkdir(parents=True, exist_ok=True)
    rerun = _Rerun(folder)
    rerun.make(record)
    return rerun.items


def differences(record: dict) -> tuple[list[str], list[str]]:
    """Return what is other here than recorded, a line each: what decides numbers, and the rest."""
    import torch  # noqa: F401 (the environment of a process with tensors)

    here = _flat(provenance.environment()) | {"processes": 1}
    deciding, told = {}, {}  # the same line of several records is said once
    for of_one in _all(record):
        there = {"processes": 1} | _flat(of_one)
        hidden = {"gpus"} if not there.get("gpus") else set()  # they will be here too
        for names, lines in ((DECIDING, deciding), (TOLD, told)):
            for name in names:
                if name in there.keys() - hidden:
                    for line in _lines(name, there[name], here[name]):
                        lines.setdefault(line, None)
    return [*deciding], [*told]


def _flat(record: Mapping) -> dict:
    return {key: v for key, v in record.items() if key != "machine"} | record["machine"]


def _lines(name: str, there: object, here: object) -> Iterator[str]:
    if name == "packages":
        for package in sorted({*there, *here}):
            yield from _lines(package, there.get(package), here.get(package))
    elif there != here and name in HASHED:
        yield f"{name}: {HASHED[name]}"
    elif there != here:
        yield f"{name}: {there} in the record, {here} here"


def _all(record: dict) -> Iterator[dict]:
    """Yield the records of all inputs, and then the record itself."""
    for of_input in record["inputs"].values():
        if of_input["made"]:
            yield from _all(of_input["made"])
    yield record


def _check_inputs(file: str | Path, record: dict) -> None:
    """Refuse a step that is not known here, and inputs that cannot be had again."""
    if record["step"] not in STEPS:
        raise ValueError(f"{file}: step = {record['step']!r}, allowed: {', '.join(STEPS)}")
    for name, of_input in record["inputs"].items():
        if of_input["made"]:
            continue
        path = _path(record, of_input)
        if not path.exists():
            raise ValueError(
                f"{file}: input {name!r} of {record['step']} was {path}, which is not there; "
                f"wanted: the same content, {of_input['digest']}"
            )
        if provenance.of_artifact(path) != of_input["digest"]:
            raise ValueError(
                f"{file}: input {name!r} of {record['step']}, {path}, is no longer what it was; "
                f"wanted: {of_input['digest']}"
            )


def _path(record: dict, of_input: dict) -> Path:
    """Return where an input lay; a relative path is seen from where its step ran."""
    return Path(record["directory"], of_input["path"])


@dataclass
class _Rerun:
    """Makes records again below a folder, every record once."""

    folder: Path
    items: list[Item] = field(default_factory=list)
    made: dict[str, dict[str, Path]] = field(default_factory=dict)  # by record: outputs

    def make(self, record: dict) -> dict[str, Path]:
        """Run a step again, after the steps that make its inputs; return its outputs by name."""
        key = json.dumps([record["step"], record["settings"], record["outputs"]], sort_keys=True)
        if key not in self.made:
            inputs = {
                name: self._input(record, of_input) for name, of_input in record["inputs"].items()
            }
            arguments, outputs = _call(record, inputs, self.folder)
            self._run(record, arguments)
            self._compare(record, outputs)
            self.made[key] = outputs
        return self.made[key]

    def _input(self, record: dict, of_input: dict) -> Path:
        made = of_input["made"]
        if not made:
            return _path(record, of_input)
        outputs = self.make(made)
        name = next(key for key, digest in made["outputs"].items() if digest == of_input["digest"])
        return outputs[name]

    def _run(self, record: dict, arguments: list[str]) -> None:
        environment = dict(os.environ)
        environment["PYTHONPATH"] = str(Path(__file__).parents[1])
        threads = record["machine"].get("threads")
        if threads:
            environment |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        if not record["machine"].get("gpus"):
            environment["CUDA_VISIBLE_DEVICES"] = ""
        command = [sys.executable, "-m", "repro", record["step"], *arguments]
        # What a step says goes to stderr: on stdout there is only what is equal.
        done = subprocess.run(command, cwd=self.folder, env=environment, stdout=STDERR)
        if done.returncode:
            raise ValueError(f"{record['step']} failed, exit status {done.returncode}; see above")

    def _compare(self, record: dict, outputs: dict[str, Path]) -> None:
        for name, wanted in record["outputs"].items():
            found = provenance.of_artifact(outputs[name])
            of_what = outputs[name].relative_to(self.folder)
            for key, digest in wanted.items():
                self.items.append(Item(f"{of_what}, {key}", found[key] == digest))


def _call(record: dict, inputs: dict[str, Path], folder: Path) -> tuple[list[str], dict[str, Path]]:
    """Return a step's arguments and its outputs by name, below a folder."""
    settings = dict(record["settings"])
    step = record["step"]
    if step in ("data", "training_data"):
        output = folder / f"data/{settings['name']}.jsonl"
        if "file" in settings:
            settings["file"] = str(inputs.pop("file"))
        arguments = ["--settings", json.dumps(settings), "--output", str(output)]
        if step == "training_data":
            report = output.with_name("train.contamination.json")
            arguments += ["--report", str(report), "--benchmarks", *map(str, inputs.values())]
        return arguments, {"data": output}
    if step == "backbone":
        name = settings.pop("name")
        output = folder / f"backbones/{name}"
        for key, source in (("path", "folder"), ("chat_template", "chat_template")):
            if source in inputs:
                settings[key] = str(inputs[source])
        arguments = ["--settings", json.dumps(settings), "--name", name, "--output", str(output)]
        return arguments, {"backbone": output}
    run = settings if step == "train" else settings["run"]
    output = folder / "runs" / run["backbone"] / run["method"] / str(run["seed"])
    output.mkdir(parents=True, exist_ok=True)
    if step == "train":
        arguments = ["--settings", json.dumps(run), "--backbone", str(inputs["backbone"])]
        arguments += ["--data", str(inputs["data"]), "--output", str(output)]
        return arguments, {"model": output / "model", "training": output / "training.jsonl"}
    data = folder / "data"
    data.mkdir(exist_ok=True)
    for name in settings["evaluation"]["benchmarks"]:
        problems = data / f"{name}.jsonl"
        if not problems.exists():  # not made again, but taken from where it lay
            problems.symlink_to(inputs[name])
    arguments = ["--settings", json.dumps(settings["evaluation"]), "--run", json.dumps(run)]
    arguments += ["--model", str(inputs["model"]), "--data", str(data)]
    arguments += ["--output", str(output / "generations")]
    return arguments, {name: output / f"generations/{name}.jsonl" for name in record["outputs"]}
