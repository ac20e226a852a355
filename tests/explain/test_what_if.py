import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from leadmodel.errors import InputError
from leadmodel.explain.what_if import find_changes, trace_curve
from leadmodel.insights.profile import Profile, profile_leads
from leadmodel.leads.convert import read_leads, read_records
from leadmodel.leads.field import Value
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.recipe import FieldConfig, Recipe
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable
from leadmodel.model import LeadModel

RNG = np.random.default_rng(5)
LEADS = pd.DataFrame(
    {
        "mails": RNG.integers(0, 30, 400),
        "price": RNG.normal(100, 20, 400).round(1),
        "channel": RNG.choice(["Mail", "Call", "Chat"], 400),
        "rare": ["Odd"] * 10 + ["Even"] * 390,
        "agreed": RNG.integers(0, 2, 400),
        "place": RNG.choice(["North", "South"], 400),
    }
)
MARKED = ("mails", "price", "channel", "rare", "agreed")
"""All but the place."""


@pytest.fixture(scope="module")
def schema() -> LeadSchema:
    hints = {name: FieldConfig(influence=True) for name in MARKED}
    return infer_schema(LEADS, Recipe(fields=hints | {"place": FieldConfig(label="Where")}))


@pytest.fixture(scope="module")
def profile(schema: LeadSchema) -> Profile:
    return profile_leads(schema, read_leads(schema, LEADS), np.arange(400) % 2)


class Chance:
    """A made-up probability that is known by heart; counts how often it is asked."""

    def __init__(self, schema: LeadSchema) -> None:
        self.schema, self.calls = schema, 0

    def of(self, row: Sequence[Value]) -> float:
        lead = dict(zip(self.schema.columns, row, strict=True))
        mails = 0.0 if math.isnan(lead["mails"]) else lead["mails"]
        chance = 0.1 + 0.01 * min(mails, 15) + 0.2 * (lead["channel"] == "Call")
        chance += 0.3 * (lead["rare"] == "Odd") + 0.4 * (lead["place"] == "North")
        return float(chance + 0.005 * (lead["agreed"] == 1) - 0.001 * abs(lead["price"] - 100))

    def __call__(self, rows: Sequence[list[Value]]) -> npt.NDArray[np.float64]:
        self.calls += 1
        return np.array([self.of(row) for row in rows])


def read(schema: LeadSchema, **lead: Any) -> list[Value]:
    return read_records(schema, [lead]).rows()[0]


LEAD = {"mails": 2, "price": 100, "channel": "Mail", "rare": "Even", "agreed": 0, "place": "South"}


def test_the_best_changes_are_those_of_all_variants_tried_one_by_one(model: LeadModel) -> None:
    marked = {"webinar", "brochure", "occupation", "minutes_on_site"}
    schema = LeadSchema(
        fields=tuple(
            field.model_copy(update={"influence": field.name in marked}) for field in model.schema.fields
        )
    )
    lead = model.schema.example()
    (row,) = read_records(schema, [lead]).rows()

    def predict(rows: Sequence[list[Value]]) -> npt.NDArray[np.float64]:
        return model.predictor.predict(LeadTable.from_rows(schema, rows)).probability

    def one_by_one(name: str, values: Sequence[Any]) -> float:
        return max(model.answer(lead | {name: value}).probability for value in values)

    minutes = model.profile.fields["minutes_on_site"].edges[1:-1]
    best = {
        "webinar": one_by_one("webinar", ["Yes", "No"]),
        "brochure": one_by_one("brochure", ["Yes", "No"]),
        "occupation": one_by_one("occupation", schema.by_name["occupation"].choices),
        "minutes_on_site": one_by_one("minutes_on_site", minutes),
    }
    own = model.answer(lead).probability
    worth = sorted((name for name in best if best[name] - own >= 0.01), key=lambda name: -best[name])
    found = find_changes(schema, model.profile, row, predict)
    assert [change.field for change in found.changes] == worth[:3]
    assert len(worth) >= 2
    for change in found.changes:
        assert change.probability == pytest.approx(best[change.field], abs=0.005)
        again = model.answer(lead | {change.field: change.value}).probability
        assert (change.probability, change.gain) == pytest.approx((again, again - own))


def test_changes_are_of_marked_fields_and_tried_in_one_call(schema: LeadSchema, profile: Profile) -> None:
    chance = Chance(schema)
    found = find_changes(schema, profile, read(schema, **LEAD), chance)
    assert chance.calls == 1
    # The place would bring 40 points, but nobody can move a lead; so rare a value as "Odd" is chance;
    # to agree would bring half a point.
    assert [change.field for change in found.changes] == ["channel", "mails"]
    assert found.tried == tuple(schema.by_name[name].label for name in MARKED)
    call = found.changes[0]
    assert (call.before, call.after, call.value) == ("Mail", "Call", "Call")
    assert call.gain == pytest.approx(0.2)


def test_of_numbers_that_are_as_good_the_nearest_is_told(schema: LeadSchema, profile: Profile) -> None:
    found = find_changes(schema, profile, read(schema, **LEAD), Chance(schema))
    mails = next(change for change in found.changes if change.field == "mails")
    # From 15 mails on all is one: the lowest bin edge from there is the nearest.
    assert mails.value == min(edge for edge in profile.fields["mails"].edges if edge >= 15)
    assert (mails.before, mails.after) == ("2", f"{mails.value:.0f}")
    assert mails.probability == pytest.approx(0.25)


def test_a_number_that_is_not_given_can_be_changed(schema: LeadSchema, profile: Profile) -> None:
    unknown = LEAD | {"mails": None}
    mails = find_changes(schema, profile, read(schema, **unknown), Chance(schema)).changes[1]
    assert (mails.field, mails.before) == ("mails", "not given")
    assert mails.gain == pytest.approx(0.15)


def test_without_a_mark_nothing_is_guessed(schema: LeadSchema, profile: Profile) -> None:
    unmarked = LeadSchema(
        fields=tuple(field.model_copy(update={"influence": False}) for field in schema.fields)
    )
    found = find_changes(unmarked, profile, read(unmarked, **LEAD), Chance(unmarked))
    assert (found.tried, found.changes) == ((), ())
    assert found.probability == pytest.approx(Chance(schema).of(read(schema, **LEAD)))


@pytest.mark.parametrize("name", ["mails", "price", "channel", "agreed", "place"])
def test_a_curve_is_the_lead_with_each_value(schema: LeadSchema, profile: Profile, name: str) -> None:
    chance = Chance(schema)
    curve = trace_curve(schema, profile, read(schema, **LEAD), name, chance)
    assert chance.calls == 1
    expected = [chance.of(read(schema, **(LEAD | {name: value}))) for value in curve.values]
    assert curve.probabilities == pytest.approx(expected)
    assert curve.own == LEAD[name]
    assert curve.own_probability == pytest.approx(chance.of(read(schema, **LEAD)))
    assert curve.probabilities[curve.values.index(curve.own)] == pytest.approx(curve.own_probability)


def test_the_curve_of_a_number_covers_the_training_range(schema: LeadSchema, profile: Profile) -> None:
    price = trace_curve(schema, profile, read(schema, **LEAD), "price", Chance(schema))
    field = schema.by_name["price"]
    assert (price.values[0], price.values[-1]) == (field.minimum, field.maximum)
    assert list(price.values) == sorted(set(price.values))
    assert max(np.diff(price.values)) <= np.ptp(LEADS["price"]) / 59 + 1e-9
    mails = trace_curve(schema, profile, read(schema, **LEAD), "mails", Chance(schema))
    assert list(mails.values) == list(range(30))
    assert mails.edges == profile.fields["mails"].edges


def test_an_odd_value_has_its_place_on_the_curve(schema: LeadSchema, profile: Profile) -> None:
    dear = trace_curve(schema, profile, read(schema, **(LEAD | {"price": 900})), "price", Chance(schema))
    assert (dear.values[-1], dear.own) == (900, 900)
    fax = trace_curve(
        schema, profile, read(schema, **(LEAD | {"channel": "Fax"})), "channel", Chance(schema)
    )
    assert {"Call", "Chat", "Fax", "Mail"} == set(fax.values)
    assert fax.names[0] == "Call"


def test_what_is_not_given_has_no_point_but_a_bar(schema: LeadSchema, profile: Profile) -> None:
    nothing = read(schema)
    chance = Chance(schema)
    number = trace_curve(schema, profile, nothing, "mails", chance)
    assert (number.own, number.own_name) == (None, "not given")
    assert number.own_probability == pytest.approx(chance.of(nothing), nan_ok=True)
    text = trace_curve(schema, profile, nothing, "channel", chance)
    assert text.names[text.values.index(text.own)] == "not given"


def test_a_curve_of_no_field_is_refused(schema: LeadSchema, profile: Profile) -> None:
    with pytest.raises(InputError, match=r"must be of a field of the model: mails.*Got 'colour'"):
        trace_curve(schema, profile, read(schema, **LEAD), "colour", Chance(schema))


def test_changes_begin_at_the_probability_of_the_answer(model: LeadModel) -> None:
    lead = model.schema.example()
    assert model.what_if(lead).probability == model.answer(lead).probability
    with pytest.raises(InputError, match="'shoe_size'"):
        model.what_if({"shoe_size": 43})
