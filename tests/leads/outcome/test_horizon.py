"""Outcomes within a horizon: who is too young, too late, or still open."""

import numpy as np
import pandas as pd
import pytest

from leadmodel.errors import InputError
from leadmodel.leads.outcome.horizon import Timing, read_timing, within_horizon
from leadmodel.leads.outcome.rule import OPEN, UNCLEAR

CAME = ["2025-01-01", "2025-01-01", "2025-01-01", "2025-01-01 10:00", "2025-03-20", "2025-03-20", None]


def timing(codes: list[int], converted: list[str | None] | None = None) -> Timing:
    came = pd.Series(CAME[: len(codes)], name="came")
    dates = None if converted is None else pd.Series(converted, name="won_on", dtype="str")
    read = read_timing(np.array(codes), came, dates)
    assert read is not None
    return read


def test_converted_means_within_the_horizon() -> None:
    codes = [1, 1, 0, OPEN, 1, 0, 1]
    dates = ["2025-01-31", "2025-02-01", "2025-01-09", None, "2025-03-31", None, "2025-01-05"]
    found = within_horizon(np.array(codes), timing(codes, dates), 30)
    assert found.codes.tolist() == [1, 0, 0, 0, OPEN, OPEN, UNCLEAR]
    assert found.until == pd.Timestamp("2025-03-31", tz="UTC")
    assert (found.n_late, found.n_waiting, found.n_young, found.n_young_converted) == (1, 1, 2, 1)
    assert (found.n_undated, found.n_before) == (1, 0)


def test_a_date_of_conversion_may_have_no_clock() -> None:
    dates = ["2024-12-01", None, None, "2025-01-01", None, None]
    codes = [1, 1, 0, 1, 0, 0]
    found = within_horizon(np.array(codes), timing(codes, dates), 30)
    assert found.codes.tolist() == [UNCLEAR, UNCLEAR, 0, 1, OPEN, OPEN]
    assert (found.n_before, found.n_undated) == (1, 1)


def test_only_conversions_end_the_table() -> None:
    codes = [1, 0, OPEN, 0, 0, 0]
    dates = ["2025-01-05", "2031-01-01", "2030-01-01", None, None, None]
    assert timing(codes, dates).until == pd.Timestamp("2025-03-20", tz="UTC")


def test_without_dates_of_conversion_young_leads_are_left_out() -> None:
    codes = [1, 0, OPEN, 0, 1, 0]
    found = within_horizon(np.array(codes), timing(codes), 30)
    assert found.codes.tolist() == [1, 0, OPEN, 0, OPEN, OPEN]
    assert (found.n_young, found.n_waiting) == (2, 0)


def test_a_lead_as_old_as_the_horizon_is_known() -> None:
    codes = [1, 0, 1, 0, 1, 0]
    assert within_horizon(np.array(codes), timing(codes), 78).n_young == 3
    assert within_horizon(np.array(codes), timing(codes), 77).n_young == 2


def test_serial_numbers_are_no_dates() -> None:
    assert read_timing(np.array([1, 0]), pd.Series([1, 2]), None) is None


@pytest.mark.parametrize("dates", [["soon", None], [7, 8]])
def test_other_values_than_dates_are_refused(dates: list[object]) -> None:
    came = pd.Series(["2025-01-01", "2025-01-02"])
    with pytest.raises(InputError, match=r"The column 'won_on' .*must have dates"):
        read_timing(np.array([1, 1]), came, pd.Series(dates, name="won_on"))
