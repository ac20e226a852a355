"""Check whether a model is still as good as it was on its test leads."""

import math
from typing import Any

import numpy as np
from pydantic import ConfigDict, Field
from scipy.special import entr, ndtri

from leadmodel.arrays import Floats, Ints
from leadmodel.leads.outcome.read import MIN_LEADS_PER_OUTCOME
from leadmodel.metrics.calibration import reliability
from leadmodel.metrics.classification import Estimate, estimate_roc_auc, evaluate, log_losses
from leadmodel.model import LeadModel
from leadmodel.records import Record
from leadmodel.report.evaluation import Evaluation

__all__ = ["RULE", "Performance", "compare_performance", "evaluate_outcomes"]

MIN_AUC, MIN_LOSS, MIN_GAP = 0.02, 0.02, 0.05
"""Least changes that are worth a new training; a large file makes ever smaller ones significant."""

Z_THREE_TESTS = float(-ndtri(0.05 / 3))
"""One-sided normal quantile of 5 % over the three tests together (Bonferroni)."""

Z_95 = 1.96
"""Half the width of a 95 % interval in standard errors."""

RULE = (
    "Performance fell if one of these is significant (at 5% over all three): ROC AUC is lower by at least "
    "0.02; log loss gains at least 0.02 less over the conversion rate alone; the mean probability is off "
    "by at least 5 points, and by more than on the test leads."
)


class Performance(Record):
    """Performance of a model on recent leads with an outcome, and on its test leads.

    Parameters
    ----------
    n_leads, n_converted : int
        Recent leads with an outcome, and the converted ones among them.
    roc_auc, log_loss, gap : dict of str to Estimate
        "then" and "now"; the gap is the mean probability minus the share that converted.
    calibration_error : dict of str to float
        "then" and "now".
    reliability : dict of dict of list
        "then" and "now", each as `leadmodel.metrics.classification.reliability` returns it.
    degraded : bool
        Whether performance fell, by `RULE`; "fell" in JSON.
    changes : tuple of str
        Sentences about each metric that got worse; "told" in JSON.
    """

    # The JSON of `leadmodel drift` keeps the names that scripts know.
    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    n_leads: int
    n_converted: int
    roc_auc: dict[str, Estimate]
    log_loss: dict[str, Estimate]
    gap: dict[str, Estimate]
    calibration_error: dict[str, float]
    reliability: dict[str, dict[str, list[float]]]
    degraded: bool = Field(validation_alias="fell", serialization_alias="fell")
    changes: tuple[str, ...] = Field(validation_alias="told", serialization_alias="told")


def evaluate_outcomes(
    model: LeadModel, y: Ints, probability: Floats
) -> tuple[Performance | None, list[str]]:
    """Compare performance now and then, or explain why there are too few outcomes.

    Parameters
    ----------
    model : LeadModel
        The model.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    probability : array of shape (n_leads,)
        Predicted probabilities.
    """
    converted, other = int(y.sum()), int(len(y) - y.sum())
    if min(converted, other) >= MIN_LEADS_PER_OUTCOME:
        return compare_performance(model.evaluation, y, probability), []
    return None, [
        f"Performance needs at least {MIN_LEADS_PER_OUTCOME} converted and {MIN_LEADS_PER_OUTCOME} "
        f"unconverted leads. Got {converted} converted and {other} unconverted leads in "
        f"{model.config.target!r}."
    ]


def compare_performance(evaluation: Evaluation, y: Ints, probability: Floats) -> Performance:
    """Compare the performance of a model on recent leads with that on its test leads.

    Parameters
    ----------
    evaluation : Evaluation
        Metrics of the test leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others; both occur more than once.
    probability : array of shape (n_leads,)
        Predicted probabilities.
    """
    now = {
        "roc_auc": estimate_roc_auc(y, probability),
        "log_loss": Estimate.of_mean(log_losses(y, probability)),
        "gap": Estimate.of_mean(probability - y),
    }
    then = {name: evaluation.test[name] for name in ("roc_auc", "log_loss")}
    then["gap"] = _test_gap(evaluation)
    shares = (evaluation.n_test_converted / evaluation.n_test, float(y.mean()))
    changes = _describe_changes(then, now, shares)
    figures: dict[str, Any] = {name: {"then": then[name], "now": now[name]} for name in now}
    return Performance(
        n_leads=len(y),
        n_converted=int(y.sum()),
        calibration_error={
            "then": evaluation.test["calibration_error"].value,
            "now": evaluate(y, probability)["calibration_error"],
        },
        reliability={"then": evaluation.curves.reliability, "now": reliability(y, probability)},
        degraded=bool(changes),
        changes=changes,
        **figures,
    )


def _describe_changes(
    then: dict[str, Estimate], now: dict[str, Estimate], shares: tuple[float, float]
) -> tuple[str, ...]:
    """Describe the metrics that got worse, given the conversion rates of both samples."""
    changes = []
    if _is_below(now["roc_auc"], then["roc_auc"], MIN_AUC):
        changes.append(f"ROC AUC fell: {then['roc_auc'].summary()} then, {now['roc_auc'].summary()} now.")
    # The log loss of the conversion rate alone, its entropy, changes without the model being any worse.
    baselines = [float(entr(share) + entr(1 - share)) for share in shares]
    explained_then, explained_now = (
        Estimate(value=base - loss.value, low=base - loss.high, high=base - loss.low)
        for base, loss in zip(baselines, (then["log_loss"], now["log_loss"]), strict=True)
    )
    if _is_below(explained_now, explained_then, MIN_LOSS):
        changes.append(
            f"Log loss: {then['log_loss'].summary()} then, {now['log_loss'].summary()} now, where knowing "
            f"the share of conversions alone gives {baselines[0]:.3f} and {baselines[1]:.3f}."
        )
    before, after = then["gap"], now["gap"]
    is_worse = abs(after.value) >= MIN_GAP and abs(after.value) > abs(before.value)
    if is_worse and _differ(before, after):
        side = "high" if after.value > 0 else "low"
        changes.append(
            f"Probabilities are {100 * abs(after.value):.0f} points too {side} now "
            f"({100 * before.value:+.0f} then)."
        )
    return tuple(changes)


def _is_below(low: Estimate, high: Estimate, least: float) -> bool:
    """Return whether `low` is below `high` by `least` or more, and significantly so."""
    return high.value - low.value >= least and _differ(low, high)


def _differ(a: Estimate, b: Estimate) -> bool:
    # The samples are independent, so that the variances of the two estimates add up.
    errors = [(estimate.high - estimate.low) / (2 * Z_95) for estimate in (a, b)]
    return abs(a.value - b.value) > Z_THREE_TESTS * math.hypot(*errors)


def _test_gap(evaluation: Evaluation) -> Estimate:
    """Estimate the gap of the test leads, which are not kept, from their metrics."""
    curve = {name: np.array(values) for name, values in evaluation.curves.reliability.items()}
    gap = float(np.average(curve["predicted"] - curve["observed"], weights=curve["count"]))
    # The Brier score is the mean squared difference of probability and outcome; less the squared mean
    # it is the variance of that difference.
    variance = max(evaluation.test["brier"].value - gap**2, 0.0)
    half = Z_95 * float(np.sqrt(variance / evaluation.n_test))
    return Estimate(value=gap, low=gap - half, high=gap + half)
