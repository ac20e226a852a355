"""Parse the times of events from texts, dates, numbers or parts, and convert them to UTC."""

import datetime as dt
import re
from collections.abc import Sequence
from statistics import median
from typing import Literal

import polars as pl

from leadmodel.errors import InputError, quoted
from leadmodel.leads.event_recipe import DateParts

__all__ = ["EARLIEST", "LATEST", "N_PROBED", "DayBoundary", "find_unit", "read_event_time", "read_moment"]

EARLIEST = dt.datetime(1990, 1, 1)
LATEST = dt.datetime(2100, 1, 1)
"""Range of plausible times; placeholders such as 1970-01-01 and mistyped years lie outside."""

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000}
N_PROBED = 10_000
"""Times of a column that are looked at to tell numbers from texts."""

_NUMBER = re.compile(r"\s*\d{6,}(\.\d+)?\s*")
_DATE = r"^\s*\d{4}-\d{2}-\d{2}\s*$"
_NO_OFFSET = r"(?i)^(\S+ +\d{2}:\d{2}[^+-]*?)\s*(?:Z|UTC)?$"

DayBoundary = Literal["end", "start"]


def read_event_time(
    frame: pl.LazyFrame,
    time: str | DateParts,
    *,
    table: str,
    unit: str | None = None,
    format: str | None = None,
    day: DayBoundary = "end",
) -> pl.Expr:
    """Return the expression that parses the time of each row of `frame`, in UTC and without a zone.

    A time with an offset is converted to UTC; one without counts as UTC. A date counts as the end of its
    day, before which nobody could be sure of the event, or as its start. Numbers are seconds,
    milliseconds or microseconds since 1970; the unit is given, or inferred from the median, which must
    lie in the years 1990 to 2100. Unreadable times, and those before 1990, become null.

    Parameters
    ----------
    frame : LazyFrame
        The table.
    time : str or DateParts
        Column of times, or the columns that make one.
    table : str
        Name of the table, for messages.
    unit : {"s", "ms", "us"}, optional
        Unit of numbers.
    format : str, optional
        Format of texts; ISO 8601 by default.
    day : {"end", "start"}
        Time of day that a date stands for.

    Returns
    -------
    Expr of datetime[us]

    Raises
    ------
    InputError
        If numbers are not plausible times in any unit.
    """
    if isinstance(time, DateParts):
        read = _of_parts(time, day)
    elif format is not None:
        read = _of_format(pl.col(time).cast(pl.String), format, day)
    elif found := _probe(frame, time, table, unit):
        read = _of_numbers(pl.col(time), found)
    else:
        dtype, column = frame.collect_schema()[time], pl.col(time)
        if dtype == pl.String:
            return _of_texts(column, day)
        elif dtype == pl.Date:
            read = _of_dates(column, day)
        elif isinstance(dtype, pl.Datetime):
            read = column.dt.convert_time_zone("UTC") if dtype.time_zone else column
        else:
            where = f"{quoted(time)} of {quoted(table)}"
            raise InputError(f"The column {where} must have times. It has {dtype}.")
    read = read.dt.replace_time_zone(None).cast(pl.Datetime("us"))
    return pl.when(read >= EARLIEST).then(read)


def read_moment(text: str) -> dt.datetime:
    """Parse a date (as the beginning of its day) or a time in ISO 8601 to UTC, without a zone.

    Raises
    ------
    InputError
        If it is neither a date nor a time.

    >>> read_moment("2022-09-01"), read_moment("2022-09-01T02:00+02:00")
    (datetime.datetime(2022, 9, 1, 0, 0), datetime.datetime(2022, 9, 1, 0, 0))
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"A cutoff must look like 2022-09-01 or 2022-09-01T12:00. Got {quoted(text)}."
        ) from None
    return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _of_dates(column: pl.Expr, day: DayBoundary) -> pl.Expr:
    """Convert dates to the last microsecond of their day, or to the first."""
    midnight = column.cast(pl.Datetime("us"))
    return midnight if day == "start" else midnight + dt.timedelta(days=1, microseconds=-1)


def _of_parts(time: DateParts, day: DayBoundary) -> pl.Expr:
    padded = [pl.col(name).cast(pl.String).str.strip_chars().str.zfill(2) for name in time.date]
    date = pl.concat_str(padded, separator="-").str.to_date("%Y-%m-%d", strict=False)
    if time.step is None:
        return _of_dates(date, day)
    step = pl.col(time.step).cast(pl.Float64, strict=False)
    # Outside the day it cannot be seconds, and would move the event to another day.
    within = pl.when((step >= 0) & (step < 86_400)).then((step * 1e6).cast(pl.Int64))
    return _of_dates(date, "start") + within.cast(pl.Duration("us"))


def _probe(frame: pl.LazyFrame, time: str, table: str, unit: str | None) -> str | None:
    """Return the unit of the first values in a column of times, or None if most are not numbers."""
    dtype = frame.collect_schema()[time]
    if not (dtype.is_numeric() or dtype == pl.String):
        return None
    first = frame.select(pl.col(time)).filter(pl.col(time).is_not_null()).head(N_PROBED).collect()[time]
    if dtype.is_numeric() and first.is_empty():
        return unit or "us"  # nothing to convert
    return find_unit(first.to_list(), time, table, unit)


def find_unit(values: Sequence[float | str], time: str, table: str, unit: str | None = None) -> str | None:
    """Return the unit of times that are numbers, or None if most are not numbers.

    Parameters
    ----------
    values : sequence of float or str
        Times of a column, at most `N_PROBED` of them.
    time, table : str
        Column and table, for messages.
    unit : {"s", "ms", "us"}, optional
        Unit that the recipe names.

    Raises
    ------
    InputError
        If they are numbers, but not plausible times in any unit.
    """
    numbers = [float(value) for value in values if not isinstance(value, str) or _NUMBER.fullmatch(value)]
    # By majority: a few placeholders among texts must not decide.
    if 2 * len(numbers) <= len(values):
        return None
    if unit is not None:
        return unit
    middle = median(numbers)
    for name, per_second in _PER_SECOND.items():
        if _bounds(per_second)[0] <= middle < _bounds(per_second)[1]:
            return name
    raise InputError(
        f"The numbers in the column {quoted(time)} of {quoted(table)} must count seconds, milliseconds or "
        f"microseconds since 1970 (s, ms, us). Their median, {middle!r}, is not between 1990 and 2100 in "
        "any of these units. If they are dates, give their format in the recipe."
    )


def _bounds(per_second: int) -> tuple[float, float]:
    first, last = (moment.replace(tzinfo=dt.UTC).timestamp() * per_second for moment in (EARLIEST, LATEST))
    return first, last


def _of_numbers(column: pl.Expr, unit: str) -> pl.Expr:
    # By way of text, because a column of numbers in a CSV is text, and may hold anything else too.
    number = column.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False)
    first, last = _bounds(_PER_SECOND[unit])
    plausible = pl.when((number >= first) & (number < last)).then(number)
    return (plausible * (1_000_000 / _PER_SECOND[unit])).round().cast(pl.Int64).cast(pl.Datetime("us"))


def _of_texts(column: pl.Expr, day: DayBoundary) -> pl.Expr:
    """Parse texts in ISO 8601, with or without an offset, dates included."""

    def parse(texts: pl.Series) -> pl.Series:
        # A column usually has one form of times. Steps that none of its texts needs are left out, because
        # those of a few events take longer to prepare than to run.
        if texts.null_count() == len(texts):
            return pl.Series(texts.name, [None] * len(texts), pl.Datetime("us"))
        given, is_date = pl.col(texts.name), texts.str.contains(_DATE)
        read = _of_dates(given.str.strip_chars().str.to_date("%Y-%m-%d", strict=False), day)
        if not is_date.all():
            read = pl.when(is_date).then(read).otherwise(_of_clocks(given))
        times = texts.to_frame().select_seq(read).to_series()
        return times.set(times < EARLIEST, None)

    return column.map_batches(parse, return_dtype=pl.Datetime("us"), is_elementwise=True)


def _of_clocks(column: pl.Expr) -> pl.Expr:
    local = (
        column.str.strip_chars()
        .str.replace(r"(\d)[tT](\d)", "${1} ${2}")
        .str.replace(",", ".", literal=True)
    )
    # A format with an offset reads only texts that have one.
    offset = local.str.replace(_NO_OFFSET, "${1}+00:00")
    formats = ("%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M%#z")
    read = [offset.str.to_datetime(form, time_unit="us", strict=False) for form in formats]
    return pl.coalesce(read).dt.replace_time_zone(None)


def _of_format(column: pl.Expr, format: str, day: DayBoundary) -> pl.Expr:
    text = column.str.strip_chars()
    if not re.search(r"%[HIMSTRXcsf]", format):
        return _of_dates(text.str.to_date(format, strict=False), day)
    read = text.str.to_datetime(format, time_unit="us", strict=False)
    return read.dt.convert_time_zone("UTC") if re.search("%[z:#]", format) else read
