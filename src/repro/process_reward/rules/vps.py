"""Progress in the probability of the answer (after GRPO-VPS, arXiv 2604.20659).

r_j = p_j - p_{j-1}: what a stretch of the thought adds to the probability of the ground truth,
appended at its end, with p = exp(J), the geometric mean of its tokens' probabilities.

Differs from the publication, of which the abstract was the source: cut points are RePro's, and the
rewards enter the advantage as RePro's do (normalised over the group, summed to the end).
"""

from torch import Tensor

from repro.process_reward.known import Known
from repro.process_reward.settings import ProcessRewardSettings


def rewards(known: Known, settings: ProcessRewardSettings) -> Tensor:
    """Return (G, C - 1)."""
    return known.objective.exp().diff(dim=1)
