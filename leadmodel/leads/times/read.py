"""Read a column of dates and times in any usual form.

Numbers are dates only with evidence, because ids may look like 20250112 or 1736690000.
"""

import re
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadmodel.arrays import Floats
from leadmodel.errors import InputError, quoted
from leadmodel.leads.times.texts import NO_TIME, YEARS, Dates, Times, compose

__all__ = ["looks_like_times", "name_words", "read_times", "reads_month_first"]

N_LOOKED_AT = 5000
"""Values that are enough to recognize dates."""

MOST = 0.95
"""Least share of the values of a column of dates that can be read as such; the others count as gaps."""

MIN_DAYS = 20
"""Different numbers such as 20250112 that show by themselves that they are dates: one in 27 numbers of
eight digits that begin with a year is one."""

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[^\W\d_])(?=\d)|[\W_]+")
_DATES = frozenset("date dates datetime timestamp datum fecha".split())
_EVENTS = frozenset("created updated modified received registered joined submitted at on".split())
_TIMES = frozenset("time ts day when data zeitpunkt".split())
"""Words in the names of columns whose numbers may be dates."""

Unit = Literal["day", "stamp", "month", "s", "ms", "us", "serial"]
_RANGES: dict[Unit, tuple[float, float]] = {
    "serial": (36_526, 54_788),  # Excel's days since 1900, of 2000 to 2049
    "s": (9.46e8, 2.53e9),  # the same years since 1970
    "ms": (9.46e11, 2.53e12),
    "us": (9.46e14, 2.53e15),
}


def name_words(name: str) -> tuple[str, ...]:
    """Return the words in the name of a column, in lower case."""
    return tuple(word.lower() for word in _WORD_STARTS.split(name) if word)


def looks_like_times(column: pd.Series) -> bool:
    """Return whether nearly every value of `column`, none of them missing, is a date or a time.

    Numbers need evidence: each is a day such as 20250112, or the name of the column speaks of a date.
    """
    if column.dtype.kind == "M" or not len(column):
        return bool(len(column))
    if column.dtype.kind in "bc":
        return False
    sample = column.iloc[:: len(column) // N_LOOKED_AT + 1]
    numbers = _as_numbers(sample)
    if numbers is not None:
        return _unit_of(numbers, str(column.name)) is not None
    distinct = pa.array(pd.unique(sample.astype("str")), pa.string())
    return bool(len(distinct)) and bool(Dates.read(distinct).is_read.mean() > MOST)


def read_times(column: pd.Series) -> pd.Series:
    """Return a column of times as something that sorts: UTC times, or numbers; NaT or NaN in gaps.

    Numbers that are no dates, such as serial numbers, are taken as they are. Dates such as 03/04/2024
    are read day first if some date of the column can only be so, or if they are written 03.04.2024.
    Texts that are no date count as gaps if they are few.

    Raises
    ------
    InputError
        If more values are neither dates nor numbers; the row of the first one is named.
    """
    if column.dtype.kind == "M":
        return pd.to_datetime(column, utc=True)
    numbers, name = _as_numbers(column), str(column.name)
    if numbers is not None:
        unit = _unit_of(numbers[~np.isnan(numbers)], name)
        if unit is None:
            return pd.Series(numbers, column.index, name=column.name)
        return _as_series(_from_numbers(numbers, unit), column)
    codes, distinct = pd.factorize(column.astype("str").where(column.notna()))
    times = np.append(Dates.read(pa.array(distinct, pa.string())).times, NO_TIME)[codes]
    is_wrong = np.isnat(times) & (codes >= 0)
    n_wrong, n_given = int(is_wrong.sum()), int((codes >= 0).sum())
    if n_wrong > (1 - MOST) * n_given:
        raise InputError(
            f"The time column {quoted(name)} must have dates. Row {int(is_wrong.argmax()) + 1:,} has none, "
            f"as {n_wrong:,} of {n_given:,} rows with a value."
        )
    return _as_series(times, column)


def _as_series(times: Times, column: pd.Series) -> pd.Series:
    return pd.Series(times, column.index, name=column.name).dt.tz_localize("UTC")


def reads_month_first(column: pd.Series) -> bool:
    """Return whether dates such as 03/04/2024 are read month first although none shows which it is."""
    if column.dtype.kind in "biufcM":
        return False
    texts = pa.array(pd.unique(column.dropna().astype("str")), pa.string())
    # Only these can be read either way, and reading a million others takes seconds.
    return Dates.read(texts.filter(pc.match_substring_regex(texts, r"^\s*\d{1,2}[-/.]"))).is_ambiguous


def _as_numbers(column: pd.Series) -> Floats | None:
    """Return the values as numbers, NaN where missing, or None if one is none."""
    if column.dtype.kind in "iuf":
        return column.to_numpy(dtype=np.float64)
    given = column.dropna()
    try:  # one text that is none says so at once
        numbers = pd.to_numeric(given).to_numpy(dtype=np.float64)
    except (TypeError, ValueError):
        return None
    values = np.full(len(column), np.nan)
    values[column.notna().to_numpy()] = numbers
    return values


def _unit_of(numbers: Floats, name: str) -> Unit | None:
    """Return what kind of date the numbers are, or None if nothing shows that they are dates."""
    if not len(numbers):
        return None
    distinct = np.unique(numbers)
    words = name_words(name)
    # The last word tells what a number is: "salary_updated_on" is a date, "updated_salary" is none.
    is_date = not _DATES.isdisjoint(words) or (words[-1:] and words[-1] in _EVENTS)
    is_time = is_date or not (_EVENTS | _TIMES).isdisjoint(words)
    if _are_all_dates(distinct, "stamp") and (is_time or len(distinct) >= MIN_DAYS):
        return "stamp"
    # Days that no two leads share may be the numbers of the leads.
    if _are_all_dates(distinct, "day") and (is_time or MIN_DAYS <= len(distinct) < 0.9 * len(numbers)):
        return "day"
    if _are_all_dates(distinct, "month") and (is_date or "month" in words):
        return "month"
    inside = (unit for unit, (low, high) in _RANGES.items() if low <= distinct[0] and distinct[-1] < high)
    unit = next(inside, None)
    return unit if is_date or (is_time and unit != "serial") else None


def _are_all_dates(numbers: Floats, unit: Unit) -> bool:
    factor = {"month": 1e2, "day": 1e4, "stamp": 1e10}[unit]
    if numbers[0] < YEARS[0] * factor or numbers[-1] > YEARS[1] * factor or (numbers % 1 != 0).any():
        return False
    return not np.isnat(_from_numbers(numbers, unit)).any()


def _from_numbers(numbers: Floats, unit: Unit) -> Times:
    whole = np.nan_to_num(numbers).astype(np.int64)
    match unit:
        case "day":
            times = compose(whole)
        case "month":
            times = compose(whole * 100 + 1)
        case "stamp":
            days, clock = np.divmod(whole, 1_000_000)
            times = compose(days, clock // 10_000 * 3600 + clock // 100 % 100 * 60 + clock % 100)
        case "serial":  # Excel counts in days, and stores seconds as fractions that are not exact
            seconds = np.round((np.nan_to_num(numbers) - 25_569) * 86_400).astype(np.int64)
            times = seconds.astype("datetime64[s]").astype("datetime64[us]")
        case _:
            times = whole.astype(f"datetime64[{unit}]").astype("datetime64[us]")
    return np.where(np.isnan(numbers), NO_TIME, times)
