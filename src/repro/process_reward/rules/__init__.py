"""Rules of process rewards, one a file: pure functions of what is measured of a generation batch.

`rewards(measured, settings)`, the settings being filled, returns the process rewards of the cut
points after the empty thought, (G, C - 1), which are normalised and summed to the end as RePro's
are, whatever stands where no cut point is; or outcome rewards, (G,), instead of the given ones.
"""

from importlib import import_module

from torch import Tensor

from repro import methods
from repro.process_reward.measured import Measured
from repro.process_reward.rules import controls
from repro.process_reward.settings import ProcessRewardSettings

RULES = {  # controls share a file
    name: getattr(controls, name, None) or import_module(f"{__name__}.{name}").rewards
    for name in methods.RULES
}


def apply(measured: Measured, settings: ProcessRewardSettings) -> Tensor:
    """Return what the rule of the settings does, in float64; ValueError: another shape."""
    found = RULES.get(settings.rule, settings.rule)(measured, settings)
    allowed = tuple(measured.rewarded.shape), tuple(measured.outcome.shape)
    if found.shape not in allowed:
        raise ValueError(
            f"process_reward: returned {tuple(found.shape)}; allowed: {allowed[0]}, a reward for "
            f"each cut point but the first, or {allowed[1]}, an outcome for each response"
        )
    return found.double()
