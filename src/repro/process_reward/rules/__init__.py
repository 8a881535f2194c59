"""Rules of process rewards: pure functions of what is measured of a generation batch.

A rule takes `Measured` and filled settings. It returns the process rewards of the cut points after
the empty thought, (G, C - 1), which are normalised and summed to the end as RePro's are, whatever
stands where no cut point is; or outcome rewards, (G,), which take the place of the given ones.
"""

from torch import Tensor

from repro.process_reward.measured import Measured
from repro.process_reward.rules import controls, length, repro, vps
from repro.process_reward.settings import ProcessRewardSettings

RULES = {  # their names in tables stand in `methods.RULES`
    "repro": repro.rewards,
    "magnitude": controls.magnitude,
    "stability": controls.stability,
    "random_cuts": controls.random_cuts,
    "shuffled": controls.shuffled,
    "outcome": controls.outcome,
    "length": length.rewards,
    "vps": vps.rewards,
}


def apply(measured: Measured, settings: ProcessRewardSettings) -> Tensor:
    """Return what the rule of the settings does, in float64.

    ValueError: a rule of the user's returns another shape.
    """
    found = RULES.get(settings.rule, settings.rule)(measured, settings)
    allowed = tuple(measured.rewarded.shape), tuple(measured.outcome.shape)
    if found.shape not in allowed:
        raise ValueError(
            f"process_reward: returned {tuple(found.shape)}; allowed: {allowed[0]}, a reward for "
            f"each cut point but the first, or {allowed[1]}, an outcome for each response"
        )
    return found.double()
