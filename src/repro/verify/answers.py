"""Where the thought ends and the answer begins, and the last box of an answer."""

THINK_OPEN = "<think>"
THINK_CLOSE = "</think>"


def split_thought(text: str) -> tuple[str, str | None]:
    """Split a response into its thought and its answer.

    The thought is the text before the first ``</think>``, without an optional leading ``<think>``
    (R1-style templates put it into the prompt, Qwen3-style ones leave it to the model).

    Returns:
        ``(thought, answer)``; ``answer`` is None where the thought was never closed: a draft inside
        an unfinished thought is not an answer.
    """
    thought, closed, answer = text.partition(THINK_CLOSE)
    if thought.lstrip().startswith(THINK_OPEN):
        thought = thought.lstrip()[len(THINK_OPEN) :]
    return thought, answer if closed else None


def last_box(text: str) -> str | None:
    r"""Return the content of the last balanced ``\boxed{...}``, or None where there is none.

    Escaped braces (``\{``, ``\}``) are content, not structure. Of nested boxes the inner counts.
    """
    start = len(text)
    while (start := text.rfind("\\boxed", 0, start)) >= 0:
        opening = start + len("\\boxed")
        while opening < len(text) and text[opening].isspace():
            opening += 1
        if opening < len(text) and text[opening] == "{":
            closing = _closing_brace(text, opening)
            if closing is not None:
                return text[opening + 1 : closing]
    return None


def _closing_brace(text: str, opening: int) -> int | None:
    depth, position = 0, opening
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == "{":
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if depth == 0:
                return position
        position += 1
    return None
