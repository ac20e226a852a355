import numpy as np
import pandas as pd
import pytest

from leadmodel.errors import InputError, LeadError
from leadmodel.leads.convert import read_leads
from leadmodel.leads.disclosure import personal_data
from leadmodel.leads.field import Field
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.recipe import FieldConfig, Recipe

N = 200
RNG = np.random.default_rng(0)
FILLER = list(RNG.choice(["x", "y"], N))


def infer(column: object, name: str = "column", recipe: Recipe | None = None) -> Field | str:
    """Return the field of one column, or why it is none."""
    schema = infer_schema(pd.DataFrame({"filler": FILLER, name: column}), recipe or Recipe())
    return schema.by_name.get(name) or schema.ignored[name]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (RNG.normal(size=N), "numeric"),
        ([str(n % 50) for n in range(N)], "numeric"),
        (["1,5", "2", "1.234,25", "7"] * (N // 4), "numeric"),
        (["1,500", "2", "12,345,678", "7"] * (N // 4), "numeric"),
        (["IN", "NA", "US", None] * (N // 4), "categorical"),
        (["007", "012", "044", "099"] * (N // 4), "categorical"),
        (["Yes", "No"] * (N // 2), "boolean"),
        (["1.0", "0.0", None, "0.0"] * (N // 4), "boolean"),
        ([True, False] * (N // 2), "boolean"),
        ([1, 2] * (N // 2), "numeric"),
    ],
    ids=["floats", "digits", "decimal comma", "thousands", "NA", "zeros", "yes", "flags", "bool", "1 or 2"],
)
def test_kinds_are_inferred(column: object, kind: str) -> None:
    field = infer(column)
    assert isinstance(field, Field)
    assert field.kind == kind


SHUFFLED = RNG.permutation(1000)


@pytest.mark.parametrize("name", ["CustomerID", "leadId", "ContactId", "contactid", "id lead", "Customer"])
def test_ids_are_recognized_in_any_order(name: str) -> None:
    # By its name, or because numbers that were measured would repeat.
    sparse = RNG.choice(10**9, 1000, replace=False)
    for numbers in (SHUFFLED + 50_000, SHUFFLED[:300], sparse if name != "Customer" else SHUFFLED):
        leads = pd.DataFrame({"filler": RNG.choice(["x", "y"], len(numbers)), name: numbers})
        assert infer_schema(leads, Recipe()).ignored == {name: "id"}
        assert infer_schema(leads.sample(frac=0.8, random_state=1), Recipe()).ignored == {name: "id"}
        assert infer_schema(leads.astype({name: "str"}), Recipe()).ignored == {name: "id"}


def test_an_id_that_some_leads_share_is_an_id() -> None:
    leads = pd.DataFrame({"filler": FILLER * 5, "ContactId": RNG.choice(1000, 1000)})
    assert infer_schema(leads, Recipe()).ignored == {"ContactId": "id"}


def test_numbers_that_rise_along_the_file_are_ids_in_any_part_of_it() -> None:
    numbers = np.cumsum(RNG.integers(1, 9000, N))
    leads = pd.DataFrame({"filler": FILLER, "ticket": numbers})
    for part in (leads, leads.sample(frac=0.8, random_state=1)):
        assert infer_schema(part, Recipe()).ignored == {"ticket": "id"}


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("income", RNG.choice(180_000, 400, replace=False) + 20_000),
        ("milliseconds", RNG.integers(0, 3_600_000, 1000)),
        ("visits", RNG.poisson(400, 1000)),
        ("paid", RNG.choice(10**7, 400, replace=False)),
        ("bid", RNG.lognormal(10, 1, 400).round(2)),
    ],
)
def test_whole_numbers_that_were_measured_are_no_ids(name: str, column: object) -> None:
    leads = pd.DataFrame({name: column})
    assert infer_schema(leads, Recipe()).by_name[name].kind == "numeric"


@pytest.mark.parametrize(
    ("name", "column", "why"),
    [
        ("Lead Number", RNG.permutation(N) + 600_000, "id"),
        ("", [str(n) for n in range(N)], "id"),
        ("key", [f"{n:08x}-ab" for n in range(N)], "id"),
        ("serial", list(range(N)), "id"),
        ("note", [f"called {n} times" for n in range(N)], "text, different for nearly every lead"),
        ("created", [f"2024-01-{n % 28 + 1:02d} 10:00" for n in range(N)], "date"),
        ("day", [f"{n % 28 + 1}/3/2024" for n in range(N)], "date"),
        ("stamp", pd.date_range("2024-01-01", periods=N), "date"),
        ("same", ["a"] * N, "constant"),
        ("nearly", ["a"] * (N - 2) + ["b"] * 2, "constant except for fewer than 5 leads"),
        ("sparse", ["a"] + [None] * (N - 1), "filled in for fewer than 5 leads"),
        ("none", [None] * N, "empty"),
    ],
)
def test_columns_that_are_no_features_are_left_out(name: str, column: object, why: str) -> None:
    assert infer(column, name) == why


def test_a_number_that_differs_for_each_lead_is_no_id() -> None:
    assert isinstance(infer(RNG.permutation(N) * 17, "income"), Field)


def test_a_text_among_numbers_is_named() -> None:
    column = [str(n % 90) for n in range(N - 1)] + ["see note"]
    with pytest.raises(LeadError, match=r"Row 200: the field 'column' must be a number.*Got 'see note'"):
        infer(column)
    field = infer(column, recipe=Recipe(placeholders=("see note",)))
    assert isinstance(field, Field)
    assert field.kind == "numeric"


def test_rare_values_are_not_named() -> None:
    field = infer(["common"] * (N - 10) + ["other"] * 6 + [f"person {n}" for n in range(4)])
    assert isinstance(field, Field)
    assert field.choices == ("common", "other")


def test_spellings_of_a_category_are_one() -> None:
    column = (
        ["Female"] * 90
        + ["female"] * 20
        + ["FEMALE "] * 4
        + ["Male"] * 80
        + ["Caf\u00e9", "Cafe\u0301"] * 3
    )
    leads = pd.DataFrame({"sex": column})
    schema = infer_schema(leads, Recipe())
    field = schema.by_name["sex"]
    assert field.choices == ("Female", "Male", "Caf\u00e9")
    assert "('female' is 'Female'): 27 leads" in field.reading
    assert set(read_leads(schema, leads)["sex"]) == {"Female", "Male", "Caf\u00e9"}


def test_blanks_around_a_spelling_do_not_split_its_count() -> None:
    field = infer(["Female"] * 90 + ["female", "female "] * 40 + ["Male"] * 30)
    assert isinstance(field, Field)
    assert "80 leads have another spelling" in field.reading


def test_rare_spellings_are_not_named() -> None:
    field = infer(["Female"] * 100 + ["x"] * 96 + ["FeMALE"] * 4)
    assert isinstance(field, Field)
    assert "4 leads have another spelling" in field.reading
    assert "FeMALE" not in field.model_dump_json()


@pytest.mark.parametrize(
    "column", [["Yes", "YES", "yes", "no", "NO"] * 40, ["yes", "No", "Yes ", "No"] * 50]
)
def test_spellings_of_yes_and_no_are_one(column: list[str]) -> None:
    field = infer(column)
    assert isinstance(field, Field)
    assert field.kind == "boolean"
    assert [choice.lower() for choice in field.choices] == ["no", "yes"]


def test_spellings_of_one_text_are_constant() -> None:
    assert infer(["a", "A", "a "] * 66 + ["a", "a"]) == "constant"


def test_ranges_and_typical_values_come_from_the_leads() -> None:
    field = infer(["3", "1", "2", None] * (N // 4))
    assert isinstance(field, Field)
    assert (field.minimum, field.maximum, field.typical, field.integer) == (1, 3, 2, True)
    assert (field.missing_share, field.assumed) == (0.25, None)


def test_what_no_lead_lacks_has_a_number_to_assume() -> None:
    field = infer(["3", "1", "2", "10"] * (N // 4))
    assert isinstance(field, Field)
    assert field.assumed == pytest.approx(4.0)


def test_a_recipe_overrides_what_is_inferred() -> None:
    hints = FieldConfig(kind="categorical", label="Land", help="Where from", influence=True)
    field = infer([n % 7 for n in range(N)], recipe=Recipe(fields={"column": hints}))
    assert isinstance(field, Field)
    assert (field.kind, field.label, field.help) == ("categorical", "Land", "Where from")
    assert field.influence
    assert set(field.choices) == {str(n) for n in range(7)}


@pytest.mark.parametrize(
    ("leads", "message"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "'a' appears more than once"),
        (pd.DataFrame({"a": [[1], [2]]}), "The column 'a' must have single values. It has lists"),
        (pd.DataFrame({"a": ["x"] * 9}), "No column is left to train on. a: constant."),
    ],
    ids=["duplicate", "lists", "nothing left"],
)
def test_tables_that_teach_nothing_are_refused(leads: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message):
        infer_schema(leads, Recipe())


def digits(n: int) -> str:
    return "".join(map(str, RNG.integers(0, 10, n)))


def letters(place: int) -> str:
    return chr(97 + place % 26) + chr(97 + place // 26)


@pytest.mark.parametrize(
    ("name", "values", "what"),
    [
        ("contact", [f"l.{n}@example.org" for n in range(N)], "mail addresses"),
        ("contact", [f"+49 171 {digits(7)}" for _ in range(N)], "telephone numbers"),
        ("reach", [f"({digits(3)}) {digits(3)}-{digits(4)}" for _ in range(N)], "telephone numbers"),
        ("Mobile Number", [f"9{digits(9)}" for _ in range(N)], "telephone numbers"),
        ("phone", 9_000_000_000 + RNG.integers(0, 10**9, N), "telephone numbers"),
        ("phone", 9_000_000_000.0 + RNG.integers(0, 10**9, N), "telephone numbers"),
        ("First Name", [f"A{letters(n)}" for n in range(N)], "names"),
        ("name", [f"Mr. O'{letters(n)} Müller-{letters(n)}" for n in range(N)], "names"),
        ("campaign name", [f"A{letters(n)}" for n in range(N)], None),
        ("name", ["Spring", "Autumn"] * (N // 2), None),
        ("owner", ["a@example.org", "b@example.org"] * (N // 2), None),
        ("phone_seconds", [str(1000 + n) for n in range(N)], None),
        ("revenue", [f"{n + 1} {digits(3)} {digits(3)}" for n in range(N)], None),
        ("score", 9_000_000_000 + RNG.integers(0, 10**9, N), None),
        ("rate", RNG.normal(size=N), None),
        ("consent", [True, False] * (N // 2), None),
    ],
)
def test_personal_data_is_told_by_its_values(name: str, values: object, what: str | None) -> None:
    column = pd.Series(values)
    assert personal_data(name, list(column.drop_duplicates().astype(str)), len(column)) == what


def test_personal_data_is_left_out_unless_a_recipe_gives_its_kind() -> None:
    # Numbers as some write them would otherwise be refused as texts among numbers.
    phones = [f"{digits(10)}" for _ in range(N - 2)] + ["+49 171 1234567", "0171/1234567"]
    leads = pd.DataFrame({"phone": phones, "filler": ["x", "y"] * (N // 2)})
    assert infer_schema(leads, Recipe()).ignored == {"phone": "personal data: telephone numbers"}
    told = Recipe(fields={"phone": FieldConfig(kind="categorical")})
    assert "phone" in infer_schema(leads, told).by_name
