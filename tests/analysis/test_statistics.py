"""Estimates checked against numbers worked out by hand, enumeration and simulation."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import signal, stats
from tests.analysis.worlds import verdict

from repro.measure import intervals
from repro.measure.intervals import Estimate, interval
from repro.records.experiment import RunFolder
from repro.report import verdicts
from repro.report.claim_parts import TRAINING, Compared, Data, Part, difference
from repro.report.claims import ALL, Clause
from repro.report.compare import pooled_spread
from repro.report.verdicts import INCONCLUSIVE, NO_EFFECT, NOT_SUPPORTED, NOT_TESTED, SUPPORTED


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


def test_the_spread_of_seeds_over_comparisons_by_hand():
    # Effects at the seeds: 1 and 3, sd² 2; 0, 0 and 6, sd² 12: (1 x 2 + 2 x 12) / 3 degrees.
    first = [np.array([[1.0, 1.0], [3.0, 3.0]])]
    second = [np.array([[0.0], [0.0], [6.0]])]
    unknown, single = [np.full((2, 2), np.nan)], [np.array([[5.0, 9.0]])]
    spread = pooled_spread([first, second, unknown, single, []])
    assert spread == (pytest.approx(26 / 3), 3)
    assert pooled_spread([first, unknown, single]) is None  # nothing to pool with
    got = intervals.interval(first, spread=spread)
    assert got.se == pytest.approx(np.sqrt(26 / 3 / 2))
    assert got.high == pytest.approx(2 + stats.t.ppf(0.975, 3) * got.se)
    # A comparison with one seed borrows the spread, too.
    got = intervals.interval(single, spread=spread)
    assert got.se == pytest.approx(np.sqrt(4 + 26 / 3))
    assert got.freedom == pytest.approx((4 + 26 / 3) ** 2 / (4**2 + (26 / 3) ** 2 / 3))


def test_one_number_a_seed_is_an_interval_of_seeds():
    values = np.array([[1.0], [2.0], [6.0]])
    got, wanted = intervals.interval([values]), intervals.estimate(values)
    assert got[:4] == pytest.approx(wanted[:4])
    assert intervals.p_value(got) == pytest.approx(stats.ttest_1samp(values[:, 0], 0).pvalue)
    assert intervals.p_value(Estimate(2, 0, 2, 2, 5)) == 0
    assert intervals.p_value(Estimate(0, 0, 0, 0, 5)) == 1


def test_without_a_spread_or_with_a_single_problem():
    got = intervals.interval([np.ones((1, 5)), np.ones((1, 5))])
    assert got == Estimate(1, 0, 1, 1, 10)
    got = intervals.interval([np.array([[1.0]]), np.array([[1.0, 2.0]])])
    assert got.mean == 1.25
    assert np.isnan([got.low, got.high]).all()


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
    with pytest.raises(ValueError, match="no problems"):
        intervals.summary([])


SURE = 0.999  # of a bound on how often something happens in a simulation
# Problems and sd of the paired differences in points of the tiny world's benchmarks; a fifth of
# that variance is between problems, the rest within.
DRAWN = ((20, 4.4), (20, 3.3), (80, 11.6), (40, 14.1), (30, 12.0), (30, 8.0), (30, 8.8))


def draw(rng, seeds: int, seed_sd: float, scale=1.0) -> list[np.ndarray]:
    """Differences without any true effect: (seeds, problems) of each benchmark, in points."""
    of_seed = rng.normal(0, seed_sd, (seeds, 1))
    return [
        of_seed
        + scale * rng.normal(0, sd * 0.2**0.5, n)
        + scale * rng.normal(0, sd * 0.8**0.5, (seeds, n))
        for n, sd in DRAWN
    ]


def judge(tables, seeds: int, direction="greater", threshold=0.0) -> str:
    part = Part("", range(seeds), tables, smallest=1.0)
    return verdicts._judge(direction, threshold, part, 1, ALL)["verdict"]


def test_nothing_is_found_as_often_as_the_level_says():
    rng, times, share = np.random.default_rng(0), 1000, 0.025  # on one side of a 95 % interval
    found = sum(interval(draw(rng, 1, 0)).low > 0 for _ in range(times))
    low, high = stats.binom.ppf([1 - SURE, SURE], times, share)
    assert low <= found <= high


@pytest.mark.parametrize("seeds", [1, 3, 5])
def test_seeds_that_differ_are_no_finding(seeds):
    rng, times = np.random.default_rng(3), 1000
    worlds = [draw(rng, seeds, 0.8) for _ in range(times)]
    found = sum(judge(tables, seeds) == SUPPORTED for tables in worlds)
    assert found <= (0 if seeds == 1 else stats.binom.ppf(SURE, times, 0.025))
    # Without the seeds' term the same tables decide wrongly far more often.
    blind = [[table.mean(axis=0, keepdims=True) for table in tables] for tables in worlds]
    assert sum(interval(of).low > 0 for of in blind) > stats.binom.ppf(SURE, times, 0.025)


@pytest.mark.long
def test_intervals_with_a_pooled_spread_cover_and_a_second_seed_costs_little():
    rng, times = np.random.default_rng(5), 2000
    alone = np.median([np.diff(interval(draw(rng, 1, 0.8))[2:4]) for _ in range(times)])
    for seeds, seed_sd in itertools.product((2, 3), (0.4, 0.8, 1.2)):
        worlds = [[draw(rng, seeds, seed_sd) for _ in range(8)] for _ in range(times)]
        found = [interval(of[0], spread=pooled_spread(of)) for of in worlds]
        assert np.mean([e.low <= 0 <= e.high for e in found]) >= 0.94
        assert np.mean([e.low > 0 for e in found]) <= 0.03
        assert seed_sd > 0.8 or np.median([e.high - e.low for e in found]) < 1.5 * alone


def test_without_an_effect_and_with_much_data_there_is_no_relevant_effect():
    rng, times = np.random.default_rng(7), 200
    found = [judge(draw(rng, 10, 0.4, scale=0.3), 10) for _ in range(times)]
    assert found.count(NO_EFFECT) >= 0.9 * times
    assert found.count(SUPPORTED) + found.count(NOT_SUPPORTED) == 0


def test_steps_of_a_training_that_resemble_each_other_are_one_observation():
    rng, times, wrong = np.random.default_rng(11), 200, 0
    pairs = list(itertools.product(("grpo", "grpo+repro"), range(3)))
    runs = [RunFolder(Path("tiny", method, str(seed))) for method, seed in pairs]
    noise = signal.lfilter([1], [1, -0.8], rng.normal(size=(times, len(runs), 300)))[..., 100:]
    for of_world in noise:
        frames = [
            pd.DataFrame({"step": range(1, 201), "reasoning_tokens": 100 + of_run, "accuracy": 0.5})
            for of_run in of_world
        ]
        data = Data(runs, [])
        log = [frame.assign(**run.keys()) for frame, run in zip(frames, runs, strict=True)]
        data.__dict__["training"] = pd.concat(log).assign(backtracking_responses=0.5)
        (part,) = difference(data, "tokens_percent", Compared(["grpo+repro"]), [TRAINING])
        row = verdicts._judge("less", 0, part, 1, ALL)
        wrong += row["verdict"] in (SUPPORTED, NOT_SUPPORTED)
    assert wrong <= 0.07 * times


def test_two_values_just_the_margin_apart_are_seldom_called_equal():
    rng, times = np.random.default_rng(1), 400
    tables = [[1 + table for table in draw(rng, 3, 0.1)] for _ in range(times)]
    found = [judge(of, 3, "within", 1.0) for of in tables]
    assert found.count(SUPPORTED) <= stats.binom.ppf(SURE, times, 0.05)
    assert found.count(NOT_SUPPORTED) <= stats.binom.ppf(SURE, times, 0.025)


def parts_of(_, *tables: np.ndarray) -> list[Part]:
    return [Part("", range(3), [np.repeat(table, 3, axis=0)]) for table in tables]


def test_one_of_many_parts_refutes_beyond_the_corrected_level_only():
    noise = np.array([[-1.0, 0.0, 1.0] * 5])
    alone, of_eight = (interval([noise], level).high for level in (0.95, 1 - 0.05 / 8))
    for below, wanted in ((alone + 0.01, INCONCLUSIVE), (of_eight + 0.01, NOT_SUPPORTED)):
        tables = [noise + 9] * 7 + [noise - below]
        claim = ("", Clause("", [("greater", 0, parts_of, *tables)]))
        frame = verdicts.evaluate(None, {"a": claim})
        assert frame["verdict"].tolist() == [SUPPORTED] * 7 + [NOT_SUPPORTED]
        assert verdict(frame) == wanted


def test_of_several_statements_the_worst_verdict_counts():
    order = [NOT_SUPPORTED, INCONCLUSIVE, NO_EFFECT, SUPPORTED]
    for worst in range(len(order)):
        assert verdicts.combine(reversed(order[worst:])) == order[worst]
    assert verdicts.combine([NOT_TESTED, SUPPORTED]) == INCONCLUSIVE
    assert verdicts.combine([NOT_TESTED] * 2) == verdicts.combine([]) == NOT_TESTED
