"""Backtracking, verification and hesitation: which segments of a thought do what.

A segment is the text between two paragraph breaks (the unit that RePro, arXiv 2512.01925, scores).
Each has at most one behaviour, the first that fits:

* backtracking: it takes something back, gives an approach up or turns to another one ("let me start
  over", "No, that's wrong", "I forgot the carry");
* verification: it re-checks something without taking it back ("let me double-check");
* hesitation: it pauses, doubts or asks, and leaves it at that ("Hmm", "is that right?").

The rule looks for phrases (:mod:`repro.measure.phrases`), in this order:

1. a phrase of backtracking, then one of verification;
2. an interruption that goes on with a statement is a correction ("Wait, that is the diameter."),
   after a mere pause if the statement objects ("Hmm, but 0 is in the set too."); one that doubts or
   ends with a question hesitates instead;
3. a doubt, an interruption alone, or a question at the end that is not the problem itself;
4. two weak signs in one sentence that make backtracking together ("perhaps ... better").

It does not judge whether a doubt was justified. Left out on purpose are other senses of the same
words ("they wait for the bus"), steps of the solution ("check whether 7 divides n"), and
corrections by content alone ("7 times 8 is 56" after 54). tests/analysis/test_behaviours.py
measures how well it does, on sentences labelled by hand.
"""

import functools
import re
from typing import NamedTuple

from repro.measure.phrases.language import load, read

BEHAVIOURS = ("backtracking", "verification", "hesitation")
_SEGMENT_BREAK = re.compile(r"\n\s*\n")


class Behaviours(NamedTuple):
    """Numbers of segments of one thought; the three behaviours never overlap."""

    segments: int
    backtracking: int
    verification: int
    hesitation: int


@functools.lru_cache(maxsize=10_000)  # much of what responses to a problem say is the same
def classify(segment: str) -> str | None:
    """Return the behaviour of one segment, one of `BEHAVIOURS`, or None: ordinary progress."""
    text = read(segment)
    if load("backtracking").search(text):
        return "backtracking"
    if load("verification").search(text):
        return "verification"
    asks = text.plain.rstrip(" )]'").endswith("?")
    doubts = load("doubt").search(text)
    stop, pause = load("stops").search(text), load("pauses").search(text)
    corrects = stop and len(text.plain[stop.end() :].split()) > 2
    objects = pause and load("objection").search(text.after(pause.end()))
    if (corrects or objects) and not (asks or doubts):
        return "backtracking"
    surprise = pause and pause.group() in ("oh", "ah")  # opens an insight as often as a doubt
    if doubts or stop or (pause and not surprise):
        return "hesitation"
    last_sentence = 1 + max(text.plain.rfind(mark, 0, -2) for mark in (". ", "? ", "! ", ": "))
    if asks and not load("posed").search(text.after(last_sentence)):
        return "hesitation"
    return "backtracking" if load("signs").search(text) else None


def count(thought: str) -> Behaviours:
    """Count segments and behaviours of a thought, the text before ``</think>``."""
    segments = _SEGMENT_BREAK.split(thought.strip().removeprefix("<think>"))
    kinds = [classify(segment.strip()) for segment in segments if segment.strip()]
    return Behaviours(len(kinds), *(kinds.count(behaviour) for behaviour in BEHAVIOURS))
