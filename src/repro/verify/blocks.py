"""The fenced blocks of a response, and which of them is the program.

Chosen by patterns, not by parsing: source written by a model can crash Python's parser.
"""

import re
import textwrap
from collections.abc import Collection
from typing import NamedTuple

from repro.verify import patterns
from repro.verify.answers import split_thought

_RE = patterns.compiled(patterns.read("blocks"))


class Block(NamedTuple):
    """A complete fenced block: what is written behind the opening fence, and the lines between."""

    label: str
    source: str


def fenced_blocks(response: str) -> tuple[Block, ...]:
    """Return the complete blocks after the thought that are not blank; none without an answer.

    A fence may stand behind text (``**Solution:** ```python``), before text (`````</answer>``) and
    in a list, whose indentation is taken off.
    """
    answer = split_thought(response)[1] or ""
    found: list[Block] = []
    label, block, quote = None, "", ""
    # Line by line, because a pattern takes quadratic time on many openings without an end.
    for line in answer.replace("\r\n", "\n").split("\n"):
        if label is None:
            label, block, quote = _opened(line), "", ""
        elif not quote and _RE.END.match(line):
            if block.strip():
                found.append(Block(label, textwrap.dedent(block)))
            label = None
        else:
            block += f"{line}\n"
            quote = _open_quote(line, quote)
    return tuple(found)


def _opened(line: str) -> str | None:
    """Return the label of the block that begins on this line, None where none does."""
    before, fence, label = (part.strip() for part in line.partition("```"))
    if not fence or "`" in label:
        return None
    if before and not (_RE.LANGUAGE.fullmatch(label) if label else before[-1] in ":>*-.)"):
        return None  # a sentence about fences
    return label


def _open_quote(line: str, quote: str) -> str:
    """Return the triple quote that is open behind this line, "" for none; before it, ``quote``."""
    position = 0
    while True:
        if quote:
            end = line.find(quote, position)
            if end < 0:
                return quote
            position = end + len(quote)
        if (token := _RE.COMMENT_OR_STRING.search(line, position)) is None:
            return ""
        position, quote = token.end(), token["triple"] or ""


def choose(blocks: tuple[Block, ...], names: Collection[str] = ()) -> str | None:
    """Return the source of the block that is the program, None where there is no block.

    With ``names``, which the tests call, it is the last of those that define the most of them;
    without, the last that reads standard input and prints. A block that calls what only earlier
    ones define is an example of use. Blocks labelled with another language come last.
    """
    ranked: list[tuple] = []
    earlier: set[str] = set()
    for number, (label, source) in enumerate(blocks):
        defined = {*_RE.DEFINED.findall(source)}
        called = {*_RE.CALLED.findall(re.sub(r"#.*", "", source))}
        whole = not (called - {*_RE.WORD.findall(" ".join(_RE.BINDS.findall(source)))}) & earlier
        python = label.lstrip("{. ").lower().startswith(("py", "ipy")) or not label
        wanted = len((defined | {*_RE.ASSIGNED.findall(source)}) & {*names})
        prints = python and bool(_RE.PRINTS.search(source))
        reads = bool(_RE.READS.search(source))
        rank = (python and wanted, wanted, whole) if names else (whole and prints and reads, prints)
        ranked.append((*rank, number))
        earlier |= defined
    return blocks[max(ranked)[-1]].source if ranked else None
