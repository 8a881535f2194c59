"""Controls: RePro (arXiv 2512.01925) without one of its parts, to see which of them does the work.

They are this project's own. Each differs from `repro` in what it says and in nothing else, and
returns (G, C - 1).
"""

import torch
from torch import Tensor

from repro.process_reward.measured import Measured
from repro.process_reward.rules.repro import rewards
from repro.process_reward.settings import ProcessRewardSettings


def magnitude(measured: Measured, settings: ProcessRewardSettings) -> Tensor:
    """RePro with w = 0: how far the objective has climbed, not how steadily."""
    return rewards(measured, settings.model_copy(update={"w": 0.0}))


def stability(measured: Measured, settings: ProcessRewardSettings) -> Tensor:
    """RePro with w = 1, in both variants: how steadily the objective climbs, not how far."""
    return rewards(measured, settings.model_copy(update={"w": 1.0, "variant": "paper"}))


def random_cuts(measured: Measured, settings: ProcessRewardSettings) -> Tensor:
    """RePro at cut points that are drawn, where it takes those of highest entropy.

    The scorer draws as many, among the same segments; see `segments.draw_cut_points`. Where k
    leaves no segment out, this is RePro.
    """
    return rewards(measured, settings)


def shuffled(measured: Measured, settings: ProcessRewardSettings) -> Tensor:
    """RePro's rewards in another order within each response: as many of them, and as large.

    Their sum stays, which says how good the whole response is; which step earned what is lost. A
    training that is resumed draws the same orders.
    """
    generator = torch.Generator().manual_seed(measured.step)
    keys = torch.rand(measured.rewarded.shape, generator=generator).to(measured.objective.device)
    # Keys are below 1: the columns without a cut point stay behind the others.
    order = torch.where(measured.rewarded, keys, 1.0).argsort(dim=1, stable=True)
    return rewards(measured, settings).gather(1, order)


def outcome(measured: Measured, settings: ProcessRewardSettings) -> Tensor:
    """The outcome reward in equal parts at RePro's cut points: nothing that GRPO does not know."""
    share = measured.outcome / measured.rewarded.sum(dim=1).clamp(min=1)  # (G,)
    return share[:, None].expand(measured.rewarded.shape)
