from pathlib import Path

import polars as pl
import pytest

from leadmodel.errors import InputError
from leadmodel.leads.read import read_table
from leadmodel.leads.write import write_leads

LEADS = pl.DataFrame({"who": ["007", "NA"], "visits": [1, None]})


@pytest.mark.parametrize("name", ["leads.csv", "leads.PARQUET"])
def test_leads_come_back_as_they_were(tmp_path: Path, name: str) -> None:
    write_leads(LEADS, tmp_path / name)
    read = pl.from_pandas(read_table(tmp_path / name)).cast(LEADS.schema)
    assert read.equals(LEADS)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    old = tmp_path / "leads.csv"
    old.write_text("old")
    nested = pl.DataFrame({"lists": [[1], [2]]})
    with pytest.raises(InputError, match=r"leads.csv' cannot be written"):
        write_leads(nested, old)
    assert old.read_text() == "old"
    assert list(tmp_path.iterdir()) == [old]


@pytest.mark.parametrize(
    ("name", "message"),
    [("leads.xlsx", "must end in .csv or .parquet"), ("none/leads.csv", "does not exist; create it first")],
)
def test_where_leads_cannot_go_is_told(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        write_leads(LEADS, tmp_path / name)
