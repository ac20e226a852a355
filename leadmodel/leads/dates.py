"""The time of a lead: read from whatever a CRM exports, used only to put leads in order."""

import re

import pandas as pd

from leadmodel.errors import InputError

__all__ = ["find_time", "looks_like_times", "read_times"]

_ISO = re.compile(r"\s*\d{4}-\d{2}-\d{2}(?!\d)")
_DATE = re.compile(r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))(?!\d)")
_DAY_FIRST = re.compile(r"\s*(1[3-9]|2\d|3[01])[-/.]")


def find_time(leads: pd.DataFrame) -> str | None:
    """Return the one column of `leads` that holds a date in every row, if it is the only one."""
    complete = (leads[name] for name in leads.columns if leads[name].notna().all())
    found = [str(column.name) for column in complete if looks_like_times(column) and _all_parse(column)]
    return found[0] if len(found) == 1 else None


def _all_parse(column: pd.Series) -> bool:
    try:
        read_times(column)
    except InputError:
        return False
    return True


def looks_like_times(column: pd.Series) -> bool:
    """Whether nearly every value of `column` (no gaps) is a date or a time."""
    if column.dtype.kind == "M":
        return True
    if column.dtype.kind in "biuf" or not len(column):
        return False
    texts = column.drop_duplicates().astype(str)
    return bool(texts.str.match(_DATE).mean() > 0.95)


def read_times(column: pd.Series) -> pd.Series:
    """Return a column of times as something that sorts: UTC times, or numbers.

    A column of numbers (a serial number, seconds since 1970) is taken as it is. Dates such
    as 03/04/2024 are read day first if some date of the column can only be so.

    Raises
    ------
    InputError
        If a value is neither a time nor a number; the first one is named.
    """
    numbers = None if column.dtype.kind == "M" else pd.to_numeric(column, errors="coerce")
    if numbers is not None and numbers.notna().all():
        return numbers
    times = pd.to_datetime(column, utc=True) if numbers is None else _parse_texts(column.astype("str"))
    if times.isna().any():
        row = int(times.isna().to_numpy().argmax())
        raise InputError(
            f"The time column {column.name!r} must hold a date in every row. "
            f"Row {row + 1} holds {column.iloc[row]!r}."
        )
    return times


def _parse_texts(texts: pd.Series) -> pd.Series:
    day_first = bool(texts.str.match(_DAY_FIRST).any())
    times = pd.to_datetime(texts, format="mixed", dayfirst=day_first, errors="coerce", utc=True)
    # A year that comes first is followed by the month, whatever the other dates do.
    iso = texts.str.match(_ISO)
    times[iso] = pd.to_datetime(texts[iso], format="ISO8601", errors="coerce", utc=True)
    return times
