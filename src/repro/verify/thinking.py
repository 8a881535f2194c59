"""Whether a model thinks before it answers, and so which part of its responses is the answer.

A backbone states it (`backbones.*.thinking`), `score` takes it as an option. Only `</think>` closes
a thought; other marks are named and refused, because a thought that is read as an answer gives
wrong verdicts without any sign of it.
"""

from collections.abc import Sequence

from repro.verify.answers import THINK_CLOSE, THINK_OPEN

REQUIRED, NONE, AUTO = "required", "none", "auto"
STATED = (REQUIRED, NONE)  # what a backbone can state; `auto` looks at the responses
_OTHER_MARKS = (
    *("</thinking>", "</thought>", "</reasoning>", "</seed:think>", "[/THINK]", "◁/think▷"),
    *("<|end_of_thought|>", "<|channel|>final"),
)


def as_closed(text: str, thinking: str) -> str:
    """Return a response whose answer follows `</think>`, as all verifiers read it.

    With `required` an unclosed thought has no answer; with `none` all of the text is the answer.
    """
    return f"{THINK_CLOSE}{text}" if thinking == NONE else text


def resolve(rows: Sequence[dict], thinking: str) -> str:
    """Return `required` or `none` for the rows of a generations file.

    `auto` takes `required` where responses close their thoughts, and `none` where no response opens
    or closes one. Responses that were cut off prove nothing: a thought may still have been open.

    Args:
        rows: with `text`, `finish_reason`, and optionally `prompt`.
        thinking: `required`, `none` or `auto`.

    Raises:
        ValueError: an unknown value; or `auto`, and the responses do not all agree, do not tell, or
            close their thoughts with another mark.
    """
    if thinking in STATED:
        return thinking
    if thinking != AUTO:
        raise ValueError(f"thinking: {thinking!r}; allowed: {', '.join((*STATED, AUTO))}")
    opened = [row for row in rows if _opens(row)]
    unclosed = [row for row in rows if THINK_CLOSE not in row["text"]]
    finished = [row for row in unclosed if row["finish_reason"] == "stop"]
    n_closed = len(rows) - len(unclosed)
    state = f"state it: --thinking {' or '.join(STATED)}"
    for mark in _OTHER_MARKS:
        if not n_closed and any(mark in row["text"] for row in rows):
            raise ValueError(
                f"thinking: responses hold the mark {mark!r}, and only {THINK_CLOSE} closes a "
                f"thought; replace it, or {state}"
            )
    if (n_closed or opened) and finished:
        raise ValueError(
            f"thinking: {n_closed} of {len(rows)} responses close a thought with {THINK_CLOSE}, "
            f"{len(opened)} open one, and {len(finished)} ended by themselves without closing one "
            f"(first: doc {finished[0]['doc_id']}, sample {finished[0]['sample']}); {state}"
        )
    if not (n_closed or opened or finished):
        raise ValueError(
            f"thinking: all {len(rows)} responses were cut off, and none opens or closes a "
            f"thought, so that they do not tell; {state}"
        )
    return REQUIRED if n_closed or opened else NONE


def _opens(row: dict) -> bool:
    prompt = row.get("prompt", "").rstrip()
    return prompt.endswith(THINK_OPEN) or row["text"].lstrip().startswith(THINK_OPEN)
