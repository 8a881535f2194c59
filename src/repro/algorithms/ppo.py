"""Proximal policy optimisation with a critic (PPO; arXiv 1707.06347, GAE: arXiv 1506.02438).

Outcome advantage: the generalised advantage estimate of the terminal reward,
A_t = delta_t + gamma lambda A_{t+1} with delta_t = r_t + gamma V_{t+1} - V_t, whitened over all
tokens of the batch. The critic learns the returns A_t + V_t, A unwhitened.

With RePro (arXiv 2512.01925), the process rewards z-scored over all cut points of the group:
* `paper`: plus alpha times their return-to-go, values not subtracted; the critic's target stays.
* `reference`: plus alpha times a second estimate from the same values, whitened; the critic's
  target is then the values plus the total advantage.
"""

from torch import Tensor
from torch.nn import functional

from repro.algorithms.batch import Batch, Estimate, ProcessTerm
from repro.algorithms.reinforce_pp import terminal_rewards
from repro.process_reward.reward import normalize_in_groups, return_to_go


def advantages(batch: Batch, process: ProcessTerm | None = None) -> Estimate:
    """Estimate the total advantage of each token and the critic's target, (B, T) each.

    ValueError: the batch has no values.
    """
    if batch.values is None:
        raise ValueError("values: None; PPO needs the critic's value before each token, (B, T)")
    outcome = generalized_advantage(terminal_rewards(batch), batch)
    total, returns = batch.whitened(outcome), outcome + batch.values
    if process is not None:
        normalized = normalize_in_groups(process.rewards, process.mask, batch.num_generations)
        if process.variant == "reference":
            second = generalized_advantage(process.on_tokens(normalized, batch), batch)
            total = total + process.alpha * batch.whitened(second)
            returns = batch.values + total
        else:
            total = total + process.advantage(normalized, batch)
    return Estimate(batch.masked(total), batch.masked(returns))


def generalized_advantage(rewards: Tensor, batch: Batch) -> Tensor:
    """Generalised advantage estimate of per-token rewards, (B, T), 0 after a response's end.

    The value after the last token is 0.
    """
    values = batch.masked(batch.values)  # (B, T)
    next_values = functional.pad(values[:, 1:], (0, 1))
    delta = batch.masked(rewards + batch.gamma * next_values - values)
    return return_to_go(delta, batch.gamma * batch.lam)
