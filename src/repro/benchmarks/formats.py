"""Rows of downloaded files: JSONL, JSON, CSV and Parquet, one dict a row, values as they are.

The loaders of `datasets` are not used: its JSON loader turns an answer such as ``2024-01-01`` into
a time stamp, and it runs no loader script (LiveCodeBench has one).
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from repro import jsonl


def read(path: str | Path) -> Iterator[dict]:
    """Yield the rows of a file, read piece by piece where the format allows it.

    Raises:
        ValueError: the ending is none of .jsonl, .json, .csv, .parquet, or the content is not what
            the ending says; the message names the file, and the line of a JSONL file.
    """
    path = Path(path)
    readers = {".jsonl": _jsonl, ".json": _json, ".csv": _csv, ".parquet": _parquet}
    if path.suffix not in readers:
        raise ValueError(f"{path}: cannot read {path.suffix!r}, only {', '.join(readers)}")
    return readers[path.suffix](path)


def _jsonl(path: Path) -> Iterator[dict]:
    # One by one: a file of LiveCodeBench has more than a gigabyte.
    return (row for _, row in jsonl.rows(path))


def _json(path: Path) -> Iterator[dict]:
    rows = _loads(path.read_text(encoding="utf-8"), str(path))
    if not isinstance(rows, list):
        raise ValueError(f"{path}: wanted a JSON list of objects, got a {type(rows).__name__}")
    for number, row in enumerate(rows, start=1):
        yield _object(row, f"{path}, row {number}")


def _csv(path: Path) -> Iterator[dict]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def _parquet(path: Path) -> Iterator[dict]:
    import pyarrow
    from pyarrow import parquet

    try:
        for batch in parquet.ParquetFile(path).iter_batches():
            yield from batch.to_pylist()
    except pyarrow.ArrowInvalid as error:
        raise ValueError(f"{path}: not a Parquet file ({error})") from None


def _loads(text: str, where: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{where}: not valid JSON ({error.msg})") from None


def _object(row: object, where: str) -> dict:
    if not isinstance(row, dict):
        raise ValueError(f"{where}: wanted a JSON object, got {str(row)[:40]!r}")
    return row
