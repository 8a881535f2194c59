"""Controls: RePro with one of its parts taken away, to see which part does the work.

What is published of none of them stands elsewhere; each says what it leaves out.
"""

import torch
from torch import Tensor

from repro.process_reward import reward, scores
from repro.process_reward.known import Known
from repro.process_reward.rules import repro
from repro.process_reward.settings import ProcessRewardSettings


def magnitude(known: Known, settings: ProcessRewardSettings) -> Tensor:
    """RePro without stability (w = 0): how far J has come, not how steadily. (G, C - 1)."""
    return reward.process_reward(scores.magnitude(known.objective), settings.initial_score)


def stability(known: Known, settings: ProcessRewardSettings) -> Tensor:
    """RePro without magnitude (w = 1): how steadily J has risen, not how far. (G, C - 1)."""
    seen = scores.moving_average(known.objective, settings.ema)
    return reward.process_reward(scores.stability(seen), settings.initial_score)


def random_cuts(known: Known, settings: ProcessRewardSettings) -> Tensor:
    """RePro at cut points that are drawn, where it takes those of highest entropy. (G, C - 1).

    The scorer draws them, among the same segments and as many. With k = all nothing is left out,
    and this is RePro.
    """
    return repro.rewards(known, settings)


def shuffled(known: Known, settings: ProcessRewardSettings) -> Tensor:
    """RePro's rewards in another order within each response: as many, as large. (G, C - 1).

    What is left is their sum, which is that of the response; which step earned what is lost.
    """
    earned, valid = repro.rewards(known, settings), known.valid[:, 1:]
    generator = torch.Generator().manual_seed(known.step)
    keys = torch.rand(earned.shape, generator=generator).to(earned.device)
    order = keys.masked_fill(~valid, 2.0).argsort(dim=1)  # valid columns stay the first ones
    return earned.gather(1, order)


def outcome(known: Known, settings: ProcessRewardSettings) -> Tensor:
    """The outcome in equal parts at RePro's cut points: no more than GRPO knows. (G, C - 1)."""
    valid = known.valid[:, 1:]
    share = known.outcome / valid.sum(dim=1).clamp(min=1)
    return share[:, None] * valid
