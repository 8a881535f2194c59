r"""The probe `\boxed{ANSWER}`, appended at a cut to ask the policy for the answer."""

from dataclasses import dataclass

from repro.process_reward.segments import END_OF_THOUGHT

BOX = "\\boxed{"
CLOSE_THOUGHT = f"{END_OF_THOUGHT}\n\n"


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
) -> list[Probe]:
    """Return the probe of each cut point of one response; see `make_probe`.

    From the cut point `opened_at` on the thought is open, and is closed before the box; None closes
    nothing. `closed_at` is the cut point behind the response's own `</think>`, where only the blank
    line is added; None in a thought that stays open.
    """
    outside, inside, after = (
        make_probe(tokenizer, answer, answer_only=answer_only, prefix=text)
        for text in ("", CLOSE_THOUGHT, CLOSE_THOUGHT.removeprefix(END_OF_THOUGHT))
    )
    if opened_at is None:
        return [outside for _ in cuts]
    return [after if cut == closed_at else inside if cut >= opened_at else outside for cut in cuts]
