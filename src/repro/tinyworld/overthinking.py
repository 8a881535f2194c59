"""What the segments of a tiny thought do, judged by its arithmetic.

`repro.measure.behaviours` reads words, as it must in real text. Here a doubt that mends a slip and
one that mends nothing begin with the same words, but the digits tell them apart.
"""

import re
from collections import Counter

from repro.tinyworld.thoughts import WORDS

_COLUMN = re.compile(r"(.+):(\d)\+(\d)(?:\+1)?=\d+->(\d)\d*\.")
_CHECK = re.compile(r".+:\d\+\d(?:\+1)?=\d+, yes\.")


def count(thought: str) -> Counter[str]:
    """Count the segments of a thought by kind: correction, self_doubt, check and filler.

    What is none of them is progress. A correction makes a wrong column right; self-doubt changes or
    repeats a column that was right, or changes it back, or changes a wrong one without mending it.
    """
    found: Counter[str] = Counter()
    carry, wanted, is_right, was_right = 0, "", False, False  # of the column being written
    for segment in map(str.strip, thought.removeprefix("<think>").split("\n\n")):
        column = _COLUMN.fullmatch(segment)
        if column and column[1] in WORDS["columns"]:
            total = int(column[2]) + int(column[3]) + carry
            wanted, carry = str(total % 10), total // 10
            is_right = was_right = column[4] == wanted
        elif column:
            mends = column[4] == wanted and not is_right and not was_right
            found["correction" if mends else "self_doubt"] += 1
            is_right = column[4] == wanted
            was_right = was_right or is_right
        elif _CHECK.fullmatch(segment):
            found["check"] += 1
        elif segment in WORDS["fillers"]:
            found["filler"] += 1
    return found
