import datetime as dt
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from leadmodel.errors import InputError
from leadmodel.events.dataset import open_leads, past_leads, recipe_of_leads
from leadmodel.events.tables import EventReport, TableReport, read_event_tables
from leadmodel.events.windows import feature_plan
from leadmodel.leads.event_recipe import EventConfig
from leadmodel.leads.recipe import FieldConfig, Recipe

NOW = dt.datetime(2024, 6, 30)
VISITS = "who,when,minutes,topic\n"
SALES = "who,day,price\n"
PEOPLE = "who,since,country\n"

AFTER: dict[str, Any] = {
    "entity": "who",
    "windows": [1, 7],
    "horizon": 10,
    "after": [1, 3],
    "until": "2024-03-31",
    "entities": {"table": "people.csv", "start": "since", "fields": ["country"]},
    "outcomes": {"table": "sales.csv", "time": "day", "amount": "price"},
    "logs": [
        {
            "table": "visits.csv",
            "time": "when",
            "kind": "visits",
            "value": "minutes",
            "attributes": ["topic"],
        }
    ],
}
WITHOUT = {"after": [], "entities": None}
EVERY = AFTER | WITHOUT | {"every": 7, "active_within": 7}
SESSIONS = AFTER | WITHOUT | {"after_events": 2, "horizon": None}


def past(hints: dict[str, Any], **tables: Sequence[str]) -> tuple[pd.DataFrame, EventReport]:
    return made(hints, None, **tables)


def made(
    hints: dict[str, Any], cutoff: dt.datetime | None, **texts: Sequence[str]
) -> tuple[pd.DataFrame, EventReport]:
    """Make the leads of tables with these rows: past ones, or those to score at `cutoff`."""
    with tempfile.TemporaryDirectory() as folder:
        for name, header in {"visits": VISITS, "sales": SALES, "people": PEOPLE}.items():
            Path(folder, f"{name}.csv").write_text(
                header + "".join(f"{row}\n" for row in texts.get(name, ()))
            )
        read = EventConfig.model_validate(hints)
        with read_event_tables(folder, read, NOW) as tables:
            if cutoff is None:
                return past_leads(tables, read)
            leads, report = open_leads(tables, read, cutoff)
            return leads.to_pandas(), report


def rows(leads: pd.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    """Return columns as plain rows, the cutoff by its date and a gap as None."""
    told = leads.assign(cutoff=leads["cutoff"].dt.strftime("%Y-%m-%d"))[list(names)].astype(object)
    return list(told.where(told.notna(), None).itertuples(index=False, name=None))


def counts(report: EventReport) -> TableReport:
    assert report.leads is not None
    return report.leads


def test_leads_are_labelled_by_what_came_within_the_horizon() -> None:
    leads, report = past(
        AFTER,
        people=["a,2024-03-01,NA", "b,2024-03-01,AT", "c,2024-03-01,", "d,2024-03-20,AT"],
        sales=[
            "a,2024-03-02,5",  # in the days 2 to 11 after the cutoff of day 1
            "a,2024-03-04,7",
            "b,2024-03-11,9",  # the last day of that horizon, and in that of day 3
            "b,2024-03-12,2",
            "c,2024-03-14,1",  # just beyond the horizon of day 3
        ],
        visits=["a,2024-03-01,3,news", "a,2024-03-02,4,sport"],
    )
    assert rows(leads, "who", "country", "cutoff", "converted", "amount") == [
        ("a", "NA", "2024-03-02", "Yes", 12),
        ("b", "AT", "2024-03-02", "Yes", 9),
        ("c", None, "2024-03-02", "No", None),
        ("b", "AT", "2024-03-04", "Yes", 11),
        ("c", None, "2024-03-04", "No", None),
        ("d", "AT", "2024-03-21", "No", None),
    ]
    assert leads["visits"].tolist() == [1, 0, 0, 0, 0, 0]
    assert leads["days_since_start"].tolist() == [1, 1, 1, 3, 3, 1]
    assert "start" not in leads
    # The horizon of d's third day ends in April, of which the tables tell nothing.
    assert counts(report).left_out == {"that had converted already": 1, "whose horizon is not over": 1}
    assert counts(report).noted == {"converted": 3}
    assert "6 leads of 8 rows" in report.summary()


def test_an_entity_without_events_is_a_lead_with_zeros() -> None:
    leads, _ = past(AFTER, people=["a,2024-03-01,AT"], visits=["b,2024-03-01,1,news"])
    assert leads["visits"].tolist() == leads["visits_value"].tolist() == [0, 0]
    assert leads["days_since_last_event"].isna().all()
    assert leads["last_topic"].isna().all()


def test_a_lead_before_the_first_event_is_a_lead_with_zeros() -> None:
    leads, _ = past(AFTER, people=["a,2024-03-01,AT"], visits=["a,2024-03-20,1,news"])
    assert leads["visits"].tolist() == [0, 0]


def test_active_entities_are_leads_on_calendar_days() -> None:
    visits = ["a,2024-03-01T00:00,1,x", "a,2024-03-12,1,x", "b,2024-03-05,2,y", "c,2024-03-30,1,x"]
    sales = ["a,2024-03-16,4", "d,2024-03-20,4"]
    leads, report = past(EVERY, visits=[*visits, "d,2024-03-16,1,x"], sales=sales)
    # The last cutoff is 10 days before April, and before the first one 7 days tell who was active.
    assert rows(leads, "who", "cutoff", "converted") == [
        ("a", "2024-03-08", "Yes"),
        ("b", "2024-03-08", "No"),
        ("a", "2024-03-15", "Yes"),
    ]
    assert counts(report).left_out["that had converted already"] == 1


def test_sessions_are_leads_after_so_many_events() -> None:
    leads, report = past(
        SESSIONS,
        visits=[
            *("a,2024-03-01T10:00,1,x", "a,2024-03-01T10:05,1,y", "a,2024-03-01T10:10,1,z"),
            *("b,2024-03-01T10:00,1,x", "b,2024-03-01T10:05,1,y", "c,2024-03-01T10:00,1,x"),
            *("d,2024-03-01T10:00,1,x", "d,2024-03-01T10:05,1,y"),
        ],
        sales=["a,2024-03-01T10:10,4", "d,2024-03-01T10:05,4"],
    )
    assert leads[["who", "converted", "visits", "last_topic"]].values.tolist() == [
        ["a", "Yes", 2, "y"],
        ["b", "No", 2, "y"],
    ]
    assert counts(report).left_out["that had converted already"] == 1


def test_without_amounts_there_is_no_column_of_them() -> None:
    hints = AFTER | {"outcomes": {"table": "sales.csv", "time": "day"}}
    leads, _ = past(hints, people=["a,2024-03-01,AT"], sales=["a,2024-03-05,3"])
    assert "amount" not in leads
    assert leads["converted"].tolist() == ["Yes", "Yes"]


def test_no_lead_at_all_is_an_error_that_tells_why() -> None:
    with pytest.raises(
        InputError, match=r"(?s)must contain a lead with a known outcome.*1 of an unknown who"
    ):
        past(AFTER, visits=["a,2024-03-01,1,x"])
    with pytest.raises(InputError, match="must span the days of active_within"):
        past(EVERY, visits=["a,2024-03-30,1,x"])
    with pytest.raises(InputError, match="must be at least one lead to score at 2023-01-01 00:00"):
        made(AFTER, dt.datetime(2023, 1, 1), people=["a,2024-03-01,AT"], visits=["a,2024-03-01,1,x"])


def test_leads_to_score_are_those_between_the_shortest_and_the_longest_time() -> None:
    people = [f"{name},2024-03-{day:02},AT" for name, day in zip("abcde", (6, 7, 8, 9, 10), strict=True)]
    given = {
        "people": people,
        "visits": ["b,2024-03-09,1,x", "b,2024-03-10,1,x"],
        "sales": ["c,2024-03-09,1"],
    }
    leads, report = made(AFTER, dt.datetime(2024, 3, 10), **given)
    assert leads["who"].tolist() == ["b", "d"]
    assert leads["visits"].tolist() == [1, 0]
    assert leads["days_since_start"].tolist() == [3, 1]
    assert "converted" not in leads
    assert "amount" not in leads
    assert counts(report).left_out == {"that had converted already": 1}
    assert counts(report).noted == {"events from 2024-03-10 00:00 on, which are not used": 1}


def test_leads_to_score_are_the_active_ones_and_the_recent_sessions() -> None:
    visits = ["a,2024-03-01,1,x", "b,2024-03-05,2,y", "c,2024-03-20,1,x"]
    leads, _ = made(EVERY, dt.datetime(2024, 3, 9), visits=visits, sales=["c,2024-03-01,1"])
    assert leads["who"].tolist() == ["b"]
    visits = [
        "a,2024-03-01,1,x",
        "a,2024-03-02,2,y",
        "b,2024-03-05,1,x",
        "b,2024-03-05,3,x",
        "b,2024-03-07,1,z",
    ]
    sessions = SESSIONS | {"horizon": 4}
    leads, _ = made(sessions, dt.datetime(2024, 3, 9), visits=visits)
    assert leads[["who", "visits", "last_topic"]].values.tolist() == [["b", 2, "x"]]


def test_leads_to_score_have_the_columns_of_past_ones() -> None:
    given = {"people": ["a,2024-03-01,AT"], "visits": ["a,2024-03-01,1,x"]}
    before, _ = past(AFTER, **given)
    now, _ = made(AFTER, dt.datetime(2024, 3, 2), **given)
    assert [*now.columns, "converted"] == [name for name in before.columns if name != "amount"]
    known = [name for name in now.columns if name != "converted"]
    pd.testing.assert_frame_equal(now[known], before[known].iloc[:1])


def test_the_recipe_of_the_leads_knows_their_columns() -> None:
    hints = EventConfig.model_validate(AFTER)
    own = {"visits": FieldConfig(label="Visits so far"), "country": FieldConfig(label="Country")}
    recipe = recipe_of_leads(Recipe(fields=own, leaks={"x": "later"}), hints)
    assert (recipe.target, recipe.positive, recipe.time) == ("converted", "Yes", "cutoff")
    assert (recipe.leaks, recipe.amount) == ({"x": "later"}, "amount")
    assert recipe.fields["visits"] == FieldConfig(kind="numeric", label="Visits so far")
    assert recipe.fields["visits_last_7d"].label == "Visits, last 7 days"
    assert recipe.fields["last_topic"] == FieldConfig(kind="categorical", label="Last topic")


def test_every_feature_has_a_label_of_its_own() -> None:
    hints = EventConfig.model_validate(AFTER)
    fields = recipe_of_leads(Recipe(), hints).fields
    labels = [fields[name].label for name in (*feature_plan(hints).features, "days_since_start")]
    assert None not in labels
    assert len(set(labels)) == len(labels)


MOMENTS = st.datetimes(dt.datetime(2024, 3, 1), dt.datetime(2024, 3, 28))
PERSON = st.sampled_from("abc")
VISIT = st.tuples(PERSON, MOMENTS, st.integers(0, 9), st.sampled_from("xyz"))
SALE = st.tuples(PERSON, MOMENTS, st.integers(1, 9))


def lines(rows: Sequence[tuple[Any, ...]]) -> list[str]:
    return [",".join(map(str, row)) for row in rows]


@settings(max_examples=12, deadline=None)
@drawn(
    visits=st.lists(VISIT, min_size=1, max_size=12),
    other_visits=st.lists(VISIT, max_size=12),
    sales=st.lists(SALE, max_size=4),
    other_sales=st.lists(SALE, max_size=4),
    kind=st.sampled_from(["after", "every", "sessions"]),
    cutoff=MOMENTS,
)
def test_nothing_after_a_cutoff_changes_a_feature(
    visits: list[Any],
    other_visits: list[Any],
    sales: list[Any],
    other_sales: list[Any],
    kind: str,
    cutoff: Any,
) -> None:
    """From the raw tables on: other events and outcomes after a cutoff, the same leads at it."""
    hints = {"after": AFTER, "every": EVERY, "sessions": SESSIONS}[kind]
    people = ["a,2024-03-01,AT", "b,2024-03-05,AT", "c,2024-03-20,AT"]

    def other(rows: list[Any], others: list[Any]) -> list[str]:
        return lines([row for row in rows if row[1] <= cutoff] + [row for row in others if row[1] > cutoff])

    def known(visits: list[str], sales: list[str]) -> pd.DataFrame:
        try:
            leads, _ = past(hints, people=people, visits=visits, sales=sales)
        except InputError:
            return pd.DataFrame()
        features = leads.drop(columns=["converted", "amount"])
        features = features[features["cutoff"] <= cutoff].reset_index(drop=True)
        return features if len(features) else pd.DataFrame()

    before = known(lines(visits), lines(sales))
    after = known(other(visits, other_visits), other(sales, other_sales))
    pd.testing.assert_frame_equal(before, after, check_dtype=False)


@settings(max_examples=12, deadline=None)
@drawn(visits=st.lists(VISIT, min_size=1, max_size=12), sales=st.lists(SALE, max_size=4), data=st.data())
def test_the_order_of_the_rows_does_not_matter(
    visits: list[Any], sales: list[Any], data: st.DataObject
) -> None:
    people = ["a,2024-03-01,AT", "b,2024-03-05,DE", "c,2024-03-02,AT"]
    shuffled = [data.draw(st.permutations(one)) for one in (lines(visits), lines(sales), people)]
    one, _ = past(AFTER, visits=lines(visits), sales=lines(sales), people=people)
    other, _ = past(AFTER, visits=shuffled[0], sales=shuffled[1], people=shuffled[2])
    pd.testing.assert_frame_equal(one, other)


def test_outcomes_are_what_a_plain_loop_finds() -> None:
    """Against a loop over days, for entities at many starts and outcomes."""
    rng = random.Random(5)
    starts = {f"p{n}": dt.date(2024, 3, rng.randint(1, 15)) for n in range(60)}
    sales = {
        who: start + dt.timedelta(days=rng.randint(0, 20))
        for who, start in starts.items()
        if rng.random() < 0.6
    }
    leads, _ = past(
        AFTER,
        people=[f"{who},{start},AT" for who, start in starts.items()],
        sales=[f"{who},{day},1" for who, day in sales.items()],
        visits=["p0,2024-03-01,1,x"],
    )
    expected = {}
    for who, start in starts.items():
        for days in (1, 3):
            first_day = start + dt.timedelta(days=days)
            if first_day + dt.timedelta(days=10) > dt.date(2024, 4, 1):
                continue
            bought = (sales[who] - first_day).days if who in sales else None
            if bought is None or bought >= 0:
                expected[who, str(first_day)] = "Yes" if bought is not None and bought < 10 else "No"
    found = {(row["who"], str(row["cutoff"].date())): row["converted"] for row in leads.to_dict("records")}
    assert found == expected
    assert {"Yes", "No"} == set(expected.values())
