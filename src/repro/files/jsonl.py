"""JSON and JSON Lines files: the formats in which everything travels between steps."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def read(path: str | Path) -> list[dict]:
    """Return all rows of a JSONL file; see `rows`."""
    return [row for _, row in rows(path)]


def rows(path: str | Path) -> Iterator[tuple[int, dict]]:
    """Yield line number, from 1, and row; ValueError, with file and line, for what is no object."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, _parse(line, f"{path}, line {number}")


def append(path: str | Path, rows: Iterable[dict]) -> None:
    """Append rows and force them to disk: after the call a killed process has lost none of them."""
    with open(path, "a", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def write(path: str | Path, rows: Iterable[dict]) -> None:
    """Write a whole file at once: readers see the old file or the new one, never half of it."""
    part = _begin(path)
    append(part, rows)
    os.replace(part, path)


def read_json(path: str | Path, otherwise: dict | None = None) -> dict:
    """Return one JSON object; where there is no file `otherwise`, or ValueError, with its name."""
    try:
        return _parse(Path(path).read_bytes(), str(path))
    except FileNotFoundError:
        if otherwise is not None:
            return otherwise
        raise ValueError(f"{path}: no such file") from None


def write_json(path: str | Path, value: dict) -> None:
    """Write one JSON object at once, readably."""
    part = _begin(path)
    part.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, path)


def _begin(path: str | Path) -> Path:
    """Return the file to write first, which is not there yet, in a folder that is."""
    part = Path(f"{path}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    part.unlink(missing_ok=True)
    return part


def _parse(content: bytes, where: str) -> dict:
    try:
        value = json.loads(content.decode("utf-8-sig"))  # some editors begin a file with a mark
    except (ValueError, RecursionError) as error:  # also thousands of digits, or of brackets
        raise ValueError(f"{where}: not valid JSON ({error})") from None
    if not isinstance(value, dict):
        raise ValueError(f"{where}: expected a JSON object, got {str(value)[:40]!r}")
    return value
