import itertools
import random
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from support import command

from leadmodel.errors import InputError
from leadmodel.events.features import FeaturePlan, build_features

PLAN = FeaturePlan(
    kinds=("views", "carts"),
    windows=(1, 7),
    values=("carts",),
    items=("views",),
    ratios={"cart_rate": ("carts", "views")},
    attributes=("page",),
)
CUTOFF = datetime(2022, 3, 10)
DAY = timedelta(days=1)
TIME = pl.Datetime("us")
LOG = {
    "entity": pl.String,
    "time": TIME,
    "kind": pl.String,
    "value": pl.Float64,
    "item": pl.String,
    "page": pl.String,
}
Event = tuple[str | None, datetime | None, str | None, float | None, str | None, str | None]


def log_of(events: list[Event]) -> pl.DataFrame:
    return pl.DataFrame(events, schema=LOG, orient="row")


def leads_of(leads: list[tuple[str, datetime]]) -> pl.DataFrame:
    return pl.DataFrame(leads, schema={"entity": pl.String, "cutoff": TIME}, orient="row")


def described(
    events: list[Event], leads: list[tuple[str, datetime]], plan: FeaturePlan = PLAN
) -> list[dict]:
    made = build_features(log_of(events), leads_of(leads), plan)
    return made.sort("entity", "cutoff").to_dicts()


def by_hand(events: list[Event], entity: str, cutoff: datetime) -> dict[str, Any]:
    """The features of PLAN, one plain loop after the other."""
    past = [
        e for e in events if e[0] == entity and e[1] is not None and e[1] < cutoff and e[2] in PLAN.kinds
    ]
    order = sorted(past, key=lambda e: (e[1], PLAN.kinds.index(e[2])))
    row: dict[str, Any] = {"entity": entity, "cutoff": cutoff}
    windows = {"": None, "_last_1d": 1, "_last_7d": 7}
    for ending, days in windows.items():
        here = [e for e in past if days is None or e[1] >= cutoff - days * DAY]
        views, carts = ([e for e in here if e[2] == kind] for kind in PLAN.kinds)
        row[f"views{ending}"], row[f"carts{ending}"] = len(views), len(carts)
        row[f"events{ending}"] = len(here)
        row[f"carts_value{ending}"] = sum(e[3] for e in carts if e[3] is not None)
        row[f"views_items{ending}"] = len({e[4] for e in views if e[4] is not None})
        row[f"cart_rate{ending}"] = len(carts) / len(views) if views else None
    for name in ("views", "carts", "events"):
        day, week = row[f"{name}_last_1d"], row[f"{name}_last_7d"]
        row[f"{name}_trend_1d_7d"] = day / (week / 7) if week else None
    values = [e[3] for e in past if e[2] == "carts" and e[3] is not None]
    row["carts_value_mean"] = sum(values) / len(values) if values else None
    for name, kinds in (("event", PLAN.kinds), ("views", ("views",)), ("carts", ("carts",))):
        times = [e[1] for e in past if e[2] in kinds]
        row[f"days_since_last_{name}"] = (cutoff - max(times)) / DAY if times else None
    times = sorted(e[1] for e in past)
    gaps = [(b - a) / DAY for a, b in itertools.pairwise(times)]
    row["days_since_first_event"] = (cutoff - times[0]) / DAY if times else None
    row["days_first_to_last_event"] = (times[-1] - times[0]) / DAY if times else None
    row["days_between_events"] = sum(gaps) / len(gaps) if gaps else None
    row["active_days"] = len({time.date() for time in times})
    office = [time for time in times if time.weekday() < 5 and 9 <= time.hour < 17]
    row["share_on_weekends"] = share(sum(time.weekday() >= 5 for time in times), times)
    row["share_at_night"] = share(sum(time.hour < 6 for time in times), times)
    row["share_in_office_hours"] = share(len(office), times)
    row["first_kind"], row["last_kind"] = (order[0][2], order[-1][2]) if order else (None, None)
    pages = sorted((e[1], e[5]) for e in past if e[5] is not None)
    row["first_page"], row["last_page"] = (pages[0][1], pages[-1][1]) if pages else (None, None)
    return row


def near(row: dict[str, Any]) -> dict[str, Any]:
    """The row to compare with; engines divide alike to the last digit but one."""
    return {k: pytest.approx(v, rel=1e-12) if isinstance(v, float) else v for k, v in row.items()}


def share(part: int, whole: list[Any]) -> float | None:
    return part / len(whole) if whole else None


def random_log(seed: int, n: int = 400) -> list[Event]:
    """Events of six entities with ties, gaps, duplicates, an unknown kind, and a future."""
    rng = random.Random(seed)
    events: list[Event] = []
    for _ in range(n):
        time = CUTOFF + timedelta(
            hours=rng.randint(-24 * 20, 24 * 5), microseconds=rng.choice([-1, 0, 0, 1])
        )
        events.append(
            (
                rng.choice(["a", "b", "c", "d", "é", "f", None]),
                rng.choice([time] * 20 + [None]),
                rng.choice(["views"] * 6 + ["carts", "carts", "wishes", None]),
                rng.choice([None, 0.0, 1.5, 2.25]),
                rng.choice([None, "x", "y", "z", ""]),
                rng.choice([None, "home", "shop", "Zoo", "ä", "12"]),
            )
        )
    return events + events[:40]


MANY = [(entity, CUTOFF + n * DAY) for entity in ("a", "b", "c", "é", "nobody") for n in (-30, -7, 0, 3)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("lazy", [False, True], ids=["eager", "lazy"])
def test_features_are_what_a_plain_loop_counts(seed: int, lazy: bool) -> None:
    events = random_log(seed)
    log, leads = log_of(events), leads_of(MANY)
    made = (
        build_features(log.lazy(), leads.lazy(), PLAN).collect()
        if lazy
        else build_features(log, leads, PLAN)
    )
    assert made.columns == ["entity", "cutoff", *PLAN.features]
    found = {(row["entity"], row["cutoff"]): row for row in made.to_dicts()}
    assert len(found) == len(made) == len(MANY)
    for lead in MANY:
        assert found[lead] == near(by_hand(events, *lead))


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    if not shutil.which("java"):
        pytest.skip("PySpark needs Java 17")
    from pyspark.sql import SparkSession

    options = {
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.log.level": "ERROR",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.session.timeZone": "Europe/Berlin",
    }
    session = SparkSession.builder.master("local[2]").config(map=options).getOrCreate()
    yield session
    session.stop()


def opened_by_duckdb(path: Path, request: pytest.FixtureRequest) -> Any:
    return duckdb.read_parquet(str(path))


def opened_by_spark(path: Path, request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue("spark").read.parquet(str(path))


@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
@pytest.mark.parametrize("opened", [opened_by_duckdb, opened_by_spark], ids=["DuckDB", "PySpark"])
def test_every_engine_gives_the_same_table(
    opened: Callable[..., Any], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    log = log_of(random_log(5))
    leads = leads_of(MANY).with_columns(start=pl.col("cutoff") - 2.5 * DAY, n=pl.int_range(len(MANY)))
    log.write_parquet(tmp_path / "log.parquet")
    leads.write_parquet(tmp_path / "leads.parquet")
    frames = [opened(tmp_path / f"{name}.parquet", request) for name in ("log", "leads")]
    made = nw.from_native(build_features(*frames, PLAN)).lazy().collect("polars").to_native().sort("n")
    expected = build_features(log, leads, PLAN).sort("n")
    assert made.schema == expected.schema
    assert made.to_dicts() == [near(row) for row in expected.to_dicts()]


HOURS = st.integers(-24 * 9, 24 * 9)
LATER = st.integers(0, 24 * 9)


def events_at(hours: st.SearchStrategy[int]) -> st.SearchStrategy[list[Event]]:
    event = st.tuples(
        st.sampled_from(["a", "b"]),
        hours.map(lambda n: CUTOFF + timedelta(hours=n)),
        st.sampled_from(["views", "carts"]),
        st.sampled_from([None, 1.0, 2.0]),
        st.sampled_from([None, "x", "y"]),
        st.sampled_from([None, "home", "shop"]),
    )
    return st.lists(event, max_size=12)


@settings(deadline=None, max_examples=60)
@given(events_at(HOURS), events_at(LATER), st.randoms(use_true_random=False))
def test_no_event_at_or_after_a_cutoff_changes_its_features(
    events: list[Event], others: list[Event], rng: random.Random
) -> None:
    past = [event for event in events if event[1] < CUTOFF]
    future = [event for event in events if event[1] >= CUTOFF]
    changed = [(*event[:2], "views", 9.0, "new", "new") for event in future if rng.random() < 0.5]
    mixed = past + changed + others
    rng.shuffle(mixed)
    leads = [("a", CUTOFF), ("b", CUTOFF)]
    assert described(mixed, leads) == described(past, leads) == described(events, leads)


def test_one_entity_has_a_row_for_each_cutoff_and_a_lead_twice_has_two() -> None:
    events = random_log(1)
    leads = [("a", CUTOFF), ("a", CUTOFF), ("a", CUTOFF - 7 * DAY)]
    rows = described(events, leads)
    assert [row["events"] for row in rows] == [by_hand(events, *lead)["events"] for lead in sorted(leads)]
    assert rows[1] == rows[2]


@pytest.mark.parametrize("cutoff", [CUTOFF, datetime(1999, 1, 1)], ids=["no events", "before the first"])
def test_a_lead_without_a_past_has_zero_counts_and_gaps(cutoff: datetime) -> None:
    events = [("b", CUTOFF - DAY, "views", 1.0, "x", "home"), ("a", CUTOFF, "views", 1.0, "x", "home")]
    (row,) = described(events, [("a", cutoff)])
    counts = {name for name in PLAN.features if name.split("_last")[0] in ("views", "carts", "events")}
    counts |= {name for name in PLAN.features if "_items" in name or "carts_value" in name} - {
        "carts_value_mean"
    }
    counts |= {"active_days"}
    assert {name for name in PLAN.features if row[name] == 0} == counts
    assert {name for name in PLAN.features if row[name] is None} == set(PLAN.features) - counts


def test_an_empty_log_loses_no_lead() -> None:
    assert [row["events"] for row in described([], MANY)] == [0] * len(MANY)


def test_the_order_of_the_log_does_not_matter_and_a_duplicate_counts_again() -> None:
    events = random_log(2)
    assert described(events[::-1], MANY) == [near(row) for row in described(events, MANY)]
    once = ("a", CUTOFF - DAY / 2, "carts", 2.0, "x", "home")
    (one,), (two,) = described([once], [("a", CUTOFF)]), described([once, once], [("a", CUTOFF)])
    assert (one["carts"], one["carts_value"], one["active_days"]) == (1, 2, 1)
    assert (two["carts"], two["carts_value"], two["active_days"]) == (2, 4, 1)
    assert (one["days_between_events"], two["days_between_events"]) == (None, 0)


def test_a_window_takes_the_event_at_its_beginning_and_not_the_one_at_the_cutoff() -> None:
    moments = [CUTOFF - DAY - timedelta(microseconds=1), CUTOFF - DAY, CUTOFF]
    (row,) = described([("a", time, "views", None, None, None) for time in moments], [("a", CUTOFF)])
    assert (row["views"], row["views_last_1d"]) == (2, 1)


def test_of_events_at_one_moment_the_later_step_is_the_later_event() -> None:
    at_once = [
        ("a", CUTOFF - DAY, kind, None, None, page) for kind, page in (("carts", "p"), ("views", "q"))
    ]
    for events in (at_once, at_once[::-1]):
        (row,) = described(events, [("a", CUTOFF)])
        assert (row["first_kind"], row["last_kind"]) == ("views", "carts")
        assert (row["first_page"], row["last_page"]) == ("p", "q")


def test_leads_with_a_start_have_a_tenure() -> None:
    leads = leads_of([("a", CUTOFF)]).with_columns(start=CUTOFF - 2.5 * DAY)
    made = build_features(log_of([]), leads, PLAN)
    assert made.columns[-1] == "days_since_start"
    assert made["days_since_start"].to_list() == [2.5]


def test_a_plan_of_one_kind_does_not_say_everything_twice() -> None:
    plan = FeaturePlan(kinds=("clicks",), windows=())
    assert plan.features[:2] == ("clicks", "days_since_last_event")
    assert not {"events", "first_kind", "days_since_last_clicks"} & set(plan.features)
    (row,) = described([("a", CUTOFF - DAY, "clicks", None, None, None)], [("a", CUTOFF)], plan)
    assert tuple(row)[2:] == plan.features
    assert (row["clicks"], row["days_since_last_event"]) == (1, 1)


def test_three_kinds_and_four_windows_make_at_least_forty_features() -> None:
    assert len(FeaturePlan(kinds=("views", "carts", "purchases")).features) >= 40


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"kinds": ()}, "at least one kind"),
        ({"kinds": ("views",), "windows": (0,)}, "at least one day"),
        ({"kinds": ("views",), "windows": (7, 1)}, "windows rise"),
        ({"kinds": ("views",), "values": ("carts",)}, r"name kinds: \['views'\]. Got \['carts'\]"),
        ({"kinds": ("views", "events")}, "two features would be called 'events'"),
        ({"kinds": ("views",), "days": 3}, "Extra inputs"),
    ],
    ids=lambda value: next(reversed(value)) if isinstance(value, dict) else "",
)
def test_a_plan_that_cannot_be_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        FeaturePlan(**settings)


def test_frames_that_do_not_fit_are_refused() -> None:
    log, leads = log_of([]), leads_of([])
    with pytest.raises(InputError, match=r"The events must have the columns \['value', 'page'\]"):
        build_features(log.drop("value", "page"), leads, PLAN)
    with pytest.raises(InputError, match=r"The leads must have the columns \['cutoff'\]"):
        build_features(log, leads.drop("cutoff"), PLAN)
    with pytest.raises(InputError, match=r"may have the name of a feature. Got \['views'\]"):
        build_features(log, leads.with_columns(views=1), PLAN)
    with pytest.raises(InputError, match=r"polars, DuckDB or PySpark\. Got polars and duckdb"):
        build_features(log, duckdb.sql("select 'a' as entity, now()::timestamp as cutoff"), PLAN)
    with pytest.raises(InputError, match="Got pandas"):
        build_features(log.to_pandas(), leads.to_pandas(), PLAN)


def test_without_narwhals_the_line_that_installs_it_is_said() -> None:
    code = "import sys; sys.modules['narwhals'] = None; import leadmodel.events.features"
    done = command("-c", code)
    assert "InputError" in done.stderr
    assert "pip install narwhals" in done.stderr


def test_a_space_does_not_load_the_features_of_events() -> None:
    code = "import sys, leadmodel.serving.web.app; print(*sys.modules)"
    loaded = command("-c", code).stdout.split()
    assert "leadmodel.serving.web.app" in loaded
    assert "leadmodel.events.features" not in loaded
