import pandas as pd
import pytest

from leadmodel.errors import InputError
from leadmodel.leads.dates import find_time, looks_like_times, read_times


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


@pytest.mark.parametrize("odd", ["soon", None], ids=["text", "gap"])
def test_a_row_without_a_time_is_named(odd: str | None) -> None:
    with pytest.raises(InputError, match=r"'created' must hold a date in every row. Row 2 holds"):
        read_times(pd.Series(["2024-01-01", odd], name="created"))


@pytest.mark.parametrize(
    ("column", "expected"),
    [(["2024-01-01"] * 3, True), (["12.5.2024"] * 3, True), (["1.5", "2.5"], False), (["x"], False)],
)
def test_dates_are_told_from_other_texts(column: list[str], expected: bool) -> None:
    assert looks_like_times(pd.Series(column)) is expected


def test_the_only_complete_date_column_is_the_time() -> None:
    leads = pd.DataFrame({"created": ["2024-01-01"] * 2, "closed": ["2024-01-02", None], "n": [1, 2]})
    assert find_time(leads) == "created"
    assert find_time(leads.assign(updated="2024-01-03")) is None
