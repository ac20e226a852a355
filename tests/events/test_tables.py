import datetime as dt
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from leadmodel.errors import InputError
from leadmodel.events.tables import EventTables, TableReport, read_event_tables
from leadmodel.events.windows import INSTALL_ENGINES
from leadmodel.leads.event_recipe import EventConfig
from leadmodel.leads.recipe import Recipe
from leadmodel.prepare.source import read_leads_of

NOW = dt.datetime(2024, 6, 1, 12)

CLICKS = """who,when,what,seconds,page
007,2024-05-01 10:00:00,view,3.5,a
007,2024-05-01 12:00:00+02:00,view,soon,b
7,2024-05-02,buy,,
"""
SALES = "who,day,plan\n007,2024-05-20,Gold\n"
HINTS: dict[str, Any] = {
    "entity": "who",
    "horizon": 7,
    "every": 7,
    "active_within": 7,
    "outcomes": {"table": "sales.csv", "time": "day"},
    "logs": [{"table": "clicks.csv", "time": "when", "kind": "clicks", "value": "seconds", "item": "page"}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, {"clicks.csv": CLICKS, "sales.csv": SALES})


def write(folder: Path, tables: Mapping[str, str]) -> Path:
    for name, text in tables.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def read(folder: Path, **changes: Any) -> EventTables:
    return read_event_tables(folder, EventConfig.model_validate(HINTS | changes), NOW)


def log(folder: Path, **changes: Any) -> pl.DataFrame:
    hints = HINTS["logs"][0] | changes
    with read(folder, logs=[hints]) as tables:
        return tables.log.collect().sort("entity", "time", "item")


def of(tables: EventTables, name: str) -> TableReport:
    return next(report for report in tables.report.tables if report.table == name)


def test_a_log_is_read_into_one_form(folder: Path) -> None:
    rows = log(folder)
    assert rows.columns == ["entity", "time", "kind", "value", "item"]
    assert rows.rows() == [
        ("007", dt.datetime(2024, 5, 1, 10), "clicks", 3.5, "a"),
        ("007", dt.datetime(2024, 5, 1, 10), "clicks", None, "b"),
        ("7", dt.datetime(2024, 5, 2, 23, 59, 59, 999999), "clicks", None, None),
    ]


def test_a_value_that_is_no_number_is_told(folder: Path) -> None:
    with read(folder) as tables:
        assert of(tables, "clicks.csv").noted["without a value that is a number"] == 1
        assert "1 without a value that is a number" in tables.report.summary()


def test_parquet_gives_the_same_log(folder: Path) -> None:
    table = pl.DataFrame(
        {
            "who": [7.0, None],
            "when": [dt.datetime(2024, 5, 1, 10), dt.datetime(2024, 5, 1)],
            "seconds": [3, 4],
            "page": ["a", "b"],
        }
    )
    table.write_parquet(folder / "clicks.parquet")
    expected = [("7", dt.datetime(2024, 5, 1, 10), "clicks", 3.0, "a")]
    assert log(folder, table="clicks.parquet").rows() == expected


def test_country_codes_and_semicolons_survive(folder: Path) -> None:
    write(folder, {"clicks.csv": '\ufeff"who";when;page\nNA;2024-05-01;a;\n'.replace("a;", "a")})
    assert log(folder, value=None)["entity"].to_list() == ["NA"]


def test_rows_that_are_wrong_are_left_out_and_counted(folder: Path) -> None:
    good = "".join(f"{n},2024-05-01,view,1,a\n" for n in range(20))
    bad = ",2024-05-01,view,1,a\n1,,view,1,a\n1,soon,view,1,a\n1,2024-06-02,view,1,a\n"
    write(folder, {"clicks.csv": CLICKS.splitlines()[0] + "\n" + good + bad + "3,2024-05-01,view,1,a\n"})
    with read(folder) as tables:
        report = of(tables, "clicks.csv")
        assert (report.n_rows, report.n_kept) == (25, 20)
        assert {why: n for why, n in report.left_out.items() if n} == {
            "without an id": 1,
            "without a time": 2,
            "after the last day": 1,
            "the same as another row": 1,
        }
        assert tables.log.collect().height == 20
        assert (
            "left out: 1 without an id, 2 without a time, 1 after the last day" in tables.report.summary()
        )


def test_the_same_rows_can_be_kept(folder: Path) -> None:
    write(folder, {"clicks.csv": CLICKS + CLICKS.split("\n", 1)[1]})
    assert log(folder).height == 3
    assert log(folder, duplicates="keep").height == 6


def test_rows_in_another_order_are_the_same_log(folder: Path) -> None:
    before = log(folder)
    header, *rows = CLICKS.splitlines()
    write(folder, {"clicks.csv": "\n".join([header, *reversed(rows)])})
    assert log(folder).equals(before)


def test_a_table_mostly_without_times_is_refused(folder: Path) -> None:
    write(folder, {"clicks.csv": CLICKS.replace("2024-05-01 10:00:00", "1 May")})
    with pytest.raises(InputError, match=r"rows of 'clicks.csv' must have a time .* 1 of 3 have none"):
        read(folder)


def test_a_unit_that_cannot_be_is_refused(folder: Path) -> None:
    write(folder, {"clicks.csv": "who,when,page,seconds\n1,1433221332117,a,1\n"})
    assert log(folder)["time"].to_list() == [dt.datetime(2015, 6, 2, 5, 2, 12, 117000)]
    assert log(folder, unit="ms").equals(log(folder))
    with pytest.raises(InputError, match=r"Correct the column, its unit"):
        log(folder, unit="s")


def test_kinds_come_from_a_column(folder: Path) -> None:
    by_column = {"kind": None, "kind_column": "what", "kinds": {"view": "views"}}
    assert log(folder, **by_column)["kind"].to_list() == ["views", "views"]
    assert log(folder, **by_column, other="others")["kind"].to_list() == ["views", "views", "others"]
    with read(folder, logs=[HINTS["logs"][0] | by_column]) as tables:
        assert of(tables, "clicks.csv").left_out["of other kinds"] == 1


def test_a_filter_chooses_rows(folder: Path) -> None:
    assert log(folder, where={"what": "buy"})["entity"].to_list() == ["7"]
    assert log(folder, where={"what": ["buy", "view"], "page": "b"})["item"].to_list() == ["b"]


def test_another_table_says_more(folder: Path) -> None:
    write(folder, {"pages.csv": "page,topic\na,news\nc,sport\n"})
    joined = {"joins": [{"table": "pages.csv", "on": "page"}], "attributes": ["topic"]}
    assert log(folder, **joined)["topic"].to_list() == ["news", None, None]
    with read(folder, logs=[HINTS["logs"][0] | joined]) as tables:
        assert of(tables, "clicks.csv").noted["that a joined table does not know"] == 2


def test_a_join_that_would_copy_rows_is_refused(folder: Path) -> None:
    write(folder, {"pages.csv": "page,topic\na,news\na,sport\n"})
    with pytest.raises(
        InputError, match=r"'pages.csv' must have one row for each 'page', .* several for 'a'"
    ):
        log(folder, joins=[{"table": "pages.csv", "on": "page"}])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"table": "click.csv"},
            r"names a table 'click.csv', which is not in .* Found: clicks.csv, sales.csv",
        ),
        (
            {"item": "pag"},
            r"names a column 'pag', which is not in the table 'clicks.csv'. Did you mean 'page'\? "
            r"Found: who, when, what, seconds, page\.",
        ),
        ({"entity": "user"}, "names a column 'user'"),
        ({"time": {"date": ["y", "m", "d"]}}, "names a column 'y'"),
        ({"where": {"event": "view"}}, "names a column 'event'"),
        ({"attributes": ["topic"]}, "names a column 'topic'"),
        ({"joins": [{"table": "pages.csv", "on": "page"}]}, "names a table 'pages.csv'"),
        (
            {"joins": [{"table": "sales.csv", "on": "page"}]},
            "'page', which is not in the table",
        ),
    ],
)
def test_what_the_data_lack_is_named_with_what_is_there(
    folder: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        log(folder, **changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "must have a header. It is empty"), ("who,who\n1,2\n", "'who' appears more than once")],
)
def test_a_table_that_is_none_is_refused(folder: Path, text: str, message: str) -> None:
    write(folder, {"clicks.csv": text})
    with pytest.raises(InputError, match=message):
        read(folder)


@pytest.mark.parametrize("name", ["clicks.csv", "exported later.csv"])
def test_the_file_of_the_only_table_takes_the_place_of_its_folder(folder: Path, name: str) -> None:
    sales = {"table": "clicks.csv", "time": "when", "where": {"what": "buy"}}
    only = {"outcomes": sales}
    with read(folder, **only) as tables:
        expected = tables.log.collect().sort("entity", "time", "item"), tables.outcomes
    (folder / "clicks.csv").rename(folder / name)
    with read(folder / name, **only) as tables:
        assert tables.log.collect().sort("entity", "time", "item").equals(expected[0])
        assert tables.outcomes.equals(expected[1])
        assert name in tables.report.summary()
    with pytest.raises(InputError, match=r"none.csv' is not a folder and not a file\."):
        read(folder / "none.csv", **only)


def test_a_damaged_table_and_no_folder_are_refused(folder: Path) -> None:
    (folder / "clicks.parquet").write_bytes(b"PAR1 of something else")
    with pytest.raises(InputError, match=r"The tables in .* cannot be read"):
        log(folder, table="clicks.parquet")
    with pytest.raises(
        InputError, match=r"needs the folder .*sales.csv' is not a folder, and .* has 2 tables"
    ):
        read(folder / "sales.csv")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"ann@x.org,2024-05-01,a,b,c,d,e,f,g\n", r"'clicks.csv' must have the \d columns .* Line 3 has 9"),
        ("zoë,2024-05-01\n".encode("cp1252"), "'clicks.csv' must be in UTF-8"),
    ],
    ids=["ragged", "latin"],
)
def test_a_row_that_breaks_a_table_is_not_shown(folder: Path, line: bytes, message: str) -> None:
    lines = (folder / "clicks.csv").read_bytes().splitlines(keepends=True)
    (folder / "clicks.csv").write_bytes(b"".join([*lines[:2], line, *lines[2:]]))
    with pytest.raises(InputError, match=message) as raised:
        read(folder)
    assert "ann" not in str(raised.value)


def test_outcomes_bring_what_their_prices_say(folder: Path) -> None:
    write(folder, {"sales.csv": SALES + "007,2024-05-21,Free\n9,2024-05-22,Gold\n"})
    prices = {"column": "plan", "Gold": 90}
    with read(folder, outcomes=HINTS["outcomes"] | {"prices": prices}) as tables:
        rows = tables.outcomes.sort("time").rows()
        assert [(entity, amount) for entity, _, amount in rows] == [("007", 90), ("007", None), ("9", 90)]
        assert of(tables, "sales.csv").noted == {
            "that a joined table does not know": 0,
            "without a price": 1,
            "of an unknown who": 1,
        }


def test_the_earliest_row_of_an_entity_counts(folder: Path) -> None:
    people = "who,since,country\n007,2024-04-02,NA\n007,2024-04-01,AT\n7,,DE\n8,2024-04-01,\n"
    people += "".join(f"{n},2024-04-01,DE\n" for n in range(100, 120))
    write(folder, {"people.csv": people})
    entities = {"table": "people.csv", "start": "since", "fields": ["country"]}
    with read(folder, entities=entities) as tables:
        assert tables.entities is not None
        assert tables.entities.filter(pl.col("entity").str.len_chars() != 3).rows() == [
            ("8", dt.datetime(2024, 4, 1), None)
        ]
        assert tables.entities.filter(pl.col("entity") == "007").rows() == [
            ("007", dt.datetime(2024, 4, 1), "AT")
        ]
        report = of(tables, "people.csv")
        assert (report.left_out["without a time"], report.n_kept) == (1, 22)
        assert report.left_out["of a who that has an earlier row"] == 1
        assert of(tables, "clicks.csv").noted["of an unknown who"] == 1


def test_the_tables_tell_until_their_newest_row_or_the_day_that_is_named(folder: Path) -> None:
    with read(folder) as tables:
        assert tables.report.until == dt.datetime(2024, 5, 20, 23, 59, 59, 999999)
    with read(folder, until="2024-05-01") as tables:
        assert tables.report.until == dt.datetime(2024, 5, 1, 23, 59, 59, 999999)
        assert of(tables, "sales.csv").left_out["after the last day"] == 1


def test_the_temporary_files_are_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = folder / "spool"
    spool.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spool))
    with read(folder):
        assert list(spool.iterdir())
    assert not list(spool.iterdir())
    with pytest.raises(InputError, match="names a table"):
        log(folder, table="none.csv")
    assert not list(spool.iterdir())


@pytest.mark.parametrize("name", ["polars", "narwhals"])
def test_without_an_engine_the_line_that_installs_it_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=INSTALL_ENGINES):
        read_leads_of(folder, Recipe(events=EventConfig.model_validate(HINTS)))


def test_the_versions_that_are_told_are_those_that_are_tested() -> None:
    named = f"narwhals=={version('narwhals')} polars=={version('polars')}"
    assert INSTALL_ENGINES == f"pip install {named}"
