import datetime as dt
from typing import Any

import polars as pl
import pytest

from leadmodel.errors import InputError
from leadmodel.events.timestamps import read_event_time
from leadmodel.leads.event_recipe import DateParts

TEN = dt.datetime(2024, 1, 2, 10)
"""Ten o'clock in UTC."""


def read(values: Any, **options: Any) -> list[dt.datetime | None]:
    frame = pl.LazyFrame({"t": values})
    return frame.select(t=read_event_time(frame, "t", table="a.csv", **options)).collect()["t"].to_list()


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-02T10:00:00",
        "2024-01-02 10:00",
        " 2024-01-02t10:00:00.000000 ",
        "2024-01-02T10:00:00Z",
        "2024-01-02 10:00:00 UTC",
        "2024-01-02 11:00:00+01:00",
        "2024-01-02T15:30+0530",
        "2024-01-02 05:00:00 -05",
    ],
)
def test_texts_in_mixed_zones_are_read_as_utc(text: str) -> None:
    assert read([text, "2024-01-02"])[0] == TEN


def test_a_fraction_of_a_second_is_kept() -> None:
    assert (
        read(["2024-01-02 10:00:00.25", "2024-01-02 10:00:00,250"])
        == [TEN + dt.timedelta(seconds=0.25)] * 2
    )


@pytest.mark.parametrize(
    "text", ["", "soon", "1.2.2024", "2024-13-01", "1970-01-01", "0001-01-01 00:00", None]
)
def test_what_is_no_time_is_none(text: str | None) -> None:
    assert read(["2024-01-02T10:00:00", text]) == [TEN, None]


def test_a_date_is_the_end_of_its_day_or_its_start() -> None:
    for values in (["2024-01-02"], [dt.date(2024, 1, 2)]):
        assert read(values) == [dt.datetime(2024, 1, 2, 23, 59, 59, 999999)]
        assert read(values, day="start") == [dt.datetime(2024, 1, 2)]


@pytest.mark.parametrize(("unit", "per_second"), [("s", 1), ("ms", 1_000), ("us", 1_000_000)])
def test_the_unit_of_numbers_is_seen_or_told(unit: str, per_second: int) -> None:
    number = int(TEN.replace(tzinfo=dt.UTC).timestamp()) * per_second
    for values in ([number], [str(number)], [float(number)]):
        assert read(values) == read(values, unit=unit) == [TEN]


def test_numbers_in_another_unit_than_most_are_no_times() -> None:
    seconds = int(TEN.replace(tzinfo=dt.UTC).timestamp())
    assert read([seconds * 1000, seconds * 1000, seconds, 0]) == [TEN, TEN, None, None]
    assert read([seconds * 1000], unit="s") == [None]


def test_numbers_that_are_times_in_no_unit_are_an_error() -> None:
    with pytest.raises(InputError, match=r"numbers in the column 't' of 'a.csv' must count .* 20240102"):
        read(["20240102", "20240103"])
    assert read(["20240102"], format="%Y%m%d", day="start") == [dt.datetime(2024, 1, 2)]


def test_a_format_is_as_the_recipe_tells_it() -> None:
    assert read(["02/01/2024 10.00"], format="%d/%m/%Y %H.%M") == [TEN]
    assert read(["02/01/2024 12:00 +0200"], format="%d/%m/%Y %H:%M %z") == [TEN]
    assert read(["2/13/2024"], format="%d/%m/%Y") == [None]


def test_typed_times_are_moved_to_utc() -> None:
    vienna = pl.Series([dt.datetime(2024, 1, 2, 11)]).dt.replace_time_zone("Europe/Vienna")
    assert read(vienna) == read(vienna.cast(pl.Datetime("ns", "Europe/Vienna"))) == [TEN]
    assert read([TEN]) == [TEN]


def test_a_column_without_times_is_an_error() -> None:
    with pytest.raises(InputError, match=r"'t' of 'a.csv' must have times. It has Boolean"):
        read([True])


def test_columns_make_a_time_together() -> None:
    frame = pl.LazyFrame({"y": [2008, 2008, 2008], "m": ["4", "13", "4"], "d": [1, 1, 1], "n": [3, 1, -1]})
    parts = DateParts(date=("y", "m", "d"), step="n")
    times = frame.select(t=read_event_time(frame, parts, table="a.csv")).collect()["t"].to_list()
    assert times == [dt.datetime(2008, 4, 1, 0, 0, 3), None, None]
    whole = frame.select(t=read_event_time(frame, DateParts(date=("y", "m", "d")), table="a.csv"))
    assert whole.collect()["t"][0] == dt.datetime(2008, 4, 1, 23, 59, 59, 999999)
