"""Whether two folders of results are the same, but for what must differ between two runs.

Weights are compared tensor by tensor, JSON value by value, texts line by line, anything else byte
by byte.
"""

import json
import os
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd

from repro.files import digests, jsonl
from repro.records.provenance import without_ignored

IGNORED_FILES = (
    "*/mlflow.json",  # ids that MLflow draws
    "*/model.safetensors.index.json",  # in which files weights lie; they are compared themselves
    "*/.*",  # marks that Snakemake leaves
)
# All else is not compared: MLflow's store, and the report, which links there and tells times.
FOLDERS = ("backbones", "data", "figures", "runs", "tables")
TEXTS = (".csv", ".md", ".html", ".jinja", ".txt")
WEIGHTS = "*.safetensors"  # stands for all files of one model's weights
MISSING = "(nothing)"
SHOWN = 3  # differences that are named of each kind


def compare(first: str | Path, second: str | Path) -> pd.DataFrame:
    """Compare two folders of results, file by file, or two files of the same name.

    A row a file: its path as `file`, as `kind` its folder or, of a run, which of the run's files
    and folders it is; as `difference` the first one, None where there is none. ValueError: one of
    the two is neither, or a file is not what its name says.
    """
    ours, theirs = _files(Path(first)), _files(Path(second))
    rows = []
    for name in sorted({*ours, *theirs}):
        parts = name.split("/")
        kind = parts[:5][-1] if parts[0] == "runs" else parts[0]  # runs/BACKBONE/METHOD/SEED/...
        difference = None
        if name not in ours or name not in theirs:
            difference = f"only in {first if name in ours else second}"
        elif name.endswith(WEIGHTS) or ours[name].read_bytes() != theirs[name].read_bytes():
            difference = _find(_read(ours[name]), _read(theirs[name]))
        rows.append((kind, name, difference))
    return pd.DataFrame(rows, columns=["kind", "file", "difference"])


def write_table(found: pd.DataFrame) -> str:
    """Return kinds with counts as text, and the first differences of each."""
    table = found.groupby("kind")["difference"].agg(files="size", different="count")
    shown = found.dropna(subset="difference").groupby("kind").head(SHOWN)
    differences = shown["file"] + ": " + shown["difference"]
    return "\n".join([table.reset_index().to_string(index=False), *differences])


def _files(folder: Path) -> dict[str, Path]:
    """Return the files of an experiment by their paths below its folder; a file as it is."""
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


def _read(path: Path) -> dict:
    if path.name == WEIGHTS:
        return digests.of_tensors(path.parent)
    if path.suffix == ".json":
        return without_ignored(jsonl.read_json(path))
    if path.suffix == ".jsonl":
        return {f"row {number}": without_ignored(row) for number, row in jsonl.rows(path)}
    if path.suffix in TEXTS:
        lines = path.read_text(encoding="utf-8").splitlines()
        return {f"line {number}": line for number, line in enumerate(lines, start=1)}
    return {"content": f"{path.stat().st_size} bytes, SHA-256 {digests.of_content(path)}"}


def _find(first: object, second: object, where: str = "") -> str | None:
    """Return where two values of JSON differ first, and how; None where they are the same."""
    if json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True):  # NaN equals NaN
        return None
    if isinstance(first, list) and isinstance(second, list):
        first, second = dict(enumerate(first)), dict(enumerate(second))
    if not (isinstance(first, dict) and isinstance(second, dict)):
        ours, theirs = (json.dumps(value, ensure_ascii=False) for value in (first, second))
        return f"{where}: {ours:.100} against {theirs:.100}"
    pairs = [(key, first.get(key, MISSING), second.get(key, MISSING)) for key in first | second]
    found = (_find(ours, theirs, f"{where}/{key}".lstrip("/")) for key, ours, theirs in pairs)
    return next(filter(None, found))
