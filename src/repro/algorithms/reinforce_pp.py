"""REINFORCE++ (arXiv 2501.03262): no critic, no group, one baseline for the whole batch.

Outcome advantage: the return-to-go of the terminal reward, gamma^(T_i - 1 - t) R_i, whitened over
all tokens of the batch.

With RePro (arXiv 2512.01925): plus alpha * G_t, G the return-to-go of the process rewards whitened
over all cut points of the batch. Both variants do the same.
"""

from repro.algorithms.batch import Batch, Estimate, ProcessTerm
from repro.process_reward.reward import CO_AUTHORS_COUNT_EPS, return_to_go, whiten


def advantages(batch: Batch, process: ProcessTerm | None = None) -> Estimate:
    """Estimate the total advantage of each token, (B, T)."""
    returns = return_to_go(terminal_rewards(batch), batch.gamma)
    total = batch.whitened(returns)
    if process is not None:
        count_eps = CO_AUTHORS_COUNT_EPS if process.variant == "reference" else 0.0
        normalized = whiten(process.rewards, process.mask, count_eps)
        total = total + process.advantage(normalized, batch)
    return Estimate(batch.masked(total))


def terminal_rewards(batch: Batch):
    """Outcome reward on the last token of each response and 0 elsewhere, (B, T)."""
    rewards = batch.rewards[batch.rows]
    mask = batch.mask.to(rewards.dtype)
    later = return_to_go(mask) - mask  # tokens that follow
    return rewards[:, None] * mask * (later == 0)
