"""Synthetic runs for the tests of claims: what they score is chosen, the noise is seeded."""

import json

import numpy as np
import pandas as pd
from tests import paths

from repro.report import claims

FILE = paths.ROOT / "config/claims.yaml"
CLAIMS = claims.load(FILE)
SUPPORTED, NOT_SUPPORTED = "supported", "not supported"
INCONCLUSIVE, NOT_TESTED = "inconclusive", "not tested"


def only(name: str, methods: list[str] | None = None) -> dict:
    """The rule with one claim; with methods, for these only."""
    claim = next(claim for claim in CLAIMS["claims"] if claim["id"] == name)
    claim = json.loads(json.dumps(claim))
    if methods:
        claim["tests"] = [test | {"methods": methods} for test in claim["tests"]]
    return CLAIMS | {"claims": [claim]}


def verdict(frame: pd.DataFrame) -> str:
    assert frame["claim"].nunique() == 1
    return claims.overall(frame)["verdict"].item()


def problems(accuracy=0.5, tokens=100.0, backtracking=1.0, n=40, seed=0, noise=0.0):
    """n problems of four samples; the same seed and noise 0 give the same to every method."""
    shared, own = np.random.default_rng(0), np.random.default_rng(seed)
    rows = []
    for easiness in shared.uniform(-0.2, 0.2, n):
        right = round(4 * np.clip(accuracy + easiness + noise * own.normal(), 0, 1))
        length = tokens * (1 + easiness) * (1 + noise * own.normal())
        steps = max(0.0, backtracking * (1 + easiness) * (1 + noise * own.normal()))
        rows.append(
            {
                "correct": [1] * right + [0] * (4 - right),
                "tokens": [length] * 4,
                "backtracking": [steps] * 4,
            }
        )
    return rows


def log(first: float, last: float, steps=40, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    means = np.linspace(first, last, steps) + noise * rng.normal(size=steps)
    return [{"step": i + 1, "reasoning_tokens": value} for i, value in enumerate(means)]
