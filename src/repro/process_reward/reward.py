"""From scores to per-token process advantages (RePro, arXiv 2512.01925).

The reward of a cut point is the gain in score since the one before. It is normalised over all
rewarded cut points of a group of responses, put on the last token before its cut and summed towards
the end (return-to-go).
"""

import torch
from torch import Tensor


def process_reward(score: Tensor, initial_score: str = "empty_prefix") -> Tensor:
    """Process reward r_j = S_j - S_{j-1} of each cut point after the empty thought.

    Args:
        score: S, (B, C), column 0 being the empty thought.
        initial_score: what stands before the first cut: `empty_prefix` (column 0) or `zero`.

    Returns:
        (B, C - 1).
    """
    if initial_score == "empty_prefix":
        return score.diff(dim=1)
    if initial_score == "zero":
        return torch.cat([score[:, 1:2], score[:, 1:].diff(dim=1)], dim=1)
    raise ValueError(f"initial_score: {initial_score!r}; allowed: empty_prefix, zero")


def normalize_in_groups(values: Tensor, mask: Tensor, group_size: int, eps: float = 1e-6) -> Tensor:
    """z-score over all valid values of a group: (x - mean) / (std + eps), unbiased std.

    A group with a single valid value is centred and not scaled, one without any stays 0.

    Args:
        values: (B, N), `group_size` consecutive rows form a group.
        mask: (B, N), true where a value is valid.
        group_size: responses in a group.
        eps: added to the standard deviation.

    Returns:
        (B, N), 0 where `mask` is false.
    """
    if values.shape[0] % group_size:
        raise ValueError(f"group_size: {group_size} does not divide the {values.shape[0]} rows")
    mask = mask.to(values.dtype)
    groups = (values * mask).reshape(-1, group_size * values.shape[1])  # (G, group_size * N)
    valid = mask.reshape(groups.shape)
    count = valid.sum(dim=1, keepdim=True)
    centred = (groups - groups.sum(dim=1, keepdim=True) / count.clamp(min=1)) * valid
    variance = centred.square().sum(dim=1, keepdim=True) / (count - 1).clamp(min=1)
    std = torch.where(count > 1, variance.sqrt(), torch.ones_like(variance))
    return (centred / (std + eps)).reshape(values.shape)


def place_before_cuts(values: Tensor, cuts: Tensor, length: int) -> Tensor:
    """Put the value of each cut point on the last token before it.

    Args:
        values: (B, C - 1), one for each cut point after the empty thought.
        cuts: (B, C), tokens before each cut, -1 where a response has fewer; column 0 is 0.
        length: T.

    Returns:
        (B, T), 0 on every other token.
    """
    valid = cuts[:, 1:] > 0
    placed = values.new_zeros(values.shape[0], length)
    # Distinct cuts fall on distinct tokens: adding never mixes two rewards. Padding adds 0.
    return placed.scatter_add_(1, (cuts[:, 1:] - 1).clamp(min=0), values * valid)


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
