"""Intervals by hand, and how often they decide wrongly where there is nothing to find."""

from functools import partial

import numpy as np
import pytest
from scipy import stats
from tests.analysis.worlds import verdict

from repro.measure.intervals import interval
from repro.report import verdicts
from repro.report.claims import Claim, Part, stability
from repro.report.verdicts import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED

SURE = 0.999  # of a bound on how often something happens in a simulation


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0]])
def test_stability_takes_the_furthest_pair(order):
    values = np.array([[[0.0, 1.0, 2.0, 5.0]], [[1.0, 2.5, 3.0, 6.0]], [[4.0, 7.0, 6.0, 11.0]]])
    got = stability([1, 2, 3], [values[order]], 0.95)
    far = values[2] - values[0]
    assert (got.mean, got.high) == (5.0, pytest.approx(interval([far], 0.95).high))
    assert got.low == pytest.approx(interval([far], 1 - 0.05 / 3).low)
    assert np.isnan(stability([1, 2], [values[:2, :, :1]], 0.95).high)  # a single problem


def simulate(make_tables, times: int, direction="greater", threshold=0.0, of=interval) -> int:
    """How often a part is supported."""
    decided = 0
    for _ in range(times):
        part = Part("", [0], make_tables(), statistic=of)
        decided += verdicts._row(direction, threshold, part, 1)["verdict"] == SUPPORTED
    return decided


def accuracy_difference(rng, seeds: int, problems: int, seed_sd: float) -> np.ndarray:
    """(seeds, problems) differences of avg@4 of two methods that are equally good on average."""
    p = rng.beta(1, 1, problems)
    moved = rng.normal(0, seed_sd, (2, seeds, 1))
    ours, theirs = rng.binomial(4, np.clip(p + moved, 0, 1), (2, seeds, problems)) / 4
    return ours - theirs


def test_nothing_is_found_as_often_as_the_level_says():
    rng = np.random.default_rng(0)
    times, share = 1000, 0.025  # on one side of a 95 % interval
    found = simulate(lambda: [accuracy_difference(rng, 1, 40, 0) for _ in range(2)], times)
    low, high = stats.binom.ppf([1 - SURE, SURE], times, share)
    assert low <= found <= high


def test_seeds_that_differ_are_no_finding():
    rng = np.random.default_rng(3)
    times, share = 1000, 0.025
    tables = [accuracy_difference(rng, 3, 60, 0.03) for _ in range(times)]
    one_by_one = iter(tables)
    found = simulate(lambda: [next(one_by_one)], times)
    assert found <= stats.binom.ppf(SURE, times, share)
    # Without the seeds' term the same tables decide wrongly far more often.
    one_by_one = iter(tables)
    ignoring = simulate(lambda: [next(one_by_one).mean(axis=0, keepdims=True)], times)
    assert ignoring > stats.binom.ppf(SURE, times, share)


def test_a_spread_of_just_the_margin_is_seldom_called_stable():
    rng = np.random.default_rng(1)

    def values():
        return [rng.normal(0, 10, (4, 1, 100)) + np.array([0.0, 3.0, 0.0, 3.0])[:, None, None]]

    times = 400
    found = simulate(values, times, "less", 3.0, partial(stability, range(4)))
    assert found <= stats.binom.ppf(SURE, times, 0.025)


def parts_of(_, *tables: np.ndarray) -> list[Part]:
    return [Part("", [0], [table]) for table in tables]


def test_one_of_many_parts_refutes_beyond_the_corrected_level_only():
    noise = np.array([[-1.0, 0.0, 1.0] * 5])
    alone, of_eight = (interval([noise], level).high for level in (0.95, 1 - 0.05 / 8))
    for below, wanted in ((alone + 0.01, INCONCLUSIVE), (of_eight + 0.01, NOT_SUPPORTED)):
        tables = [noise + 9] * 7 + [noise - below]
        claim = Claim("a", "", [("greater", 0, parts_of, *tables)])
        frame = verdicts.evaluate(None, [claim])
        assert frame["verdict"].tolist() == [SUPPORTED] * 7 + [NOT_SUPPORTED]
        assert verdict(frame) == wanted
