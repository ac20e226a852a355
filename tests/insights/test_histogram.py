"""Numbers in bins of equal width, by outcome."""

import numpy as np

from leadmodel.insights.histogram import N_BINS, count_histogram


def test_every_lead_within_the_edges_is_counted_for_its_outcome() -> None:
    rng = np.random.default_rng(0)
    numbers, y = rng.normal(size=3000), rng.integers(0, 2, 3000)
    numbers[:50] = np.nan
    found = count_histogram(numbers, y)
    assert len(found.edges) == N_BINS + 1
    for place, (low, high) in enumerate(zip(found.edges[:-1], found.edges[1:], strict=True)):
        is_inside = (numbers >= low) & ((numbers < high) | ((place == N_BINS - 1) & (numbers == high)))
        assert found.converted[place] == (is_inside & (y == 1)).sum()
        assert found.other[place] == (is_inside & (y == 0)).sum()
    assert found.beyond == 2950 - sum(found.converted) - sum(found.other)
    # One in a hundred at either end.
    assert abs(found.beyond - 59) <= 2


def test_one_mistyped_number_does_not_press_the_others_into_a_bin() -> None:
    numbers = np.append(np.linspace(0.5, 9.5, 999), 1e9)
    found = count_histogram(numbers, np.ones(1000, dtype=np.int64))
    assert found.edges[-1] < 10
    assert max(found.converted) < 60


def test_each_bin_of_whole_numbers_holds_as_many_of_them() -> None:
    numbers = np.repeat(np.arange(18, 71), 4)
    found = count_histogram(numbers, np.ones(len(numbers), dtype=np.int64))
    assert set(found.converted[:-1]) == {4 * 3}
    assert found.edges[:2] == (17.5, 20.5)


def test_a_few_whole_numbers_have_a_bin_each() -> None:
    found = count_histogram([0, 1, 1, 3], np.array([1, 0, 1, 0]))
    assert found.edges == (-0.5, 0.5, 1.5, 2.5, 3.5)
    assert (found.converted, found.other) == ((1, 1, 0, 0), (0, 1, 0, 1))


def test_a_constant_has_a_histogram_too() -> None:
    for number in (3.0, 0.25):
        found = count_histogram([number] * 9, np.ones(9, dtype=np.int64))
        assert sum(found.converted) == 9
