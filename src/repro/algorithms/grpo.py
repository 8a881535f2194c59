"""Group relative policy optimisation (GRPO; DeepSeekMath, arXiv 2402.03300, section 4.1).

Outcome advantage of response i: A_i = (R_i - mean R) / (std R + 1e-6) over its group, unbiased std,
the same on all of its tokens. A group of a single response keeps its reward (mean 0, std 1).

With RePro (arXiv 2512.01925): A_i + alpha * G_t, G the return-to-go of the process rewards
z-scored over all cut points of the group. Both variants do the same.
"""

from repro.algorithms.batch import Batch, Estimate, ProcessTerm
from repro.process_reward.reward import normalize_in_groups

EPS = 1e-6


def advantages(batch: Batch, process: ProcessTerm | None = None) -> Estimate:
    """Estimate the total advantage of each token, (B, T)."""
    rewards = batch.grouped()
    if batch.num_generations == 1:
        outcome = rewards / (1 + EPS)
    else:
        centred = rewards - rewards.mean(dim=1, keepdim=True)
        outcome = centred / (rewards.std(dim=1, keepdim=True) + EPS)
    total = outcome.reshape(-1, 1)[batch.rows]  # (B, 1)
    if process is not None:
        normalized = normalize_in_groups(process.rewards, process.mask, batch.num_generations, EPS)
        total = total + process.advantage(normalized, batch)
    return Estimate(batch.masked(total))
