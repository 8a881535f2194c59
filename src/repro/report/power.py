"""How many seeds the claims need: what these runs say about runs still to be made."""

import math

import pandas as pd
from statsmodels.stats.power import TTestPower

from repro.report import verdicts
from repro.report.claim_parts import RULE, Data

POWER = 0.8
_NUMBERS = {"effect": "effect", "seed_sd": "sd of a seed", "smallest": "of interest from"}


def seeds_needed(effect: float, seed_sd: float) -> float:
    """Return the seeds with which a paired t test finds an effect with a power of 80 %.

    At the level of the claims, where the effect at one seed has that sd; NaN without effect or sd.
    """
    if not (abs(effect) > 0 and seed_sd > 0):
        return math.nan
    size = min(abs(effect) / seed_sd, 5.0)  # of larger ones the solver finds less than two seeds
    return math.ceil(TTestPower().solve_power(size, alpha=1 - RULE["level"], power=POWER))


def write_power(data: Data) -> str:
    """Return a table, as text, of the parts about methods that decide a clause."""
    frame = verdicts.evaluate(data)
    of_methods = frame["effect"].notna() & (frame["few_seeds"] | frame["seed_sd"].notna())
    frame = frame[of_methods & (frame["verdict"] != verdicts.DESCRIBED)]
    frame = frame.sort_values("claim", kind="stable")
    found = frame[["claim", "part", "unit", "seeds"]].rename(columns={"seeds": "has"})
    found = found.join(frame[list(_NUMBERS)].map("{:.2g}".format).rename(columns=_NUMBERS))
    found.insert(5, "half width", ((frame["high"] - frame["low"]) / 2).map("{:.2g}".format))
    for title, effects in (("needs", frame["effect"]), ("of interest needs", frame["smallest"])):
        needed = [seeds_needed(*of) for of in zip(effects, frame["seed_sd"], strict=True)]
        found[title] = pd.Series(needed, frame.index).map("{:.0f}".format)
    text = found.replace("nan", "-").to_string(index=False)
    return (
        f"Seeds for a power of {POWER:.0%}, if the effect is as found or just of interest:\n{text}"
    )
