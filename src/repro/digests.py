"""Short hashes that say what something was made from; they name folders under work/."""

import hashlib
import json
from pathlib import Path

LARGE = 256 << 20  # bytes; hashing files of gigabytes would take minutes
MODEL_FILES = (".safetensors", ".json", ".jinja", ".txt")


def of_values(values: object) -> str:
    """Return a hash of anything that JSON can hold; equal values have equal hashes."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]


def of_file(path: str | Path) -> str:
    """Return a hash of a file's content, of a large file's size and time."""
    path = Path(path)
    status = path.stat()
    if status.st_size > LARGE:
        return of_values([status.st_size, status.st_mtime_ns])
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def of_model(folder: str | Path) -> str:
    """Return a hash of a model folder: weights, configuration, tokenizer, chat template."""
    files = sorted(path for path in Path(folder).iterdir() if path.suffix in MODEL_FILES)
    return of_values([(path.name, of_file(path)) for path in files])
