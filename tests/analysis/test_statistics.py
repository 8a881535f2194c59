"""Estimates checked against numbers worked out by hand, enumeration and simulation."""

import itertools
import json
import math
from functools import partial

import numpy as np
import pytest
from scipy import stats
from tests.analysis.worlds import verdict

from repro.measure import intervals
from repro.measure.intervals import Estimate, interval
from repro.report import verdicts
from repro.report.claims import Claim, Part, stability
from repro.report.verdicts import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED


def test_ratio_values_average_to_the_ratio_of_totals():
    # R = 4 / 40 = 0.1, mean(t) = 40 / 3: 0.1 + 0, 0.1 - 2 / (40 / 3), 0.1 + 2 / (40 / 3)
    got = intervals.ratio_values([1, 0, 3], [10, 20, 10])
    assert got == pytest.approx([0.1, -0.05, 0.25])
    assert intervals.ratio_values([0, 0], [0, 0]).tolist() == [0, 0]


def test_benchmarks_by_hand():
    got = intervals.interval([np.array([[1.0, 2.0, 6.0]]), np.array([[4.0, 6.0]])])
    assert (got.mean, got.n) == (3.0 / 2 + 5.0 / 2, 5)
    assert got.se == pytest.approx(np.sqrt((7 / 3 + 1) / 4))
    freedom = (7 / 3 + 1) ** 2 / ((7 / 3) ** 2 / 2 + 1)  # Welch-Satterthwaite
    assert got.high == pytest.approx(4 + stats.t.ppf(0.975, freedom) * got.se)


def test_seeds_by_hand():
    got = intervals.interval([np.array([[1.0, 1.0], [3.0, 3.0]])])  # means 1 and 3, sd^2 = 2
    assert (got.mean, got.se, got.n) == (2.0, 1.0, 2)
    assert got.high == pytest.approx(2 + 12.7062, rel=1e-5)


def test_a_value_that_a_seed_lacks_is_left_out_and_one_that_is_unknown_is_not():
    table = np.array([[1.0, 2.0, np.nan], [3.0, np.nan, 6.0]])
    assert np.isnan(intervals.interval([table])[:4]).all()
    got = intervals.interval([np.ma.masked_invalid(table)])
    assert (got.mean, got.n) == (pytest.approx(10 / 3), 3)  # of 2, 2 and 6
    assert got.se == pytest.approx(np.sqrt((16 / 3) / 3 + 4.5 / 2))  # seeds: 1.5 and 4.5


def test_without_a_spread_or_with_a_single_problem():
    got = intervals.interval([np.ones((1, 5)), np.ones((1, 5))])
    assert got == Estimate(1, 0, 1, 1, 10)
    got = intervals.interval([np.array([[1.0]]), np.array([[1.0, 2.0]])])
    assert got.mean == 1.25
    assert np.isnan([got.low, got.high]).all()


@pytest.mark.parametrize("n", range(1, 7))
def test_pass_at_k_is_the_share_of_draws_with_a_correct_sample(n):
    for samples in itertools.product((0, 1), repeat=n):
        for k in range(1, n + 1):
            draws = list(itertools.combinations(samples, k))
            expected = sum(any(draw) for draw in draws) / len(draws)
            assert intervals.pass_at_k([samples], k)[0] == pytest.approx(expected, abs=1e-14)


def test_pass_at_k_of_different_n_and_of_many_samples():
    assert intervals.pass_at_k([[1, 0, 0], [0, 0], [1, 1]], 1) == pytest.approx([1 / 3, 0, 1])
    # 1 - C(900, 100) / C(1000, 100), where the factorials overflow a float
    expected = 1 - math.comb(900, 100) / math.comb(1000, 100)
    assert intervals.pass_at_k([[1] * 100 + [0] * 900], 100)[0] == pytest.approx(expected)
    for k in (0, 3):
        with pytest.raises(ValueError, match=f"k = {k} for 2 samples"):
            intervals.pass_at_k([[1, 0], [1, 0, 0]], k)


def share(values) -> Estimate:
    return intervals.within_unit(intervals.estimate(values))


def test_share_by_hand():
    got = share([1.0, 0.0, 1.0, 0.0])  # p = 1/2, SE² = 1/12, so m = 3; z = t_3
    z = 3.182446
    half = z * math.sqrt(0.25 / 3 + z**2 / 36) / (1 + z**2 / 3)
    assert (got.mean, got.n) == (0.5, 4)
    assert got.se == pytest.approx(math.sqrt(1 / 12))
    assert (got.low, got.high) == pytest.approx((0.5 - half, 0.5 + half), rel=1e-6)
    never, always = share([0.0] * 30), share([1.0] * 30)
    z2 = 2.045230**2
    assert (never.mean, never.se, never.low) == (0, 0, 0)
    assert never.high == pytest.approx(z2 / (30 + z2), rel=1e-6)
    assert (always.low, always.high) == pytest.approx((1 - never.high, 1))
    nearly = share([0.0] * 29 + [0.25])
    assert 0 < nearly.low < 0.25 / 30 < nearly.high < 1
    assert math.isnan(share([1.0]).low)


def test_share_covers_where_the_t_interval_does_not():
    rng = np.random.default_rng(1)
    rare = rng.binomial(4, rng.beta(0.05, 0.95, (500, 10))) / 4  # truncation of 5 %, 10 problems
    hits = {
        method: sum(e.low <= 0.05 <= e.high for e in map(method, rare))
        for method in (share, intervals.estimate)
    }
    # Rejected at 1 in 1,000: of 500 intervals of 95 % fewer than 458 hold the truth.
    assert stats.binomtest(hits[share], 500, 0.95, alternative="less").pvalue > 1e-3
    assert stats.binomtest(hits[intervals.estimate], 500, 0.8, alternative="less").pvalue < 1e-3


def test_run_standard_error_by_hand_and_with_unequal_numbers_of_samples():
    # variances 1/3 of 4 samples and 1/2 of 2: sqrt(1/12 + 1/4) / 2
    assert intervals.run_standard_error([[1, 0, 1, 0], [1, 0]]) == pytest.approx(math.sqrt(1 / 12))
    assert intervals.run_standard_error([[1, 1], [0, 0]]) == 0
    assert math.isnan(intervals.run_standard_error([[1, 0], [1]]))


def test_median_is_over_responses_and_its_interval_over_problems():
    got = intervals.median([[1, 2], [3, 4, 100]])
    assert (got.mean, got.n) == (3.0, 2)
    # drawn are the first twice, the second twice or both: medians 1.5, 4 and 3
    assert (got.low, got.high) == (1.5, 4.0)
    assert math.isnan(intervals.median([[1, 2, 3]]).low)
    assert intervals.median([[7, 7], [7]]) == Estimate(7.0, 0.0, 7.0, 7.0, 2)
    numbers = [[1.0], [2.0], [4.0], [8.0]]
    first = intervals.median(numbers, seed=1)
    assert first == intervals.median(numbers, seed=1) != intervals.median(numbers, seed=2)


PROBLEMS = [
    {
        **{"correct": [1, 0, 0, 1], "tokens": [10, 30, 40, 20], "truncated": [0, 1, 0, 0]},
        **{"backtracking": [0, 2, 1, 0], "verification": [1, 0, 0, 0], "hesitation": [0, 0, 0, 1]},
    },
    {
        **{"correct": [1, 1], "tokens": [50, 70], "truncated": [0, 0]},
        **{"backtracking": [1, 0], "verification": [0, 0], "hesitation": [0, 0]},
    },
]


def test_summary_by_hand():
    got = intervals.summary(PROBLEMS)
    values = {name: result["value"] for name, result in got.items()}
    assert values == pytest.approx(
        {
            "accuracy": 0.75,
            "accuracy_run_se": math.sqrt(1 / 3 / 4) / 2,
            "pass_at_1": 0.75,
            "pass_at_2": (5 / 6 + 1) / 2,
            "truncation": 0.125,
            "backtracking_responses": 0.5,
            "backtracking_of_marked": 4 / 6,
            "tokens_mean": (25 + 60) / 2,
            "tokens_median": 35.0,
            "backtracking_per_1k": 1000 * 4 / 220,
            "backtracking_per_1k_correct": 1000 * 1 / 150,
            "backtracking_per_1k_wrong": 1000 * 3 / 70,
        }
    )
    assert got["accuracy"]["se"] == pytest.approx(0.25)  # over problems: sd of (0.5, 1) / sqrt(2)
    assert got["tokens_mean"]["se"] == pytest.approx(17.5)
    assert json.loads(json.dumps(got, allow_nan=False)) == got
    wrong = got.pop("backtracking_per_1k_wrong")  # of one problem only
    assert (wrong["n"], wrong["se"], wrong["low"], wrong["high"]) == (1, None, None, None)
    assert {result["n"] for result in got.values()} == {2}


def test_summary_of_what_is_not_there():
    solved = intervals.summary([PROBLEMS[1]] * 3)
    assert solved["backtracking_per_1k_wrong"] is None
    assert solved["accuracy"]["value"] == 1.0
    assert solved["accuracy"]["low"] < 1.0 == solved["accuracy"]["high"]
    unmarked = intervals.summary([PROBLEMS[1] | {"backtracking": [0, 0]}] * 2)
    assert unmarked["backtracking_of_marked"] is None
    assert unmarked["backtracking_per_1k"]["value"] == 0.0
    unknown = intervals.summary([PROBLEMS[0], PROBLEMS[1] | {"tokens": [50, None]}])
    without = {name for name, result in unknown.items() if result is None}
    assert without == {name for name in unknown if "tokens" in name or "per_1k" in name}
    assert len(without) == 5
    single = intervals.summary([{name: values[:1] for name, values in PROBLEMS[0].items()}])
    assert single["accuracy"] == {"value": 1.0, "se": None, "low": None, "high": None, "n": 1}
    assert single["accuracy_run_se"]["value"] is None
    assert [name for name in single if name.startswith("pass")] == ["pass_at_1"]
    with pytest.raises(ValueError, match="no problems"):
        intervals.summary([])


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
