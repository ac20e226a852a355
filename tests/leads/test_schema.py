import math

import pytest

from leadmodel.errors import InputError, LeadError
from leadmodel.leads.convert import read_records
from leadmodel.leads.field import MISSING, Field, ValueWarning
from leadmodel.leads.schema import LeadSchema, identifier
from leadmodel.leads.table import warnings_by_lead

AGE = Field(name="age", kind="numeric", label="Age", minimum=18, maximum=70, missing_share=0.1)
SOURCE = Field(name="Lead Source", kind="categorical", label="Source", choices=("Google", "NA"))
OPTED = Field(name="opted", kind="boolean", label="Opted in", choices=("No", "Yes"), missing_share=0.1)
FLAG = Field(name="flag", kind="boolean", label="Flag", choices=("0", "1"), missing_share=0.1)
PRICE = Field(name="price", kind="numeric", label="Price", decimal_comma=True, missing_share=0.1)
SCHEMA = LeadSchema(
    fields=(AGE, SOURCE, OPTED, FLAG, PRICE), ignored={"id": "id"}, placeholders=("Select",)
)


def read(**lead: object) -> dict[str, object]:
    (row,) = read_records(SCHEMA, [lead]).rows()
    return dict(zip(SCHEMA.columns, row, strict=True))


def warnings_of(schema: LeadSchema, lead: dict[str, object]) -> list[ValueWarning]:
    return warnings_by_lead(read_records(schema, [lead])).get(0, [])


@pytest.mark.parametrize(
    ("name", "raw", "typed"),
    [
        ("age", "42", 42.0),
        ("age", " 42.5 ", 42.5),
        ("age", "1,234", 1234.0),
        ("price", "1.234,5", 1234.5),
        ("price", 3, 3.0),
        ("Lead Source", " Google ", "Google"),
        ("Lead Source", " GOOGLE", "Google"),
        ("Lead Source", "\uff27oogle", "Google"),
        ("Lead Source", "caf\u00e9", "caf\u00e9"),
        ("Lead Source", "NA", "NA"),
        ("Lead Source", 29.0, "29"),
        ("Lead Source", "=1+1", "=1+1"),
        ("Lead Source", "<b>😀'\"", "<b>😀'\""),
        ("opted", "yes", "Yes"),
        ("opted", True, "Yes"),
        ("opted", "0", "No"),
        ("opted", "YES ", "Yes"),
        ("opted", "perhaps", "perhaps"),
        ("flag", "true", 1.0),
        ("flag", 0, 0.0),
        ("flag", "1.0", 1.0),
    ],
)
def test_a_value_is_read_by_its_kind(name: str, raw: object, typed: object) -> None:
    assert read(**{name: raw})[name] == typed


@pytest.mark.parametrize("raw", [None, "", "  ", "Select", float("nan")], ids=repr)
@pytest.mark.parametrize("name", ["age", "Lead Source", "opted", "flag"])
def test_no_answer_is_missing(name: str, raw: object) -> None:
    value = read(**{name: raw})[name]
    assert value == MISSING or math.isnan(float(str(value)))


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("age", "abc", r"The field 'age' must be a number. Got 'abc' instead."),
        ("age", float("inf"), "must be a finite number. Got inf"),
        ("age", "-inf", "must be a finite number. Got '-inf'"),
        ("age", [1], "must be a single value"),
        ("Lead Source", {"a": 1}, "must be a single value"),
        ("flag", "perhaps", "must be 0 or 1, true or false"),
        ("age", "9" * 1_000_000 + "x", r"Got '9{60}…' instead"),
        ("age", 10**400, r"must have at most 308 digits. Got 10{59}… instead"),
        pytest.param("Lead Source", 10**5000, r"at most 308 digits. Got \(int\) instead", id="digits"),
    ],
)
def test_what_cannot_be_read_is_refused(name: str, raw: object, message: str) -> None:
    with pytest.raises(LeadError, match=message):
        read(**{name: raw})


def test_an_unknown_field_is_refused_with_the_likely_one() -> None:
    with pytest.raises(InputError, match=r"'agee' that the model does not know. Did you mean 'age'\?"):
        read(agee=3)


def test_many_leads_are_read_as_each_alone() -> None:
    values = [1, 1.0, True, "1", 0, False, None, "", "Select", float("nan"), " Yes", "yes"]
    leads = [{"Lead Source": value, "opted": value} for value in values]
    together = read_records(SCHEMA, [*leads, *leads]).rows()
    assert str(together) == str([read_records(SCHEMA, [lead]).rows()[0] for lead in [*leads, *leads]])


def test_an_ignored_column_may_come_along() -> None:
    assert read(id="L1", age=20)["age"] == 20


def test_a_field_goes_by_its_parameter_name_too() -> None:
    assert read(lead_source="Google")["Lead Source"] == "Google"


def test_a_required_field_must_be_given() -> None:
    schema = LeadSchema(fields=(AGE.model_copy(update={"required": True}),))
    with pytest.raises(LeadError, match="'age' must be given"):
        read_records(schema, [{}])


@pytest.mark.parametrize(
    ("lead", "kinds"),
    [
        ({"age": 30, "Lead Source": "Google"}, []),
        ({"age": 200, "Lead Source": "Google"}, ["out of range"]),
        ({"age": 30, "Lead Source": "Bing"}, ["unseen"]),
        ({"age": 30}, ["missing"]),
        ({"Lead Source": "Google"}, []),
    ],
    ids=["usual", "range", "unseen", "never missing before", "missing before"],
)
def test_what_is_unusual_is_remarked(lead: dict[str, object], kinds: list[str]) -> None:
    assert [warning.kind for warning in warnings_of(SCHEMA, lead)] == kinds


def test_a_long_value_is_cut_in_its_remark() -> None:
    warnings = warnings_of(SCHEMA, {"age": 20, "Lead Source": "x" * 1_000_000})
    assert len(warnings[0].message) < 200


def test_a_model_that_tells_spellings_apart_still_does() -> None:
    field = Field(name="sex", kind="categorical", label="Sex", choices=("Female", "female", "Male"))
    assert [field.parse(text) for text in ("female", "Female", "FEMALE", "male")] == [
        "female",
        "Female",
        "FEMALE",
        "Male",
    ]


def test_the_one_choice_that_begins_like_an_unknown_value_is_suggested() -> None:
    source = SCHEMA.by_name["source"] if "source" in SCHEMA.by_name else SCHEMA.by_name["Lead Source"]
    for value in source.choices:
        start = value[:-1].upper()
        alone = sum(choice.upper().startswith(start) for choice in source.choices) == 1
        warning = source.warning(start)
        assert warning is not None
        hint = f" Did you mean {value!r}?" if alone else ""
        assert warning.message == f"{source.label}: {start!r} is not a known value.{hint}"


def test_a_misspelled_choice_is_suggested() -> None:
    field = Field(name="job", kind="categorical", label="Job", choices=("Professional", "Student"))
    warning = field.warning("Proffesional")
    assert warning is not None
    assert warning.message.endswith("Did you mean 'Professional'?")
    unlike = field.warning("Pilot")
    assert unlike is not None
    assert "Did you mean" not in unlike.message


def test_column_mismatches_come_as_a_diff() -> None:
    with pytest.raises(InputError, match=r"  - age \(missing\)\n  \+ Years \(unknown"):
        SCHEMA.match_columns(["Years", "Lead Source", "opted", "flag", "price", "id"])


def test_columns_are_found_under_other_spellings() -> None:
    columns = ["id", "Price", "lead_source", " AGE", "Opted in", "flag", "other"]
    assert SCHEMA.match_columns(columns) == {
        "age": " AGE",
        "Lead Source": "lead_source",
        "opted": "Opted in",
        "flag": "flag",
        "price": "Price",
    }


def test_two_columns_of_nearly_a_fields_name_are_refused() -> None:
    columns = ["AGE", "Age ", "Lead Source", "opted", "flag", "price"]
    with pytest.raises(InputError, match=r"'age' must have one column\. It may be 'AGE' or 'Age '"):
        SCHEMA.match_columns(columns)
    assert SCHEMA.match_columns(["age", *columns])["age"] == "age"


def test_a_lead_may_spell_its_fields_in_another_way() -> None:
    assert read(**{" AGE": 20, "LEAD SOURCE": "Google"})["age"] == 20
    with pytest.raises(InputError, match="the field 'age' twice"):
        read(**{" AGE": 20, "age": 30})


def test_texts_come_first_in_the_models_order() -> None:
    assert SCHEMA.columns == ["Lead Source", "opted", "age", "flag", "price"]


def test_numbers_without_gaps_come_before_the_others() -> None:
    fields = tuple(
        field.model_copy(update={"assumed": 1.0}) if field is PRICE else field for field in SCHEMA.fields
    )
    assert LeadSchema(fields=fields).columns == ["Lead Source", "opted", "price", "age", "flag"]


def test_a_remark_says_what_is_assumed() -> None:
    field = Field(name="visits", kind="numeric", label="Visits", assumed=3)
    (warning,) = warnings_of(LeadSchema(fields=(field,)), {})
    assert warning.kind == "missing"
    assert warning.message == "Visits: missing; past leads always had it. The average is used."


def test_no_two_parameters_are_alike() -> None:
    fields = tuple(Field(name=name, kind="numeric", label=name) for name in ("A b", "a_b", "a-b", "class"))
    keys = LeadSchema(fields=fields).keys
    assert list(keys.values()) == ["a_b_2", "a_b", "a_b_3", "field_class"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Größe (cm)", "größe_cm"), ("1st visit", "field_1st_visit"), ("😀", "field"), ("for", "field_for")],
)
def test_any_name_becomes_an_identifier(name: str, expected: str) -> None:
    assert identifier(name) == expected
    assert expected.isidentifier()


def test_json_keeps_the_schema() -> None:
    assert LeadSchema.model_validate_json(SCHEMA.model_dump_json()) == SCHEMA
