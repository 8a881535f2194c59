"""The probability of the answer in the place of a verdict (after RLPR, arXiv 2506.18254).

R = clip(p_end - p_0, 0, 1): how much likelier the whole thought makes the ground truth than no
thought does. It needs no verifier.

Differs from the publication: p = exp(J) is the geometric mean of the probabilities of the answer's
tokens, there it is the arithmetic mean; prompts are not filtered by the spread of their rewards.
"""

from torch import Tensor

from repro.process_reward.known import Known
from repro.process_reward.settings import ProcessRewardSettings


def rewards(known: Known, settings: ProcessRewardSettings) -> Tensor:
    """Return outcome rewards, (G,)."""
    last = known.valid.sum(dim=1, keepdim=True) - 1  # (G, 1)
    probability = known.objective.exp()
    return (probability.gather(1, last).squeeze(1) - probability[:, 0]).clamp(0, 1)
