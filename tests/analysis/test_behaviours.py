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
from repro.tinyworld.thoughts import WORDS

NAMES = {"B": "backtracking", "V": "verification", "H": "hesitation", "N": None}
FILES = [f"behaviour_sentences{name}.tsv" for name in ("_dev", "", "_blind")]
FILES.append("labelled_segments.tsv")
FLOORS = {"backtracking": 0.9, "verification": 0.85, "hesitation": 0.85}
FAMILIES = {file.stem for file in Path(language.__file__).parent.glob("*.txt")} - {"blocks"}


def labelled(name):
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t", 1) for line in lines]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", BEHAVIOURS)
def test_precision_and_recall(kind, name):
    rows = labelled(name)
    assert len(rows) > 200
    pairs = [(NAMES[label], classify(segment)) for label, segment in rows]
    hits = sum(truth == kind == found for truth, found in pairs)
    found, there = sum(f == kind for _, f in pairs), sum(t == kind for t, _ in pairs)
    print(f"{kind}, {name}: precision {hits / found:.3f}, recall {hits / there:.3f}")
    assert hits / found >= FLOORS[kind]
    assert hits / there >= FLOORS[kind]


def test_single_segments():
    """Which behaviour comes first where several fit, and other senses of the same words."""
    cases = labelled("single_segments.tsv") + [["N", filler] for filler in WORDS["fillers"]]
    assert [(text, classify(text)) for _, text in cases] == [(t, NAMES[k]) for k, t in cases]


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
