"""What is published of past leads is no single lead's."""

import json

import numpy as np
import pandas as pd
import pytest

from leadmodel.drift.counts import count_leads
from leadmodel.drift.drift import compare_leads
from leadmodel.explain.reasons import explain
from leadmodel.insights.conversion import conversions
from leadmodel.insights.profile import Cell, FieldProfile, Profile, profile_leads, profile_output
from leadmodel.leads.convert import read_leads
from leadmodel.leads.disclosure import publish_ends, publish_quantiles, publish_typical
from leadmodel.leads.field import MIN_TOLD, Field
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable
from leadmodel.model import LeadModel

RNG = np.random.default_rng(4)
N = 600
NUMBERS = {
    "salary": RNG.normal(57_000, 20_000, N).round(),
    "account": RNG.permutation(10**6)[:N].astype(float),
    "spread": np.exp(RNG.normal(0, 3, N)),
    "below": -np.exp(RNG.normal(0, 1, N)),
    "three each": np.repeat(np.arange(N // 3), 3).astype(float),
    "tiny": RNG.beta(0.2, 20, N),
}
Y = RNG.integers(0, 2, N)


def of_single_leads(published: list[float], numbers: np.ndarray) -> list[float]:
    return [one for one in published if 0 < int((numbers == one).sum()) < 5]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("n_leads", [5, 9, 40, N])
def test_no_published_number_is_a_single_lead(name: str, n_leads: int) -> None:
    numbers = NUMBERS[name][:n_leads]
    deciles = publish_quantiles(numbers, np.linspace(0.1, 0.9, 9)).tolist()
    low, high = publish_ends(numbers)
    typical = publish_typical(numbers)
    assert not of_single_leads([low, high, typical, *deciles], numbers)
    assert low <= high
    assert deciles == sorted(deciles)


@pytest.mark.parametrize("name", NUMBERS)
def test_the_ends_leave_a_handful_beyond_and_the_deciles_divide_the_leads(name: str) -> None:
    numbers = NUMBERS[name]
    low, high = publish_ends(numbers)
    assert 5 <= (numbers < low).sum() < 10
    assert 5 <= (numbers > high).sum() < 10
    deciles = publish_quantiles(numbers, np.linspace(0.1, 0.9, 9))
    sizes = np.bincount(np.searchsorted(deciles, numbers))
    assert np.abs(sizes - N / 10).max() <= 10
    assert 0.4 <= (numbers <= publish_typical(numbers)).mean() <= 0.6


def test_what_a_handful_share_is_published_as_it_is() -> None:
    numbers = np.repeat([0.0, 1.0, 2.5, 7.0, 9.0], [300, 100, 100, 95, 5])
    assert publish_ends(numbers) == (0.0, 9.0)
    assert publish_typical(numbers) == 0.0
    assert publish_quantiles(numbers, [0.2, 0.6, 0.75]).tolist() == [0.0, 1.0, 2.5]
    # One lead's number more at either end, and all but its own are as they were.
    assert publish_ends([-10.0, *numbers, 1e9]) == (0.0, 9.0)


def test_numbers_are_rounded_to_what_lies_near_them() -> None:
    salary = NUMBERS["salary"]
    assert {one % 100 for one in publish_quantiles(salary, [0.25, 0.5, 0.75]).tolist()} == {0.0}
    # As many numbers, a hundred times as close to each other.
    close = publish_quantiles(50_000 + salary / 100, [0.25, 0.5, 0.75])
    assert all(10 * one % 10 in range(10) for one in close.round(6).tolist())


def made(**columns: object) -> tuple[LeadSchema, pd.DataFrame, Profile]:
    schema = infer_schema(leads := pd.DataFrame(columns), Recipe())
    typed = read_leads(schema, leads)
    return (
        schema,
        typed,
        profile_leads(schema, typed, Y, {"probability": profile_output(NUMBERS["tiny"], Y)}),
    )


def test_neither_schema_nor_profile_holds_a_number_of_a_single_lead() -> None:
    schema, _, profile = made(**NUMBERS)
    for field in schema.fields:
        assert field.minimum is not None and field.maximum is not None and field.typical is not None
        told = [field.minimum, field.maximum, float(field.typical), *profile.fields[field.name].edges]
        assert len(told) == 14
        assert not of_single_leads(told, NUMBERS[field.name])
    assert not of_single_leads([*profile.outputs["probability"].edges], NUMBERS["tiny"])


def test_the_training_leads_have_not_drifted_from_themselves_by_a_single_lead() -> None:
    schema, typed, profile = made(**NUMBERS, few=[None] * 10 + ["a"] * 300 + ["b"] * 290)
    drift = compare_leads(schema, profile, count_leads(profile, typed, {"probability": NUMBERS["tiny"]}))
    for one in (*drift.fields.values(), *drift.outputs.values()):
        assert (one.psi, one.level) == (0.0, "stable")
    salary = drift.fields["salary"].cells
    assert salary[0].name == "below the training range"
    assert salary[0].then == salary[0].now >= 5 / N


RARE = ["a"] * 400 + ["b"] * 170 + ["c"] * 6 + ["d"] * 6 + [None] * 4 + [f"person {n}" for n in range(3)]
RARE += ["e"] * 11


def test_no_count_of_few_leads_is_published_and_none_can_be_worked_out() -> None:
    schema, _, profile = made(text=RARE, number=[1.0, 2.0, 3.0, 4.0] * 149 + [None] * 4)
    for known in profile.fields.values():
        cells = [*known.cells.values(), known.missing, *([] if known.edges else [known.other])]
        assert sum(cell.count for cell in cells) == N
        assert sum(cell.converted for cell in cells) == Y.sum()
        assert all(cell.count == 0 or cell.count >= 5 for cell in cells)
        assert all(0 <= cell.converted <= cell.count for cell in cells)
    text = profile.fields["text"]
    assert (text.cells["a"].count, text.cells["c"].count, text.missing.count, text.other.count) == (
        407,
        6,
        0,
        0,
    )
    assert {field.missing_share for field in schema.fields} == {0.0}


def test_the_conversions_of_few_leads_are_published_of_all_such_leads_together() -> None:
    y = Y.copy()
    y[[value == "c" for value in RARE]] = 1
    y[[value == "d" for value in RARE]] = 0
    schema = infer_schema(leads := pd.DataFrame({"text": RARE}), Recipe())
    known = profile_leads(schema, read_leads(schema, leads), y).fields["text"]
    assert known.cells["c"] == known.cells["d"] == Cell(count=6, converted=3)
    assert known.cells["e"].count == 11
    # Where few leads are all there are, they share with the largest cell.
    alone = [value if value != "d" else "a" for value in RARE]
    schema = infer_schema(leads := pd.DataFrame({"text": alone}), Recipe())
    known = profile_leads(schema, read_leads(schema, leads), y).fields["text"]
    assert known.cells["c"].converted == round(6 * known.cells["a"].rate)


def test_what_few_leads_did_is_not_told_of_an_older_profile_either() -> None:
    cells = {"a": Cell(count=90, converted=30), "b": Cell(count=9, converted=9)}
    known = FieldProfile(cells=cells, other=Cell(count=3, converted=3), missing=Cell(count=2, converted=1))
    field = Field(name="text", label="Text", kind="categorical", choices=("a", "b"))
    assert [(one.value, one.cell.count) for one in conversions(field, known)] == [
        ("a", 90),
        ("any other", 12),
    ]
    profile = Profile(leads=Cell(count=104, converted=43), fields={"text": known})
    lead = LeadTable.from_rows(LeadSchema(fields=(field,)), [["b"]])
    (told,) = explain(profile, lead, np.array([[1.0, 0.0]]))
    assert told.reasons_for[0].sentence == f"Text is b, as for fewer than {MIN_TOLD} training leads."


def test_an_older_profile_of_a_number_has_no_leads_beyond_it() -> None:
    cells = {"0": Cell(count=50, converted=5), "1": Cell(count=50, converted=5)}
    none = Cell(count=0, converted=0)
    assert FieldProfile(cells=cells, edges=(0.0, 1.0, 2.0), other=none, missing=none).beyond == (0, 0)


def test_the_terms_of_amounts_are_no_single_amounts(valued: LeadModel, sold: pd.DataFrame) -> None:
    amounts = sold["amount"].dropna().str.lstrip("€").str.replace(",", "").astype(float).to_numpy()
    terms = json.loads(valued.files["metrics.json"])["revenue"]["terms"]
    assert not of_single_leads([terms["low"], terms["high"]], amounts)
    assert (amounts > terms["high"]).sum() >= 5
