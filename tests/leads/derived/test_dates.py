from datetime import datetime, timedelta

import pytest

from leadmodel.leads.derived.dates import (
    parse_date,
    propose,
    read_days,
    read_hour,
    read_month,
    read_weekday,
)
from leadmodel.leads.derived.record import Column, Derived

HOW = Derived(
    source="d", label="D", how="date days before", argument="day first", other="t", other_label="T"
)


@pytest.mark.parametrize(
    ("text", "day_first", "date"),
    [
        ("2024-03-04", True, datetime(2024, 3, 4)),
        ("2024/03/04 15:30", False, datetime(2024, 3, 4, 15, 30)),
        ("2024-03-04T15:30:01Z", False, datetime(2024, 3, 4, 15, 30, 1)),
        ("03/04/2024", False, datetime(2024, 3, 4)),
        ("03/04/2024", True, datetime(2024, 4, 3)),
        ("17/04/2024", False, datetime(2024, 4, 17)),
        ("04/17/2024", True, datetime(2024, 4, 17)),
        ("3.4.24 9:05", True, datetime(2024, 4, 3, 9, 5)),
        ("3/4/2024 9:05 PM", False, datetime(2024, 3, 4, 21, 5)),
        ("12 Jan 2025", False, datetime(2025, 1, 12)),
        ("January 12, 2025 8:00", False, datetime(2025, 1, 12, 8)),
        ("31.02.2024", True, None),
        ("20240304", False, None),
        ("soon", False, None),
        ("1" * 5000, False, None),
    ],
)
def test_dates_are_read_as_they_are_written(text: str, day_first: bool, date: datetime | None) -> None:
    assert parse_date(text, day_first) == date


def test_what_a_date_tells() -> None:
    assert read_weekday("03.04.2024", HOW) == "Wednesday"
    assert read_month("03.04.2024", HOW) == "April"
    assert read_hour("03.04.2024 17:59", HOW) == 17
    # The times of the leads have a habit of their own.
    assert read_days("03.04.2024", HOW, "04/05/2024") == 2
    assert read_days("03.04.2024", HOW, "2024-04-02") == -1
    assert read_days("03.04.2024", HOW, "nonsense") is None


def test_a_lead_without_a_time_came_in_now() -> None:
    text = (datetime.now() - timedelta(days=3, hours=1)).strftime("%d.%m.%Y %H:%M")
    assert read_days(text, HOW, None) == 3


def test_a_gap_among_the_times_of_a_table_is_unknown() -> None:
    assert read_days("03.04.2024", HOW, "") is None


def test_dates_with_points_have_the_day_first() -> None:
    (weekday,) = propose(Column("d", "D", ["03.04.2024", "05.04.2024"], [1, 1], [0, 0]))
    assert "day first" in weekday.derived.argument
    (weekday,) = propose(Column("d", "D", ["03/04/2024", "05/04/2024"], [1, 1], [0, 0]))
    assert "day first" not in weekday.derived.argument


def test_only_what_the_dates_can_tell_is_proposed() -> None:
    def suffixes(texts: list[str], time: Column | None = None) -> list[str]:
        return [
            one.suffix for one in propose(Column("d", "D", texts, [1] * len(texts), [0] * len(texts)), time)
        ]

    days = [f"2024-05-{day:02}" for day in range(1, 29)]
    time = Column("t", "T", days, [1] * 28, [0] * 28)
    assert suffixes(days) == ["weekday"]
    assert suffixes([f"{day} 10:00" for day in days]) == ["weekday", "hour"]
    assert suffixes([*days, "2026-05-02"], time) == ["weekday", "month", "days before the lead"]
    assert suffixes(["a", *days[:8]]) == []
