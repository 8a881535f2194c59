"""Thoughts that overthink: column addition with slips, corrections, redundant checks and filler.

A thought is a chain of segments, split by blank lines. Each column prepends one digit to the
running result, so the surrogate objective can climb; a forgotten carry makes it stall.
"""

import random
import zlib
from dataclasses import dataclass

COLUMNS = ("ones", "tens", "hundreds", "thousands", "myriads", "lakhs")
WAITS = ("wait, I missed the carry", "wait, I forgot one", "hmm, that is wrong")
FILLERS = ("so far so good.", "let me go on.", "this is going well.")


@dataclass(frozen=True)
class Habits:
    """How often a thought goes astray; each field is a probability.

    Slips are systematic: some digit pairs invite them, others hardly do. Random slips would vanish
    when the backbone samples at a temperature below 1.
    """

    slip_on_hard_pairs: float = 0.85
    slip_on_other_pairs: float = 0.12
    correction: float = 0.35
    check: float = 0.35
    filler: float = 0.14


def think(rng: random.Random, first: int, second: int, habits: Habits) -> tuple[str, int]:
    """Return a thought about the sum of two numbers of equal length, and what it arrives at."""
    left, right = str(first)[::-1], str(second)[::-1]
    assert len(left) == len(right) <= len(COLUMNS)
    segments = [f"add {first} and {second}."]
    result, carry = "", 0
    for column, x, y in zip(COLUMNS, map(int, left), map(int, right), strict=False):
        low, high = sorted((x, y))
        is_hard = zlib.crc32(f"hard {low} {high}".encode()) % 3 != 0  # two pairs in three are
        slip_rate = habits.slip_on_hard_pairs if is_hard else habits.slip_on_other_pairs
        slips = carry == 1 and rng.random() < slip_rate
        line, total, extended = _column(x, y, 0 if slips else carry, result)
        segments.append(f"{column}:{line}->{extended}.")
        if slips and rng.random() < habits.correction:
            line, total, extended = _column(x, y, carry, result)
            segments.append(f"{rng.choice(WAITS)}:{line}->{extended}.")
        if rng.random() < habits.check:
            segments.append(f"let me check:{line}, yes.")
        if rng.random() < habits.filler:
            segments.append(rng.choice(FILLERS))
        result, carry = extended, total // 10
    if carry:
        result = f"1{result}"
    segments.append(f"so it is {result}.")
    return "\n\n".join(segments), int(result)


def _column(x: int, y: int, carry: int, result: str) -> tuple[str, int, str]:
    """Return the line of one column, as `7+6+1=14`, its total, and the result with its digit."""
    total = x + y + carry
    return f"{x}+{y}{'+1' if carry else ''}={total}", total, f"{total % 10}{result}"
