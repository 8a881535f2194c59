"""The file of generations: what `generate` writes and `score` reads, from whomever it comes.

One JSON object a line, in any order; see `Row` for its fields. Others are ignored.
"""

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from repro.config.words import validate


class Row(BaseModel):
    """One response."""

    model_config = ConfigDict(strict=True, use_attribute_docstrings=True)

    benchmark: str = Field(description="A name such as aime24.")
    doc_id: int = Field(ge=0, description="Position of the problem in the data file, from 0.")
    sample: int = Field(ge=0, description="From 0, which of the problem's responses.")
    text: str
    """The response, with `</think>` where the model thinks, and without special tokens."""
    n_tokens: int = Field(ge=0, description="Generated tokens, a closing eos included.")
    finish_reason: Literal["stop", "length"] = Field(description="length: it was cut off.")
    prompt: str = Field("", description="What was asked, in the chat template; holds the problem.")
    n_reasoning_tokens: int | None = Field(None, ge=0)
    """Up to and including `</think>`; without it there are no statistics of tokens."""


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
    rows, left_out = {}, []
    content = Path(path).read_bytes().removeprefix(codecs.BOM_UTF8)
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = validate(line, Row)
            if row.benchmark != benchmark:
                raise ValueError(f"benchmark is {row.benchmark!r}, expected {benchmark!r}")
            if row.doc_id >= n_docs:
                raise ValueError(f"doc_id is {row.doc_id}; the data file has {n_docs} problems")
            if samples is not None and row.sample >= samples:
                raise ValueError(f"sample is {row.sample}, but only 0 to {samples - 1} are wanted")
            if row.sample in rows.get(row.doc_id, {}):
                raise ValueError(f"doc {row.doc_id}, sample {row.sample} is there twice")
        except ValueError as error:
            left_out.append(f"line {number}: {error}")
            continue
        rows.setdefault(row.doc_id, {})[row.sample] = row.model_dump()
    if not rows:
        raise ValueError(
            f"{path}: no line can be scored; {'; '.join(left_out[:1]) or 'it is empty'}"
        )
    ordered = {doc: [one for _, one in sorted(rows[doc].items())] for doc in sorted(rows)}
    return Generations(ordered, left_out)
