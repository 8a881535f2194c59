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
    prompt: Sequence[int],
    completion: Sequence[int],
    cuts: Sequence[int],
    probes: Sequence[Probe],
) -> Tensor:
    """Compute J at every cut point of one response, (C,), in float32 or wider.

    Args:
        model: causal language model; its forward takes `logits_to_keep`.
        prompt: token ids, at least one.
        completion: token ids.
        cuts: the cut points, each the number of completion tokens kept.
        probes: the probe of each cut point.

    ValueError: log-probabilities that are not finite.
    """
    at_cuts = zip(cuts, probes, strict=True)
    means = [_mean_log_prob(model, [*prompt, *completion[:cut]], probe) for cut, probe in at_cuts]
    objective = torch.stack(means)
    if not torch.isfinite(objective).all():
        raise ValueError("model: log-probabilities of the answer are not finite (NaN or infinite)")
    return objective


def _mean_log_prob(model, context: list[int], probe: Probe) -> Tensor:
    """Mean log-probability of a probe's scored tokens behind a context, a scalar."""
    ids = torch.tensor([[*context, *probe.ids]], device=model.device)  # (1, W)
    # The logits before each of the A probe tokens, and one more behind them.
    kept = model(input_ids=ids, use_cache=False, logits_to_keep=len(probe.ids) + 1).logits
    logits = kept[0, :-1]  # (A, V)
    dtype = torch.promote_types(logits.dtype, torch.float32)
    log_probs = logits.to(dtype).log_softmax(-1)
    token_log_probs = log_probs.gather(-1, ids[0, len(context) :, None]).squeeze(-1)  # (A,)
    weights = torch.tensor(probe.scored, device=model.device).to(dtype)  # (A,)
    return (token_log_probs * weights).sum() / weights.sum()
