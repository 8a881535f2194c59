"""The metrics of a rollout: sums over local responses, means over all processes."""

import math

from torch import Tensor

from repro.measure.behaviours import count
from repro.training.process_scoring import ProcessScorer
from repro.verify.thinking import find_thought


def response_sums(
    scorer: ProcessScorer, completions: list[list[int]], rewards: Tensor
) -> dict[str, float]:
    """Sum up what every method has, over this process's B responses and their rewards, (B,)."""
    texts = scorer.tokenizer.batch_decode(completions, skip_special_tokens=True)
    backtracking = [count(find_thought(text, scorer.has_tags)).backtracking for text in texts]
    thoughts = zip(map(scorer.thought, completions), completions, strict=True)
    return {
        "responses": len(completions),
        "reward": rewards.sum().item(),
        "accuracy": (rewards > 0.5).sum().item(),
        "reasoning_tokens": sum(t.end if t.closed else len(ids) for t, ids in thoughts),
        "response_tokens": sum(map(len, completions)),
        "truncation_rate": sum(ids[-1] not in scorer.eos_token_ids for ids in completions),
        "backtracking": sum(backtracking),
        "backtracking_responses": sum(map(bool, backtracking)),
    }


def process_sums(
    objectives: Tensor, rewards: Tensor, valid: Tensor, box: list[Tensor]
) -> dict[str, float]:
    """Sum up J, (B, C), and the process rewards, (B, C - 1), which are 0 where not valid.

    `box` has what `probes.box_sums` returns, of the first rollout; of others it is empty.
    """
    last = valid.sum(dim=1, keepdim=True)  # (B, 1)
    of_box = {"box_own": 0, "box_all": 1} if box else {}
    return {
        "cuts": valid.sum().item(),
        "process_reward": rewards.sum().item(),
        "process_reward_squared": rewards.square().sum().item(),
        "objective_baseline": objectives[:, 0].sum().item(),
        "objective_end": objectives.gather(1, last).sum().item(),
        **{name: sum(box)[column].item() for name, column in of_box.items()},
    }


def means(total: dict[str, float]) -> dict[str, float]:
    """Turn sums over all processes into the row of a rollout."""
    n = total["responses"]
    names = ["reward", "accuracy", "reasoning_tokens", "response_tokens", "truncation_rate"]
    names.append("backtracking_responses")
    names += ["objective_baseline", "objective_end"] * ("cuts" in total)
    row = {name: total[name] / n for name in names}
    row["backtracking_per_1k"] = 1000 * total["backtracking"] / max(total["reasoning_tokens"], 1)
    if "cuts" in total:
        count = total["cuts"]
        mean = total["process_reward"] / max(count, 1)
        variance = (total["process_reward_squared"] - count * mean**2) / max(count - 1, 1)
        row["process_reward_mean"] = mean
        row["process_reward_std"] = math.sqrt(max(variance, 0.0))
        row["cut_points"] = count / n + 1
    if total.get("box_all"):
        row["box_share"] = total["box_own"] / total["box_all"]
    return row
