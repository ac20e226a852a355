import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from contacts import CONTACTS, DATED, make_contacts, make_dated

from leadmodel.errors import InputError, LeadError
from leadmodel.leads.convert import read_batch, read_columns, read_leads, read_records
from leadmodel.leads.derived.candidates import find_candidates
from leadmodel.leads.field import MISSING
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.schema import LeadSchema

LEADS = make_contacts(600)
Y = LEADS["won"].to_numpy()


@pytest.fixture(scope="module")
def schema() -> LeadSchema:
    plain = infer_schema(LEADS, CONTACTS)
    derived = find_candidates(plain, LEADS, Y, CONTACTS)["email"]
    return LeadSchema(fields=(*plain.fields, *derived), ignored=plain.ignored, placeholders=("n/a",))


def test_the_model_takes_derived_fields_and_a_lead_is_asked_for_the_raw_ones(schema: LeadSchema) -> None:
    assert {"email domain", "email kind"} <= set(schema.columns)
    assert list(schema.inputs) == ["visits", "source", "email"]
    assert schema.raw_only == {"email"}
    assert (
        schema.inputs["email"].help
        == "The model uses only what is derived from it: Email host, Email domain."
    )
    assert schema.find_fields(["email", "visits"]) == {"email": "email", "visits": "visits"}
    with pytest.raises(LeadError, match="'email domain' that the model does not know"):
        schema.find_fields(["email domain"])
    with pytest.raises(InputError, match=r"- email \(missing\)"):
        schema.match_columns(["visits", "source"])


def test_a_value_of_few_leads_is_one_of_all_others(schema: LeadSchema) -> None:
    domain = schema.by_name["email domain"]
    assert "gmail.com" in domain.choices and "another one" in domain.choices
    assert not any("firm" in choice for choice in domain.choices)
    typed = read_leads(schema, LEADS)["email domain"].astype(str)
    rare = LEADS["email"].str.contains("firm", na=False)
    assert set(typed[rare]) == {"another one"}
    assert set(typed[LEADS["email"].isna()]) == {MISSING}
    assert domain.missing_share == pytest.approx(LEADS["email"].isna().mean(), abs=1e-4)


def test_table_list_and_batch_derive_alike(schema: LeadSchema) -> None:
    leads = LEADS.drop(columns="won").head(60).copy()
    leads["email"] = leads["email"].astype(object)
    leads.iloc[:4, 0] = ["n/a", "  A@GMAIL.com ", 49123, "nonsense"]
    records = [
        {name: None if value is np.nan else value for name, value in row.items()}
        for row in leads.to_dict("records")
    ]
    expected = read_records(schema, records).rows()
    assert expected[1][schema.columns.index("email domain")] == "gmail.com"
    for table in (
        read_columns(schema, leads),
        read_columns(schema, leads.astype({"email": "category"})),
        read_batch(schema, pa.Table.from_pandas(leads.astype({"email": "str"}), preserve_index=False)),
    ):
        np.testing.assert_equal(table.rows(), expected)
    one_by_one = [read_records(schema, [record]).rows()[0] for record in records]
    np.testing.assert_equal(one_by_one, expected)


def test_a_raw_value_that_cannot_be_read_is_not_repeated(schema: LeadSchema) -> None:
    bad = ["secret@example.com"]
    with pytest.raises(LeadError, match=r"^The field 'email' must be a single value\.$"):
        read_records(schema, [{"email": bad}])
    leads = LEADS.head(2).astype({"email": object})
    leads.at[1, "email"] = bad
    with pytest.raises(LeadError, match=r"^Row 2: the field 'email' must be a single value\.$"):
        read_columns(schema, leads)


def test_a_schema_without_derived_fields_is_saved_as_before() -> None:
    plain = infer_schema(LEADS, CONTACTS)
    assert "derived" not in plain.model_dump_json()
    assert list(plain.inputs) == list(plain.by_name)


def test_columns_that_the_recipe_names_are_no_sources() -> None:
    schema = infer_schema(LEADS, CONTACTS)
    assert find_candidates(schema, LEADS, Y, CONTACTS.updated(drop=("email",))) == {}
    assert find_candidates(schema, LEADS, Y, CONTACTS, suspects=["email"]) == {}


def test_a_column_that_only_other_leads_fill_in_is_no_source() -> None:
    schema = infer_schema(LEADS, CONTACTS)
    assert find_candidates(schema, LEADS.assign(email=None), Y, CONTACTS) == {}


def test_a_column_that_has_the_name_of_a_derived_field_keeps_it() -> None:
    leads = LEADS.assign(**{"email kind": pd.Series(["a", "b"] * 300)})
    schema = infer_schema(leads, CONTACTS)
    names = [field.name for field in find_candidates(schema, leads, Y, CONTACTS)["email"]]
    assert names == ["email domain", "email kind 2"]


@pytest.fixture(scope="module")
def two() -> tuple[LeadSchema, pd.DataFrame]:
    """A schema of fields that are made from two columns, and its leads."""
    hosts = LEADS["email"].str.partition("@")[2].where(LEADS.index % 2 == 0, "other.example")
    leads = make_dated(600).assign(email=LEADS["email"], website=hosts)
    plain = infer_schema(leads, DATED)
    found = find_candidates(plain, leads, leads["won"].to_numpy(), DATED)
    fields = (*plain.fields, *found["email"], *found["last_visit"])
    return LeadSchema(fields=fields, ignored=plain.ignored), leads


def test_table_list_and_batch_read_two_columns_alike(two: tuple[LeadSchema, pd.DataFrame]) -> None:
    schema, leads = two
    assert {"email website", "last_visit days before the lead"} <= set(schema.columns)
    records = (
        leads.head(50).drop(columns="won").astype(object).where(leads.notna(), None).to_dict("records")
    )
    expected = read_records(schema, records).rows()
    np.testing.assert_equal(read_columns(schema, leads.head(50)).rows(), expected)
    batch = pa.Table.from_pandas(leads.head(50), preserve_index=False)
    np.testing.assert_equal(read_batch(schema, batch).rows(), expected)
    days = pd.to_datetime(leads["created"]) - pd.to_datetime(leads["last_visit"], dayfirst=True)
    typed = read_leads(schema, leads)
    assert typed["last_visit days before the lead"].tolist() == days.dt.days.tolist()
    own = leads["email"].notna() & (leads.index % 2 == 0)
    assert (typed["email website"].astype(str) == "found").tolist() == own.tolist()


def test_a_lead_may_lack_the_second_column(two: tuple[LeadSchema, pd.DataFrame]) -> None:
    schema, leads = two
    assert [*schema.optional] == ["created"]  # the websites are a field as well
    alone = leads.drop(columns="created")
    typed = read_leads(schema, alone)
    assert typed["last_visit days before the lead"].min() > 300  # from today on
    with pytest.raises(InputError, match=r"- last_visit \(missing\)"):
        read_leads(schema, alone.drop(columns="last_visit"))
