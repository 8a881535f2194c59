"""From scores to process rewards, and their normalisation (RePro, arXiv 2512.01925).

The reward of a cut point is the gain in score since the one before. It is normalised over all
rewarded cut points of a group of responses or of a batch, put on the last token before its cut
(`algorithms.batch.ProcessTerm`) and summed towards the end (return-to-go).
"""

from collections.abc import Callable

import torch
from torch import Tensor

# The co-author's means divide by the count of values plus this. It matters only where all values
# are equal and the variance therefore nothing but rounding.
CO_AUTHORS_COUNT_EPS = 1e-8


def process_reward(score: Tensor, initial_score: str = "zero") -> Tensor:
    """Process reward r_j = S_j - S_{j-1} of each cut point after the empty thought, (B, C - 1).

    `score` is S, (B, C), column 0 being the empty thought. `initial_score` says what the first cut
    is compared with: `zero`, or `empty_prefix` (column 0).
    """
    before = {"zero": torch.zeros_like(score[:, :1]), "empty_prefix": score[:, :1]}[initial_score]
    return torch.cat([before, score[:, 1:]], dim=1).diff(dim=1)


def normalize_in_groups(
    values: Tensor, mask: Tensor, num_generations: int, eps: float = 1e-6
) -> Tensor:
    """z-score over all valid values of a group: (x - mean) / (std + eps), unbiased std.

    A group with a single valid value is centred and not scaled, one without any stays 0.

    Args:
        values: (B, N), `num_generations` consecutive rows form a group.
        mask: (B, N), true where a value is valid.
        num_generations: rows in a group.
        eps: added to the standard deviation.

    Returns (B, N), 0 where `mask` is false.
    """
    centred = center_in_groups(values, mask, num_generations)
    groups = centred.reshape(-1, num_generations * values.shape[1])  # (G, n * N)
    count = mask.reshape(groups.shape).sum(dim=1, keepdim=True)
    variance = groups.square().sum(dim=1, keepdim=True) / (count - 1).clamp(min=1)
    std = torch.where(count > 1, variance.sqrt(), torch.ones_like(variance))
    return (groups / (std + eps)).reshape(values.shape)


def center_in_groups(values: Tensor, mask: Tensor, num_generations: int) -> Tensor:
    """Subtract the mean over all valid values of a group; see `normalize_in_groups`."""
    values = torch.where(mask.bool(), values, torch.zeros_like(values))
    groups = values.reshape(-1, num_generations * values.shape[1])  # (G, n * N)
    valid = mask.to(values.dtype).reshape(groups.shape)
    mean = groups.sum(dim=1, keepdim=True) / valid.sum(dim=1, keepdim=True).clamp(min=1)
    return ((groups - mean) * valid).reshape(values.shape)


def whiten(
    values: Tensor,
    mask: Tensor,
    count_eps: float = 0.0,
    sum_over_processes: Callable[[Tensor], Tensor] = lambda tensor: tensor,
) -> Tensor:
    """Whiten all valid values of a batch: (x - mean) * rsqrt(variance + 1e-8), unbiased variance.

    Args:
        values: (B, N).
        mask: (B, N), true where a value is valid.
        count_eps: added to the count in the means; see `CO_AUTHORS_COUNT_EPS`.
        sum_over_processes: adds a tensor up over all processes, so that they share one mean.

    Returns (B, N), 0 where `mask` is false; a single valid value becomes 0.
    """
    valid = mask.to(values.dtype)
    values = torch.where(mask.bool(), values, torch.zeros_like(values))
    total, count = sum_over_processes(torch.stack([values.sum(), valid.sum()]))
    if count == 0:
        return torch.zeros_like(values)
    centred = (values - total / (count + count_eps)) * valid
    variance = sum_over_processes(centred.square().sum()) / (count + count_eps)
    variance = variance * count / (count - 1).clamp(min=1)
    return centred * torch.rsqrt(variance + 1e-8)


def return_to_go(rewards: Tensor, gamma: float = 1.0) -> Tensor:
    """Discounted sum of the rewards from each token on: G_t = r_t + gamma G_{t+1}, (B, T)."""
    if gamma == 1.0:
        return rewards.flip(1).cumsum(1).flip(1)
    returns = torch.empty_like(rewards)
    running = torch.zeros_like(rewards[:, 0])
    for t in reversed(range(rewards.shape[1])):
        running = rewards[:, t] + gamma * running
        returns[:, t] = running
    return returns
