"""The file of generations: what `generate` writes and `score` reads, from whomever it comes.

One JSON object a line, in any order; other fields are ignored:

| field | | |
|---|---|---|
| benchmark | text | aime24, aime25, math500, lmb, gpqa, mbpp or lcb |
| doc_id | whole number | position of the problem in the data file, from 0 |
| sample | whole number | from 0, which of the problem's responses |
| text | text | the response, with `</think>` where the model thinks, and without special tokens |
| n_tokens | whole number | generated tokens, a closing eos included |
| finish_reason | text | stop, or length where the response was cut off |
| prompt | text, optional | what was asked, chat template included: must contain the problem |
| n_reasoning_tokens | whole number, optional | up to and including `</think>`; no token statistics without it |
| seed | optional | of the sampling |
"""  # noqa: E501

import codecs
import json
from dataclasses import dataclass
from pathlib import Path

REQUIRED = {
    "benchmark": str,
    "doc_id": int,
    "sample": int,
    "text": str,
    "n_tokens": int,
    "finish_reason": str,
}
OPTIONAL = {"prompt": str, "n_reasoning_tokens": int}
FINISH_REASONS = ("stop", "length")


@dataclass(frozen=True)
class Generations:
    """The rows of one file that can be scored, and what is wrong with the others."""

    rows: dict[int, list[dict]]  # doc_id -> its rows, by sample
    left_out: list[str]  # one message a line: "line 3: not valid JSON (...)"

    @property
    def most_samples(self) -> int:
        """The largest number of responses that a problem has."""
        return max(len(rows) for rows in self.rows.values())

    def missing(self, n_docs: int, samples: int) -> list[str]:
        """Name the problems with fewer than ``samples`` responses: "doc 3 has 1 of 4"."""
        counts = [(doc, len(self.rows.get(doc, []))) for doc in range(n_docs)]
        return [f"doc {doc} has {count} of {samples}" for doc, count in counts if count < samples]


def read(path: str | Path, benchmark: str, n_docs: int, samples: int | None = None) -> Generations:
    """Read every line that can be scored; a bad one is named and costs no other.

    Args:
        path: the file.
        benchmark: what its rows must be of.
        n_docs: number of problems in the data file.
        samples: responses of each problem that are wanted; None takes any number.

    Raises:
        ValueError: no line can be scored; the message tells the first reason.
    """
    rows, left_out, seen = {}, [], set()
    content = Path(path).read_bytes().removeprefix(codecs.BOM_UTF8)
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = _row(line, benchmark, n_docs, samples)
            key = row["doc_id"], row["sample"]
            if key in seen:
                raise ValueError(f"doc {key[0]}, sample {key[1]} is there twice")
        except ValueError as error:
            left_out.append(f"line {number}: {error}")
            continue
        seen.add(key)
        rows.setdefault(row["doc_id"], []).append(row)
    if not rows:
        raise ValueError(
            f"{path}: no line can be scored; {'; '.join(left_out[:1]) or 'it is empty'}"
        )
    for of_problem in rows.values():
        of_problem.sort(key=lambda row: row["sample"])
    return Generations(dict(sorted(rows.items())), left_out)


def _row(line: bytes, benchmark: str, n_docs: int, samples: int | None) -> dict:
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start})") from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"not valid JSON ({error})") from None
    if not isinstance(row, dict):
        raise ValueError(f"wanted a JSON object, got {line[:40].decode('utf-8', 'replace')!r}")
    for field, kind in (REQUIRED | OPTIONAL).items():
        if field not in row and field in OPTIONAL:
            continue
        if field not in row:
            raise ValueError(f"field {field!r} is missing; needed: {', '.join(REQUIRED)}")
        if not isinstance(row[field], kind) or isinstance(row[field], bool):
            raise ValueError(f"field {field!r} must be {kind.__name__}, got {row[field]!r:.60}")
        if kind is int and row[field] < 0:
            raise ValueError(f"field {field!r} must be at least 0, got {row[field]}")
    if row["benchmark"] != benchmark:
        raise ValueError(f"benchmark is {row['benchmark']!r}, expected {benchmark!r}")
    if row["finish_reason"] not in FINISH_REASONS:
        allowed = " or ".join(FINISH_REASONS)
        raise ValueError(f"finish_reason must be {allowed}, got {row['finish_reason']!r}")
    if row["doc_id"] >= n_docs:
        raise ValueError(f"doc_id is {row['doc_id']}, but the data file has {n_docs} problems")
    if samples is not None and row["sample"] >= samples:
        raise ValueError(f"sample is {row['sample']}, but only 0 to {samples - 1} are wanted")
    return row
