"""A penalty on length among correct responses (Arora and Zanette, arXiv 2502.04463, equation 2).

A correct response of length L earns R (1 - alpha sigmoid((L - mean) / std)), mean and standard
deviation being those of the correct responses to the same prompt; a wrong one earns what it did.

Differs from the publication: its baseline is leave-one-out, here the algorithm has its own; where
all correct responses are equally long, which leaves the fraction undefined, it is taken as 0.
"""

import torch
from torch import Tensor

from repro.process_reward.known import Known
from repro.process_reward.settings import ProcessRewardSettings


def rewards(known: Known, settings: ProcessRewardSettings) -> Tensor:
    """Return outcome rewards, (G,); alpha is the weight of the penalty, in [0, 1)."""
    correct = known.groups(known.outcome) > 0.5  # (P, n)
    lengths, count = known.groups(known.lengths).double(), correct.sum(dim=1, keepdim=True)
    mean = (lengths * correct).sum(dim=1, keepdim=True) / count.clamp(min=1)
    variance = ((lengths - mean).square() * correct).sum(dim=1, keepdim=True) / count.clamp(min=1)
    std = torch.where(variance > 0, variance.sqrt(), torch.ones_like(variance))
    penalty = settings.alpha * torch.sigmoid((lengths - mean) / std) * correct
    return known.outcome * (1 - penalty.flatten().to(known.outcome))
