import numpy as np
import pandas as pd

from leadmodel.insights.profile import Cell, Profile, profile_leads
from leadmodel.leads.convert import read_leads
from leadmodel.leads.field import Field
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.schema import LeadSchema

LEADS = pd.DataFrame(
    {
        "visits": [0.0] * 100
        + list(np.random.default_rng(0).integers(1, 40, 90).astype(float))
        + [None] * 10,
        "source": ["Google"] * 120 + ["Fair"] * 60 + [f"person {n}" for n in range(10)] + [None] * 10,
    }
)
Y = np.array([1, 0, 0, 0] * 50)
SCHEMA = infer_schema(LEADS, Recipe())
PROFILE = profile_leads(SCHEMA, read_leads(SCHEMA, LEADS), Y)


def counted(rows: pd.Series) -> Cell:
    return Cell(count=int(rows.sum()), converted=int(Y[rows].sum()))


def test_texts_are_counted_by_choice() -> None:
    source = PROFILE.fields["source"]
    assert source.cell("Fair") == counted(LEADS["source"] == "Fair")
    assert source.missing == counted(LEADS["source"].isna())
    assert source.other == counted(LEADS["source"].str.startswith("person", na=False))


def test_numbers_are_counted_by_bin() -> None:
    visits = PROFILE.fields["visits"]
    assert visits.cell(0.0) == counted(LEADS["visits"] == 0)
    low, high = visits.bounds(17.0)
    assert low < 17 <= high
    assert visits.cell(17.0) == counted((LEADS["visits"] > low) & (LEADS["visits"] <= high))
    assert sum(cell.count for cell in visits.cells.values()) == 190


def test_numbers_beyond_the_range_fall_into_the_outer_bins() -> None:
    visits = PROFILE.fields["visits"]
    assert visits.cell(-5.0) == visits.cell(0.0)
    assert visits.cell(1e9) == visits.cell(float(LEADS["visits"].max()))


def test_no_rare_value_is_named() -> None:
    assert "person" not in PROFILE.model_dump_json()


def test_json_keeps_the_profile() -> None:
    assert Profile.model_validate_json(PROFILE.model_dump_json()) == PROFILE


def test_a_boolean_has_a_cell_for_yes_even_if_few_leads_have_it() -> None:
    flag = Field(name="flag", label="Flag", kind="boolean", choices=("0", "1"))
    schema = LeadSchema(fields=(flag,))
    column = pd.DataFrame({"flag": [0.0] * 197 + [1.0] * 3})
    profile = profile_leads(schema, column, Y).fields["flag"]
    assert profile.edges == (0, 0, 1)
    assert [profile.bin_of(value) for value in (0.0, 1.0)] == [0, 1]
    # Three leads are too few to be published.
    assert [cell.count for cell in profile.cells.values()] == [200, 0]
