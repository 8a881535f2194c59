"""Magnitude, stability and score at the cut points (RePro, arXiv 2512.01925).

Every function takes J, the surrogate objective at the cut points, as (B, C), all at most 0, and
returns (B, C). Column 0 is the empty thought (the baseline J_b), valid columns come first, and what
the others hold does not change the valid ones.
"""

import torch
from torch import Tensor


def magnitude(objective: Tensor) -> Tensor:
    """Magnitude score S_magn = 1 - tanh(J / J_b), in [0, 1].

    J = 0 gives 1 and J = J_b gives 1 - tanh(1). Where J_b is exactly 0 (the answer was certain
    before any thought) the limit is taken: J = 0 gives 1, since nothing is left to gain, and J < 0
    gives 0.
    """
    baseline = objective[:, :1]  # (B, 1)
    ratio = objective / torch.where(baseline == 0, -torch.ones_like(baseline), baseline)
    score = torch.where(baseline == 0, torch.zeros_like(ratio), 1 - torch.tanh(ratio))
    return torch.where(objective == 0, torch.ones_like(score), score)


def moving_average(objective: Tensor, weight: float) -> Tensor:
    """Exponential moving average of J along the cut points; the first value starts it.

    `weight` is that of the new value, in (0, 1]; 1 returns J itself.
    """
    averages = [objective[:, 0]]
    for column in objective[:, 1:].unbind(1):
        averages.append(weight * column + (1 - weight) * averages[-1])
    return torch.stack(averages, dim=1)


def stability(objective: Tensor) -> Tensor:
    """Stability score S_stab = tau / 2 + 1/2, Kendall's tau-a of J along the cut points.

    Column t uses the m = t + 1 points up to and including t, the baseline among them; ties count 0.
    Column 0, where tau is not defined, is 1/2.
    """
    count = objective.shape[1]
    # (B, C, C): [i, j] = sign(J_j - J_i)
    signs = torch.sign(objective[:, None, :] - objective[:, :, None])
    concordance = signs.triu(diagonal=1).sum(dim=1).cumsum(dim=1)  # (B, C): over pairs i < j <= t
    m = torch.arange(1, count + 1, dtype=objective.dtype, device=objective.device)
    tau = 2 * concordance / (m * (m - 1)).clamp(min=1)
    return tau / 2 + 0.5


def score(objective: Tensor, w: float, ema: float = 1.0) -> Tensor:
    """Score S = (1 - w) S_magn + w S_stab; column 0, the empty thought, has S_stab = 1/2.

    `w` is in [0, 1], and `ema` the weight of the moving average that the stability score sees.
    """
    return (1 - w) * magnitude(objective) + w * stability(moving_average(objective, ema))
