r"""Cut points of a response (RePro, arXiv 2512.01925).

The thought, the text before `</think>`, is split into segments at paragraph breaks. A model without
such tags thinks in its response, up to the final answer (the last `\\boxed{`). The entropy of
the policy at each segment's first token ranks the segments, and the `k` highest are kept. Cut
points are, in order: 0 (the empty thought), the starts of the kept segments and the end of the
thought. A cut point `t` means: the first `t` tokens.

Breaks are looked for in decoded text, so `".\n\n"` merged into one token and `"\n"` + `"\n"` in two
are found alike.
"""

import random
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

START_OF_THOUGHT, END_OF_THOUGHT = "<think>", "</think>"
FINAL_ANSWER = "\\boxed{"  # begins the answer of a model without tags


@dataclass(frozen=True)
class Thought:
    """Where a response's thought lies, in tokens."""

    starts: list[int]  # first token of each segment, ascending; the first segment starts at 0
    end: int  # tokens up to and including `</think>`, or of the whole response if it never closes
    closed: bool  # whether `</think>`, or without tags the final answer, was found


def find_thought(
    texts: Sequence[str], separator: str | Sequence[str] = "\n\n", has_tags: bool = True
) -> Thought:
    r"""Find the segments and the end of the thought of one response.

    A segment's first token is the one that holds the first visible character after the break, so a
    break at the beginning of a token (`"\n\nWait"`) puts the cut before that token. No segment is
    blank, and an empty thought has none.

    Args:
        texts: decoded text of each token of the response, without the end-of-sequence token.
        separator: a string to find in the decoded text, or the token texts that are breaks
            themselves.
        has_tags: whether `</think>` ends the thought, or else what stands before the final answer.
    """
    text = "".join(texts)
    ends = list(accumulate(map(len, texts)))  # characters up to and including each token

    def token_at(character: int) -> int:
        return bisect_right(ends, character)

    close = text.find(END_OF_THOUGHT) if has_tags else text.rfind(FINAL_ANSWER)
    closed = close >= 0
    thought, end = text[:close] if closed else text, len(texts)
    if closed:
        end = bisect_left(ends, close + len(END_OF_THOUGHT)) + 1 if has_tags else token_at(close)
    if not thought.strip():
        return Thought([], end, closed)
    if isinstance(separator, str):
        breaks = re.finditer(re.escape(separator) + r"\s*", thought)
        starts = [token_at(found.end()) for found in breaks if found.end() < len(thought)]
    else:
        first_after = token_at(close) if closed else len(texts)
        starts = [i + 1 for i in range(first_after - 1) if texts[i] in separator]
    return Thought(sorted({0, *starts}), end, closed)


def opened_at(prompt: str, texts: Sequence[str]) -> int | None:
    """Count the tokens of a response after which its thought is open.

    Some templates open the thought in the prompt, for others the model does so itself. A response
    that closes a thought without opening it has been in it from the beginning. `prompt` is as
    rendered, special tokens included, and `texts` as for `find_thought`. Returns 0 where the
    thought is open from the beginning, None where it never is.
    """
    if prompt.rstrip().endswith(START_OF_THOUGHT):
        return 0
    before, mark, _ = "".join(texts).partition(START_OF_THOUGHT)
    if END_OF_THOUGHT in before:
        return 0
    ends = list(accumulate(map(len, texts)))
    return bisect_left(ends, len(before) + len(mark)) + 1 if mark else None


def cut_points(thought: Thought, entropies: Sequence[float], k: float) -> list[int]:
    """Choose the cut points: 0, the starts of the `k` segments of highest entropy, the end.

    Duplicates are one point; of equal entropies, those of the policy at each token of the response
    in nats, the earlier segment is kept. `k` is at least 1; an infinite one keeps all.
    """
    ranked = sorted(thought.starts, key=lambda start: (-entropies[start], start))
    return sorted({0, *ranked[: int(min(k, len(ranked)))], thought.end})


def draw_cut_points(thought: Thought, like: Sequence[int], seed: str) -> list[int]:
    """Draw as many cut points as `like` has, which `cut_points` chose; 0 and the end stay."""
    ends = {0, thought.end}
    inner = sorted({*thought.starts} - ends)
    drawn = random.Random(seed).sample(inner, len({*like} - ends))
    return sorted({*ends, *drawn})
