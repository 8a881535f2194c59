"""Estimates checked against numbers worked out by hand."""

import math

import numpy as np
import pytest

from repro.analysis import statistics
from repro.analysis.statistics import Estimate

T_2 = 4.302653  # 97.5 % quantile of Student's t with 2 degrees of freedom


def test_avg_at_n_is_the_share_of_correct_samples_per_problem():
    assert statistics.avg_at_n([[1, 0, 0, 1], [1, 1], [0]]).tolist() == [0.5, 1.0, 0.0]


def test_avg_at_n_refuses_a_problem_without_samples():
    with pytest.raises(ValueError, match="no samples"):
        statistics.avg_at_n([[1], []])


def test_estimate_divides_by_the_number_of_problems():
    got = statistics.estimate([0.5, 1.0, 0.0])  # sd 0.5, SE 0.5 / sqrt(3)
    assert got.mean == 0.5
    assert got.se == pytest.approx(0.2886751)
    assert got.high - got.mean == pytest.approx(T_2 * 0.2886751)
    assert got.mean - got.low == pytest.approx(T_2 * 0.2886751)
    assert got.n == 3


def test_single_problem_has_no_interval():
    got = statistics.estimate([0.25])
    assert (got.mean, got.n) == (0.25, 1)
    assert math.isnan(got.se)
    assert math.isnan(got.low)


def test_paired_difference_ignores_the_spread_between_problems():
    got = statistics.paired_difference([3, 105, 1004], [1, 104, 1004])  # differences 2, 1, 0
    assert got.mean == 1
    assert got.se == pytest.approx(1 / math.sqrt(3))
    assert got.high == pytest.approx(1 + T_2 / math.sqrt(3))


def test_paired_difference_refuses_different_numbers_of_problems():
    with pytest.raises(ValueError, match="2 against 1"):
        statistics.paired_difference([1, 2], [1])


def test_ratio_values_average_to_the_ratio_of_totals():
    # R = 4 / 40 = 0.1, mean(t) = 40 / 3: 0.1 + 0, 0.1 - 2 / (40 / 3), 0.1 + 2 / (40 / 3)
    got = statistics.ratio_values([1, 0, 3], [10, 20, 10])
    assert got == pytest.approx([0.1, -0.05, 0.25])
    assert statistics.ratio_values([0, 0], [0, 0]).tolist() == [0, 0]


def test_ratio_interval_covers_the_true_rate():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(400):
        tokens = rng.integers(20, 200, 30)
        got = statistics.estimate(statistics.ratio_values(rng.poisson(0.05 * tokens), tokens))
        hits += got.low <= 0.05 <= got.high
    assert 0.91 <= hits / 400 <= 0.98


def test_relative_change_is_in_percent_of_the_totals():
    assert statistics.relative_change([5, 15], [10, 20]).mean == pytest.approx(-100 / 3)
    same = statistics.relative_change([9, 18, 27], [10, 20, 30])  # every problem 10 % shorter
    assert same.low == pytest.approx(-10)
    assert same.high == pytest.approx(-10)
    assert math.isnan(statistics.relative_change([1, 2], [0, 0]).mean)


def test_mean_over_benchmarks_weighs_them_equally():
    few, many = Estimate(10, 3, 0, 0, n=4), Estimate(20, 4, 0, 0, n=100)
    got = statistics.mean_over_benchmarks([few, many])
    assert (got.mean, got.se, got.n) == (15, 2.5, 104)
    # Welch-Satterthwaite: 25^2 / (81 / 3 + 256 / 99) = 21.12 degrees of freedom
    assert got.high - got.mean == pytest.approx(2.0789 * 2.5, rel=1e-3)


def test_mean_over_benchmarks_where_nothing_varies_or_one_has_a_single_problem():
    constant = Estimate(1, 0, 1, 1, n=5)
    assert statistics.mean_over_benchmarks([constant, constant]) == Estimate(1, 0, 1, 1, 10)
    single = statistics.estimate([3.0])
    got = statistics.mean_over_benchmarks([constant, single])
    assert got.mean == 2
    assert math.isnan(got.low)
