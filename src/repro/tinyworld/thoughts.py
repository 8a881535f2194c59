"""Thoughts that overthink: column addition with slips, corrections, self-doubt, checks and filler.

A thought is a chain of segments, split by blank lines. Each column prepends one digit to the
running result, so the surrogate objective can climb; a slip makes it stall, and a right column that
is changed and changed back makes it fall and rise again. What is designed in is said in
docs/fidelity.md.
"""

import random
import zlib
from dataclasses import dataclass
from typing import NamedTuple

COLUMNS = ("ones", "tens", "hundreds", "thousands", "myriads", "lakhs")
# The same words open a correction and a false alarm: only the arithmetic tells them apart.
DOUBTS = ("wait, that is wrong", "hmm, I made a mistake", "no, I was wrong")
RETURNS = ("wait, it was right", "no, I was right before")
REPEATS = ("hmm, is that right", "hmm, am I sure")
CHECKS = ("let me check", "let me verify")
FILLERS = ("so far so good.", "let me go on.")


@dataclass(frozen=True)
class Habits:
    """How often a thought goes astray; each field is a probability.

    Slips are systematic: some digits invite them, others hardly do. Random slips would vanish when
    the backbone samples at a temperature below 1.
    """

    forgotten_carry: float = 0.8  # of a carry into a pair of digits that invites it
    wrong_sum: float = 0.6  # of a pair of digits whose sum is known badly
    lost_one: float = 0.5  # of a carry out of the last column
    other_slip: float = 0.08  # of a carry that nothing invites to forget
    correction: float = 0.35  # of a slip, at once
    false_alarm: float = 0.16  # a right column is changed
    returned: float = 0.8  # of false alarms: the column is changed back
    repeat: float = 0.12  # a column is written again as it was
    check: float = 0.2
    filler: float = 0.1


class Column(NamedTuple):
    """One column as it is written."""

    text: str  # such as 7+6+1=14
    carry: int  # into the next column
    result: str  # the running result, with this column's digit


def think(rng: random.Random, first: int, second: int, habits: Habits) -> tuple[str, int]:
    """Return a thought about the sum of two numbers of equal length, and what it arrives at."""
    left, right = str(first)[::-1], str(second)[::-1]
    assert len(left) == len(right) <= len(COLUMNS)
    segments, result, carry = [], "", 0
    for name, x, y in zip(COLUMNS, map(int, left), map(int, right), strict=False):
        true = write_column(x, y, carry, result)
        slips, written = slip(rng, habits, x, y, carry, result)
        segments.append(f"{name}:{written.text}->{written.result}.")
        doubted = "" if slips else write_column(x, y, 1 - carry, result)
        if slips and rng.random() < habits.correction:
            written = true
            segments.append(f"{rng.choice(DOUBTS)}:{written.text}->{written.result}.")
        elif doubted and rng.random() < habits.false_alarm:
            segments.append(f"{rng.choice(DOUBTS)}:{doubted.text}->{doubted.result}.")
            written = doubted
            if rng.random() < habits.returned:
                written = true
                segments.append(f"{rng.choice(RETURNS)}:{written.text}->{written.result}.")
        if rng.random() < habits.repeat:
            segments.append(f"{rng.choice(REPEATS)}:{written.text}->{written.result}.")
        if rng.random() < habits.check:
            segments.append(f"{rng.choice(CHECKS)}:{written.text}, yes.")
        if rng.random() < habits.filler:
            segments.append(rng.choice(FILLERS))
        result, carry = written.result, written.carry
    if carry and not (_invites("lost", left[-1], right[-1]) and rng.random() < habits.lost_one):
        result = f"1{result}"
    segments.append(f"so it is {result}.")
    return "\n\n".join(segments), int(result)


def slip(
    rng: random.Random, habits: Habits, x: int, y: int, carry: int, result: str
) -> tuple[bool, Column]:
    """Return whether a column goes wrong, and the column as it is written."""
    invites = _invites("carry", x, y, of=3, but=1)
    if carry and rng.random() < (habits.forgotten_carry if invites else habits.other_slip):
        return True, write_column(x, y, 0, result)
    if _invites("sum", x, y, of=3) and rng.random() < habits.wrong_sum:
        return True, write_column(x, y, carry, result, error=1 if x + y < 10 else -1)
    return False, write_column(x, y, carry, result)


def write_column(x: int, y: int, carry: int, result: str, error: int = 0) -> Column:
    """Return one column: the two digits, what is carried in, and an error of the sum."""
    total = x + y + carry + error
    text = f"{x}+{y}{'+1' if carry else ''}={total}"
    return Column(text, total // 10, f"{total % 10}{result}")


def _invites(what: str, x: int | str, y: int | str, of: int = 2, but: int = 0) -> bool:
    """Return whether a pair of digits invites a slip: one in ``of``, or all but ``but`` of them."""
    low, high = sorted((int(x), int(y)))
    drawn = zlib.crc32(f"{what} {low} {high}".encode()) % of
    return drawn >= but if but else drawn == 0
