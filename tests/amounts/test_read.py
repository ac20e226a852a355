"""What converted leads brought, as columns hold it."""

import numpy as np
import pandas as pd
import pytest

from leadmodel.amounts.read import check_enough, read_amounts, robust_limit
from leadmodel.errors import InputError, LeadError

Y = np.array([1, 0, 1, 1, 0, 1])


def column(*values: object) -> pd.Series:
    return pd.Series(values, name="paid")


def test_each_converted_lead_has_its_amount_and_each_other_none() -> None:
    read = read_amounts(column("€10", "€7", "", "€1,200", "0", "€0.50"), Y)
    np.testing.assert_array_equal(read.values, [10, 0, np.nan, 1200, 0, 0.5])
    assert (read.unit, read.n_unknown, read.n_ignored) == ("€", 1, 1)
    told = read.told(4)
    assert "3 of 4 converted leads have an amount in 'paid'" in told
    assert "The other 1 are left out" in told
    assert "1 amounts of leads that did not convert are ignored" in told


def test_numbers_and_placeholders_are_read() -> None:
    read = read_amounts(column(10, 7.5, np.nan, 3, None, 0), Y)
    np.testing.assert_array_equal(read.values, [10, 0, np.nan, 3, 0, 0])
    texts = column("10", "unknown", "unknown", "1e3", "1", "2")
    values = read_amounts(texts, Y, ("unknown",), "USD")
    np.testing.assert_array_equal(values.values, [10, 0, np.nan, 1000, 0, 2])
    assert values.unit == "USD"


@pytest.mark.parametrize("value", [-3, "-3", "(3)", "three", "5k", float("inf"), True, "nan"])
def test_what_is_no_amount_is_refused_with_its_row(value: object) -> None:
    leads = column("1", "2", "3", "4", "5", "6").astype(object)
    leads.index = pd.Index([2, 4, 6, 8, 10, 12])  # positions in a table that has open leads between
    leads.iloc[3] = value
    with pytest.raises(LeadError, match=r"Row 9: the field 'paid' must be an amount of 0 or more. Got"):
        read_amounts(leads, Y)


def test_currencies_are_not_added_up() -> None:
    with pytest.raises(InputError, match=r"must be in one currency. Found: '\$', '€'"):
        read_amounts(column("€5", "$5", "1", "1", "1", "1"), Y)


def test_ambiguous_amounts_are_refused() -> None:
    with pytest.raises(InputError, match=r"'paid' must use one number format: .*plain numbers"):
        read_amounts(column("1,234.5", "1.234,5", "1", "1", "1", "1"), Y)


def test_a_billion_among_hundreds_is_cut_and_skewed_amounts_are_not() -> None:
    amounts = np.random.default_rng(0).normal(300, 50, 400)
    assert robust_limit(np.append(amounts, 1e9)) < 10_000
    for sigma in (0.3, 1.0, 2.5):
        skewed = np.exp(np.random.default_rng(1).normal(4, sigma, 5000))
        assert skewed.max() < robust_limit(skewed)
    prices = np.repeat([29.0, 290.0], [970, 30])
    assert robust_limit(prices) >= 290


@pytest.mark.parametrize(
    ("amounts", "message"),
    [
        (np.full(39, 5.0), "At least 40 amounts of converted training leads are needed. Got 39"),
        (np.append(np.full(39, 5.0), np.nan), "Got 39"),
        (np.zeros(50), "must not all be 0"),
    ],
    ids=["few", "few known", "nothing"],
)
def test_too_few_amounts_are_refused(amounts: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_enough(amounts, np.ones(len(amounts), dtype=np.int64))
