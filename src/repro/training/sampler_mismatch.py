"""How far the sampler of the rollouts is from the policy that learns from them.

vLLM samples in bfloat16 with kernels of its own; the trainer's probability of the same token
differs. TRL can weight or leave out what differs too much (`rollouts.correction`); how much that
would be, and is, is logged in any case.
"""

import torch
from torch import Tensor

COLUMNS = ("sampler_kl", "sampler_ratio_max", "sampler_corrected")


def measure(
    trainer: Tensor, sampler: Tensor, mask: Tensor, weights: Tensor | None
) -> dict[str, Tensor]:
    """Return sums over the tokens of one micro-batch, and the largest ratio.

    Args:
        trainer: log-probabilities of the sampled tokens by the policy before its update, (B, T).
        sampler: the same by the engine that sampled them, NaN where it gave none, (B, T).
        mask: 1 on tokens of responses, (B, T).
        weights: TRL's importance sampling ratios, truncated or masked, (B, T) or (B, 1); None where
            nothing is corrected.

    Returns:
        `tokens`; `kl`, the k3 estimate of KL(sampler, trainer), r - 1 - log r with r the ratio of
        the trainer's probability to the sampler's (Schulman 2020); `corrected`, tokens whose weight
        is not r itself; and `ratio_max`.
    """
    known = mask.bool() & ~sampler.isnan()
    log_ratio = torch.where(known, trainer.float() - sampler.float(), 0.0)  # (B, T)
    ratio = log_ratio.exp()
    found = {
        "tokens": known.sum(),
        "kl": ((ratio - 1 - log_ratio) * known).sum(),
        "corrected": torch.zeros((), device=ratio.device),
        "ratio_max": ratio.masked_fill(~known, 0.0).max(),
    }
    if weights is not None:
        of_response = weights.shape[1] == 1
        own = log_ratio.sum(dim=1, keepdim=True).exp() if of_response else ratio
        changed = ((weights - own).abs() > 1e-4 * own).expand_as(known)
        found["corrected"] = (changed & known).sum().float()
    return found


def columns(sums: dict[str, float], ratio_max: float) -> dict[str, float]:
    """Return the columns of training.jsonl from sums, and the largest ratio, over all processes."""
    tokens = max(sums["tokens"], 1.0)
    values = sums["kl"] / tokens, ratio_max, sums["corrected"] / tokens
    return dict(zip(COLUMNS, values, strict=True))
