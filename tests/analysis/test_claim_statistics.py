"""Intervals by hand, and how often they decide wrongly where there is nothing to find."""

from functools import partial

import numpy as np
import pytest
from scipy import stats
from tests.analysis.worlds import verdict

from repro.measure import intervals
from repro.report import claims
from repro.report.claim_parts import Part
from repro.report.claim_statistics import interval, spread
from repro.report.claims import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED

SURE = 0.999  # of a bound on how often something happens in a simulation


def test_benchmarks_by_hand():
    got = interval([np.array([[1.0, 2.0, 6.0]]), np.array([[4.0, 6.0]])], 0.95)
    assert (got.mean, got.n) == (3.0 / 2 + 5.0 / 2, 5)
    assert got.se == pytest.approx(np.sqrt((7 / 3 + 1) / 4))
    freedom = (7 / 3 + 1) ** 2 / ((7 / 3) ** 2 / 2 + 1)  # Welch-Satterthwaite
    assert got.high == pytest.approx(4 + stats.t.ppf(0.975, freedom) * got.se)


def test_one_seed_gives_the_interval_of_the_tables():
    rng = np.random.default_rng(0)
    tables = [rng.normal(size=(1, n)) for n in (5, 30, 100)]
    of_tables = intervals.mean_over_benchmarks([intervals.estimate(t[0]) for t in tables])
    assert interval(tables, 0.95) == pytest.approx(of_tables)
    assert interval(tables[:1], 0.95) == pytest.approx(intervals.estimate(tables[0][0]))


def test_seeds_by_hand():
    got = interval([np.array([[1.0, 1.0], [3.0, 3.0]])], 0.95)  # means 1 and 3, sd^2 = 2
    assert (got.mean, got.se, got.n) == (2.0, 1.0, 2)
    assert got.high == pytest.approx(2 + 12.7062, rel=1e-5)


def test_a_value_that_a_seed_lacks_is_left_out():
    got = interval([np.array([[1.0, 2.0, np.nan], [3.0, np.nan, 6.0]])], 0.95)
    assert (got.mean, got.n) == (pytest.approx(10 / 3), 3)  # of 2, 2 and 6
    assert got.se == pytest.approx(np.sqrt((16 / 3) / 3 + 4.5 / 2))  # seeds: 1.5 and 4.5


def test_a_single_problem_has_no_interval():
    got = interval([np.array([[1.0]]), np.array([[1.0, 2.0]])], 0.95)
    assert got.mean == 1.25
    assert np.isnan([got.low, got.high]).all()
    assert np.isnan(spread([[np.array([[1.0]])]], 0.95).high)


def test_spread_takes_the_furthest_pair():
    a, b, c = np.array([[0.0, 1.0, 2.0, 5.0]]), np.array([[1.0, 2.5, 3.0, 6.0]]), None
    c = a + np.array([[4.0, 6.0, 4.0, 6.0]])
    got = spread([[b - a], [c - a], [c - b]], 0.95)
    far = interval([c - a], 0.95)
    assert (got.mean, got.high) == (5.0, pytest.approx(far.high))
    assert got.low == pytest.approx(interval([c - a], 1 - 0.05 / 3).low)
    mirrored = spread([[a - b], [a - c], [b - c]], 0.95)
    assert mirrored[2:] == pytest.approx(got[2:])


def simulate(make_tables, times: int, direction="greater", threshold=0.0, of=interval) -> int:
    """How often a part is supported."""
    decided = 0
    for _ in range(times):
        part = Part("", "", partial(of, make_tables()))
        decided += claims._row(direction, threshold, part, 1)["verdict"] == SUPPORTED
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

    def pairs():
        values = rng.normal(0, 10, (4, 1, 100)) + np.array([0.0, 3.0, 0.0, 3.0])[:, None, None]
        return [[values[j] - values[i]] for i in range(4) for j in range(i + 1, 4)]

    times = 400
    found = simulate(pairs, times, "less", 3.0, spread)
    assert found <= stats.binom.ppf(SURE, times, 0.025)


def parts_of(_, *tables: np.ndarray) -> list[Part]:
    return [Part("", "", partial(interval, [table])) for table in tables]


def test_one_of_many_parts_refutes_beyond_the_corrected_level_only():
    noise = np.array([[-1.0, 0.0, 1.0] * 5])
    alone, of_eight = (interval([noise], level).high for level in (0.95, 1 - 0.05 / 8))
    for below, wanted in ((alone + 0.01, INCONCLUSIVE), (of_eight + 0.01, NOT_SUPPORTED)):
        tables = [noise + 9] * 7 + [noise - below]
        claim = claims.Claim("a", "", [("greater", 0, parts_of, *tables)])
        frame = claims.evaluate(None, [claim])
        assert frame["verdict"].tolist() == [SUPPORTED] * 7 + [NOT_SUPPORTED]
        assert verdict(frame) == wanted
