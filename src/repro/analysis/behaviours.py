"""Overthinking as a fact of the text: which segments of a thought backtrack, which ones check.

A segment is the text between two paragraph breaks (the unit that RePro, arXiv 2512.01925, scores).
Each is counted at most once:

* backtracking: it retracts, doubts, gives an approach up or starts another one
  ("Wait, ...", "Hmm", "that can't be right", "let me start over", "Alternatively, ...");
* checking: it verifies what was already derived, without taking it back
  ("let me double-check", "To verify, ...", "check: ..."). A segment that does both backtracks.

The rule looks for phrases: it counts what the text says about itself, and does not judge whether
a doubt was justified or a check needed. Everyday senses of the same words ("they wait for the
bus", "a checkerboard", "check whether 7 divides n") and contradictions that finish a proof
("which is impossible") are left out on purpose.
"""

import re
from typing import NamedTuple

_SEGMENT_BREAK = re.compile(r"\n\s*\n")

# Contractions are written out first, so that every phrase below is spelled once.
_PLAIN = (
    (re.compile("[\u2018\u2019`]"), "'"),
    (re.compile(r"\bcan't\b|\bcannot\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"\blet's\b|\blets\b"), "let us"),
    (re.compile(r"'s\b"), " is"),
    (re.compile(r"'m\b"), " am"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"[*_\"“”]"), ""),
    (re.compile(r"\s*(?:[\u2013\u2014]|--| - )\s*"), ". "),
    (re.compile(r"\s+"), " "),
)

# The opening of a sentence or clause, with the small words that thoughts put before the phrase.
_OPENS = (
    r"(?:^|[.!?:;…)] ?|\( ?)"
    r"(?:(?:oh|ah|but|no|so|or|and|well|ok|okay|yes|now|then|h+m+|hold on|maybe|perhaps)\b[,.…]* )*"
)
_LET_ME = (
    r"\b(?:let (?:me|us)|i (?:will|should|must|can|could|need to|have to|want to)|we should"
    r"|we need to|just to) (?:just |quickly |now |first |also )*"
)
_IN_ORDER_TO = _OPENS + r"to "
_THIS = r"\b(?:that|this|it|something|(?:the|my|this|that) (?:answer|result|sum|value|number))"
_BE = r"(?:is|was|seems|looks|must be|can be|could be|does (?:seem|look)|feels)"
_NOT = r"(?:is not|was not|can not be|could not be|(?:does|did) not (?:seem|look|sound|feel))"
_QUITE = r"(?:quite |really |entirely |all |actually |clearly |definitely |obviously |a bit )?"
_APPROACH = r"(?:approach|method|way|idea|path|route|strategy|angle|trial and error)"

_BACKTRACKING = (
    # Interruptions. "wait" must open a clause: in word problems people wait for something.
    _OPENS + r"wait\b(?! (?:for|until|till|in|at|on|times?|another|\d+)\b)"
    r"(?! an? (?!second|minute|moment))",
    r"\b(?:but|no|oh|hmm+),? wait\b(?! (?:for|until|till|times?|\d+)\b)",
    r", wait ?[,.!?…]",
    r"\bh+mm+\b",
    r"(?:^|[.!?] )hm\b",
    r"\b(?:oops|whoops|uh[- ]oh|(?:scratch|strike) that|never ?mind|on second thoughts?)\b",
    _OPENS + r"hold on\b(?! to\b)",
    _OPENS + r"actually,? (?:no\b|wait|(?:that|this|it) (?:is|was|does|would|will) not"
    r"|(?:that|this|it) is wrong|i (?:think|was|made|mis\w+|forgot|should))",
    _OPENS + r"no, (?:that|this|it (?:is|should)|because|not|i)\b",
    # Retractions.
    rf"{_THIS} {_NOT} {_QUITE}(?:right|correct)\b(?! (?:angle|triangle|side|hand))",
    rf"{_THIS} {_BE} {_QUITE}(?:wrong|incorrect|mistaken|off(?! by)|an? (?:mistake|error)"
    r"|suspicious|strange|weird|odd(?=[.,!?]|$))(?![\w-])",
    rf"{_THIS} (?:does|did|will|is|can) not (?:going to )?(?:make sense|work\b|add up|help\b"
    r"|match\b|seem to (?:work|help|match)|lead (?:anywhere|me|us)|going anywhere)",
    r"\b(?:i|we) (?:(?:have|might have|may have|must have|think i|\w+ly) )*(?:forgot|forgotten"
    r"|misread|mis(?:counted|calculated|understood|interpreted|took|added|copied)|overlooked"
    r"|(?:messed|mixed|screwed) up|made an? (?:\w+ )?(?:mistake|error|slip)|skipped (?:a|the)"
    r"|(?:was|were|am|went) (?:wrong|mistaken)|missed (?:a|an|the|that|something))\b",
    r"\bthere (?:is|must be|might be|has to be) (?:an?|some) (?:\w+ )?(?:mistake|error)\b"
    r"(?! (?:term|of|in the (?:measure|approx)))",
    r"\bi am (?:not (?:so |really |entirely |quite )?sure|confused|stuck|overthinking"
    r"|overcomplicating)\b|\b(?:in circles|(?:a|another) dead[- ]end)\b",
    # Another approach.
    _LET_ME + r"(?:start (?:over|again|afresh|from scratch)|restart|reconsider|re-?think|backtrack"
    r"|go back\b(?! over)|step back|take a step back|back up|redo|re-?do|revisit|re-?examine"
    r"|(?:correct|fix) (?:that|this|it|my)|try (?:again|something else|some other)"
    r"|try (?:this|that|it) (?:again|differently)"
    r"|(?:try|use|think of|find|look for|consider) (?:another|a different|an alternative) "
    rf"{_APPROACH})\b",
    rf"\b(?:this|that|the|my) (?:\w+ ){{0,2}}{_APPROACH} (?:is not|will not|does not|fails|failed"
    r"|gets|(?:is|seems) (?:getting|too|wrong|flawed))\b",
    r"\b(?:getting|gets|becoming|seems|looks) (?:\w+ )?(?:messy|complicated|out of hand)\b",
    r"\b(?:maybe|perhaps) i should\b|\bi should have\b",
    _OPENS + r"alternatively\b",
    _OPENS + rf"(?:there is )?(?:another|a different|an alternative) {_APPROACH}\b",
)

# "check whether X" is a step of the solution, unless X is the result at hand.
_CHECK = (
    r"(?:(?:(?:double|cross|triple|sanity)[- ])?check|re-?check|verify|re-?verify|confirm|validate"
    r"|re-?compute|re-?calculate|re-?read)\b"
    r"(?! (?:if|whether|for|each|every|all|both|small|which|when|how|cases|the (?:cases?|base))\b"
    r"(?! (?:this|that|it|i|we|my|these|those|the (?:answer|result|sum|total|solution|value)"
    r"|errors?|mistakes?|of (?:this|that|my|these))\b))"
)

_CHECKING = (
    _LET_ME + _CHECK,
    _IN_ORDER_TO + _CHECK,
    _IN_ORDER_TO + r"(?:be|make) (?:\w+ )?(?:sure|certain)\b",
    _OPENS + r"(?:double[- ]|cross[- ]|sanity[- ]|quick |re-?)?"
    r"(?:check(?:ing)?|verification|verify(?:ing)?)(?: (?:again|once more|the \w+))? ?(?:[:,.]|$)",
    _OPENS + r"(?:double[- ]|cross[- ]|re-?)?(?:check|verify|confirm)(?:ing)? "
    r"(?:again|this|that|it|my|with|by|the (?:answer|result|sum|total|work|solution|steps?))\b",
    r"\b(?:double|cross|triple|sanity)[- ]check(?:s|ed|ing)?\b|\bre-?check(?:ed|ing)?\b",
    r"\b(?:just to|want to|let (?:us|me)) (?:\w+ )?(?:be|make) (?:\w+ )?(?:sure|certain)\b",
    r"\b(?:go|going|went|look|run|read) (?:back )?(?:over|through|at) "
    r"(?:it|that|this|my|the) (?:\w+ )*?(?:again|once more|one more time|carefully)\b",
    r"\b(?:plug|plugging|substitut(?:e|ing)|put(?:ting)?) (?:\S+ ){0,5}back\b",
    r"\b(?:is|was) (?:that|this|it) (?:right|correct|true) ?\?",
    r"\b(?:that|it|this|everything) (?:all )?(?:checks out|is consistent with (?:what|the|my))",
)


def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Join patterns; the openings they share are tried once, which makes long thoughts cheap."""
    left, branches = list(patterns), []
    for opening in (_OPENS, r"\b", ""):
        sharing = [pattern for pattern in left if pattern.startswith(opening)]
        left = [pattern for pattern in left if pattern not in sharing]
        rest = "|".join(f"(?:{pattern.removeprefix(opening)})" for pattern in sharing)
        branches += [f"{opening}(?:{rest})"] if sharing else []
    return re.compile("|".join(branches))


_BACKTRACKS, _CHECKS = _any_of(_BACKTRACKING), _any_of(_CHECKING)


class Behaviours(NamedTuple):
    """Numbers of segments of one thought; ``backtracking`` and ``checking`` never overlap."""

    segments: int
    backtracking: int
    checking: int

    @property
    def overthinking(self) -> int:
        """Segments that backtrack or check."""
        return self.backtracking + self.checking


def split_segments(thought: str) -> list[str]:
    """Return the non-empty texts between the paragraph breaks, without an opening ``<think>``."""
    thought = thought.strip().removeprefix("<think>")
    return [segment.strip() for segment in _SEGMENT_BREAK.split(thought) if segment.strip()]


def classify(segment: str) -> str | None:
    """Return ``"backtracking"``, ``"checking"`` or None for one segment."""
    text = segment.lower()
    for pattern, replacement in _PLAIN:
        text = pattern.sub(replacement, text)
    text = text.strip()
    if _BACKTRACKS.search(text):
        return "backtracking"
    return "checking" if _CHECKS.search(text) else None


def count(thought: str) -> Behaviours:
    """Count the segments of a thought, those that backtrack and those that only check.

    Args:
        thought: the text before ``</think>``; an opening ``<think>`` is ignored.
    """
    kinds = [classify(segment) for segment in split_segments(thought)]
    return Behaviours(len(kinds), kinds.count("backtracking"), kinds.count("checking"))


def backtracking_per_1k(backtracking: float, reasoning_tokens: float) -> float:
    """Backtracking segments per 1,000 reasoning tokens; 0 where there are no tokens."""
    return 1000 * backtracking / reasoning_tokens if reasoning_tokens > 0 else 0.0
