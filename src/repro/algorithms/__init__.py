"""Advantage estimators, one algorithm a file: pure functions on tensors."""

from repro.algorithms import grpo, ppo, reinforce_pp, reinforce_pp_baseline

ADVANTAGES = {
    "ppo": ppo.advantages,
    "reinforce_pp": reinforce_pp.advantages,
    "reinforce_pp_baseline": reinforce_pp_baseline.advantages,
    "grpo": grpo.advantages,
}
