"""How many seeds the claims need: what these runs say about runs still to be made."""

import math

from statsmodels.stats.power import TTestPower

from repro.report import verdicts
from repro.report.claim_parts import RULE, Data

POWER = 0.8


def seeds_needed(effect: float, seed_sd: float) -> float:
    """Return the seeds with which a paired t test finds an effect with a power of 80 %.

    At the level of the claims, where the effect at one seed has that sd; NaN without effect or sd.
    """
    if not (abs(effect) > 0 and seed_sd > 0):
        return math.nan
    size = min(abs(effect) / seed_sd, 5.0)  # of larger ones the solver finds less than two seeds
    return math.ceil(TTestPower().solve_power(size, alpha=1 - RULE["level"], power=POWER))


def write_power(data: Data) -> str:
    """Return the parts about methods that decide a clause, by its threshold, as a table in text."""
    frame = verdicts.evaluate(data)
    of_methods = frame["effect"].notna() & (frame["few_seeds"] | frame["seed_sd"].notna())
    frame = frame[of_methods & (frame["verdict"] != verdicts.DESCRIBED)].copy()
    frame["half width"] = (frame["high"] - frame["low"]) / 2
    for effect, title in (("effect", "needs"), ("smallest", "needs for smallest")):
        frame[title] = list(map(seeds_needed, frame[effect].abs() - frame.threshold, frame.seed_sd))
    numbers = ["effect", "half width", "seed_sd", "smallest", "needs", "needs for smallest"]
    frame[numbers] = frame[numbers].map("{:.3g}".format).replace("nan", "-")
    text = frame[["claim", "part", "unit", "seeds", *numbers]].to_string(index=False)
    return f"Seeds for a power of {POWER:.0%} at the effect found, and at the smallest:\n{text}"
