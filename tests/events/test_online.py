"""Features of events that come with a call: those of training, to the bit."""

import datetime as dt
import math
import random
from typing import Any

import event_logs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadmodel.errors import EventError, InputError
from leadmodel.events.dataset import open_leads
from leadmodel.events.online import OnlineFeatures
from leadmodel.events.tables import read_event_tables

AT = event_logs.MOMENT
NOW = dt.datetime(2024, 1, 1)
FEATURES = {name: OnlineFeatures(event_logs.load(name).events) for name in event_logs.RECIPES}


def offline(name: str, tables: Any, at: dt.datetime) -> dict[str, dict[str, Any]]:
    """Return the leads that `leadmodel events` makes of the tables, by entity."""
    config = FEATURES[name].config
    with event_logs.written(tables) as folder, read_event_tables(folder, config, NOW) as read:
        try:
            leads, _ = open_leads(read, config, at)
        except InputError as error:
            assert "at least one lead" in str(error)
            return {}
    return {row[config.entity]: row for row in leads.to_dicts()}


@pytest.mark.parametrize("name", event_logs.RECIPES)
@settings(deadline=None, max_examples=10)
@given(st.randoms(use_true_random=False), st.integers(-12 * 24 * 60, 3 * 24 * 60))
def test_a_call_makes_the_features_that_a_folder_makes(name: str, rng: random.Random, minutes: int) -> None:
    tables = event_logs.make_tables(name, rng)
    if not all(tables.values()):
        return
    at = AT + dt.timedelta(minutes=minutes)
    expected = offline(name, tables, at)
    called = event_logs.entities_of(FEATURES[name].config, tables)
    together = FEATURES[name].describe(called, at)
    for entity, described in zip(called, together, strict=True):
        (alone,) = FEATURES[name].describe([entity], at)
        assert alone == described
        if described.entity in expected:
            row = expected[described.entity]
            assert described.at == row["cutoff"]
            assert described.features == {key: row[key] for key in described.features}
            assert {*row} - {*described.features} == {FEATURES[name].config.entity, "cutoff"}


def test_a_visitor_has_the_same_last_digits_alone_as_among_others() -> None:
    at = AT + dt.timedelta(microseconds=1)
    # 0.5953159259375 days before, which is half way between two features of twelve digits.
    time = int((AT - dt.timedelta(milliseconds=51_435_296)).replace(tzinfo=dt.UTC).timestamp() * 1000)
    events = [{"timestamp": time, "event": "view", "itemid": 1}]
    entities = [{"visitorid": n, "events": events} for n in range(11)]
    online = FEATURES["retailrocket"]
    found = {one.features["days_since_last_event"] for one in online.describe(entities, at)}
    (alone,) = online.describe(entities[:1], at)
    assert found == {alone.features["days_since_last_event"]} == {0.595315925938}


STUDENT = {"student_id": 7, "date_registered": "2022-08-29", "student_country": "US"}
LESSONS, EXAMS, QUIZZES = "365_student_learning.csv", "365_student_exams.csv", "365_student_engagement.csv"
LESSON = {"date_watched": "2022-08-30", "minutes_watched": 5, "course_id": 1}
NONE = {name: [] for name in FEATURES["students-365"].reader.logs}


def student(**tables: Any) -> dict[str, Any]:
    return STUDENT | {"events": NONE | tables}


def one(entity: Any, name: str = "students-365", at: dt.datetime = AT) -> Any:
    (described,) = FEATURES[name].describe([entity], at)
    return described


def warned(entity: Any, name: str = "students-365") -> dict[str, str]:
    return {warning.kind: warning.message for warning in one(entity, name).warnings}


@pytest.mark.parametrize(
    ("entity", "place", "message"),
    [
        ("a", (None, None, None), "an entity must be an object. Got 'a' instead"),
        ({"events": {}}, (None, None, "student_id"), "must have its id as 'student_id'. Got None"),
        ({"student_id": 7}, (None, None, None), "must have the attributes 'date_registered', 'student"),
        (
            STUDENT | {"student_contry": 1},
            (None, None, "student_contry"),
            "does not know. Did you mean 'student_country'",
        ),
        (STUDENT | {"date_registered": "soon"}, (None, None, "date_registered"), "a time that can be read"),
        (STUDENT | {"student_country": []}, (None, None, "student_country"), "be a single value. Got []"),
        (STUDENT | {"events": 3}, (None, None, "events"), "must be an object with the rows of each table"),
        (STUDENT | {"events": {"lessons": []}}, ("lessons", None, None), "that the recipe does not name"),
        (student(**{LESSONS: 3}), (LESSONS, None, None), "must be a list of rows. Got 3"),
        (student(**{LESSONS: [LESSON, 3]}), (LESSONS, 2, None), "an event must be an object. Got 3"),
        (student(**{LESSONS: [{}]}), (LESSONS, 1, "date_watched"), "must have a field 'date_watched'"),
        (student(**{EXAMS: [{"date_exam_completed": "2022-08-30"}]}), (EXAMS, 1, "exam_category"), "must"),
        (
            student(**{LESSONS: [LESSON, {"date_watched": "2022-08-30", "minuts_watched": 5}]}),
            (LESSONS, 2, "minutes_watched"),
            "It has 'minuts_watched'; name it 'minutes_watched'",
        ),
        (
            student(**{LESSONS: [LESSON | {"student_id": 8}]}),
            (LESSONS, 1, "student_id"),
            "be of its entity",
        ),
        (student(**{LESSONS: [LESSON | {"course_id": {}}]}), (LESSONS, 1, "course_id"), "a single value"),
        *(
            (
                student(**{LESSONS: [LESSON, LESSON | {"date_watched": text}]}),
                (LESSONS, 2, "date_watched"),
                m,
            )
            for text, m in (
                (None, "Got None"),
                ("soon", "Got 'soon'"),
                ("1989-12-31", "from 1990 on"),
                ("2022-08-30T10:00:00+25:00", "a time that can be read"),
                ("2022-08-30T10:00:00 Europe/Berlin", "a time that can be read"),
            )
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(entity: Any, place: tuple[Any, ...], message: str) -> None:
    with pytest.raises(EventError) as caught:
        FEATURES["students-365"].describe([student(), entity], AT)
    error = caught.value
    assert (error.entity, error.table, error.row, error.field) == (2, *place)
    assert message in str(error)
    assert str(error).startswith("Entity 2")


@pytest.mark.parametrize("entities", [{}, "a", 3, None])
def test_entities_that_are_no_list_are_refused(entities: Any) -> None:
    with pytest.raises(InputError, match="The entities must be a list of objects"):
        FEATURES["students-365"].describe(entities, AT)


def test_an_entity_without_events_is_scored_as_one_without_any_and_it_is_said() -> None:
    assert warned(student()) == {
        "no events": "It has no events before 2022-09-01 00:00 UTC, and is scored as one without any."
    }
    assert "ratings" in warned(STUDENT)["no table"] or "lessons" in warned(STUDENT)["no table"]
    assert one(STUDENT).features == one(student()).features
    assert one(student()).features["lessons"] == 0


def test_events_from_the_moment_on_are_left_out_and_it_is_said() -> None:
    later = [LESSON | {"date_watched": text} for text in ("2022-09-01", "2022-09-01T00:00Z", "2999-01-01")]
    described = one(student(**{LESSONS: [LESSON, *later]}))
    assert (described.n_events, described.features["lessons"]) == (1, 1)
    message = warned(student(**{LESSONS: [LESSON, *later]}))["after the moment"]
    assert message.startswith(
        "3 events from 2022-09-01 00:00 UTC on were left out. A date counts as the end"
    )


def test_a_time_in_another_zone_is_the_same_time() -> None:
    texts = ("2022-08-31T23:30:00Z", "2022-09-01T01:30:00+02:00", "2022-08-31T18:00-05:30")
    made = [one(student(**{LESSONS: [LESSON | {"date_watched": text}]})) for text in texts]
    assert made[0] == made[1] == made[2]
    assert made[0].n_events == 1


def test_what_is_left_out_or_unusual_is_said() -> None:
    exam = {"date_exam_completed": "2022-08-30", "exam_category": 9, "exam_result": "good"}
    quiz = {"date_engaged": "2022-08-30", "engagement_quizzes": 0}
    old = LESSON | {"date_watched": "2022-01-01", "mood": "good"}
    told = warned(student(**{LESSONS: [LESSON, LESSON, old], EXAMS: [exam], QUIZZES: [quiz]}))
    assert told["duplicate"] == "1 event identical to others left out: they count once."
    assert told["not a number"].startswith("1 event had a value that is not a number")
    assert "The recipe takes those whose 'engagement_quizzes' is '1'" in told["not selected"]
    assert "no event between 2022-01-01 23:59 UTC and 2022-08-30 23:59 UTC, 241 days" in told["gap"]
    assert "does not use these columns of '365_student_learning.csv': 'mood'" in told["unused column"]


def test_rows_that_differ_in_an_unused_column_are_two_events() -> None:
    rows = [LESSON | {"attempt": n} for n in range(3)]
    assert one(student(**{LESSONS: rows})).features["lessons"] == 3
    assert one(student(**{LESSONS: [LESSON] * 3})).features["lessons"] == 1


def test_kinds_never_seen_are_left_out_and_named() -> None:
    events = [
        {"timestamp": 1661990000000, "event": kind, "itemid": 1}
        for kind in ("view", "share", "transaction")
    ]
    told = warned({"visitorid": 1, "events": events}, "retailrocket")
    assert told["not selected"].startswith("1 event of 'events.csv' were left out")
    assert "It converted at 2022-08-3" in told["converted"]
    clicks = [
        {"year": 2022, "month": 8, "day": 31, "order": n, "page 1 (main category)": kind}
        for n, kind in enumerate((1, 2, 77), 1)
    ]
    told = warned({"session ID": 1, "events": clicks}, "clickstream")
    assert told["unknown kind"] == "1 event of unknown kinds were left out: '77'."
    assert told["few events"] == "It has 2 events. The model learned what follows after 3."


def test_a_session_is_described_right_after_the_click_that_the_model_learned_from() -> None:
    clicks = [
        {"year": 2022, "month": 8, "day": 31, "order": n, "page 1 (main category)": 1} for n in range(1, 9)
    ]
    described = one({"session ID": 1, "events": clicks}, "clickstream")
    assert described.n_events == 3
    assert described.at == dt.datetime(2022, 8, 31, 0, 0, 3, 1)


def test_an_entity_before_its_start_is_told() -> None:
    told = warned(STUDENT | {"date_registered": "2022-09-05", "events": NONE})
    assert "is before its start, 2022-09-05 00:00 UTC" in told["after its start"]


def test_a_million_events_of_one_entity_are_counted() -> None:
    rows = [LESSON | {"attempt": n} for n in range(1_000_000)]
    assert one(student(**{LESSONS: rows})).features["lessons"] == 1_000_000


def test_python_values_are_what_their_texts_are() -> None:
    day = dt.date(2022, 8, 30)
    made = one(student(**{LESSONS: [{"date_watched": day, "minutes_watched": 5.0, "course_id": True}]}))
    assert made.features["lessons_value"] == 5
    moment = dt.datetime(2022, 8, 30, 23, 59, 59, 999999, tzinfo=dt.UTC)
    again = one(student(**{LESSONS: [LESSON | {"date_watched": moment, "minutes_watched": math.nan}]}))
    assert again.features["lessons_value_mean"] is None
    assert again.features["days_since_last_event"] == made.features["days_since_last_event"]


@pytest.mark.parametrize(
    "at", ["soon", 3, "1989-01-01", "9999-12-31T23:59:59-10:00", "2022-09-01T25:00", ""]
)
def test_a_moment_that_is_none_is_refused(at: Any) -> None:
    with pytest.raises(InputError, match=r"^(The moment must|A cutoff must)"):
        OnlineFeatures.as_moment(at)


def test_a_moment_is_in_utc() -> None:
    assert OnlineFeatures.as_moment("2022-09-01T02:00+02:00") == AT
    assert OnlineFeatures.as_moment(dt.date(2022, 9, 1)) == AT
    assert OnlineFeatures.as_moment(AT.replace(tzinfo=dt.UTC)) == AT
