"""The fenced blocks of a response, and which of them is the program.

Chosen by patterns, not by parsing: source written by a model can crash Python's parser.
"""

import re
import textwrap
from collections.abc import Collection
from typing import NamedTuple

from repro.verify.answers import split_thought

_FENCE = "```"
_LANGUAGE = re.compile(r"\{?\.?[A-Za-z][\w.+#-]*\}?")
_COMMENT_OR_STRING = re.compile(
    r"""#.*|(?P<triple>\"{3}|'{3})|"(?:[^"\\]|\\.?)*(?:"|$)|'(?:[^'\\]|\\.?)*(?:'|$)"""
)
_DEFINED = re.compile(r"^(?:(?:async\s+)?def|class)\s+(\w+)", re.M)
_ASSIGNED = re.compile(r"^(\w+)\s*(?::[^=\n]*)?=(?!=)", re.M)
_CALLED = re.compile(r"(?<![\w.])(\w+)\s*\(")
_READS = re.compile(r"\b(?:input|stdin)\b(?!\s*=)|\bfileinput\b|\bopen\s*\(|\bos\.read\b")
_PRINTS = re.compile(r"\b(?:print|write\w*)\b")


class Block(NamedTuple):
    """A complete fenced block: what is written behind the opening fence, and the lines between."""

    label: str
    source: str


def fenced_blocks(response: str) -> tuple[Block, ...]:
    """Return the complete blocks after the thought that are not blank; none without an answer.

    A fence may stand behind text (``**Solution:** ```python``), before text (`````</answer>``) and
    in a list, whose indentation is taken off.
    """
    answer = split_thought(response)[1]
    found: list[Block] = []
    label, block, quote = None, "", ""
    # Line by line, because a pattern takes quadratic time on many openings without an end.
    for line in (answer or "").replace("\r\n", "\n").split("\n"):
        if label is None:
            label, block, quote = _opened(line), "", ""
        elif not quote and re.match(r"[ \t]*```(?![\w{`])", line):
            # Whatever text follows; "```py" ends none, nor does a fence in a triple-quoted text.
            if block.strip():
                found.append(Block(label, textwrap.dedent(block)))
            label = None
        else:
            block += f"{line}\n"
            quote = _open_quote(line, quote)
    return tuple(found)


def _opened(line: str) -> str | None:
    """Return the label of the block that begins on this line, None where none does."""
    before, fence, label = (part.strip() for part in line.partition(_FENCE))
    if not fence or "`" in label:
        return None
    if before and not (_LANGUAGE.fullmatch(label) if label else before[-1] in ":>*-.)"):
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
        if (token := _COMMENT_OR_STRING.search(line, position)) is None:
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
        defined = {*_DEFINED.findall(source)}
        called = {*_CALLED.findall(re.sub(r"#.*", "", source))}
        whole = not (called - defined) & earlier
        python = label.lstrip("{. ").lower().startswith(("py", "ipy")) or not label
        wanted = len((defined | {*_ASSIGNED.findall(source)}) & {*names})
        prints = bool(_PRINTS.search(source))
        if names:
            rank = (python and wanted, wanted, whole)
        else:
            rank = (python and whole and prints and bool(_READS.search(source)), python and prints)
        ranked.append((*rank, number))
        earlier |= defined
    return blocks[max(ranked)[-1]].source if ranked else None
