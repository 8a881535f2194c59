"""A penalty on length among correct responses (Arora and Zanette, arXiv 2502.04463).

A correct response of length L earns R (1 - alpha sigmoid((L - mean) / std)), mean and standard
deviation being those of the correct responses to the same prompt; a wrong one earns what it did.

Differs from the publication: it estimates advantages by leave-one-out, here the algorithm has its
own way; where the correct responses are equally long, 0 / 0 is taken as 0.
"""

import torch
from torch import Tensor

from repro.process_reward.measured import Measured
from repro.process_reward.settings import ProcessRewardSettings


def rewards(measured: Measured, settings: ProcessRewardSettings) -> Tensor:
    """Return outcome rewards, (G,); alpha is the weight of the penalty, in [0, 1)."""
    groups = measured.outcome.double().view(-1, measured.num_generations)  # (prompts, n)
    lengths, correct = measured.lengths.double().view(groups.shape), groups > 0.5
    count = correct.sum(dim=1, keepdim=True).clamp(min=1)
    mean = (lengths * correct).sum(dim=1, keepdim=True) / count
    variance = ((lengths - mean).square() * correct).sum(dim=1, keepdim=True) / count
    std = torch.where(variance > 0, variance.sqrt(), 1.0)
    penalty = settings.alpha * torch.sigmoid((lengths - mean) / std) * correct
    return (groups * (1 - penalty)).flatten()
