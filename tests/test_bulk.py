from pathlib import Path

import pandas as pd
import pytest

from leadmodel.errors import InputError, LeadError
from leadmodel.leads import reading
from leadmodel.leads.reading import read_table
from leadmodel.leads.sample import make_sample
from leadmodel.model import LeadModel
from leadmodel.serving.bulk import Scored, score_file

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


def test_every_column_stays_as_it_is(model: LeadModel, tmp_path: Path) -> None:
    texts = ["007", "NA", "=1+1", 'ü, "quoted"\nline', None]
    leads = NEW.head(5).assign(note=texts)
    leads.to_csv(tmp_path / "leads.csv", index=False)
    score_file(model, tmp_path / "leads.csv", tmp_path / "scored.csv")
    before, after = read_table(tmp_path / "leads.csv"), read_table(tmp_path / "scored.csv")
    pd.testing.assert_frame_equal(after[before.columns], before)


def test_a_name_that_is_taken_gets_a_number(model: LeadModel, csv: Path, tmp_path: Path) -> None:
    score_file(model, csv, tmp_path / "once.csv")
    score_file(model, tmp_path / "once.csv", tmp_path / "twice.csv")
    assert list(read_table(tmp_path / "twice.csv").columns[-2:]) == ["decision_2", "warnings_2"]


def test_a_file_in_many_batches_scores_as_one(
    model: LeadModel, csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score_file(model, csv, tmp_path / "one.csv")
    monkeypatch.setattr(reading, "BLOCK_BYTES", 4096)
    steps: list[int] = []
    score_file(model, csv, tmp_path / "many.csv", lambda n_leads, n_expected: steps.append(n_leads))
    assert len(steps) > 3
    assert (tmp_path / "many.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()


def test_a_bad_lead_is_named_by_its_row_in_the_file_and_leaves_nothing(
    model: LeadModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BLOCK_BYTES", 4096)
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
    assert "Age: 900 lies outside" in told[1]
    assert "'Bing' was seen in fewer than 5 training leads" in told[2]
    assert "Age" not in told[0]


def test_the_leads_are_not_overwritten_by_their_scores(model: LeadModel, csv: Path) -> None:
    before = csv.read_bytes()
    with pytest.raises(InputError, match="is the file of leads itself"):
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
