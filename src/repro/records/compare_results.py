"""Whether two folders of results are the same; what must differ between two runs is listed here.

Weights are compared tensor by tensor, JSON value by value, texts line by line, anything else byte
by byte.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from itertools import zip_longest
from pathlib import Path

from repro.files import digests, jsonl

IGNORED_FIELDS = {  # times, places, the state of git, what an earlier call had done before a kill
    *("step_seconds", "started", "ended", "seconds", "finished_before"),
    *("directory", "path", "command", "git_commit", "git_changes"),
}
IGNORED_FILES = (
    "*/mlflow.json",  # ids that MLflow draws
    "*/model.safetensors.index.json",  # in which files weights lie; they are compared themselves
    "*/.*",  # marks that Snakemake leaves
)
# All else is not compared: MLflow's store, and the report, which links there and tells times.
FOLDERS = ("backbones", "data", "figures", "runs", "tables")
KINDS = {  # the first pattern that fits a path
    "provenance": "*provenance.json",
    "data": "data/*",
    "backbones": "backbones/*",
    "settings": "runs/*/settings.json",
    "weights": "runs/*/model/*.safetensors",
    "model files": "runs/*/model/*",
    "training": "runs/*/training.jsonl",
    "generations": "runs/*/generations/*",
    "scores": "runs/*/scores/*",
    "objective": "runs/*/objective.jsonl",
    "tables": "tables/*",
    "figures": "figures/*",
    "other": "*",
}
TEXTS = (".csv", ".md", ".tex", ".html", ".jinja", ".txt")
WEIGHTS = "*.safetensors"  # stands for all files of one model's weights
MISSING = "nothing"
SHOWN = 3  # differences that are named of each kind


@dataclass
class Kind:
    """What was found of one kind: files, and how each pair differs, where it does."""

    files: int = 0
    differences: dict[str, str] = field(default_factory=dict)  # by file: the first one


def compare(first: str | Path, second: str | Path) -> dict[str, Kind]:
    """Compare two folders of results, file by file, or two files of the same name.

    Returns:
        Kinds by name, without those of which neither folder has a file.

    Raises:
        ValueError: one of them is neither, or a file is not what its name says.
    """
    ours, theirs = _files(Path(first)), _files(Path(second))
    found = {name: Kind() for name in KINDS}
    for name in sorted({*ours, *theirs}):
        kind = found[next(kind for kind, pattern in KINDS.items() if fnmatch(name, pattern))]
        kind.files += 1
        if name not in theirs or name not in ours:
            kind.differences[name] = f"only in {first if name in ours else second}"
        elif difference := _difference(ours[name], theirs[name]):
            kind.differences[name] = difference
    return {name: kind for name, kind in found.items() if kind.files}


def table(found: dict[str, Kind]) -> str:
    """Return kinds with counts as text, and the first differences of each."""
    lines = [f"{'kind':<12} {'files':>6} {'equal':>6} {'different':>9}"]
    for name, kind in found.items():
        different = len(kind.differences)
        lines.append(f"{name:<12} {kind.files:>6} {kind.files - different:>6} {different:>9}")
    for kind in found.values():
        shown = [f"{file}: {difference}" for file, difference in kind.differences.items()]
        lines += shown[:SHOWN]
        if len(shown) > SHOWN:
            lines.append(f"... and {len(shown) - SHOWN} more files like these")
    return "\n".join(lines)


def without_ignored(value: object) -> object:
    """Return what JSON holds without the fields that say when and where it was made."""
    if isinstance(value, dict):
        return {k: without_ignored(v) for k, v in value.items() if k not in IGNORED_FIELDS}
    return [without_ignored(v) for v in value] if isinstance(value, list) else value


def _files(folder: Path) -> dict[str, Path]:
    """Return the files of an experiment by their paths below its folder.

    The files of one model's weights count as one, `*.safetensors`. Experiments in folders below
    (results/smoke) are others. A file is returned as it is.
    """
    if folder.is_file():
        return {folder.name: folder}
    if not (folder / "runs").is_dir():
        raise ValueError(f"{folder}: no folder of results; wanted: one that has runs/")
    found = {}
    for top in FOLDERS:
        # The model of `original` is a link to its backbone.
        for place, _, names in os.walk(folder / top, followlinks=True):
            for path in (Path(place, name) for name in names):
                if path.suffix == ".safetensors":
                    path = path.with_name(WEIGHTS)
                name = path.relative_to(folder).as_posix()
                if not any(fnmatch(name, pattern) for pattern in IGNORED_FILES):
                    found[name] = path
    return found


def _difference(first: Path, second: Path) -> str | None:
    """Return the first difference of two files of the same name, None where there is none."""
    if first.name == WEIGHTS:
        return _first(digests.of_tensors(first.parent), digests.of_tensors(second.parent))
    if first.read_bytes() == second.read_bytes():
        return None
    if first.suffix == ".json":
        return _first(*map(without_ignored, (jsonl.read_json(first), jsonl.read_json(second))))
    if first.suffix == ".jsonl":
        rows = [map(without_ignored, jsonl.read(path)) for path in (first, second)]
        return _first_of("row", *rows)
    if first.suffix in TEXTS:
        texts = [path.read_text(encoding="utf-8").splitlines() for path in (first, second)]
        return _first_of("line", *texts)
    return f"{first.stat().st_size} bytes against {second.stat().st_size}, not the same"


def _first_of(unit: str, first: Iterable, second: Iterable) -> str | None:
    pairs = enumerate(zip_longest(first, second, fillvalue=MISSING), start=1)
    found = (_first(ours, theirs, f"{unit} {number}") for number, (ours, theirs) in pairs)
    return next(filter(None, found), None)


def _first(first: object, second: object, where: str = "") -> str | None:
    """Return where two values of JSON differ first, and how; None where they are the same."""
    if json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True):  # NaN equals NaN
        return None
    if isinstance(first, dict) and isinstance(second, dict):
        pairs = [(key, first.get(key, MISSING), second.get(key, MISSING)) for key in first | second]
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        pairs = list(zip(range(len(first)), first, second, strict=True))
    else:
        return f"{where}: {_short(first)} against {_short(second)}"
    found = (_first(ours, theirs, f"{where}/{key}".lstrip("/")) for key, ours, theirs in pairs)
    return next(filter(None, found))


def _short(value: object) -> str:
    text = value if value is MISSING else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:97]}..."
