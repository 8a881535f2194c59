"""The file of generations: what `generate` writes and `score` reads, from whomever it comes.

One JSON object a line, in any order; see `Row` for its fields. Others are ignored.
"""

import codecs
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


def read(
    path: str | Path, benchmark: str, n_docs: int, samples: int | None = None
) -> tuple[dict[int, list[dict]], list[str]]:
    """Read every line that can be scored; a bad one is named and costs no other.

    They must be of ``benchmark``, whose data file has ``n_docs`` problems, and of the first
    ``samples`` responses to each; None takes any number.

    Returns the rows by doc_id, in the order of their samples, and of each other line a message such
    as "line 3: not valid JSON (...)"; ValueError, with the first reason: no line can be scored.
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
        raise ValueError(f"{path}: no line can be scored; {[*left_out, 'it is empty'][0]}")
    return {doc: [one for _, one in sorted(rows[doc].items())] for doc in sorted(rows)}, left_out
