"""JSON and JSON Lines files: the formats in which everything travels between steps."""

import codecs
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def read(path: str | Path) -> list[dict]:
    """Return all rows of a JSONL file.

    Raises:
        ValueError: a line is not a JSON object; the message names the file and the line number.
    """
    return [row for _, row in rows(path)]


def rows(path: str | Path) -> Iterator[tuple[int, dict]]:
    """Yield the rows of a JSONL file one by one, each with its line number from 1; see `read`."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            where = f"{path}, line {number}"
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8"))
            except UnicodeDecodeError as error:
                byte = line[error.start]
                raise ValueError(f"{where}: not UTF-8 text (byte 0x{byte:02x})") from None
            except json.JSONDecodeError as error:
                raise ValueError(f"{where}: not valid JSON ({error.msg})") from None
            except (ValueError, RecursionError) as error:  # thousands of digits, or of brackets
                raise ValueError(f"{where}: not valid JSON ({error})") from None
            if not isinstance(row, dict):
                raise ValueError(f"{where}: wanted a JSON object, got {str(row)[:40]!r}")
            yield number, row


def append(path: str | Path, rows: Iterable[dict]) -> None:
    """Append rows and force them to disk: after the call a killed process has lost none of them."""
    with open(path, "a", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def write(path: str | Path, rows: Iterable[dict]) -> None:
    """Write a whole file at once: readers see the old file or the new one, never half of it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    append(part, rows)
    os.replace(part, path)


def read_json(path: str | Path) -> dict:
    """Return one JSON object.

    Raises:
        ValueError: there is no such file, or it holds anything else; the message names it.
    """
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not valid JSON ({error})") from None
    if not isinstance(value, dict):
        raise ValueError(f"{path}: expected a JSON object")
    return value


def write_json(path: str | Path, value: dict) -> None:
    """Write one JSON object at once, readably."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, path)
