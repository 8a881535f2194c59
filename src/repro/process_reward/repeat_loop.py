r"""The surrogate objective J of RePro (arXiv 2512.01925) by one forward per cut point.

J(t) = 1/|a| * sum_i log pi(a_i | q, thought up to t, a_<i): the mean log-probability of the answer,
given as the probe `\boxed{ANSWER}`, when the thought is cut after t tokens. This is the plain
definition: `one_pass` computes the same from the cache of a single forward, and falls back to this
loop for models whose cache cannot be cut.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from repro.process_reward.probes import Probe


@torch.no_grad()
def surrogate_objective(
    model,
    prompts: Sequence[Sequence[int]],
    completions: Sequence[Sequence[int]],
    cuts: Sequence[Sequence[int]],
    probes: Sequence[Sequence[Probe]],
    *,
    batch_size: int = 128,
) -> Tensor:
    """Compute J at every cut point, each from a forward over prompt, cut thought and probe.

    Sequences of similar length share a batch, equal ones (the empty thought of a group's responses)
    are computed once, logits exist at the probes' positions only and the log-softmax is taken in
    float32 or wider.

    Args:
        model: causal language model; its forward takes `logits_to_keep`.
        prompts: B unpadded rows of token ids, none empty.
        completions: B unpadded rows of token ids.
        cuts: B rows of cut points, each the number of completion tokens kept.
        probes: B rows with the probe of each cut point.
        batch_size: sequences in one forward.

    Returns (B, C), C the largest number of cut points of a row; 0 where a row has fewer.
    ValueError: rows that do not fit, or log-probabilities that are not finite.
    """
    _check(prompts, completions, cuts, probes)
    places: dict[tuple[tuple[int, ...], Probe], list[tuple[int, int]]] = {}
    for row, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
        for column, (cut, probe) in enumerate(zip(cuts[row], probes[row], strict=True)):
            context = (*prompt, *completion[:cut])
            places.setdefault((context, probe), []).append((row, column))
    sequences = sorted(places, key=lambda key: len(key[0]) + len(key[1].ids))

    starts = range(0, len(sequences), batch_size)
    parts = [_probe_log_probs(model, sequences[start : start + batch_size]) for start in starts]
    means = torch.cat(parts)
    if not torch.isfinite(means).all():
        raise ValueError("model: log-probabilities of the answer are not finite (NaN or infinite)")

    objective = means.new_zeros(len(cuts), max(map(len, cuts)))  # (B, C)
    for key, value in zip(sequences, means, strict=True):
        rows, columns = zip(*places[key], strict=True)
        objective[list(rows), list(columns)] = value
    return objective


def _check(prompts, completions, cuts, probes) -> None:
    if not len(prompts) == len(completions) == len(cuts) == len(probes):
        raise ValueError(
            f"prompts, completions, cuts, probes: {len(prompts)}, {len(completions)}, {len(cuts)} "
            f"and {len(probes)} rows; expected as many of each"
        )
    for row, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
        if not len(prompt):
            raise ValueError(f"prompts: row {row} is empty")
        if len(cuts[row]) != len(probes[row]):
            raise ValueError(
                f"probes: {len(probes[row])} in row {row}; expected {len(cuts[row])} as its cuts"
            )
        if any(not 0 <= cut <= len(completion) for cut in cuts[row]):
            raise ValueError(f"cuts: row {row}: expected 0 to {len(completion)}, its tokens")


def _probe_log_probs(model, sequences: list[tuple[tuple[int, ...], Probe]]) -> Tensor:
    """Mean log-probability of each sequence's probe, (N,).

    Left padding lines the probes up at the right edge, so that `logits_to_keep` keeps just their
    positions.
    """
    width = max(len(context) + len(probe.ids) for context, probe in sequences)
    keep = max(len(probe.ids) for _, probe in sequences)
    ids, attention, scored = [], [], []
    for context, probe in sequences:
        padding = width - len(context) - len(probe.ids)
        ids.append([0] * padding + [*context, *probe.ids])
        attention.append([0] * padding + [1] * (width - padding))
        scored.append([False] * (keep - len(probe.ids)) + [*probe.scored])
    input_ids = torch.tensor(ids, device=model.device)  # (N, W)
    attention_mask = torch.tensor(attention, device=model.device)  # (N, W)
    position_ids = (attention_mask.cumsum(1) - 1).clamp(min=0)
    logits = model(
        input_ids=input_ids,
        attention_mask=attention_mask,
        position_ids=position_ids,
        use_cache=False,
        logits_to_keep=keep + 1,
    ).logits[:, :-1]  # (N, keep, V): the logits before each probe token
    dtype = torch.promote_types(logits.dtype, torch.float32)
    log_probs = logits.to(dtype).log_softmax(-1)
    weights = torch.tensor(scored, device=model.device).to(dtype)  # (N, keep)
    token_log_probs = log_probs.gather(-1, input_ids[:, -keep:, None]).squeeze(-1)
    return (token_log_probs * weights).sum(1) / weights.sum(1)
