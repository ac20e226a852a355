from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from leadmodel.errors import InputError
from leadmodel.leads.times.read import looks_like_times, read_times, reads_month_first
from leadmodel.leads.times.texts import Dates

MOMENT = datetime(2025, 1, 12, 14, 33, 5)
DAYS = [20_250_101 + n for n in range(28)]


@pytest.mark.parametrize(
    ("column", "order"),
    [
        (["2024-03-01", "2023-12-31 23:59:59", "2024-02-29T12:00:00Z"], [1, 2, 0]),
        (["13/02/2024", "05/03/2024", "04/01/2024"], [2, 0, 1]),
        (["02/13/2024", "03/05/2024", "01/04/2024"], [2, 0, 1]),
        (["10", "9", "8.5"], [2, 1, 0]),
        ([1700000000, 1600000000, 1650000000], [1, 2, 0]),
        (list(pd.to_datetime(["2024-03-01", "2024-01-01", "2024-02-01"])), [1, 2, 0]),
    ],
    ids=["iso", "day first", "month first", "numbers as text", "epoch", "times"],
)
def test_times_of_any_export_sort(column: list[object], order: list[int]) -> None:
    assert list(read_times(pd.Series(column)).argsort()) == order


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-01-12", "2025-01-12"),
        ("2025-1-12 14:33", "2025-01-12 14:33"),
        ("2025-01-12T14:33:05Z", "2025-01-12 14:33:05"),
        ("2025-01-12T14:33:05.250+02:00", "2025-01-12 12:33:05.250"),
        ("2025-01-12 14:33:05 -0530", "2025-01-12 20:03:05"),
        ("2025/01/12", "2025-01-12"),
        ("12.01.2025", "2025-01-12"),
        ("12.01.2025 14:33 Uhr", "2025-01-12 14:33"),
        ("12. 1. 2025", "2025-01-12"),
        ("1/13/25 3:05 PM", "2025-01-13 15:05"),
        ("1/13/2025, 12:05:00 a.m.", "2025-01-13 00:05"),
        ("12 Jan 2025", "2025-01-12"),
        ("12-Jan-25", "2025-01-12"),
        ("Jan 12, 2025", "2025-01-12"),
        ("January 12th, 2025 at 2:33 pm", "2025-01-12 14:33"),
        ("12. März 2025", "2025-03-12"),
        ("12 de enero de 2025", "2025-01-12"),
        ("1 août 2024", "2024-08-01"),
        ("3 czerwca 2024", "2024-06-03"),
        ("Sun, 12 Jan 2025 14:33:05 GMT", "2025-01-12 14:33:05"),
        ("Sun Jan 12 2025 14:33:05 GMT+0100 (CET)", "2025-01-12 13:33:05"),
        ("20250112T143305Z", "2025-01-12 14:33:05"),
        ("2025-01", "2025-01-01"),
        ("01/2025", "2025-01-01"),
        ("Jan 2025", "2025-01-01"),
    ],
)
def test_dates_are_read_in_every_usual_form(text: str, expected: str) -> None:
    column = pd.Series([text, None], name="day")
    assert looks_like_times(column.dropna())
    read = read_times(column)
    assert read.iloc[0] == pd.Timestamp(expected, tz="UTC")
    assert pd.isna(read.iloc[1])


NO_DATES = """
may; soon; 10; 31.02.2025; 0000-00-00; 2025-13-01; 2025-01-12 99:00; 9999-12-31; 1.5; 12 months;
3 Main St 2025; 10-50; 1-2500; +49 30 1234567; v1.2; 12:30
"""


@pytest.mark.parametrize("text", [text.strip() for text in NO_DATES.split(";")])
def test_what_is_no_date_is_not_taken_for_one(text: str) -> None:
    assert not looks_like_times(pd.Series([text] * 3, name="created"))


@pytest.mark.parametrize(
    ("name", "number", "moment"),
    [
        ("createdAt", 1_736_692_385, MOMENT),
        ("created_ms", 1_736_692_385_000, MOMENT),
        ("entry date", 20250112, datetime(2025, 1, 12)),
        ("DATE", 45_669.5, datetime(2025, 1, 12, 12)),
        ("month", 202501, datetime(2025, 1, 1)),
        ("day", 20250112143305, MOMENT),
    ],
    ids=["seconds", "milliseconds", "day", "excel", "month", "stamp"],
)
@pytest.mark.parametrize("as_text", [True, False])
def test_numbers_are_dates_if_their_name_says_so(
    name: str, number: float, moment: datetime, as_text: bool
) -> None:
    written = f"{number:.15g}" if as_text else number
    read = read_times(pd.Series([written, None], name=name))
    assert read.iloc[0] == pd.Timestamp(moment, tz="UTC")
    assert looks_like_times(pd.Series([written], name=name))
    assert not looks_like_times(pd.Series([written], name="customer number"))


def test_ids_that_look_like_days_are_no_dates() -> None:
    assert not looks_like_times(pd.Series(DAYS, name="lead_id"))
    assert not looks_like_times(pd.Series(DAYS, name="n"))
    assert looks_like_times(pd.Series(DAYS * 4, name="n"))
    assert not looks_like_times(pd.Series([*DAYS, 20_250_199] * 4, name="n"))
    assert not looks_like_times(pd.Series(np.arange(40_000, 40_100), name="income"))
    assert not looks_like_times(pd.Series([1_736_690_005], name="phone"))


def test_a_few_texts_that_are_no_dates_are_gaps() -> None:
    texts = [f"2024-01-{day:02}" for day in range(1, 29)] * 2
    read = read_times(pd.Series([*texts, "n/a", None, "-"], name="created"))
    assert read.isna().tolist() == [False] * 56 + [True] * 3
    with pytest.raises(
        InputError, match=r"'created' must have dates. Row 2 has none, as 1 of 2 rows"
    ) as raised:
        read_times(pd.Series(["2024-01-01", "ann@x.org"], name="created"))
    assert "ann" not in str(raised.value)


def test_days_and_months_are_told_apart_by_the_column() -> None:
    assert reads_month_first(pd.Series(["03/04/2024", "05/06/2024"]))
    assert not reads_month_first(pd.Series(["03/04/2024", "15/06/2024"]))
    assert not reads_month_first(pd.Series(["03.04.2024", "2024-01-02"]))
    assert read_times(pd.Series(["03.04.2024"])).iloc[0].month == 4
    assert read_times(pd.Series(["03/04/2024"])).iloc[0].month == 3


@pytest.mark.parametrize(
    "form",
    [
        *("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%S.%fZ"),
        *("%Y-%m-%d %H:%M:%S+02:00", "%Y-%m-%d %H:%M:%S.125-05:30", "%Y-%m-%d %H:%M+02"),
    ],
)
def test_dates_of_one_plain_form_are_read_as_among_others(form: str) -> None:
    rng = np.random.default_rng(0)
    # Years beyond 1900 to 2099 are placeholders, as 9999 is.
    moments = [datetime(year, 1, 2) for year in (1700, 1899, 1900, 2099, 2100, 9999)]
    moments += [datetime(2024, *rng.integers(1, (13, 29, 24, 60, 60, 10**6)).tolist()) for _ in range(50)]
    texts = [moment.strftime(form) for moment in moments]
    alone, among = (Dates.read(pa.array(column)).times for column in (texts, [*texts, "31 Mar 2024"]))
    np.testing.assert_array_equal(alone, among[:-1])
    assert np.isnat(alone[:6]).tolist() == [True, True, False, False, True, True]
