r"""The probe `\boxed{ANSWER}`, appended at a cut to ask the policy for the answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from repro.process_reward.segments import END_OF_THOUGHT

BOX = "\\boxed{"
CLOSE_THOUGHT = f"{END_OF_THOUGHT}\n\n"
LEAD_IN = "The final answer is "  # the one that `explain.transcripts` tries


@dataclass(frozen=True)
class Probe:
    """What is appended at a cut."""

    ids: tuple[int, ...]
    scored: tuple[bool, ...]  # which of them the objective averages over; at least one


def make_probe(tokenizer, answer: str, *, answer_only: bool = False, prefix: str = "") -> Probe:
    r"""Tokenise the probe `\boxed{ANSWER}`, without BOS or other special tokens.

    The box is tokenised alone, never together with the text before the cut: its tokens are then the
    same at every cut point of a response and their objectives compare. `tokenizer` is a fast one,
    which gives character offsets. With `answer_only` only the tokens that hold a character of the
    answer are scored, not the whole box; `prefix`, text between the cut and the box such as
    `CLOSE_THOUGHT`, never is. ValueError: an empty answer.
    """
    if not isinstance(answer, str) or not answer.strip():
        raise ValueError(f"answer: {answer!r}; expected a ground-truth answer, a text not empty")
    box = f"{BOX}{answer}}}"
    encoded = tokenizer(box, add_special_tokens=False, return_offsets_mapping=True)
    ids, spans = encoded["input_ids"], encoded["offset_mapping"]
    first, last = (len(BOX), len(BOX) + len(answer)) if answer_only else (0, len(box))
    scored = [start < last and end > first for start, end in spans]
    lead = tokenizer(prefix, add_special_tokens=False)["input_ids"] if prefix else []
    return Probe((*lead, *ids), (*[False] * len(lead), *scored))


def probes_at_cuts(
    tokenizer,
    answer: str,
    cuts: list[int],
    *,
    opened_at: int | None = None,
    closed_at: int | None = None,
    answer_only: bool = False,
    lead_in: str = "",
) -> list[Probe]:
    """Return the probe of each cut point of one response; see `make_probe`.

    From the cut point `opened_at` on the thought is open, and is closed before the box; None closes
    nothing. `closed_at` is the cut point behind the response's own `</think>`, where only the blank
    line is added; None in a thought that stays open. `lead_in` is text right before the box.
    """
    outside, inside, after = (
        make_probe(tokenizer, answer, answer_only=answer_only, prefix=f"{text}{lead_in}")
        for text in ("", CLOSE_THOUGHT, CLOSE_THOUGHT.removeprefix(END_OF_THOUGHT))
    )
    if opened_at is None:
        return [outside for _ in cuts]
    return [after if cut == closed_at else inside if cut >= opened_at else outside for cut in cuts]


def box_sums(tokenizer, answers: Sequence[str], box: Tensor, answer: Tensor) -> Tensor:
    r"""Return how much of -J is that of the box's own tokens, and -J, both summed over tokens.

    In running text the tokens of `\boxed{` may be the surprise, and not the answer; then J says
    little of what a thought is worth. `box` and `answer` are J of B responses averaged over all
    tokens of the probe and over the answer's, (B, C) each, 0 where there is no cut point.
    """
    counts = torch.tensor(
        [
            [sum(make_probe(tokenizer, of, answer_only=only).scored) for only in (False, True)]
            for of in answers
        ]
    ).to(box)  # (B, 2)
    whole, of_answer = -(counts * torch.stack([box.sum(1), answer.sum(1)], dim=1)).sum(0)
    return torch.stack([whole - of_answer, whole])
