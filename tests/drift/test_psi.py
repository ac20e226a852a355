import math

import numpy as np
import pytest
from scipy.stats import binom, chi2

from leadmodel.drift.psi import compare_cells, merge_cells, psi


def test_psi_is_the_sum_over_cells() -> None:
    then, now = [120, 300, 80], [90, 110, 50]
    shares = [(a / 500, b / 250) for a, b in zip(then, now, strict=True)]
    assert psi(then, now) == pytest.approx(sum((q - p) * math.log(q / p) for p, q in shares))


def test_an_empty_cell_counts_as_half_a_lead() -> None:
    p, q = (0.5, 0.5 / 100), (0.5, 1.0)
    expected = (q[0] - p[0]) * 0 + (0.5 / 100 - 0.5) * math.log(0.5 / 100 / 0.5) + 0.5 * math.log(2)
    assert psi([50, 50], [100, 0]) == pytest.approx(expected)
    assert q[1] == 2 * p[0]


def test_the_threshold_knows_both_sample_sizes() -> None:
    then, now = np.array([400, 300, 200, 100]), np.array([25, 25, 25, 25])
    shift = compare_cells(then, now, 0.01, ordered=True)
    expected = (then + now) * 100 / 1100
    mean = 3 + sum(0.5 / leads for leads in expected)
    variance = 6 + sum(3.75 / leads for leads in expected)
    scale, freedom = variance / mean / 2, 2 * mean * mean / variance
    assert shift.chance == pytest.approx((1 / 1000 + 1 / 100) * scale * chi2.ppf(0.995, freedom))
    assert shift.psi == pytest.approx(psi(then, now))


def test_with_many_leads_the_threshold_is_that_of_chi_square() -> None:
    then, now = np.array([4, 3, 2, 1]) * 100_000, np.array([1, 1, 1, 1]) * 100_000
    expected = (1 / 1_000_000 + 1 / 400_000) * chi2.ppf(0.995, 3)
    assert compare_cells(then, now, 0.01, ordered=True).chance == pytest.approx(expected, rel=1e-4)


def test_cells_are_merged_until_five_leads_are_expected_in_each() -> None:
    then, now = np.array([500, 20, 20, 440, 20]), np.array([50, 2, 2, 44, 2])
    # Of 100 leads 50, 2, 2, 44 and 2 are expected.
    assert merge_cells(then, now, ordered=False).tolist() == [0, 2, 2, 1, 2]
    assert merge_cells(then, now, ordered=True).tolist() == [0, 1, 1, 1, 1]


def test_too_few_leads_tell_nothing() -> None:
    shift = compare_cells(np.array([500, 500]), np.array([0, 1]), 0.05, ordered=True)
    assert (shift.chance, shift.psi, shift.is_significant) == (None, 0, False)


def test_a_small_cell_that_grew_is_seen_by_its_own_exact_test() -> None:
    then, now = np.array([990, 10]), np.array([95, 5])
    alpha = 0.01
    by_chance = binom.sf(4, 15, 100 / 1100)
    assert compare_cells(then, now, alpha, ordered=False).new_cells == (
        (1,) if by_chance < alpha / 2 else ()
    )
    assert compare_cells(then, now, by_chance * 1.9, ordered=False).new_cells == ()
    found = compare_cells(then, now, by_chance * 2.1, ordered=False)
    assert found.new_cells == (1,)
    assert found.psi == pytest.approx(psi(then, now))


@pytest.mark.parametrize("n_now", [50, 100, 1000])
@pytest.mark.parametrize(
    "shares",
    [np.full(10, 0.1), np.array([0.9, 0.08, 0.02]), np.r_[np.full(4, 0.2), np.full(40, 0.005)]],
    ids=["tenths", "skewed", "many rare"],
)
def test_chance_reaches_its_threshold_as_rarely_as_it_says(shares: np.ndarray, n_now: int) -> None:
    rng = np.random.default_rng(5)
    alpha, n_draws = 0.05, 2000
    then, now = rng.multinomial(1000, shares, n_draws), rng.multinomial(n_now, shares, n_draws)
    pairs = zip(then, now, strict=True)
    alarms = sum(compare_cells(a, b, alpha, ordered=False).is_significant for a, b in pairs)
    assert alarms <= binom.ppf(0.999, n_draws, alpha)


def test_a_cell_that_a_profile_hides_is_not_taken_for_empty() -> None:
    then, now = np.array([600, 400, 0]), np.array([60, 40, 3])
    # As 0 of 1,000 leads it would have grown significantly; as 4 of 1,004 it has not.
    assert binom.sf(2, 3, 103 / 1103) < 0.02 < binom.sf(2, 7, 103 / 1107)
    assert compare_cells(then, now, 0.04, ordered=False).new_cells == (2,)
    shift = compare_cells(then, now, 0.04, ordered=False, hidden=4)
    assert shift.new_cells == ()
    assert not shift.is_significant
