"""RePro (arXiv 2512.01925): what a cut point gains in score over the one before.

r_j = S_j - S_{j-1} with S = (1 - w) S_magn + w S_stab, which join how far the objective has climbed
and how steadily; see `scores`, and `settings` for the two variants.
"""

from torch import Tensor

from repro.process_reward import reward, scores
from repro.process_reward.measured import Measured
from repro.process_reward.settings import ProcessRewardSettings


def rewards(measured: Measured, settings: ProcessRewardSettings) -> Tensor:
    """Return the gains in score, (G, C - 1)."""
    score = scores.score(measured.objective, settings.score_weight, settings.ema)
    return reward.process_reward(score, settings.initial_score)
