"""What was measured of a model: the content of metrics.json."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from catboost import CatBoostClassifier, Pool
from pydantic import BaseModel, ConfigDict, Field, field_validator

from leadmodel.amounts.evaluate import ObservedAmounts
from leadmodel.amounts.results import Revenue
from leadmodel.audit.finding import Audit
from leadmodel.clusters.results import Clustering
from leadmodel.decision.policy import Decision
from leadmodel.explain.shap import ShapExplainer
from leadmodel.insights.insights import Insights
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable
from leadmodel.metrics.classification import Estimate, calibration_floor, estimate_metrics
from leadmodel.metrics.comparison import Candidate
from leadmodel.metrics.curves import Curves, trace_curves
from leadmodel.metrics.profit import CallPayoff
from leadmodel.metrics.slices import SliceMetrics, evaluate_slices
from leadmodel.predictor.predictor import Predictions
from leadmodel.report.refinements import Calibration, SegmentModels, Tuning

__all__ = ["Evaluation", "evaluate_model"]

N_SHAP_LEADS = 2000

METRICS = {"roc_auc", "pr_auc", "log_loss", "brier", "calibration_error", "precision", "recall", "f1"}
"""Without these a model cannot be told from a guess."""


class Evaluation(BaseModel):
    """Metrics of a model on leads that it has not seen.

    Parameters
    ----------
    n_test, n_test_converted : int
        Test leads, and those of them that converted.
    test : dict of str to Estimate
        Metrics of the test leads with 95 % intervals.
    calibration_floor : float
        The calibration error that true probabilities would show on as many test leads.
    audit : Audit
        What was suspicious about the training leads.
    comparison : tuple of Candidate
        CatBoost and the usual models on the training leads, cross-validated, the best first.
    calibration : Calibration
        What a calibrator would change, and whether there is one.
    folds : tuple of dict of str to float
        Metrics of CatBoost on each fold of the cross-validation.
    tuning : Tuning, optional
        What a search for better parameters gained, if there was one.
    parts : SegmentModels, optional
        What models for single values of a field gained, if they were asked for.
    levels : tuple of SliceMetrics
        The test leads by the values of the categorical fields, the worst first.
    curves : Curves
        Of the test leads.
    importance : dict of str to float
        Mean absolute contribution to the log-odds by field name.
    insights : Insights, optional
        What the training leads say of themselves.
    segments : Clustering, optional
        The search for kinds of leads, if it was asked for.
    revenue : Revenue, optional
        How well the value of leads is told, if the model was trained on amounts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_test: int
    n_test_converted: int
    test: dict[str, Estimate]
    calibration_floor: float
    audit: Audit
    comparison: tuple[Candidate, ...]
    calibration: Calibration
    folds: tuple[dict[str, float], ...] = ()
    tuning: Tuning | None = None
    parts: SegmentModels | None = None
    levels: tuple[SliceMetrics, ...]
    curves: Curves
    importance: dict[str, float]
    insights: Insights | None = None
    segments: Clustering | None = Field(default=None, exclude_if=lambda value: value is None)
    revenue: Revenue | None = Field(default=None, exclude_if=lambda revenue: revenue is None)

    @property
    def cross_validated(self) -> dict[str, float]:
        """Metrics of CatBoost on the training leads, each predicted by a model without it."""
        return next(one.metrics for one in self.comparison if one.name == "CatBoost")

    @field_validator("test")
    @classmethod
    def _check_metrics(cls, test: dict[str, Estimate]) -> dict[str, Estimate]:
        if lacking := sorted(METRICS - test.keys()):
            raise ValueError(f"the metrics {', '.join(lacking)} are lacking")
        return test

    def headline(self) -> str:
        """Return the metrics that a commit message carries."""
        auc, loss = self.test["roc_auc"], self.test["log_loss"]
        return (
            f"ROC AUC {auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f}), "
            f"log loss {loss.value:.3f} on {self.n_test:,} test leads"
        )


def evaluate_model(
    classifier: CatBoostClassifier,
    schema: LeadSchema,
    test: tuple[pd.DataFrame, npt.NDArray[np.int64]],
    forecast: Predictions,
    decision: Decision,
    random_state: int,
    sold: ObservedAmounts | None = None,
    **training: Any,
) -> Evaluation:
    """Evaluate a fitted classifier.

    Parameters
    ----------
    classifier : CatBoostClassifier
        Fitted on all training leads; the importance is its.
    schema : LeadSchema
        The fields.
    test : tuple of DataFrame of shape (n_test, n_fields) and array of shape (n_test,)
        Typed test leads and their outcomes.
    forecast : Predictions
        What the whole model says of them.
    decision : Decision
        The threshold, and what a decision is worth.
    random_state : int
        Seed of the resamples.
    sold : ObservedAmounts, optional
        What the test leads brought; needed where the value of each decides.
    **training
        The entries of `Evaluation` that were measured on the training leads.
    """
    X, y = test
    probability, value = forecast.probability, forecast.expected_value
    positive = decision.is_positive(probability, value)
    stakes = _stakes(y, forecast, decision, sold)
    gain = stakes.gain if stakes else None
    metrics = estimate_metrics(y, probability, positive=positive, gain=gain, random_state=random_state)
    some = X.sample(min(len(X), N_SHAP_LEADS), random_state=random_state)
    return Evaluation(
        n_test=len(y),
        n_test_converted=int(y.sum()),
        test=metrics,
        calibration_floor=calibration_floor(probability, random_state),
        levels=evaluate_slices(schema, X, y, probability, metrics["roc_auc"].value, random_state),
        **training,
        curves=trace_curves(y, probability, positive, stakes),
        importance=_importance(classifier, LeadTable.from_frame(schema, some).impute().to_frame()),
    )


def _stakes(
    y: npt.NDArray[np.int64], forecast: Predictions, decision: Decision, sold: ObservedAmounts | None
) -> CallPayoff | None:
    if decision.value_and_cost:
        value, cost = decision.value_and_cost
        return CallPayoff(value * y.astype(np.float64), forecast.probability, cost)
    if decision.cost is None or sold is None or forecast.expected_value is None:
        return None
    return CallPayoff(sold.weights * sold.filled, forecast.expected_value, decision.cost)


def _importance(classifier: CatBoostClassifier, X: pd.DataFrame) -> dict[str, float]:
    pool = Pool(X, cat_features=list(X.select_dtypes("category").columns))
    contributions = ShapExplainer(classifier).contributions(pool)
    means = np.abs(contributions[:, :-1]).mean(axis=0)
    return {name: float(mean) for name, mean in zip(X.columns, means, strict=True)}
