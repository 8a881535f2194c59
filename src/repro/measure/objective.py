"""How J runs along one thought."""

import math
from collections.abc import Sequence

import numpy as np
import scipy


def correlate_with_position(relative: Sequence[float], objective: Sequence[float]) -> float:
    """Return Spearman's rank correlation of -J with the position in the thought, in [-1, 1].

    Below 0 the model is less surprised by the answer the further the thought has come. Both are of
    C cut points; NaN below three, as two are always in perfect order.
    """
    if len(objective) < 3:
        return math.nan
    if np.ptp(objective) == 0:  # J that never changes does not fall; leaving it out would flatter
        return 0.0
    return float(scipy.stats.spearmanr(relative, -np.asarray(objective)).statistic)
