"""Evaluate a model on its test leads: the content of metrics.json."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from catboost import Pool
from pydantic import Field, field_validator

from leadmodel.arrays import Floats
from leadmodel.audit.finding import Audit
from leadmodel.explain.shap import ShapExplainer
from leadmodel.insights.insights import Insights, find_insights
from leadmodel.leads.table import LeadTable
from leadmodel.metrics.calibration import calibration_floor, calibration_slope
from leadmodel.metrics.classification import Estimate, estimate_metrics
from leadmodel.metrics.comparison import Candidate
from leadmodel.metrics.curves import CallPayoff, Curves, trace_curves
from leadmodel.metrics.slices import SliceMetrics, evaluate_slices
from leadmodel.options import EvaluationContext, WithOptions, with_options
from leadmodel.prepare.derived import DerivedGain
from leadmodel.records import Record
from leadmodel.report.refinements import Calibration, Portfolio, SegmentModels, Tuning

__all__ = [
    "Evaluation",
    "TrainingResults",
    "evaluate_model",
]

N_SHAP_LEADS = 2000

METRICS = {"roc_auc", "pr_auc", "log_loss", "brier", "calibration_error", "precision", "recall", "f1"}
"""Metrics that every evaluation must have."""


class TrainingResults(NamedTuple):
    """The entries of `Evaluation` that are measured on the training leads; see there."""

    comparison: tuple[Candidate, ...]
    calibration: Calibration
    folds: tuple[dict[str, float], ...]
    n_compared: int | None = None
    portfolio: Portfolio | None = None
    tuning: Tuning | None = None
    parts: SegmentModels | None = None


@with_options("result")
class Evaluation(WithOptions):
    """Metrics of a model on leads that were not used in training.

    Parameters
    ----------
    n_test, n_test_converted : int
        Test leads, and those of them that converted.
    test : dict of str to Estimate
        Metrics of the test leads with 95 % intervals.
    calibration_floor : float
        The calibration error that true probabilities would show on as many test leads.
    calibration_slope : Estimate, optional
        Of the test leads; 1 is perfect. None if the model is older than this entry.
    audit : Audit
        What was suspicious about the leads with an outcome.
    comparison : tuple of Candidate
        CatBoost and the usual models on the training leads, cross-validated, the best first.
    calibration : Calibration
        What a calibrator would change, and whether there is one.
    folds : tuple of dict of str to float
        Metrics of CatBoost on each fold of the cross-validation.
    n_compared : int, optional
        Training leads in the sample that the models were compared on; None if that is all of them.
    portfolio : Portfolio, optional
        What other settings of CatBoost gained, if any were tried.
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
    derived : tuple of DerivedGain
        What the fields derived from personal data, addresses, texts and dates gained.
    **options : Record, optional
        What options measured of themselves, by name.
    """

    n_test: int
    n_test_converted: int
    test: dict[str, Estimate]
    calibration_floor: float
    calibration_slope: Estimate | None = None
    audit: Audit
    comparison: tuple[Candidate, ...]
    calibration: Calibration
    folds: tuple[dict[str, float], ...] = ()
    n_compared: int | None = None
    portfolio: Portfolio | None = None
    tuning: Tuning | None = None
    parts: SegmentModels | None = None
    levels: tuple[SliceMetrics, ...]
    curves: Curves
    importance: dict[str, float]
    insights: Insights | None = None
    derived: tuple[DerivedGain, ...] = Field(default=(), exclude_if=lambda derived: not derived)

    @property
    def catboost(self) -> Candidate:
        """Entry of CatBoost, the type of the model itself, in the comparison."""
        return next(candidate for candidate in self.comparison if candidate.name == "CatBoost")

    @property
    def cross_validated(self) -> dict[str, float]:
        """Out-of-fold metrics of CatBoost on the training leads."""
        if self.n_compared is None:
            return self.catboost.metrics
        return {name: float(np.mean([fold[name] for fold in self.folds])) for name in self.folds[0]}

    @property
    def compared_on(self) -> str:
        """The leads that the models were compared on, in words."""
        return (
            "the training leads"
            if self.n_compared is None
            else (f"a random sample of {self.n_compared:,} training leads")
        )

    @field_validator("test")
    @classmethod
    def _check_metrics(cls, test: dict[str, Estimate]) -> dict[str, Estimate]:
        if lacking := sorted(METRICS - test.keys()):
            raise ValueError(f"the metrics {', '.join(lacking)} are missing")
        return test

    def headline(self) -> str:
        """Return the main metrics in a line, as for a commit message."""
        auc, loss = self.test["roc_auc"].summary(), self.test["log_loss"].value
        return f"ROC AUC {auc}, log loss {loss:.3f} on {self.n_test:,} test leads"


def evaluate_model(
    context: EvaluationContext,
    results: TrainingResults,
    gains: Floats | None = None,
    options: Mapping[str, Record] | None = None,
) -> Evaluation:
    """Evaluate a fitted model on the test leads.

    Parameters
    ----------
    context : EvaluationContext
        The leads, the classifier of all leads, the decision, and the predictions for the test leads.
    results : TrainingResults
        What was measured on the training leads.
    gains : array of shape (n_test,), optional
        What the test leads brought; needed where the value of each decides.
    options : mapping of str to Record, optional
        What options measured of themselves, by name.
    """
    data, decision, seed = context.data, context.decision, context.settings.seed
    (X, y), probability = data.test, context.predictions["probability"]
    positive = decision.is_positive(probability, context.predictions.get("expected_value"))
    payoff = _call_payoff(context, gains)
    gain, copies = payoff and payoff.gain, data.test_copies
    metrics = estimate_metrics(
        y, probability, positive=positive, gain=gain, random_state=seed, group_ids=copies
    )
    # Contributions of a few thousand leads give the same means as those of all, in a fraction of the time.
    some = X.sample(min(len(X), N_SHAP_LEADS), random_state=seed)
    imputed = LeadTable.from_frame(data.schema, some).impute().to_frame()
    pool = Pool(imputed, cat_features=data.schema.text_columns)
    means = np.abs(ShapExplainer(context.classifier).contributions(pool)[:, :-1]).mean(axis=0)
    importance = dict(zip(imputed.columns, means.tolist(), strict=True))
    entries: dict[str, Any] = dict(options or {})
    return Evaluation(
        n_test=len(y),
        n_test_converted=int(y.sum()),
        test=metrics,
        calibration_floor=calibration_floor(probability, seed),
        calibration_slope=calibration_slope(y, probability),
        audit=data.audit,
        **results._asdict(),
        levels=evaluate_slices(data.schema, X, y, probability, metrics["roc_auc"].value),
        curves=trace_curves(y, probability, positive, payoff),
        importance=importance,
        insights=find_insights(data.schema, *data.train, importance, seed),
        derived=data.derived,
        **entries,
    )


def _call_payoff(context: EvaluationContext, gains: Floats | None) -> CallPayoff | None:
    decision, y = context.decision, context.data.test[1]
    if decision.value_and_cost:
        value, cost = decision.value_and_cost
        return CallPayoff(value * y.astype(np.float64), context.predictions["probability"], cost)
    if decision.cost is None or gains is None:
        return None
    return CallPayoff(gains, context.predictions["expected_value"], decision.cost)
