"""REINFORCE++-baseline (arXiv 2501.03262): the group mean as baseline, the batch as scale.

Outcome advantage: R_i minus the mean of its group, whitened over all tokens of the batch. A group
of a single response keeps its reward.

With RePro (arXiv 2512.01925): plus alpha * G_t, G the return-to-go of the process rewards,
normalised over all cut points of the group: z-scored in the variant `paper`; in `reference` the
mean is subtracted and nothing scaled, so that its alpha means something else.
"""

from repro.algorithms.batch import Batch, Estimate, ProcessTerm
from repro.process_reward.reward import center_in_groups, normalize_in_groups


def advantages(batch: Batch, process: ProcessTerm | None = None) -> Estimate:
    """Estimate the total advantage of each token, (B, T)."""
    rewards = batch.grouped()
    if batch.num_generations > 1:
        rewards = rewards - rewards.mean(dim=1, keepdim=True)
    outcome = rewards.reshape(-1, 1)[batch.rows].expand(batch.mask.shape)  # (B, T)
    total = batch.whitened(outcome)
    if process is not None:
        normalize = center_in_groups if process.variant == "reference" else normalize_in_groups
        normalized = normalize(process.rewards, process.mask, batch.num_generations)
        total = total + process.advantage(normalized, batch)
    return Estimate(batch.masked(total))
