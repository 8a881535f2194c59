"""Is it RePro? Its controls and rivals on equal terms: accuracy gained against tokens saved.

A rule of process rewards is tried at some values of its knob, alpha. What it can do is the area
between its points and the plain algorithm: every gain in accuracy that it reaches together with
every saving of tokens. Seeds are paired: each point is compared with the plain run of its seed.
"""

from collections.abc import Callable

import pandas as pd

from repro import methods
from repro.measure.intervals import interval
from repro.report.rendering import say

# What a point has: its metric in `compare.effects`, where that is measured, and its sign.
AXES = {"gain": ("accuracy", "in-domain", 1), "saving": ("tokens_percent", "all", -1)}


def measure_points(effects: pd.DataFrame) -> pd.DataFrame:
    """Return what each method with a rule changes against its plain algorithm, a row a seed.

    ``effects`` are of `compare.effects`. Columns backbone, method, algorithm, rule, knob (what the
    name sets), seed, gain (points of accuracy in domain) and saving (percent of tokens, all).
    """
    keys, axes = ["backbone", "method", "seed"], {}
    ruled = effects[effects["baseline"] != methods.ORIGINAL]
    for name, (metric, pool, sign) in AXES.items():
        rows = ruled[(ruled["metric"] == metric) & (ruled["benchmark"] == pool)]
        each = rows.assign(value=rows["by_seed"].str.split(), seed=rows["at"])
        each = each.explode(["value", "seed"]).dropna(subset="value")
        axes[name] = sign * each.set_index(keys)["value"].astype(float)
    points = pd.DataFrame(axes).reindex(axes["gain"].index).reset_index()
    parts = points["method"].str.extract(r"(?P<algorithm>\w+)\+(?P<rule>\w+)~?(?P<knob>.*)")
    return points.join(parts)


def area(points: pd.DataFrame) -> float:
    """Return what one seed's points of a rule span above the plain algorithm, in points x percent.

    The union of the rectangles from (0, 0) to each point whose gain and saving are above 0.
    """
    above = points[(points["gain"] > 0) & (points["saving"] > 0)]
    ordered = above.sort_values("saving", ascending=False)
    widths = ordered["saving"] - ordered["saving"].shift(-1, fill_value=0.0)
    return float((widths * ordered["gain"].cummax()).sum())


def save_at_equal_accuracy(points: pd.DataFrame) -> float:
    """Return the largest saving of one seed's points that lose no accuracy; 0 without any."""
    return float(max([0.0, *points.loc[points["gain"] >= 0, "saving"]]))


def compare_rules(points: pd.DataFrame) -> pd.DataFrame:
    """Return a row per backbone, algorithm and rule, with 95 % t intervals over seeds.

    Columns these and values (of the knob), seeds, and with NAME_low and NAME_high each: area; less,
    RePro's area less it; equal, its saving at equal accuracy. RePro has the same values of the same
    knob there or, where alpha means another thing, all of its own.
    """
    rows, keys = [], ["backbone", "algorithm"]
    for (*of_keys, rule), of in points.groupby([*keys, "rule"], sort=False):
        ours = points[(points[keys] == of_keys).all(axis=1) & (points["rule"] == "repro")]
        own = ours[~ours["knob"].str.startswith("k=")]
        of = own if rule == "repro" else of
        same = ours[ours["knob"].isin(of["knob"])]
        same = own if same["knob"].nunique() < of["knob"].nunique() else same
        theirs, equal = _by_seed(of, area), _by_seed(of, save_at_equal_accuracy)
        found = {"area": theirs, "less": _by_seed(same, area) - theirs, "equal": equal}
        row = dict(zip([*keys, "rule"], [*of_keys, rule], strict=True))
        for name, values in found.items():
            mean, _, low, high, *_ = interval([values.dropna().to_numpy()[:, None]])
            row |= {name: mean, f"{name}_low": low, f"{name}_high": high}
        rows.append(row | {"values": of["knob"].nunique(), "seeds": len(theirs)})
    return pd.DataFrame(rows)


def answer(compared: pd.DataFrame) -> str:
    """Answer the question in a sentence for each backbone and algorithm."""
    said, others = [], compared[(compared["rule"] != "repro") & compared["less"].notna()]
    for (backbone, algorithm), of in others.groupby(["backbone", "algorithm"], sort=False):
        ahead, behind = of["less_low"] > 0, of["less_high"] < 0
        groups = {"ahead": ahead, "behind": behind, "open": ~(ahead | behind)}
        rules = of["rule"].map(methods.RULES)
        found = {name: list(rules[chosen]) for name, chosen in groups.items()}
        said.append(say("is_it_repro", where=f"{backbone}, {methods.label(algorithm)}", **found))
    return " ".join(said)


def _by_seed(points: pd.DataFrame, measure: Callable[[pd.DataFrame], float]) -> pd.Series:
    return pd.Series({seed: measure(of) for seed, of in points.groupby("seed")}, dtype=float)
