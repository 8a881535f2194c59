"""Backtracking and checking, measured on segments labelled by hand."""

from collections import Counter
from pathlib import Path

import pytest

from repro.analysis.behaviours import Behaviours, backtracking_per_1k, classify, count

NAMES = {"B": "backtracking", "C": "checking", "N": None}
FILE = Path(__file__).with_name("labelled_segments.tsv")
LABELLED = [line.split("\t", 1) for line in FILE.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("kind", ["backtracking", "checking"])
def test_precision_and_recall_on_labelled_segments(kind):
    pairs = [(NAMES[label], classify(segment)) for label, segment in LABELLED]
    hits = sum(truth == kind == found for truth, found in pairs)
    precision = hits / Counter(found for _, found in pairs)[kind]
    recall = hits / Counter(truth for truth, _ in pairs)[kind]
    print(f"{kind}: precision {precision:.3f}, recall {recall:.3f} on {len(pairs)} segments")
    assert len(pairs) >= 200
    assert min(precision, recall) >= 0.9


def test_tiny_world_thought_is_counted_by_segment():
    thought = (
        "ones: 7 + 6 = 13, write 3, carry 1.\n\n"
        "tens: 4 + 8 = 12, write 2, carry 1.\n\n"
        "wait, I forgot the carry: 4 + 8 + 1 = 13, write 3. wait, yes.\n\n"
        "let me check: 4 + 8 + 1 = 13, yes.\n\n"
        "so far so good.\n"
    )
    counted = count(thought)
    assert counted == Behaviours(segments=5, backtracking=1, checking=1)
    assert counted.overthinking == 2


@pytest.mark.parametrize(
    ("thought", "expected"),
    [
        ("", (0, 0, 0)),
        ("<think>\n\n", (0, 0, 0)),
        ("<think>\nWait, no.", (1, 1, 0)),
        ("a = 1\n \t\n\n\nb = 2\nc = 3", (2, 0, 0)),  # a single newline is not a break
        ("Wait, let me double-check that.", (1, 1, 0)),  # both: counted once, as backtracking
        ("That\N{RIGHT SINGLE QUOTATION MARK}s not right.", (1, 1, 0)),
        ("x = 3\r\n\r\nHmm.", (2, 1, 0)),
    ],
)
def test_edge_cases(thought, expected):
    assert count(thought) == expected


def test_backtracking_per_1k():
    assert backtracking_per_1k(3, 600) == 5.0
    assert backtracking_per_1k(0, 0) == 0.0
