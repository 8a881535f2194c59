r"""A small language for phrases, and a search for them.

One phrase a line. An indented line goes on with the phrase before it, without a space in between
where it begins with ``|`` or ``(?!``, and ``#`` opens a remark:

* ``(a|b)`` is a choice; ``?``, ``(?!...)`` and the like are those of regular expressions;
* ``<name>`` is a building block, which ends with its own space where it is optional
  (``<adv>wrong``: "wrong", "simply wrong");
* ``~`` is a gap of at most 90 characters within one sentence;
* ``^`` in front: the phrase must open a sentence or clause, after the small words that people put
  there ("okay, so", "but then,"). ``<do>`` in front: an instruction to oneself, which opens a
  clause or follows the block ``letme``. Any other phrase may stand anywhere;
* a phrase begins and ends at the edge of a word.

Gaps and repetitions are bounded, so the work grows with the length of the text only. Nothing is
compiled before the first search, because it takes a tenth of a second.
"""

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_CONTRACTIONS = {"can't": "can not", "cannot": "can not", "won't": "will not", "n't": " not"}
_CONTRACTIONS |= {"let's": "let us", "lets": "let us", "'s": " is", "'m": " am", "'re": " are"}
_CONTRACTIONS |= {"'ve": " have", "'ll": " will", "'d": " would"}
_CONTRACTED = re.compile(r"\b(?:can't|cannot|won't|let's|lets)\b|(?:'(?:s|m|re|ve|ll|d)|n't)\b")
_CODE = re.compile(r"`[^`\n]{1,200}`")
_DASH = re.compile(r" ?(?:[\u2013\u2014]|--) ?|(?<=[a-z]{2}) - (?=[a-z]{2})")
_CHARACTERS = str.maketrans("\u2018\u2019\u02bc`", "''''", '*_"\u201c\u201d')
# Where a word (or a tick) begins, with the mark before it that makes it the first of a clause.
_WORD = re.compile(r"(^|[.?!:;,()] ?)?(?<!\w)([\w\u2713\u2714])")
_GAP = r"(?:[^.?!;]|\.(?=\d)){0,90}?\b"


class Text(NamedTuple):
    """A text in plain spelling, from a position on, and the words that may open a clause."""

    plain: str
    openings: list[int]  # where such words begin
    start: int = 0

    def after(self, position: int) -> "Text":
        """Return the same text from a position on."""
        return Text(self.plain, [at for at in self.openings if at >= position], position)


def read(text: str) -> Text:
    """Prepare a text for `Phrases.search`, in the spelling of the phrases.

    Lower case, straight apostrophes, contractions written out ("can't" -> "can not"), a dash as the
    end of a sentence, one space between words, inline code as ``x``.
    """
    text = _CODE.sub("x", text.lower()).translate(_CHARACTERS).replace("\u2026", "... ")
    text = _CONTRACTED.sub(lambda found: _CONTRACTIONS[found.group()], " ".join(text.split()))
    text, filler = _DASH.sub(". ", text), _filler()
    openings, behind_filler = [], 0
    for word in _WORD.finditer(text):
        at = word.start(2)
        if at == behind_filler or word.start(1) >= 0:
            openings.append(at)
            found = filler.match(text, at)
            behind_filler = found.end() if found else behind_filler
    return Text(text, openings)


class Phrases:
    """A family of phrases, which are found at the beginnings of words."""

    def __init__(self, phrases: Sequence[str]):
        opening = [of[1] for phrase in phrases if (of := re.match(r"(?:\^|<do>)(.*)", phrase))]
        anywhere = [re.sub("^<do>", "<letme>", of) for of in phrases if not of.startswith("^")]
        self._opening, self._anywhere = map(_compile, (opening, anywhere))

    def search(self, text: Text) -> re.Match[str] | None:
        """Return the first phrase in a text that `read` has prepared, or None."""
        found = self._anywhere.search(text.plain, text.start)
        for at in text.openings:
            if found and at > found.start():
                break
            if opened := self._opening.match(text.plain, at):
                return opened
        return found


@functools.cache
def load(name: str) -> Phrases:
    """Return the family of phrases in ``NAME.txt``."""
    return Phrases(lines(name))


@functools.cache
def lines(name: str) -> list[str]:
    """Return the phrases (or the blocks) of ``NAME.txt`` without remarks, each in one piece."""
    text = Path(__file__).with_name(f"{name}.txt").read_text(encoding="utf-8")
    text = re.sub(r"\n ++(?!\||\(\?!)", " ", re.sub(r"#.*", "", text))
    return [line for line in re.sub(r"\n +", "", text).splitlines() if line]


def expand(phrase: str) -> str:
    """Return a phrase as a regular expression without capturing groups."""
    blocks = dict(block.split(": ", 1) for block in lines("blocks"))
    while re.search(r"<\w+>", phrase):
        phrase = re.sub(r"<(\w+)>", lambda block: f"({blocks[block[1]]})", phrase)
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", phrase.replace("~", _GAP))


def _compile(phrases: list[str]) -> re.Pattern[str]:
    choices = "|".join(map(expand, phrases)) or "(?!)"
    return re.compile(rf"(?<!\w)(?:{choices})(?!\w)")


@functools.cache
def _filler() -> re.Pattern[str]:
    return re.compile(expand("<filler>") + r"\b[,.:!]* ")
