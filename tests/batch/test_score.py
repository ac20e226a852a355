import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from support import ROOT, command

from leadmodel.batch.score import Scored, score_file
from leadmodel.errors import InputError, LeadError
from leadmodel.leads import io as leads_io
from leadmodel.leads.files import csv_file
from leadmodel.leads.io import read_table
from leadmodel.leads.sample import make_sample
from leadmodel.model import LeadModel

NEW = make_sample(300, random_state=9)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "leads.csv"
    NEW.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("source", [".csv", ".parquet", ".xlsx"])
@pytest.mark.parametrize("output", [".csv", ".parquet", ".xlsx"])
def test_any_file_is_scored_into_another(
    model: LeadModel, tmp_path: Path, source: str, output: str
) -> None:
    leads, scored = tmp_path / f"leads{source}", tmp_path / f"scored{output}"
    writers = {".csv": NEW.to_csv, ".parquet": NEW.to_parquet, ".xlsx": NEW.to_excel}
    writers[source](leads, index=False)
    assert score_file(model, leads, scored) == Scored(300)
    result = read_table(scored)
    assert list(result.columns) == [*NEW.columns, "probability", "score", "grade", "decision", "warnings"]
    expected = model.score(NEW)
    assert result["probability"].astype(float).tolist() == pytest.approx(expected["probability"].tolist())
    assert result["grade"].tolist() == expected["grade"].tolist()


def test_columns_of_another_spelling_are_taken_for_fields_and_said(
    model: LeadModel, tmp_path: Path
) -> None:
    leads = NEW.rename(columns={"age": "AGE ", "city": "City"})
    leads.to_csv(tmp_path / "leads.csv", index=False)
    done = score_file(model, tmp_path / "leads.csv", tmp_path / "scored.csv")
    assert done.renamed == {"age": "AGE ", "city": "City"}
    scored = read_table(tmp_path / "scored.csv")
    assert list(scored.columns[: len(leads.columns)]) == list(leads.columns)
    assert scored["score"].astype(float).tolist() == model.score(NEW)["score"].tolist()


def test_every_column_stays_as_it_is(model: LeadModel, tmp_path: Path) -> None:
    texts = ["007", "NA", "=1+1", 'ü, "quoted"\nline', None]
    leads = NEW.head(5).assign(note=texts)
    leads.to_csv(tmp_path / "leads.csv", index=False)
    score_file(model, tmp_path / "leads.csv", tmp_path / "scored.csv")
    before, after = read_table(tmp_path / "leads.csv"), read_table(tmp_path / "scored.csv")
    pd.testing.assert_frame_equal(after[before.columns], before)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
@pytest.mark.parametrize("output", [".csv", ".parquet", ".xlsx"])
def test_texts_that_come_as_dictionaries_are_written_as_texts(
    model: LeadModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: pa.DataType, output: str
) -> None:
    monkeypatch.setattr(leads_io, "LARGE_GROUP", 1)
    leads = pa.Table.from_pandas(NEW, preserve_index=False)
    leads = leads.set_column(2, "source", leads["source"].cast(kind))
    times = pa.array(range(300), pa.timestamp("us", tz="Europe/Berlin"))
    leads = leads.append_column("zoned", times).append_column("few", leads["course"].dictionary_encode())
    pa.parquet.write_table(leads, tmp_path / "leads.parquet")
    score_file(model, tmp_path / "leads.parquet", tmp_path / f"scored{output}")
    result = read_table(tmp_path / f"scored{output}")
    assert result["source"].tolist() == NEW["source"].tolist()
    assert result["grade"].tolist() == model.score(NEW)["grade"].tolist()
    if output == ".parquet":
        before, after = (
            pa.parquet.read_schema(tmp_path / f"{name}.parquet") for name in ("leads", "scored")
        )
        kinds = [pa.string() if pa.types.is_string_view(kind) else kind for kind in before.types]
        assert after.types == [*kinds, pa.float64(), pa.int64(), pa.string(), pa.string(), pa.string()]
        assert after.metadata == before.metadata


def test_many_small_groups_of_parquet_are_read_in_large_batches(model: LeadModel, tmp_path: Path) -> None:
    NEW.to_parquet(tmp_path / "leads.parquet", index=False, row_group_size=10)
    steps: list[int] = []
    score_file(model, tmp_path / "leads.parquet", tmp_path / "scored.csv", lambda n, _: steps.append(n))
    assert steps == [300]


@pytest.mark.parametrize("name", ["score", "Score"])
def test_a_name_that_is_taken_gets_a_number(model: LeadModel, tmp_path: Path, name: str) -> None:
    NEW.assign(**{name: 1}).to_csv(tmp_path / "leads.csv", index=False)
    score_file(model, tmp_path / "leads.csv", tmp_path / "scored.csv")
    names = [name, "probability", "score_2", "grade", "decision", "warnings"]
    assert list(read_table(tmp_path / "scored.csv").columns[-6:]) == names


@pytest.mark.parametrize(
    ("name", "encoding"), [("leads.csv", "utf-8"), ("leads.csv", "utf-16"), ("leads.parquet", "")]
)
def test_the_number_of_leads_to_come_is_known_from_the_first_batch_on(
    model: LeadModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, encoding: str
) -> None:
    monkeypatch.setattr(csv_file, "BLOCK_BYTES", 4096)
    monkeypatch.setattr(leads_io, "BATCH_ROWS", 40)
    if encoding:
        NEW.to_csv(tmp_path / name, index=False, encoding=encoding)
    else:
        NEW.to_parquet(tmp_path / name, index=False)
    steps: list[tuple[int, int]] = []
    score_file(model, tmp_path / name, tmp_path / "scored.csv", lambda *step: steps.append(step))
    assert len(steps) > 5
    assert sum(n_leads for n_leads, _ in steps) == 300
    assert steps[-1][1] == 300
    assert all(270 < n_expected < 330 for _, n_expected in steps)


def test_a_file_in_many_batches_scores_as_one(
    model: LeadModel, csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score_file(model, csv, tmp_path / "one.csv")
    monkeypatch.setattr(csv_file, "BLOCK_BYTES", 4096)
    steps: list[int] = []
    score_file(model, csv, tmp_path / "many.csv", lambda n_leads, n_expected: steps.append(n_leads))
    assert len(steps) > 3
    assert (tmp_path / "many.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()


def test_a_bad_lead_is_named_by_its_row_in_the_file_and_leaves_nothing(
    model: LeadModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_file, "BLOCK_BYTES", 4096)
    NEW.assign(age=[*["30"] * 249, "old", *["30"] * 50]).to_csv(tmp_path / "leads.csv", index=False)
    with pytest.raises(LeadError, match=r"Row 250: the field 'age' must be a number. Got 'old' instead."):
        score_file(model, tmp_path / "leads.csv", tmp_path / "scored.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["leads.csv"]


def test_what_is_unusual_is_told_lead_by_lead(model: LeadModel, tmp_path: Path) -> None:
    NEW.head(3).assign(age=["30", "900", "30"], source=["Search", "Search", "Bing"]).to_csv(
        tmp_path / "leads.csv", index=False
    )
    score_file(model, tmp_path / "leads.csv", tmp_path / "scored.csv")
    told = read_table(tmp_path / "scored.csv")["warnings"].fillna("")
    assert "Age: 900 is outside" in told[1]
    assert "'Bing' is not a known value" in told[2]
    assert "Age" not in told[0]


def test_the_leads_are_not_overwritten_by_their_scores(model: LeadModel, csv: Path) -> None:
    before = csv.read_bytes()
    with pytest.raises(InputError, match="is the input file"):
        score_file(model, csv, csv)
    assert csv.read_bytes() == before


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("scored.xls", r"must end in .csv, .parquet or .xlsx"),
        ("none/scored.csv", "does not exist; create it"),
    ],
)
def test_an_output_that_cannot_be_is_refused(
    model: LeadModel, csv: Path, tmp_path: Path, output: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        score_file(model, csv, tmp_path / output)


def many_leads(path: Path) -> Path:
    """Write two million leads, enough for a run to be caught at its work."""
    few = pa.Table.from_pandas(NEW, preserve_index=False)
    some = pa.concat_tables([few] * 500).combine_chunks()
    with pa.parquet.ParquetWriter(path, some.schema) as writer:
        for _ in range(14):
            writer.write_table(some)
    return path


def test_an_interrupted_command_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    leads, output = many_leads(tmp_path / "leads.parquet"), tmp_path / "out" / "scored.parquet"
    output.parent.mkdir()
    words = [sys.executable, "-m", "leadmodel", "score", leads, "--model", folder, "--output", output]
    process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not any(output.parent.iterdir()):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    told = process.communicate()[1]
    assert process.returncode == 130
    assert told.endswith("leadmodel: interrupted\n")
    assert "Traceback" not in told
    assert list(output.parent.iterdir()) == []


def test_a_full_disc_leaves_nothing_and_says_so(folder: Path, tmp_path: Path) -> None:
    NEW.to_csv(tmp_path / "leads.csv", index=False)
    output = tmp_path / "out" / "scored.csv"
    output.parent.mkdir()
    # No file may grow beyond this, as none may on a full disc.
    limited = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000));"
        "sys.argv[0] = 'leadmodel'; runpy.run_module('leadmodel', run_name='__main__')"
    )
    done = command("-c", limited, "score", tmp_path / "leads.csv", "--model", folder, "--output", output)
    assert done.returncode == 2
    assert f"The output '{output}' cannot be written: " in done.stderr
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(output.parent.iterdir()) == []


def test_what_a_killed_run_left_is_removed_by_a_later_one(
    model: LeadModel, csv: Path, tmp_path: Path
) -> None:
    old, young = tmp_path / ".scored.csv-0123.part", tmp_path / ".scored.csv-4567.part"
    other = tmp_path / ".another.csv-0123.part"
    for left in (old, young, other):
        left.touch()
    for left in (old, other):
        os.utime(left, (time.time() - 4000,) * 2)
    score_file(model, csv, tmp_path / "scored.csv")
    assert {path.name for path in tmp_path.iterdir()} == {csv.name, "scored.csv", young.name, other.name}
