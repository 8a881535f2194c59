r"""A small language for phrases, and a search for them that is fast on long texts.

One phrase a line; an indented line goes on with the phrase before it, and ``#`` opens a remark:

* ``(a|b)`` is a choice; ``?``, ``(?!...)`` and the like are those of regular expressions;
* ``<name>`` is a building block, which ends with its own space where it is optional
  (``<adv>wrong``: "wrong", "simply wrong");
* ``~`` is a gap of at most 90 characters within one sentence;
* ``^`` in front: the phrase must open a sentence or clause, after the small words that people put
  there ("okay, so", "but then,"). ``<do>`` in front: an instruction to oneself, which opens a
  clause or follows the block ``letme``. Any other phrase may stand anywhere;
* a phrase begins and ends at the edge of a word.

The search walks once over the words and tries, at each, the phrases that may begin with its first
letter. Gaps and repetitions are bounded, so the work grows with the length of the text only.
Nothing is compiled before the first search, because it takes half a second.
"""

import functools
import re
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from string import ascii_lowercase, digits
from typing import NamedTuple

_CONTRACTIONS = {
    "can't": "can not",
    "cannot": "can not",
    "won't": "will not",
    "let's": "let us",
    "lets": "let us",
    "'s": " is",
    "'m": " am",
    "'re": " are",
    "'ve": " have",
    "'ll": " will",
    "'d": " would",
    "n't": " not",
}
_CONTRACTED = re.compile(r"\b(?:can't|cannot|won't|let's|lets)\b|(?:'(?:s|m|re|ve|ll|d)|n't)\b")
_CODE = re.compile(r"`[^`\n]{1,200}`")
_DASH = re.compile(r" ?(?:[\u2013\u2014]|--) ?|(?<=[a-z]{2}) - (?=[a-z]{2})")
_CHARACTERS = str.maketrans("\u2018\u2019\u02bc`", "''''", '*_"\u201c\u201d')
_TICKS = "\u2713\u2714"
# Where a word begins, with the mark before it that makes it the first of a clause.
_WORD = re.compile(rf"(^|[.?!:;,()] ?)?(?<!\w)([\w{_TICKS}])")
_GAP = r"(?:[^.?!;]|\.(?=\d)){0,90}?\b"


class Text(NamedTuple):
    """A text in plain spelling; per word where it begins and whether it may open a clause."""

    plain: str
    words: list[tuple[int, bool]]

    def after(self, position: int) -> "Text":
        """Return the same text with the words from a position on."""
        return Text(self.plain, [word for word in self.words if word[0] >= position])


def read(text: str) -> Text:
    """Prepare a text for `Phrases.search`, in the spelling of the phrases.

    Lower case, straight apostrophes, contractions written out ("can't" -> "can not"), a dash as the
    end of a sentence, one space between words, inline code as ``x``.
    """
    text = _CODE.sub("x", text.lower()).translate(_CHARACTERS).replace("\u2026", "... ")
    text = _CONTRACTED.sub(lambda found: _CONTRACTIONS[found.group()], " ".join(text.split()))
    text, filler = _DASH.sub(". ", text), _filler()
    words, opening = [], 0
    for word in _WORD.finditer(text):
        at = word.start(2)
        opens = at == opening or word.start(1) >= 0
        if opens and (found := filler.match(text, at)):
            opening = found.end()
        words.append((at, opens))
    return Text(text, words)


class Phrases:
    """A family of phrases; ValueError where one of them does not begin with a word."""

    def __init__(self, phrases: Iterable[str]):
        filed = defaultdict(list)  # by first character, and by whether it must open a clause
        for phrase in phrases:
            opening = phrase.startswith(("^", "<do>"))
            found = {(phrase.removeprefix("^").removeprefix("<do>"), opening)}
            if phrase.startswith("<do>"):
                found.add((phrase.replace("<do>", "<letme>", 1), False))
            for text, opens in found:
                pattern = expand(text)
                for first in first_characters(pattern):
                    filed[first, opens].append(pattern)
        self._patterns = {
            key: re.compile(rf"(?:{'|'.join(patterns)})(?!\w)") for key, patterns in filed.items()
        }

    def search(self, text: Text) -> re.Match[str] | None:
        """Return the first phrase in a text that `read` has prepared, or None."""
        for at, opens in text.words:
            for key in [(text.plain[at], True)] * opens + [(text.plain[at], False)]:
                pattern = self._patterns.get(key)
                if pattern and (found := pattern.match(text.plain, at)):
                    return found
        return None


@functools.cache
def load(name: str) -> Phrases:
    """Return the family of phrases in ``NAME.txt``."""
    return Phrases(lines(name))


@functools.cache
def blocks() -> dict[str, str]:
    """Return the building blocks by name."""
    return dict(block.split(": ", 1) for block in lines("blocks"))


def lines(name: str) -> list[str]:
    """Return the phrases (or the blocks) of ``NAME.txt`` without remarks, each in one piece.

    A line that goes on with ``|`` or ``(?!`` is joined without a space.
    """
    text = Path(__file__).with_name(f"{name}.txt").read_text(encoding="utf-8")
    text = re.sub(r"\n ++(?!\||\(\?!)", " ", re.sub(r"#.*", "", text))
    return [line for line in re.sub(r"\n +", "", text).splitlines() if line]


def expand(phrase: str) -> str:
    """Return a phrase as a regular expression without capturing groups."""
    while re.search(r"<\w+>", phrase):
        phrase = re.sub(r"<(\w+)>", lambda block: f"({blocks()[block[1]]})", phrase)
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", phrase.replace("~", _GAP))


def first_characters(pattern: str) -> set[str]:
    """Return the characters that a match of an expanded phrase can begin with."""
    if pattern.startswith(("(?!", "(?<!", "(?=", "(?<=")):
        return first_characters(_split_group(pattern)[1])
    if pattern.startswith("(?:"):
        choices, rest = _split_group(pattern)
        optional = re.match(r"(?:\?|\{0,\d\})\??", rest)
        rest = rest[optional.end() :] if optional else rest
        starts = [choice + rest for choice in choices] + [rest] * bool(optional)
        return set().union(*map(first_characters, starts))
    if pattern.startswith((r"\w", r"[\w")):
        return {*ascii_lowercase, *digits}
    if pattern.startswith(r"\d"):
        return {*digits}
    if not re.match(rf"[\w{_TICKS}]", pattern):
        raise ValueError(f"a phrase must begin with a word, got {pattern[:40]!r}")
    skipped = first_characters(pattern[2:]) if pattern[1:2] == "?" else set()
    return {pattern[0]} | skipped


def _split_group(pattern: str) -> tuple[list[str], str]:
    """Split a pattern that begins with a group ``(?:`` into its choices and what follows it."""
    depth, bars = 0, [2]
    for found in re.finditer(r"\\.|[()|]", pattern):
        depth += {"(": 1, ")": -1}.get(found.group(), 0)
        if depth == 0:
            bars.append(found.start())
            return [pattern[i + 1 : j] for i, j in pairwise(bars)], pattern[found.end() :]
        if depth == 1 and found.group() == "|":
            bars.append(found.start())
    raise ValueError(f"a parenthesis is left open in {pattern[:60]!r}")


@functools.cache
def _filler() -> re.Pattern[str]:
    """Match a small word that may stand before what a clause has to say, and the space behind."""
    return re.compile(expand("<filler>") + r"\b[,.:!]* ")
