"""Thoughts: what makes them wrong, what doubts do to them, and how their segments are counted."""

import random

import pytest

from repro.measure import behaviours
from repro.tinyworld import overthinking, problems, thoughts
from repro.tinyworld.thoughts import Habit

ALWAYS = Habit(1.0, 1.0, 0.0)


def draw(*always: str, count: int = 300) -> list[tuple[int, str, int]]:
    """Return the true sum, the thought and what it arrives at, of some sums with some habits."""
    rng, found = random.Random(0), []
    for _ in range(count):
        pair = problems.draw_summands(rng, (3, 4), for_benchmark=False)
        thought = thoughts.think(rng, *pair, dict.fromkeys(always, ALWAYS))
        found.append((sum(pair), *thought))
    return found


def test_without_habits_a_thought_is_right_and_has_a_segment_a_column():
    for total, thought, result in draw():
        assert result == total
        assert len(thought.split("\n\n")) in (5, 6)
        assert not overthinking.count(thought)


@pytest.mark.parametrize("slip", ["forgotten carry", "lost one"])
def test_each_kind_of_slip_makes_some_thoughts_wrong_and_leaves_others_right(slip):
    wrong = [result != total for total, _, result in draw(slip)]
    assert 0.1 < sum(wrong) / len(wrong) < 0.9


def test_a_habit_strikes_at_some_pairs_of_digits_in_either_order():
    rng, habit = random.Random(0), Habit(0.3, 1.0, 0.0)
    struck = {(x, y) for x in range(10) for y in range(10) if habit.strikes(rng, "check", x, y)}
    assert 15 < len(struck) < 45
    assert struck == {(y, x) for x, y in struck}


def test_corrections_mend_every_slip_within_a_column():
    found = draw("forgotten carry", "wrong sum", "correction")
    assert all(result == total for total, _, result in found)
    counts = [overthinking.count(thought) for _, thought, _ in found]
    assert sum(one["correction"] for one in counts) > 300
    assert not any(one["self_doubt"] for one in counts)


@pytest.mark.parametrize("habit", ["false alarm", "repeat"])
def test_self_doubt_mends_nothing_and_breaks_nothing_if_it_is_taken_back(habit):
    for total, thought, result in draw(habit, "change back"):
        assert result == total
        columns = sum(f"{name}:" in thought for name in thoughts.WORDS["columns"])
        assert overthinking.count(thought)["self_doubt"] >= columns
        assert not overthinking.count(thought)["correction"]


def test_a_false_alarm_that_stays_makes_the_thought_wrong():
    assert all(result != total for total, _, result in draw("false alarm"))


def test_words_do_not_tell_a_correction_from_a_false_alarm():
    for opening in (*thoughts.WORDS["doubts"], *thoughts.WORDS["returns"]):
        assert behaviours.classify(f"{opening}:7+6+1=14->43.") == "backtracking"
    for opening in thoughts.WORDS["repeats"]:
        assert behaviours.classify(f"{opening}:7+6+1=14->43.") == "hesitation"
    for opening in thoughts.WORDS["checks"]:
        assert behaviours.classify(f"{opening}:7+6+1=14, yes.") == "verification"
    assert not any(map(behaviours.classify, thoughts.WORDS["fillers"]))


def test_segments_are_counted_by_their_arithmetic():
    thought = [
        "<think>\nones:7+6=12->2.",
        "wait, that is wrong:7+6=13->3.",  # mends: a correction
        "tens:2+2+1=5->53.",
        "wait, that is wrong:2+2=4->43.",  # a right column is changed
        "no, I was right before:2+2+1=5->53.",  # and changed back
        "hmm, am I sure:2+2+1=5->53.",
        "let me check:2+2+1=5, yes.",
        "so far so good.",
        "hundreds:1+1=3->353.",
        "wait, that is wrong:1+1=4->453.",  # mends nothing
        "so it is 453.",
    ]
    counted = overthinking.count("\n\n".join(thought))
    assert counted == {"correction": 1, "self_doubt": 4, "check": 1, "filler": 1}
