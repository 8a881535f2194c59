"""RePro (arXiv 2512.01925): the gain in score, which joins magnitude and stability.

r_j = S_j - S_{j-1} with S = (1 - w) S_magn + w S_stab; see `scores` and `reward`.
"""

from torch import Tensor

from repro.process_reward import reward, scores
from repro.process_reward.known import Known
from repro.process_reward.settings import ProcessRewardSettings


def rewards(known: Known, settings: ProcessRewardSettings) -> Tensor:
    """Return (G, C - 1)."""
    score = scores.score(known.objective, settings.score_weight, settings.ema)
    return reward.process_reward(score, settings.initial_score)
