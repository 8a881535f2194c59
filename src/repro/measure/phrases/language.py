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
Nothing is read or compiled before the first search, and of each phrase only what can begin with a
letter that a text has: compiling all of it at once took two seconds of every program's start.
"""

import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
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


def plain(text: str) -> str:
    """Return a text in the spelling of the phrases.

    Lower case, straight apostrophes, contractions written out ("can't" -> "can not"), a dash as the
    end of a sentence, one space between words, inline code as ``x``.
    """
    text = _CODE.sub("x", text.lower()).translate(_CHARACTERS).replace("\u2026", "... ")
    text = _CONTRACTED.sub(lambda found: _CONTRACTIONS[found.group()], " ".join(text.split()))
    return _DASH.sub(". ", text)


def read(text: str) -> Text:
    """Prepare a text for `Phrases.search`."""
    text, filler = plain(text), _filler()
    words, opening = [], 0
    for word in _WORD.finditer(text):
        at = word.start(2)
        opens = at == opening or word.start(1) >= 0
        if opens and (found := filler.match(text, at)):
            opening = found.end()
        words.append((at, opens))
    return Text(text, words)


class Phrases:
    """A family of phrases.

    Args:
        phrases: in the language above, each in one piece.
        blocks: the building blocks by name.

    Raises:
        ValueError: a phrase does not begin with a word.
    """

    def __init__(self, phrases: Iterable[str], blocks: Mapping[str, str]):
        self._anywhere: dict[str, list[str]] = defaultdict(list)
        self._opening: dict[str, list[str]] = defaultdict(list)
        for phrase in phrases:
            if phrase.startswith("<do>"):
                _file(self._opening, phrase.removeprefix("<do>"), blocks)
                _file(self._anywhere, phrase.replace("<do>", "<letme>", 1), blocks)
            elif phrase.startswith("^"):
                _file(self._opening, phrase.removeprefix("^"), blocks)
            else:
                _file(self._anywhere, phrase, blocks)
        self._compiled: dict[tuple[str, bool], list[re.Pattern[str]]] = {}

    def search(self, text: Text) -> re.Match[str] | None:
        """Return the first phrase in a text that `read` has prepared, or None."""
        for at, opens in text.words:
            for pattern in self._patterns(text.plain[at], opens):
                if found := pattern.match(text.plain, at):
                    return found
        return None

    def _patterns(self, first: str, opens: bool) -> list[re.Pattern[str]]:
        """Return what to try at a word with this first character, compiled once."""
        if (first, opens) not in self._compiled:
            phrases = (self._opening if opens else self._anywhere).get(first)
            found = [re.compile(rf"(?:{'|'.join(phrases)})(?!\w)")] if phrases else []
            self._compiled[first, opens] = found + (self._patterns(first, False) if opens else [])
        return self._compiled[first, opens]


@functools.cache
def load(name: str) -> Phrases:
    """Return the family of phrases in ``NAME.txt``."""
    return Phrases(lines(name), blocks())


@functools.cache
def blocks() -> dict[str, str]:
    """Return the building blocks by name."""
    return dict(block.split(": ", 1) for block in lines("blocks"))


def lines(name: str) -> list[str]:
    """Return the phrases of ``NAME.txt``."""
    return join(Path(__file__).with_name(f"{name}.txt").read_text(encoding="utf-8"))


def join(lines: str) -> list[str]:
    """Return the phrases (or the blocks) without remarks, each in one piece.

    A line that goes on with ``|`` or ``(?!`` is joined without a space.
    """
    text = re.sub(r"\n ++(?!\||\(\?!)", " ", re.sub(r"#.*", "", lines))
    return [line for line in re.sub(r"\n +", "", text).splitlines() if line]


def expand(phrase: str, blocks: Mapping[str, str]) -> str:
    """Return a phrase as a regular expression without capturing groups."""
    while re.search(r"<\w+>", phrase):
        phrase = re.sub(r"<(\w+)>", lambda block: f"({blocks[block[1]]})", phrase)
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", phrase.replace("~", _GAP))


def by_first_character(pattern: str) -> dict[str, str]:
    """Return what is left of an expanded phrase for each character that a match can begin with.

    Raises:
        ValueError: the phrase does not begin with a word.
    """
    if pattern.startswith(("(?!", "(?<!", "(?=", "(?<=")):
        end = _closing(pattern) + 1
        return {c: pattern[:end] + rest for c, rest in by_first_character(pattern[end:]).items()}
    if pattern.startswith("(?:"):
        return _of_choices(pattern)
    if pattern.startswith((r"\w", r"[\w")):
        return dict.fromkeys(ascii_lowercase + digits, pattern)
    if pattern.startswith(r"\d"):
        return dict.fromkeys(digits, pattern)
    if not re.match(rf"[\w{_TICKS}]", pattern):
        raise ValueError(f"a phrase must begin with a word, got {pattern[:40]!r}")
    skipped = by_first_character(pattern[2:]) if pattern[1:2] == "?" else {}
    return skipped | {pattern[0]: pattern}


def _of_choices(pattern: str) -> dict[str, str]:
    """Return `by_first_character` of a phrase that begins with a choice."""
    end = _closing(pattern)
    optional = re.match(r"(?:\?|\{0,\d\})\??", pattern[end + 1 :])
    mark = optional.group() if optional else ""
    rest = pattern[end + 1 + len(mark) :]
    kept: dict[str, list[str]] = defaultdict(list)
    for choice in _choices(pattern[3:end]):
        for first, found in by_first_character(choice + rest).items():
            # An empty choice leaves the rest itself to be cut down; then all of it stays.
            kept[first].append(found.removesuffix(rest) if found.endswith(rest) else choice)
    skipped = by_first_character(rest) if optional else {}
    if mark.startswith("{"):  # a later round may begin with another character
        return skipped | dict.fromkeys(kept, pattern)
    return skipped | {c: f"(?:{'|'.join(found)}){mark}{rest}" for c, found in kept.items()}


def _file(by_first: dict[str, list[str]], phrase: str, blocks: Mapping[str, str]) -> None:
    for first, pattern in by_first_character(expand(phrase, blocks)).items():
        by_first[first].append(pattern)


@functools.cache
def _filler() -> re.Pattern[str]:
    """Match a small word that may stand before what a clause has to say, and the space behind."""
    return re.compile(expand("<filler>", blocks()) + r"\b[,.:!]* ")


def _closing(pattern: str) -> int:
    """Return the position of the parenthesis that closes the first one."""
    depth = 0
    for found in re.finditer(r"\\.|[()]", pattern):
        depth += {"(": 1, ")": -1}.get(found.group(), 0)
        if depth == 0 and found.group() == ")":
            return found.start()
    raise ValueError(f"a parenthesis is left open in {pattern[:60]!r}")


def _choices(pattern: str) -> list[str]:
    """Split at the bars that are not within parentheses."""
    choices, depth, start = [], 0, 0
    for found in re.finditer(r"\\.|[()|]", pattern):
        depth += {"(": 1, ")": -1}.get(found.group(), 0)
        if depth == 0 and found.group() == "|":
            choices.append(pattern[start : found.start()])
            start = found.end()
    return [*choices, pattern[start:]]
