"""The option of amounts: what leads are worth, as the core asks for it."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.pipeline import Pipeline

from leadmodel.amounts.model import AmountModel, AmountParameters
from leadmodel.amounts.read import Amounts, check_enough, read_amounts
from leadmodel.amounts.results import Revenue
from leadmodel.arrays import Floats
from leadmodel.errors import ModelError
from leadmodel.leads.recipe import FieldConfig
from leadmodel.leads.schema import LeadSchema
from leadmodel.metrics.bootstrap import Estimate
from leadmodel.options import FittedOption, Option, OptionEntry, Progress
from leadmodel.prepare.data import TrainingData
from leadmodel.prepare.settings import TrainingSettings

__all__ = ["OPTION", "AmountOption", "RevenueFile"]


class RevenueFile(OptionEntry):
    """The model of what converted leads bring.

    Parameters
    ----------
    column : str
        That the amounts of the past leads stood in.
    sha256 : str, optional
        Of revenue.skops; None if there is none, because each converted lead is expected to bring
        the mean.
    terms : AmountParameters
        How amounts and values are told.
    """

    column: str
    terms: AmountParameters


class AmountOption(Option):
    """Predict what converted leads bring, where the recipe names a column of amounts."""

    file = "revenue.skops"
    entry, result = RevenueFile, Revenue
    gives_value = True
    figures: ClassVar[dict[str, str]] = {
        "revenue": "Share of the actual value found by the share of leads called, best first."
    }
    answer_fields: ClassVar[dict[str, Any]] = {
        "expected_amount": float,
        "expected_value": float,
        "amount_interval": tuple[float, float],
    }
    numbers: ClassVar[dict[str, str]] = {
        "expected_value": "Value",
        "expected_amount": "Amount if it converts",
    }
    card, page = "amounts/card.md", "leadmodel.amounts.page"

    def describe(self, data: TrainingData) -> str:
        """Return how many converted leads have an amount."""
        return "" if data.recipe.amount is None else _read(data).told(int(data.train[1].sum()))

    def check(self, data: TrainingData, settings: TrainingSettings) -> None:
        """Raise InputError unless the training leads hold enough amounts."""
        if data.recipe.amount is not None:
            check_enough(_read(data).values[data.split.train], data.train[1])

    def fit(
        self, data: TrainingData, oof_probability: Floats, settings: TrainingSettings, progress: Progress
    ) -> FittedOption | None:
        """Fit the best way to expect an amount."""
        if data.recipe.amount is None:
            return None
        # What only training needs takes long to import, and serving opens this module too.
        from leadmodel.amounts.fit import fit_revenue

        return fit_revenue(data, _read(data), oof_probability, settings, progress)

    def open(
        self,
        schema: LeadSchema,
        entry: RevenueFile | None,
        result: Revenue | None,
        pipeline: Pipeline | None,
    ) -> AmountModel | None:
        """Return the model of amounts."""
        if (entry is None) != (result is None):
            raise ModelError(
                "metrics.json and config.json must belong to the same model. Only one of them has amounts."
            )
        if entry is None:
            return None
        if pipeline is None:
            return AmountModel(entry.terms)
        regressor = pipeline[-1]
        if list(regressor.feature_names_ or ()) != schema.columns:
            raise ModelError(f"{self.file} and config.json must be of one model. Their fields differ.")
        # A single leaf that is not finite would give some lead an amount that is not, whichever it is.
        numbers = np.append(regressor.get_leaf_values(), regressor.get_scale_and_bias())
        if not np.isfinite(numbers.sum()):
            raise ModelError(f"{self.file} must give finite amounts. It has numbers that are not finite.")
        return AmountModel(entry.terms, regressor)

    def displays(self, result: Revenue) -> dict[str, Any]:
        """Return the curve of the value found by calling the leads that are ranked highest."""
        # Matplotlib takes longer to import than the app may take to start.
        from leadmodel.plots.style import ACCENT, INK, SECOND, Display

        test = result.test
        if test is None:
            return {}

        def draw(axes: Any) -> None:
            axes.plot([0, 1], [0, 1], color=SECOND, linestyle="--", label="in any order")
            label = f"by probability, top 20 %: {test.caught_by_probability.value:.0%}"
            axes.plot(test.by_probability.x, test.by_probability.y, color=INK, linewidth=1.5, label=label)
            label = f"by expected value, top 20 %: {test.caught_by_value.value:.0%}"
            axes.plot(test.by_value.x, test.by_value.y, color=ACCENT, linewidth=2, label=label)
            axes.legend(loc="lower right", frameon=False)

        x, y = "Share of leads, best first", "Share of the actual value"
        return {"revenue": Display("Value found", x, y, draw)}

    def ratios(self, result: Revenue) -> dict[str, Estimate]:
        return {"amounts that came": result.test.total} if result.test else {}

    def summary(self, result: Revenue) -> Sequence[str]:
        """Return how well values are predicted."""
        return [f"Revenue: {result.summary()}", *result.findings()]


OPTION = AmountOption()


def _read(data: TrainingData) -> Amounts:
    name = str(data.recipe.amount)
    unit = data.recipe.fields.get(name, FieldConfig()).unit or ""
    return read_amounts(data.raw(name), data.y, data.recipe.placeholders, unit)
