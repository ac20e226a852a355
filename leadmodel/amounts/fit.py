"""Fit the model of amounts: what a converted lead brings, where that beats the mean beyond doubt."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from catboost import CatBoostRegressor, Pool
from sklearn.pipeline import Pipeline

from leadmodel.amounts.candidates import (
    CANDIDATES,
    AmountProblem,
    OutOfFoldAmounts,
    RegressionCandidate,
    compare_candidates,
    fit_until_best,
    regressor_parameters,
)
from leadmodel.amounts.evaluate import ObservedAmounts, compare_amounts, evaluate_amounts
from leadmodel.amounts.model import LEVEL, AmountModel, AmountParameters
from leadmodel.amounts.option import RevenueFile
from leadmodel.amounts.read import Amounts, robust_limit
from leadmodel.amounts.results import MEAN, AmountTrial, Revenue
from leadmodel.arrays import Floats, Positions
from leadmodel.decision.threshold import Threshold
from leadmodel.leads.disclosure import publish_ends
from leadmodel.leads.recipe import DecisionConfig
from leadmodel.leads.schema import LeadSchema
from leadmodel.options import EvaluationContext, FittedOption
from leadmodel.prepare.columns import forget_rare
from leadmodel.prepare.data import TrainingData
from leadmodel.prepare.pipeline import fit_regression
from leadmodel.prepare.settings import TrainingSettings

__all__ = ["FittedRevenue", "conformal_ratios", "fit_revenue"]


LEAST = 0.01
"""An expected amount is no lower than this share of the mean, so that each can be scaled."""


# By keyword, because the attributes of an option have defaults, which no field without one may follow.
@dataclass(frozen=True, eq=False, kw_only=True)
class FittedRevenue(FittedOption):
    """A model of amounts, and what was tried to make it.

    Attributes
    ----------
    amounts : Amounts
        What the leads brought.
    model : AmountModel
        The model as it answers.
    trials : tuple of AmountTrial
        Ways to expect an amount, the mean first.
    chosen : str
        The name of the one that is used.
    limit : float
        Amounts beyond it count as it.
    n_cut : int
        Those of the training leads.
    mean_value : float
        What the probability is multiplied by where the mean amount is expected of each lead, so
        that the sum is right.
    rival : CatBoostRegressor
        One regression on all leads, 0 for those that did not convert; only to compare with.
    pipeline : Pipeline, optional
        Ends in a CatBoostRegressor; None where the mean is used.
    """

    amounts: Amounts
    model: AmountModel
    trials: tuple[AmountTrial, ...]
    chosen: str
    limit: float
    n_cut: int
    mean_value: float
    rival: CatBoostRegressor
    pipeline: Pipeline | None

    def threshold(self, config: DecisionConfig) -> Threshold | None:
        """Return the break-even probability of a lead of average amount, where the value decides."""
        if config.cost is None or config.value is not None:
            return None
        # For people to read: the decision compares each lead's own expected value with the cost.
        terms = self.model.terms
        return Threshold(
            min(config.cost / (terms.mean * terms.factor), 1.0),
            f"the expected value of the lead exceeds the cost of a call, {terms.money(config.cost)}; for a "
            f"lead of the average amount, {terms.money(terms.mean)}, this is the break-even probability",
        )

    def gains(self, data: TrainingData) -> Floats:
        """Return what each test lead brought, those with an amount standing for those without."""
        observed = self._observe_test(data)
        return observed.weights * observed.filled

    def evaluate(self, context: EvaluationContext) -> Revenue:
        """Evaluate expected amounts and values on the test leads."""
        data, amounts, expected = context.data, self.amounts, context.predictions
        probability = expected["probability"]
        rivals = {
            "mean amount": probability * self.mean_value,
            "one regression": np.asarray(self.rival.predict(data.test[0]), dtype=np.float64),
        }
        train = ObservedAmounts(amounts.values[data.split.train], data.train[1])
        n_amounts = int(train.known.sum())
        return Revenue(
            n_amounts=n_amounts,
            n_unknown=int(train.y.sum()) - n_amounts,
            n_ignored=amounts.n_ignored,
            n_cut=self.n_cut,
            limit=self.limit,
            trials=self.trials,
            chosen=self.chosen,
            terms=self.model.terms,
            test=evaluate_amounts(
                self._observe_test(data),
                amounts.values[data.split.test],
                probability,
                expected,
                rivals,
                self.model.terms.mean,
                context.settings.seed,
            ),
        )

    def entry(self, result: Revenue, sha256: str | None) -> RevenueFile:
        """Return the entry of config.json."""
        return RevenueFile(column=self.amounts.name, sha256=sha256, terms=result.terms)

    def _observe_test(self, data: TrainingData) -> ObservedAmounts:
        """Return what the test leads brought, amounts beyond the limit cut to it."""
        return ObservedAmounts(np.minimum(self.amounts.values[data.split.test], self.limit), data.test[1])


def fit_revenue(
    data: TrainingData,
    amounts: Amounts,
    oof_probability: Floats,
    settings: TrainingSettings,
    progress: Callable[[str], None],
) -> FittedRevenue:
    """Fit what converted leads bring, by the way that does best on the folds, or by their mean.

    Parameters
    ----------
    data : TrainingData
        The training leads are used.
    amounts : Amounts
        What the leads brought.
    oof_probability : array of shape (n_train,)
        Of each training lead, cross-validated.
    settings : TrainingSettings
        Seed and trees.
    progress : callable
        Called with a line of text after each step.
    """
    X, y = data.train
    values = amounts.values[data.split.train]
    known = values[(y == 1) & ~np.isnan(values)]
    limit = robust_limit(known)
    observed = ObservedAmounts(np.minimum(values, limit), y)
    low, high = publish_ends(np.minimum(known, limit))
    bounds = max(low, LEAST * float(np.minimum(known, limit).mean())), high
    problem = AmountProblem(X, observed, data.folds, settings, bounds)
    out_of_fold = compare_candidates(problem, progress)
    group_ids = data.folds.group_ids
    trials = compare_amounts(
        observed.amounts[observed.known],
        {name: candidate.amounts[observed.known] for name, candidate in out_of_fold.items()},
        {MEAN: "the baseline to beat"} | {candidate.name: candidate.character for candidate in CANDIDATES},
        None if group_ids is None else group_ids[observed.known],
    )
    # By squared error as well, as values are evaluated on the test leads: the loss counts relative errors,
    # so that it hardly sees a few large amounts.
    better = [trial for trial in trials[1:] if trial.change.high < 0 and trial.rmse <= trials[0].rmse]
    chosen = min(better, key=lambda trial: trial.change.value, default=trials[0]).name
    candidate = next((candidate for candidate in CANDIDATES if candidate.name == chosen), None)
    pipeline = candidate and _fit(data.schema, problem, candidate, out_of_fold[chosen])
    terms = _terms(problem, amounts.unit, candidate, out_of_fold[chosen].amounts, oof_probability)
    progress("amounts fitted")
    return FittedRevenue(
        amounts=amounts,
        model=AmountModel(terms, pipeline and pipeline[-1]),
        trials=trials,
        chosen=chosen,
        limit=limit,
        n_cut=int(np.sum(known > limit)),
        mean_value=observed.total / float(oof_probability.sum()),
        rival=_fit_rival(problem),
        pipeline=pipeline,
    )


def _terms(
    problem: AmountProblem,
    unit: str,
    candidate: RegressionCandidate | None,
    out_of_fold: Floats,
    probability: Floats,
) -> AmountParameters:
    low, high = problem.bounds
    known = problem.observed.known
    return AmountParameters(
        unit=unit,
        mean=problem.unit,
        link=candidate.link if candidate else "identity",
        low=low,
        high=high,
        factor=problem.observed.total / float(probability @ out_of_fold),
        ratios=conformal_ratios(problem.observed.amounts[known] / out_of_fold[known]),
    )


def conformal_ratios(ratios: Floats, level: float = LEVEL) -> tuple[float, float]:
    """Return between which ratios of real and expected amount a new lead's lies, `level` of the time.

    Their quantiles by cross-validation, each end leaving half of the rest beyond it, the new lead
    counted in (split conformal prediction, Vovk et al. 2005; by folds, Barber et al. 2021).
    """
    # Rounded: (1 - 0.8) / 2 is a little less than 0.1 in binary, which would move an end by a rank.
    ordered, tail = np.sort(ratios), round((1 - level) / 2 * (len(ratios) + 1), 9)
    low = max(int(np.floor(tail)), 1)
    high = min(int(np.ceil(len(ratios) + 1 - tail)), len(ratios))
    # To three digits: each is the ratio of one lead.
    return float(f"{ordered[low - 1]:.3g}"), float(f"{ordered[high - 1]:.3g}")


def _fit(
    schema: LeadSchema,
    problem: AmountProblem,
    candidate: RegressionCandidate,
    out_of_fold: OutOfFoldAmounts,
) -> Pipeline:
    """Fit the way to all amounts; what is made of its answer, but for the link, goes into CatBoost's own
    scale and bias."""
    rows = np.flatnonzero(problem.observed.known)
    parameters = regressor_parameters(candidate.loss, problem.settings) | {
        "iterations": out_of_fold.n_trees
    }
    pipeline = fit_regression(schema, problem.X.iloc[rows], problem.target(candidate)[rows], parameters)
    scale, bias = pipeline[-1].get_scale_and_bias()
    times = out_of_fold.scale * problem.unit
    if candidate.link == "log":
        pipeline[-1].set_scale_and_bias(scale, bias + float(np.log(times)))
    else:
        pipeline[-1].set_scale_and_bias(scale * times, bias * times)
    return pipeline


def _fit_rival(problem: AmountProblem) -> CatBoostRegressor:
    """Fit one regression on all leads; the first fold gives its tree count."""
    X, observed, settings = problem.X, problem.observed, problem.settings
    texts, counts = list(X.select_dtypes("category").columns), observed.weights > 0

    def pool(rows: Positions, *, learned: bool = True) -> Pool:
        rows = rows[counts[rows]]
        leads = forget_rare(X.iloc[rows]) if learned else X.iloc[rows]
        return Pool(leads, observed.filled[rows], weight=observed.weights[rows], cat_features=texts)

    parameters = regressor_parameters("RMSE", settings)
    fold = problem.folds[0]
    tried = fit_until_best(pool(fold.train_idx), pool(fold.test_idx, learned=False), parameters)
    n_trees = max(round((tried.best_iteration_ + 1) * settings.refit_factor), 1)
    return CatBoostRegressor(**(parameters | {"iterations": n_trees})).fit(pool(np.arange(len(X))))
