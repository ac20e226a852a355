"""Show in the app what leads are worth."""

from typing import Any

from leadmodel.amounts.model import LEVEL
from leadmodel.amounts.results import Revenue
from leadmodel.model import LeadModel
from leadmodel.predictor import Answer
from leadmodel.serving.options import OptionPage
from leadmodel.serving.ui.components import Table, render, with_interval

__all__ = ["PAGE", "AmountPage"]


class AmountPage(OptionPage):
    """The amounts of a lead, and how well the model expects them."""

    def describe_model(self, model: LeadModel) -> dict[str, Any]:
        """Return the entry of metrics.json without its curves."""
        if (result := model.evaluation.options.get("revenue")) is None:
            return {}
        curves = {"test": {"by_value", "by_probability"}}
        return {"revenue": result.model_dump(mode="json", exclude=curves)}

    def highlight(self, model: LeadModel, answer: Answer) -> tuple[str, str] | None:
        """Return the value of a lead, and the amount to expect if it converts."""
        if "revenue" not in model.options:
            return None
        fields: Any = answer  # which this option adds
        money = model.options["revenue"].formats["expected_value"]
        low, high = map(money, fields.amount_interval)
        amount = f"about {money(fields.expected_amount)}, most likely {low} to {high} ({LEVEL:.0%})"
        return f"Worth {money(fields.expected_value)}", f"If it converts: {amount}."

    def render_report(self, model: LeadModel) -> str:
        """Return what was measured of expected amounts."""
        result = model.evaluation.options.get("revenue")
        if result is None:
            return ""
        return render("amounts/report.html", revenue=result, trials=_compare_trials(result))


def _compare_trials(result: Revenue) -> Table:
    money = result.terms.money
    rows = [
        (
            f"{trial.name}\n{trial.character}",
            money(trial.rmse),
            money(trial.mae),
            with_interval(trial.change, "+.4f") if trial.change.value else "the baseline",
        )
        for trial in result.trials
    ]
    return Table(("Expected amount of a conversion", "RMSE", "Mean error", "Loss above the mean's"), rows)


PAGE = AmountPage()
