"""Synthetic runs for the tests of claims: what they score is chosen, the noise is seeded."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from repro.records.experiment import RunFolder
from repro.report import claims
from repro.report.claim_parts import Data

SUPPORTED, NOT_SUPPORTED = "supported", "not supported"
INCONCLUSIVE, NOT_TESTED = "inconclusive", "not tested"


def only(name: str, methods: Sequence[str] = claims.METHODS) -> list[claims.Claim]:
    """One claim; with methods, for these only."""
    claim = next(claim for claim in claims.CLAIMS if claim.id == name)
    tests = [[methods if part is claims.METHODS else part for part in t] for t in claim.tests]
    return [claim._replace(tests=tests)]


def evaluate(
    name: str, runs: Sequence[RunFolder], benchmarks: Sequence[str] = ("aime24",), **how
) -> pd.DataFrame:
    return claims.evaluate(Data(runs, benchmarks), only(name, **how))


def verdict(frame: pd.DataFrame) -> str:
    assert frame["claim"].nunique() == 1
    return claims.overall(frame)[0]


def problems(accuracy=0.5, tokens=100.0, backtracking=1.0, n=40, seed=0, noise=0.0):
    """n problems of four samples; the same seed and noise 0 give the same to every method."""
    shared, own = np.random.default_rng(0), np.random.default_rng(seed)
    rows = []
    for easiness in shared.uniform(-0.2, 0.2, n):
        right = round(4 * np.clip(accuracy + easiness + noise * own.normal(), 0, 1))
        length = tokens * (1 + easiness) * (1 + noise * own.normal())
        steps = max(0.0, backtracking * (1 + easiness) * (1 + noise * own.normal()))
        verdicts = [1] * right + [0] * (4 - right)
        rows.append({"correct": verdicts, "tokens": [length] * 4, "backtracking": [steps] * 4})
    return rows


def log(first: float, last: float, steps=40, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    means = np.linspace(first, last, steps) + noise * rng.normal(size=steps)
    others = {"accuracy": 0.5, "backtracking_per_1k": 1.0}
    return [{"step": i + 1, "reasoning_tokens": tokens} | others for i, tokens in enumerate(means)]


def pair(make_run, plain, ours, first=None, last=None, **how) -> list[RunFolder]:
    """GRPO, and GRPO with RePro, on AIME24."""
    return [
        make_run("grpo", {"aime24": plain}, first, **how),
        make_run("grpo+repro", {"aime24": ours}, last, **how),
    ]
