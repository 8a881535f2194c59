"""What every estimator sees of a rollout batch."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from repro.process_reward.reward import CO_AUTHORS_COUNT_EPS, return_to_go, whiten
from repro.process_reward.settings import VARIANTS


@dataclass(frozen=True)
class Batch:
    """The outcome of a batch of G responses, B of which belong to this process.

    ValueError: rewards or values that are not finite.
    """

    rewards: Tensor  # outcome reward of every response of all processes, (G,)
    mask: Tensor  # 1 on the tokens of this process's responses, (B, T)
    num_generations: int  # responses to a prompt: consecutive ones, which form a group
    rows: slice = field(default_factory=lambda: slice(None))  # which of the G are the B
    values: Tensor | None = None  # the critic's value before each token, (B, T); PPO only
    gamma: float = 1.0  # discount, per token
    lam: float = 1.0  # lambda of the generalised advantage estimate; PPO only
    # Adds a tensor up over all processes; the identity on one.
    sum_over_processes: Callable[[Tensor], Tensor] = lambda tensor: tensor

    def __post_init__(self) -> None:
        read = {"rewards": self.rewards}
        if self.values is not None:
            read["values"] = self.values[self.mask.bool()]
        for name, tensor in read.items():
            if not torch.isfinite(tensor).all():
                raise ValueError(f"{name}: contains values that are not finite (NaN or infinite)")

    def grouped(self) -> Tensor:
        """Outcome rewards by group, (G / num_generations, num_generations)."""
        return self.rewards.reshape(-1, self.num_generations)

    def masked(self, advantage: Tensor) -> Tensor:
        """Return an advantage, (B, 1) or (B, T), as (B, T) with 0 after each response's end."""
        advantage = advantage.expand(self.mask.shape)
        return torch.where(self.mask.bool(), advantage, torch.zeros_like(advantage))

    def whitened(self, estimate: Tensor) -> Tensor:
        """Whiten an estimate, (B, T), over all tokens of all processes, as the co-author does."""
        return whiten(estimate, self.mask, CO_AUTHORS_COUNT_EPS, self.sum_over_processes)


@dataclass(frozen=True)
class ProcessTerm:
    """The process rewards of a batch and how they enter the total advantage.

    ValueError: rewards and mask that do not fit, rewards that are not finite, unknown variants.
    """

    rewards: Tensor  # raw process reward r_j of every response of all processes, (G, C)
    mask: Tensor  # true where a reward is valid, (G, C)
    positions: Tensor  # the token that bears each reward, (B, C), in this process's responses
    alpha: float  # weight of the process advantage
    variant: str = "paper"  # or `reference`; see each algorithm

    def __post_init__(self) -> None:
        if self.rewards.dim() != 2 or self.mask.shape != self.rewards.shape:
            raise ValueError(
                f"rewards, mask: shapes {tuple(self.rewards.shape)} and {tuple(self.mask.shape)}; "
                "expected (G, C) twice"
            )
        if self.variant not in VARIANTS:
            raise ValueError(f"variant: {self.variant!r}; allowed: {', '.join(VARIANTS)}")
        if not torch.isfinite(self.rewards[self.mask.bool()]).all():
            raise ValueError("rewards: contains process rewards that are not finite")

    def on_tokens(self, normalized: Tensor, batch: Batch) -> Tensor:
        """Put this process's normalised rewards (G, C) on their tokens, (B, T), and 0 elsewhere."""
        mask = self.mask[batch.rows].bool()
        values = torch.where(mask, normalized[batch.rows], 0.0)
        # Distinct cuts fall on distinct tokens: adding never mixes two rewards. Padding adds 0.
        positions = torch.where(mask, self.positions, 0)
        return values.new_zeros(batch.mask.shape).scatter_add_(1, positions, values)

    def advantage(self, normalized: Tensor, batch: Batch) -> Tensor:
        """Process advantage alpha * return-to-go of the normalised rewards, (B, T)."""
        return self.alpha * return_to_go(self.on_tokens(normalized, batch), batch.gamma)


@dataclass(frozen=True)
class Estimate:
    """Advantages and, with a critic, what it should learn, both 0 after each response's end."""

    advantages: Tensor  # (B, T)
    returns: Tensor | None = None  # the critic's regression target, (B, T); None without a critic
