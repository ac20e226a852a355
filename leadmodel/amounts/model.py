"""What a lead is worth: the expected amount of a conversion, and with the probability its value."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from catboost import CatBoostRegressor, Pool
from pydantic import Field, model_validator

from leadmodel.arrays import Floats
from leadmodel.leads.table import LeadTable
from leadmodel.options import OptionModel
from leadmodel.records import Record

__all__ = ["LEVEL", "AmountModel", "AmountParameters", "as_amount"]

LEVEL = 0.8
"""Share of converted leads whose amount is to lie within the interval."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Link = Literal["identity", "log"]


class AmountParameters(Record):
    """How amounts are told from what the regression says.

    Parameters
    ----------
    unit : str
        Of the amounts, such as "€"; empty if not known.
    mean : float
        Of the training leads' amounts: what a converted lead is expected to bring where there is
        no regression.
    link : str
        "log" if the regression gives the logarithm of an amount, else "identity".
    low, high : float
        Expected amounts are kept within these.
    factor : float
        By which probability times amount is multiplied, so that the sum over the training leads,
        cross-validated, is that of the real amounts.
    ratios : tuple of float
        Lower and upper end of the interval over the expected amount.
    """

    unit: Annotated[str, Field(max_length=20)] = ""
    mean: Positive
    link: Link = "identity"
    low: Positive
    high: Positive
    factor: Positive
    ratios: tuple[Annotated[float, Field(ge=0, allow_inf_nan=False)], Positive]

    @model_validator(mode="after")
    def _check_order(self) -> "AmountParameters":
        if self.low > self.high or self.ratios[0] > self.ratios[1]:
            raise ValueError("a lower end must not be above its upper end")
        return self

    def money(self, amount: float) -> str:
        """Return an amount in words: cents only where they count, a sign before it, a name behind it."""
        number = f"{amount:,.0f}" if abs(amount) >= 1000 or float(amount).is_integer() else f"{amount:,.2f}"
        has_sign = any(unicodedata.category(letter) == "Sc" for letter in self.unit)
        if has_sign:
            return f"-{self.unit}{number[1:]}" if amount < 0 else f"{self.unit}{number}"
        return f"{number} {self.unit}".rstrip()


@dataclass(frozen=True, eq=False)
class AmountModel(OptionModel):
    """The model of amounts.

    Parameters
    ----------
    terms : AmountParameters
        How amounts are told from the regression.
    regressor : CatBoostRegressor, optional
        None where every converted lead is expected to bring the mean.
    """

    terms: AmountParameters
    regressor: CatBoostRegressor | None = None

    @property
    def formats(self) -> dict[str, Callable[[float], str]]:  # type: ignore[override]
        """Amounts of money for people."""
        return dict.fromkeys(("expected_value", "expected_amount"), self.terms.money)

    def predict(self, table: LeadTable, pool: Pool, probability: Floats, threads: int) -> dict[str, Any]:
        """Return the expected amount if a lead converts, its interval, and the lead's expected value."""
        if self.regressor is None:
            amount = np.full(pool.num_row(), self.terms.mean)
        else:
            raw = self.regressor.predict(pool, prediction_type="RawFormulaVal", thread_count=threads)
            amount = as_amount(raw, self.terms.link, (self.terms.low, self.terms.high))
        low, high = self.terms.ratios
        return {
            "expected_amount": amount,
            "amount_low": low * amount,
            "amount_high": high * amount,
            "expected_value": self.terms.factor * probability * amount,
        }

    def answers(self, columns: Mapping[str, Any]) -> dict[str, Sequence[object]]:
        """Return expected amounts and values, and the intervals as pairs."""
        fields = {name: columns[name].tolist() for name in ("expected_amount", "expected_value")}
        ends = zip(columns["amount_low"].tolist(), columns["amount_high"].tolist(), strict=True)
        return fields | {"amount_interval": list(ends)}


def as_amount(raw: Floats, link: Link, bounds: tuple[float, float]) -> Floats:
    """Return amounts within `bounds` from the raw predictions of a regression."""
    low, high = bounds
    if link == "log":
        # Within the bounds before the exponential, which could overflow.
        return np.exp(np.clip(raw, np.log(low), np.log(high)))
    return np.clip(raw, low, high)
