"""Thoughts that overthink: column addition with slips, corrections, self-doubt, checks and filler.

A thought is a chain of segments, split by blank lines. Each column prepends one digit to the
running result, so the surrogate objective can climb; a slip makes it stall, and a right column that
is changed and changed back makes it fall and rise again. What is designed in is said in
docs/fidelity.md.
"""

import random
import tomllib
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

WORDS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


class Habit(NamedTuple):
    """How often a thought goes astray in one way, at pairs of digits.

    Habits are systematic: some pairs of digits invite one, and the others hardly do. What is left
    to chance everywhere would vanish when the backbone samples at a temperature below 1.
    """

    share: float  # of the pairs of digits that invite it, drawn by a hash
    invited: float  # probability at these
    otherwise: float  # probability at the others

    def strikes(self, rng: random.Random, name: str, x: int, y: int) -> bool:
        """Return whether the habit called ``name`` shows at the digits x and y of a column."""
        low, high = sorted((x, y))
        invites = zlib.crc32(f"{name} {low} {high}".encode()) % 1000 < 1000 * self.share
        return rng.random() < (self.invited if invites else self.otherwise)


HABITS = {name: Habit(*numbers) for name, numbers in WORDS["habits"].items()}


class Column(NamedTuple):
    """One column as it is written."""

    text: str  # such as 7+6+1=14
    carry: int  # into the next column
    result: str  # the running result, with this column's digit


def think(
    rng: random.Random, first: int, second: int, habits: Mapping[str, Habit] = HABITS
) -> tuple[str, int]:
    """Return a thought about the sum of two numbers of equal length, and what it arrives at.

    ``habits`` are some of `HABITS`; what is not among them never happens.
    """
    left, right = str(first)[::-1], str(second)[::-1]
    assert len(left) == len(right) <= len(WORDS["columns"])
    segments, result, carry = [f"{first}+{second}."], "", 0
    for name, x, y in zip(WORDS["columns"], map(int, left), map(int, right), strict=False):

        def has(habit: str, x: int = x, y: int = y) -> bool:
            return habit in habits and habits[habit].strikes(rng, habit, x, y)

        true = written = write_column(x, y, carry, result)
        if carry and has("forgotten carry"):
            written = write_column(x, y, 0, result)
        elif has("wrong sum"):
            written = write_column(x, y, carry, result, error=1 if x + y < 10 else -1)
        segments.append(f"{name}:{written.text}->{written.result}.")
        if written != true and has("correction"):
            written = true
            segments.append(f"{rng.choice(WORDS['doubts'])}:{written.text}->{written.result}.")
        elif written == true and has("false alarm"):
            written = write_column(x, y, 1 - carry, result)
            segments.append(f"{rng.choice(WORDS['doubts'])}:{written.text}->{written.result}.")
            if has("change back"):
                written = true
                segments.append(f"{rng.choice(WORDS['returns'])}:{written.text}->{written.result}.")
        if has("repeat"):
            segments.append(f"{rng.choice(WORDS['repeats'])}:{written.text}->{written.result}.")
        if has("check"):
            segments.append(f"{rng.choice(WORDS['checks'])}:{written.text}, yes.")
        if has("filler"):
            segments.append(rng.choice(WORDS["fillers"]))
        result, carry = written.result, written.carry
    if carry and not has("lost one"):
        result = f"1{result}"
    segments.append(f"so it is {result}.")
    return "\n\n".join(segments), int(result)


def write_column(x: int, y: int, carry: int, result: str, error: int = 0) -> Column:
    """Return one column: the two digits, what is carried in, and an error of the sum."""
    total = x + y + carry + error
    text = f"{x}+{y}{'+1' if carry else ''}={total}"
    return Column(text, total // 10, f"{total % 10}{result}")
