"""The metrics of a rollout: sums over local responses, means over all processes."""

import math
from collections.abc import Sequence

from torch import Tensor

from repro.measure import behaviours
from repro.process_reward.segments import Thought
from repro.verify.answers import split_thought


def response_sums(
    responses: Sequence[str],
    lengths: Sequence[int],
    truncated: Sequence[bool],
    thoughts: Sequence[Thought],
    rewards: Tensor,
) -> dict[str, float]:
    """Sum up what every method has, over this process's B responses.

    These are decoded texts, their lengths in tokens, whether each was cut at the length limit,
    where each one's thought is, and the outcome rewards, (B,).
    """
    closed_at = zip(thoughts, lengths, strict=True)
    counted = [behaviours.count(split_thought(text)[0]) for text in responses]
    return {
        "responses": len(lengths),
        "reward": rewards.sum().item(),
        "accuracy": (rewards > 0.5).sum().item(),
        "reasoning_tokens": sum(t.end if t.closed else length for t, length in closed_at),
        "response_tokens": sum(lengths),
        "truncation_rate": sum(truncated),
        "backtracking": sum(found.backtracking for found in counted),
    }


def process_sums(objectives: Tensor, rewards: Tensor, valid: Tensor) -> dict[str, float]:
    """Sum up the process reward over this process's rewarded cut points.

    Args:
        objectives: J, (B, C), the empty thought first.
        rewards: process rewards of the other cut points, (B, C - 1), 0 where not valid.
        valid: (B, C - 1).
    """
    last = valid.sum(dim=1, keepdim=True)  # (B, 1)
    return {
        "cuts": valid.sum().item(),
        "process_reward": rewards.sum().item(),
        "process_reward_squared": rewards.square().sum().item(),
        "objective_baseline": objectives[:, 0].sum().item(),
        "objective_end": objectives.gather(1, last).sum().item(),
    }


def token_means(advantages: Tensor, mask: Tensor) -> Tensor:
    """Mean advantage over each response's tokens, (B,), from (B, T) that are 0 elsewhere."""
    return advantages.sum(dim=1) / mask.sum(dim=1).clamp(min=1)


def means(total: dict[str, float]) -> dict[str, float]:
    """Turn sums over all processes into the row of a rollout."""
    n = total["responses"]
    names = ("reward", "accuracy", "reasoning_tokens", "response_tokens", "truncation_rate")
    row = {name: total[name] / n for name in names}
    row["backtracking_per_1k"] = 1000 * total["backtracking"] / max(total["reasoning_tokens"], 1)
    if "cuts" in total:
        count = total["cuts"]
        mean = total["process_reward"] / max(count, 1)
        variance = (total["process_reward_squared"] - count * mean**2) / max(count - 1, 1)
        row |= {
            "process_reward_mean": mean,
            "process_reward_std": math.sqrt(max(variance, 0.0)),
            "cut_points": count / n + 1,
            "objective_baseline": total["objective_baseline"] / n,
            "objective_end": total["objective_end"] / n,
        }
    return row
