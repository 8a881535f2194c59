"""Whether a model thinks before it answers, and so which part of its responses is the answer.

A backbone states it (`backbones.*.thinking`), `score` takes it as an option. Only `</think>` closes
a thought; other marks are named and refused, because a thought that is read as an answer gives
wrong verdicts without any sign of it.
"""

from collections.abc import Sequence

from repro.verify.answers import FINAL_ANSWER, THINK_CLOSE, THINK_OPEN, split_thought

REQUIRED, NONE, AUTO = "required", "none", "auto"
STATED = (REQUIRED, NONE)  # what a backbone can state; `auto` looks at the responses
_OTHER_MARKS = ["</thinking>", "</thought>", "</reasoning>", "</seed:think>", "[/THINK]"]
_OTHER_MARKS += ["◁/think▷", "<|end_of_thought|>", "<|channel|>final"]


def as_closed(text: str, thinking: str) -> str:
    """Return a response whose answer follows `</think>`, as all verifiers read it.

    With `required` an unclosed thought has no answer; with `none` all of the text is the answer.
    """
    return f"{THINK_CLOSE}{text}" if thinking == NONE else text


def find_thought(text: str, has_tags: bool) -> str:
    """Return the thought of a response: without tags, what stands before its final answer."""
    return split_thought(text)[0] if has_tags else text[: answer_place(text)]


def answer_place(text: str) -> int:
    """Return where the final answer of a response without tags begins; its end without any."""
    place = text.rfind(FINAL_ANSWER)
    return len(text) if place < 0 else place


def resolve(rows: Sequence[dict], thinking: str) -> str:
    """Return `required` or `none`: as stated or, with `auto`, as a file's responses show.

    `auto` takes `required` where responses close their thoughts, and `none` where no response opens
    or closes one. Responses that were cut off prove nothing: a thought may still have been open.
    Rows have `text`, `finish_reason`, and optionally `prompt`. ValueError: they disagree, do not
    tell, or close thoughts with another mark.
    """
    if thinking in STATED:
        return thinking
    n_opened = sum(
        row.get("prompt", "").rstrip().endswith(THINK_OPEN)
        or row["text"].lstrip().startswith(THINK_OPEN)
        for row in rows
    )
    unclosed = [row for row in rows if THINK_CLOSE not in row["text"]]
    finished = [row for row in unclosed if row["finish_reason"] == "stop"]
    n_closed = len(rows) - len(unclosed)
    other_marks = [mark for mark in _OTHER_MARKS if any(mark in row["text"] for row in rows)]
    if other_marks and not n_closed:
        wrong = (
            f"responses hold the mark {other_marks[0]!r}, and only {THINK_CLOSE} closes a thought; "
            "replace it, or"
        )
    elif (n_closed or n_opened) and finished:
        wrong = (
            f"{n_closed} of {len(rows)} responses close a thought with {THINK_CLOSE}, {n_opened} "
            f"open one, and {len(finished)} ended by themselves without closing one "
            f"(first: doc {finished[0]['doc_id']}, sample {finished[0]['sample']});"
        )
    elif not (n_closed or n_opened or finished):
        wrong = (
            f"all {len(rows)} responses were cut off, and none opens or closes a thought, so that "
            "they do not tell;"
        )
    else:
        return REQUIRED if n_closed or n_opened else NONE
    raise ValueError(f"thinking: {wrong} state it: --thinking {' or '.join(STATED)}")
