"""Group relative policy optimisation (GRPO; DeepSeekMath, arXiv 2402.03300, section 4.1).

Outcome advantage of response i of a group: A_i = (R_i - mean R) / (std R + 1e-6), unbiased std, the
same for all of its tokens. With RePro (arXiv 2512.01925) the total advantage of token t is A_i +
alpha * G_t, where G is the return-to-go of the process rewards normalised over all cut points of
the group.
"""

import torch
from torch import Tensor

from repro.process_reward.reward import return_to_go


def outcome_advantage(rewards: Tensor, num_generations: int, eps: float = 1e-6) -> Tensor:
    """Outcome advantage of each response.

    A group of a single response has mean 0 and std 1.

    Args:
        rewards: outcome reward of each response, (B,); `num_generations` consecutive ones form a
            group.
        num_generations: responses to a prompt.
        eps: added to the standard deviation.

    Returns:
        (B,).
    """
    if rewards.shape[0] % num_generations:
        raise ValueError(
            f"num_generations: {num_generations} does not divide the {rewards.shape[0]} responses"
        )
    if num_generations == 1:
        return rewards / (1 + eps)
    groups = rewards.reshape(-1, num_generations)
    centred = groups - groups.mean(dim=1, keepdim=True)
    return (centred / (groups.std(dim=1, keepdim=True) + eps)).reshape(-1)


def total_advantage(
    outcome: Tensor,
    response_mask: Tensor,
    process_reward: Tensor | None = None,
    alpha: float = 0.0,
    gamma: float = 1.0,
) -> Tensor:
    """Total advantage A + alpha * G of each token of a response.

    Args:
        outcome: outcome advantage, (B,).
        response_mask: 1 on a response's tokens, (B, T).
        process_reward: process reward z-scored over its group
            (`repro.process_reward.reward.normalize_in_groups`), on the last token before each cut
            and 0 elsewhere, (B, T); None for plain GRPO.
        alpha: weight of the process advantage.
        gamma: discount of the return-to-go, per token.

    Returns:
        (B, T), 0 after a response's end.
    """
    advantage = outcome[:, None].expand(response_mask.shape)
    if process_reward is not None:
        advantage = advantage + alpha * return_to_go(process_reward, gamma)
    return torch.where(response_mask.bool(), advantage, torch.zeros_like(advantage))
