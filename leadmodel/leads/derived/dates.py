"""Derive weekday, hour and month of a date, and how many days before the lead it was."""

import re
from datetime import datetime
from functools import lru_cache

from leadmodel.leads.derived.record import Column, Derived, How, Proposal

__all__ = ["DAY_FIRST", "parse_date", "propose", "read_days", "read_hour", "read_month", "read_weekday"]

DAY_FIRST, TIME_DAY_FIRST = "day first", "time: day first"
"""Parts of the argument: in dates such as 03/04/2024, or in the times of the leads, the day comes first."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)

MIN_YEARS = 2
"""Years that the dates must span for the month to be a season, and not a matter of how old a lead is."""

_CLOCK = r"(?:[\sT,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::\d{2}(?:\.\d+)?)?\s*(?P<half>[ap]m)?)?\s*"
_NUMBERS = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})" + _CLOCK, re.IGNORECASE)
_DAY_NAMED = re.compile(r"(\d{1,2})[-\s.]+([a-z]{3})[a-z]*[-\s.,]+(\d{4})" + _CLOCK, re.IGNORECASE)
_MONTH_NAMED = re.compile(r"([a-z]{3})[a-z]*[-\s.]+(\d{1,2})[-\s.,]+(\d{4})" + _CLOCK, re.IGNORECASE)
_MONTH_OF = {name[:3].lower(): number for number, name in enumerate(MONTHS, 1)}


@lru_cache(maxsize=200_000)  # as each date of a table is read for every field derived from it
def parse_date(text: str, day_first: bool) -> datetime | None:
    """Return a date as it is written, without its time zone, or None if it is none."""
    if not text or text.isdecimal() or len(text) > 40:
        return None
    try:
        return datetime.fromisoformat(text.replace("/", "-")).replace(tzinfo=None)
    except ValueError:
        pass
    if match := _NUMBERS.fullmatch(text):
        first, second, year = int(match[1]), int(match[2]), int(match[3])
        day, month = (first, second) if (day_first or first > 12) and second <= 12 else (second, first)
    elif match := _DAY_NAMED.fullmatch(text):
        day, month, year = int(match[1]), _MONTH_OF.get(match[2].lower(), 0), int(match[3])
    elif match := _MONTH_NAMED.fullmatch(text):
        day, month, year = int(match[2]), _MONTH_OF.get(match[1].lower(), 0), int(match[3])
    else:
        return None
    hour, half = int(match["hour"] or 0), (match["half"] or "").lower()
    if half:
        hour = hour % 12 + 12 * (half == "pm")
    try:
        return datetime(year + 2000 if year < 100 else year, month, day, hour, int(match["minute"] or 0))
    except ValueError:
        return None


def propose(column: Column, time: Column | None = None) -> list[Proposal]:
    """Propose what the dates of a column may tell.

    Parameters
    ----------
    column : Column
        The raw column.
    time : Column, optional
        The column with the time of the lead.
    """
    day_first = _is_day_first(column.texts)
    dates = [date for text in column.texts if (date := parse_date(text, day_first))]
    if not dates or len(dates) < 0.95 * len(column.texts):
        return []

    flags = {DAY_FIRST: day_first, TIME_DAY_FIRST: time is not None and _is_day_first(time.texts)}

    def proposal(end: str, how: How, other: Column | None = None, unit: str = "") -> Proposal:
        derived = Derived(
            source=column.name,
            label=column.label,
            how=how,
            argument="; ".join(flag for flag, applies in flags.items() if applies),
            other=other.name if other else None,
            other_label=other.label if other else "",
        )
        return Proposal(end, f"{column.label} {end}", derived, {"unit": unit})

    proposals = [proposal("weekday", "date weekday")]
    if any(date.hour for date in dates):
        proposals.append(proposal("hour", "date hour"))
    if (max(dates) - min(dates)).days >= 365 * MIN_YEARS:
        proposals.append(proposal("month", "date month"))
    if time is not None:
        proposals.append(proposal("days before the lead", "date days before", time, "days"))
    return proposals


def _is_day_first(texts: list[str]) -> bool:
    """Return whether some date of the column can only be read day first, or is written 03.04.2024."""
    matches = filter(None, map(_NUMBERS.fullmatch, texts))
    return any(int(match[1]) > 12 or "." in match[0][:3] for match in matches)


def _parse(text: str, derived: Derived, flag: str = DAY_FIRST) -> datetime | None:
    return parse_date(text, flag in derived.argument.split("; "))


def read_weekday(text: str, derived: Derived) -> str | None:
    """Return the weekday of a date."""
    date = _parse(text, derived)
    return WEEKDAYS[date.weekday()] if date else None


def read_hour(text: str, derived: Derived) -> float | None:
    """Return the hour of a date, 0 to 23."""
    date = _parse(text, derived)
    return float(date.hour) if date else None


def read_month(text: str, derived: Derived) -> str | None:
    """Return the month of a date."""
    date = _parse(text, derived)
    return MONTHS[date.month - 1] if date else None


def read_days(text: str, derived: Derived, time: str | None) -> float | None:
    """Return the whole days from a date to the time of the lead, or to now if `time` is None."""
    date = _parse(text, derived)
    now = datetime.now() if time is None else _parse(time, derived, TIME_DAY_FIRST)
    return float((now - date).days) if date and now else None
