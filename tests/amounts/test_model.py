"""What leads are worth, recomputed by hand."""

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostRegressor, Pool
from pydantic import ValidationError

from leadmodel.amounts.model import AmountModel, AmountParameters, as_amount
from leadmodel.leads.field import Field
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable

TERMS = AmountParameters(unit="€", mean=100, low=20, high=400, factor=1.1, ratios=(0.5, 2.0))
SCHEMA = LeadSchema(fields=(Field(name="n", kind="numeric", label="N"),))


def test_value_is_probability_times_amount_times_the_factor() -> None:
    X = pd.DataFrame({"n": np.arange(50.0)})
    regressor = CatBoostRegressor(iterations=20, verbose=0, allow_writing_files=False).fit(X, 30 + X["n"])
    table = LeadTable.from_frame(SCHEMA, X)
    probability, amount = np.linspace(0, 1, 50), regressor.predict(X)
    columns = AmountModel(TERMS, regressor).predict(table, Pool(X), probability, 1)
    assert amount.min() > TERMS.low and amount.max() < TERMS.high
    np.testing.assert_allclose(columns["expected_amount"], amount)
    np.testing.assert_allclose(columns["amount_low"], 0.5 * amount)
    np.testing.assert_allclose(columns["amount_high"], 2.0 * amount)
    np.testing.assert_allclose(columns["expected_value"], probability * amount * 1.1)


def test_without_a_regression_each_lead_is_expected_to_bring_the_mean() -> None:
    X = pd.DataFrame({"n": [1.0, 2.0]})
    model, probability = AmountModel(TERMS), np.array([0.5, 0.1])
    columns = model.predict(LeadTable.from_frame(SCHEMA, X), Pool(X), probability, 1)
    assert columns["expected_amount"].tolist() == [100, 100]
    answers = model.answers(columns)
    assert answers["expected_value"] == pytest.approx([0.5 * 100 * 1.1, 0.1 * 100 * 1.1])
    assert answers["amount_interval"] == [(50, 200), (50, 200)]


def test_amounts_stay_within_bounds_and_finite() -> None:
    told = np.array([-1e9, 50.0, 1e9])
    assert as_amount(told, "identity", (20, 400)).tolist() == [20, 50, 400]
    logs = as_amount(np.array([-1e9, np.log(50), 1e9]), "log", (20, 400))
    assert logs == pytest.approx([20, 50, 400])


@pytest.mark.parametrize(
    ("unit", "amount", "told"),
    [
        ("€", 1234.56, "€1,235"),
        ("€", 12.5, "€12.50"),
        ("€", 60, "€60"),
        ("€", -5.5, "-€5.50"),
        ("R$", 7, "R$7"),
        ("USD", 12.5, "12.50 USD"),
        ("", 1000.4, "1,000"),
    ],
)
def test_money_is_told_with_its_unit(unit: str, amount: float, told: str) -> None:
    assert TERMS.model_copy(update={"unit": unit}).money(amount) == told


@pytest.mark.parametrize(
    "change",
    [
        {"low": 500},
        {"ratios": (2, 1)},
        {"factor": 0},
        {"mean": float("nan")},
        {"high": float("inf")},
        {"unit": "x" * 21},
        {"link": "exp"},
        {"more": 1},
    ],
    ids=str,
)
def test_terms_that_make_no_sense_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="validation error"):
        AmountParameters.model_validate(TERMS.model_dump() | change)
