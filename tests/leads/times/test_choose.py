import pandas as pd
import pytest

from leadmodel.leads.times.choose import find_time

DAYS = [f"2024-01-{day:02}" for day in range(1, 29)]
LATER = [f"2024-02-{day:02}" for day in range(1, 29)]
NOBODY = [f"lead {n}" for n in range(28)]


def found(**columns: list[str | None]) -> str | None:
    return find_time(pd.DataFrame({"name": NOBODY} | columns)).name


def test_the_only_date_is_the_time() -> None:
    assert found(when=DAYS) == "when"
    assert found(updated=DAYS) == "updated"
    assert found(name=NOBODY) is None


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("created_at", "updated_at"),
        ("CreateDate", "LastModifiedDate"),
        ("Entry date", "date"),
        ("signup", "last_login"),
        ("Sign up date", "Date"),
        ("Erstellt am", "Geändert am"),
        ("date", "close_date"),
        ("updated", "converted_on"),
        ("received", "expected_close"),
        ("Anfrage vom", "Geburtsdatum"),
    ],
)
def test_the_name_tells_which_date_it_is(right: str, wrong: str) -> None:
    assert found(**{wrong: DAYS, right: LATER}) == right
    assert found(**{right: LATER, wrong: DAYS}) == right


def test_of_equal_names_the_earliest_is_taken_if_it_is_always_earlier() -> None:
    assert found(b_date=LATER, a_date=DAYS) == "a_date"
    assert found(b_date=LATER[:14] + DAYS[14:], a_date=DAYS[:14] + LATER[14:]) is None


@pytest.mark.parametrize("name", ["closed_at", "Won date", "date_converted", "Abschlussdatum", "purchased"])
def test_a_date_of_the_outcome_is_never_the_time(name: str) -> None:
    time = find_time(pd.DataFrame({name: DAYS}))
    assert time.name is None
    assert f"'{name}' (by its name not known when the lead came in)" in time.text
    assert "Name the right one with --time" in time.text


def test_gaps_are_allowed_if_they_are_few() -> None:
    assert found(created=[None, *DAYS[1:]]) == "created"
    assert found(created=[None] * 3 + [*DAYS[3:]]) is None
    time = find_time(pd.DataFrame({"day": [None] * 14 + DAYS[14:], "n": range(28)}))
    assert "'day' (50% of the leads have none)" in time.text


def test_what_was_taken_is_said_with_the_others() -> None:
    time = find_time(pd.DataFrame({"created": DAYS, "updated": LATER, "closed": LATER}))
    assert time.text == (
        "'created' is taken for the time of a lead: its name fits best. Other dates: 'updated', 'closed' "
        "(by its name not known when the lead came in). Name another column with --time."
    )
    time = find_time(pd.DataFrame({"created": [f"0{n % 9 + 1}/0{n % 7 + 1}/2024" for n in range(28)]}))
    assert "Its days are read as month/day" in time.text


def test_a_date_that_never_changes_orders_nothing() -> None:
    assert found(created=["2024-01-01"] * 28) is None
