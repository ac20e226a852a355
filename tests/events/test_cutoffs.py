import random
from datetime import datetime, timedelta

import duckdb
import narwhals as nw
import polars as pl
import pytest

from leadmodel.errors import InputError
from leadmodel.events.cutoffs import active_leads, leads_after, leads_after_events

FIRST = datetime(2022, 3, 1)
DAY = timedelta(days=1)
TIME = pl.Datetime("us")


def random_log(seed: int, n: int = 200) -> pl.DataFrame:
    rng = random.Random(seed)
    rows = [
        (
            rng.choice([*"abcdefgh", None]),
            rng.choice([FIRST + timedelta(hours=rng.randint(0, 24 * 40))] * 9 + [None]),
        )
        for _ in range(n)
    ]
    return pl.DataFrame(rows, schema={"entity": pl.String, "time": TIME}, orient="row")


def rows_of(frame: object) -> list[tuple]:
    """The rows in order, of whatever engine."""
    return sorted(nw.from_native(frame).lazy().collect("polars").rows())


ENGINES = pytest.mark.parametrize(
    "engine",
    [lambda frame: frame, pl.DataFrame.lazy, lambda frame: duckdb.from_arrow(frame.to_arrow())],
    ids=["eager", "lazy", "DuckDB"],
)


@ENGINES
def test_each_entity_is_a_lead_so_many_days_after_its_start(engine) -> None:
    entities = pl.DataFrame(
        {"entity": ["a", "b", "c"], "start": [FIRST, FIRST + DAY / 2, None], "country": ["NA", None, "BG"]},
        schema_overrides={"start": TIME},
    )
    found = nw.from_native(leads_after(engine(entities), (1, 14))).lazy().collect("polars").to_native()
    expected = {("a", "NA", FIRST + DAY), ("b", None, FIRST + 1.5 * DAY)}
    expected |= {("a", "NA", FIRST + 14 * DAY), ("b", None, FIRST + 14.5 * DAY)}
    assert set(found.select("entity", "country", "cutoff").rows()) == expected
    assert (found["start"] < found["cutoff"]).all()


@ENGINES
@pytest.mark.parametrize("within", [1, 9])
def test_active_leads_have_an_event_in_the_days_before(engine, within: int) -> None:
    log = random_log(1)
    cutoffs = [FIRST - DAY, FIRST + 10 * DAY, FIRST + 17 * DAY]
    expected = {
        (entity, cutoff)
        for entity, time in log.drop_nulls().rows()
        for cutoff in cutoffs
        if cutoff - within * DAY <= time < cutoff
    }
    assert rows_of(active_leads(engine(log), cutoffs, within)) == sorted(expected)


def test_an_event_at_the_cutoff_makes_no_active_lead_and_one_at_the_beginning_does() -> None:
    log = pl.DataFrame(
        {"entity": ["a", "b"], "time": [FIRST, FIRST + DAY]}, schema_overrides={"time": TIME}
    )
    assert rows_of(active_leads(log, [FIRST + DAY], 1)) == [("a", FIRST + DAY)]


@ENGINES
@pytest.mark.parametrize("n", [1, 3, 25])
def test_an_entity_is_a_lead_right_after_its_nth_event(engine, n: int) -> None:
    log = random_log(2)
    expected = []
    for entity in "abcdefgh":
        times = sorted(time for name, time in log.drop_nulls().rows() if name == entity)
        expected += [(entity, times[n - 1] + timedelta(microseconds=1))] if len(times) >= n else []
    assert rows_of(leads_after_events(engine(log), n)) == expected


def test_events_at_one_moment_are_past_together() -> None:
    log = pl.DataFrame({"entity": ["a"] * 3, "time": [FIRST] * 3}, schema_overrides={"time": TIME})
    for n in (1, 2, 3):
        assert rows_of(leads_after_events(log, n)) == [("a", FIRST + timedelta(microseconds=1))]


def test_what_is_no_number_of_days_or_events_is_refused() -> None:
    log = random_log(1)
    with pytest.raises(InputError, match=r"days after the start must be at least 1. Got \[0\]"):
        leads_after(log, [0])
    with pytest.raises(InputError, match=r"cutoffs must be at least 1. Got \[\]"):
        active_leads(log, [], 1)
    with pytest.raises(InputError, match=r"active must be at least 1. Got \[0\]"):
        active_leads(log, [FIRST], 0)
    with pytest.raises(InputError, match=r"cutoff must be at least 1. Got \[0\]"):
        leads_after_events(log, 0)
