"""The behaviour rule, measured on sentences labelled by hand.

It was written on ``behaviour_sentences_dev.tsv`` and ``labelled_segments.tsv``, and widened once
after a first look at ``behaviour_sentences.tsv``. It was measured on
``behaviour_sentences_blind.tsv``, which it had never met, and left as it was.
"""

import re
from pathlib import Path

import pytest

from repro.measure.behaviours import BEHAVIOURS, Behaviours, classify, count
from repro.measure.phrases import language
from repro.tinyworld.thoughts import FILLERS

NAMES = {"B": "backtracking", "V": "verification", "H": "hesitation", "N": None}
FILES = {
    "behaviour_sentences_dev.tsv": 250,
    "behaviour_sentences.tsv": 360,
    "behaviour_sentences_blind.tsv": 320,
    "labelled_segments.tsv": 216,
}
FLOORS = {"backtracking": 0.9, "verification": 0.85, "hesitation": 0.85}
FAMILIES = {file.stem for file in Path(language.__file__).parent.glob("*.txt")} - {"blocks"}


def labelled(name):
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t", 1) for line in lines]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", BEHAVIOURS)
def test_precision_and_recall(kind, name):
    rows = labelled(name)
    assert len(rows) == FILES[name]
    pairs = [(NAMES[label], classify(segment)) for label, segment in rows]
    hits = sum(truth == kind == found for truth, found in pairs)
    found, there = sum(f == kind for _, f in pairs), sum(t == kind for t, _ in pairs)
    print(f"{kind}, {name}: precision {hits / found:.3f}, recall {hits / there:.3f}")
    assert hits / found >= FLOORS[kind]
    assert hits / there >= FLOORS[kind]


@pytest.mark.parametrize(
    ("segment", "kind"),
    [
        ("let me check:4+8+1=13, yes.", "verification"),
        ("wait, I forgot one:7+6+1=14->4.", "backtracking"),
        ("hmm, that is wrong:7+6+1=14->4.", "backtracking"),
        ("wait, I missed the carry:7+6+1=14->4.", "backtracking"),
        ("add 12 and 34.", None),
        ("ones:7+6=13->3.", None),
        ("so it is 143.", None),
        *((filler, None) for filler in FILLERS),
        # Which behaviour comes first where several fit
        ("Let me double-check: 3 + 4 = 7. Oh no, I forgot the carry.", "backtracking"),
        ("Hmm, let me double-check that.", "verification"),
        ("I'm not sure. Let me verify it: 2 + 2 = 4.", "verification"),
        ("Hmm, I'm not sure. Let me start over.", "backtracking"),
        ("Wait.", "hesitation"),
        ("Wait, is x an integer?", "hesitation"),
        ("Wait, x is an integer.", "backtracking"),  # a statement after a stop corrects
        ("Hmm, x is an integer.", "hesitation"),  # after a pause it must object
        ("Hmm, but x is an integer.", "backtracking"),
        ("Wait, x is an integer, I'm not sure though.", "hesitation"),
        ("Oh.", None),
        ("The formula I guessed does this. Not all of it.", None),  # two signs, two sentences
        ("The formula I guessed does not do all of it.", "backtracking"),
        # A dash opens a clause
        ("The area is 12\N{EM DASH}wait, the base is 6, so the area is 9.", "backtracking"),
        ("x -- hmm", "hesitation"),
        # Everyday and mathematical senses of the same words
        ("They wait for the bus, then wait until noon.", None),
        ("For each n, check whether 7 divides n.", None),
        ("He made two mistakes on the test.", None),
        ("The backtracking solver places a queen and removes it again.", None),
        ("Then n is even, which is impossible, so n is odd.", None),
        ("The cycle starts over after 30 seconds.", None),
        ("How many multiples of 6 are below 100? There are 16.", None),
        ("The question is: what is the probability that the two dice sum to 7?", None),
        ("`wait, no` is printed twice.", None),
    ],
)
def test_one_segment(segment, kind):
    assert classify(segment) == kind


@pytest.mark.parametrize(
    ("thought", "expected"),
    [
        ("", (0, 0, 0, 0)),
        ("<think>\n\n", (0, 0, 0, 0)),
        ("<think>\nWait, no.", (1, 1, 0, 0)),
        ("a = 1\n \t\n\n\nb = 2\nc = 3", (2, 0, 0, 0)),  # a single newline is not a break
        ("x = 3\r\n\r\nHmm.\r\n\r\nThat checks out.\r\n\r\nLet me start over.", (4, 1, 1, 1)),
    ],
)
def test_counting(thought, expected):
    assert count(thought) == Behaviours(*expected)


@pytest.mark.parametrize("apostrophe", ["'", "\u2019", "\u02bc"])
@pytest.mark.parametrize(
    ("segment", "kind"),
    [
        ("That isn't right.", "backtracking"),
        ("Let's verify that.", "verification"),
        ("I'm not sure.", "hesitation"),
    ],
)
def test_apostrophes_case_and_markdown(segment, kind, apostrophe):
    segment = segment.replace("'", apostrophe)
    assert classify(segment) == classify(segment.upper()) == classify(f"**{segment}**") == kind


def test_the_work_grows_with_the_text_only():
    """Each word is tried once per family, and nothing within a phrase repeats without a bound."""
    for family in FAMILIES:
        for phrase in language.lines(family):
            pattern = language.expand(re.sub(r"^(\^|<do>)", "<letme>", phrase))
            unbounded = re.findall(r"(.{0,12}(?:\)|(?<!\\)\.|\])[*+])", pattern)
            # One word, or one run of marks, may be as long as it likes.
            assert all(re.search(r"\[[^ ^]*\]?[*+]$", found) for found in unbounded), phrase
    for text in ("wait, " * 5000, "i have " * 5000, "(" * 20000, "is it? " * 5000, "a" * 50000):
        words = language.read(text).words
        assert len(words) == len(re.findall(r"\w+", text))
        assert len({at for at, _ in words}) == len(words)
