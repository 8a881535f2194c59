"""Progress beyond what the budget would give (after MRT, arXiv 2503.07572, definition 6.1).

r_j = (p_j - p_{j-1}) - (1 - p_0) (t_j - t_{j-1}) / T: what an episode adds to the probability of
success, less what it would add if certainty were reached evenly over the budget of T tokens.

Differs from the publication: there the probability of success is estimated by rollouts that end
their thought at t_j, here it is that of the ground truth appended there, p = exp(J); episodes are
the stretches between RePro's cut points.
"""

from torch import Tensor

from repro.process_reward.known import Known
from repro.process_reward.settings import ProcessRewardSettings


def rewards(known: Known, settings: ProcessRewardSettings) -> Tensor:
    """Return (G, C - 1)."""
    probability = known.objective.exp()
    spent = known.cuts.clamp(min=0).diff(dim=1) / known.budget
    return probability.diff(dim=1) - (1 - probability[:, :1]) * spent
