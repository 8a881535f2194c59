"""Progress in the probability of the answer (after GRPO-VPS, arXiv 2604.20659).

r_j = p_j - p_{j-1}: what a segment adds to the probability of the correct answer, which is appended
at its end; p = exp(J), the geometric mean of the probabilities of its tokens.

Differs from the publication, or may: its abstract was the source, which says what is measured, and
neither where segments end nor how progress enters the advantage. Here both are as for RePro.
"""

from torch import Tensor

from repro.process_reward.measured import Measured
from repro.process_reward.settings import ProcessRewardSettings


def rewards(measured: Measured, settings: ProcessRewardSettings) -> Tensor:
    """Return the progress of each segment, (G, C - 1)."""
    return measured.probability.diff(dim=1)
