"""The model of amounts: what a converted lead brings, if that can be told beyond doubt."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
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
from leadmodel.amounts.read import robust_limit
from leadmodel.amounts.results import MEAN, AmountTrial, Revenue
from leadmodel.decision.threshold import Threshold
from leadmodel.leads.disclosure import publish_ends
from leadmodel.leads.schema import LeadSchema
from leadmodel.predictor.predictor import Predictions
from leadmodel.prepare.data import TrainingData
from leadmodel.prepare.pipeline import fit_regression
from leadmodel.prepare.rare_categories import forget_rare
from leadmodel.prepare.settings import TrainingSettings

__all__ = [
    "N_REVENUE_STEPS",
    "FittedRevenue",
    "conformal_ratios",
    "evaluate_revenue",
    "fit_revenue",
    "sold_in_test",
]

Floats = npt.NDArray[np.float64]

N_REVENUE_STEPS = len(CANDIDATES) + 2
"""How often `fit_revenue` calls its `progress`."""

LEAST = 0.01
"""An expected amount is no lower than this share of the mean, so that each can be scaled."""


@dataclass(frozen=True)
class FittedRevenue:
    """A model of amounts, and what was tried to make it.

    Attributes
    ----------
    terms : AmountParameters
        How amounts and values are told.
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

    terms: AmountParameters
    trials: tuple[AmountTrial, ...]
    chosen: str
    limit: float
    n_cut: int
    mean_value: float
    rival: CatBoostRegressor
    pipeline: Pipeline | None

    @property
    def worth(self) -> AmountModel:
        """The model as it answers."""
        return AmountModel(self.terms, self.pipeline and self.pipeline[-1])

    def break_even(self, cost: float) -> Threshold:
        """Return the probability from which a lead of the average amount is worth a call, and the rule.

        It is for people to read; each lead's own value decides.
        """
        return Threshold(
            min(cost / (self.terms.mean * self.terms.factor), 1.0),
            f"the expected value of the lead exceeds {self.terms.money(cost)}, what a call costs; one of "
            f"the average amount, {self.terms.money(self.terms.mean)}, does so from this probability on",
        )


def fit_revenue(
    past: TrainingData, probability: Floats, settings: TrainingSettings, progress: Callable[[str], None]
) -> FittedRevenue:
    """Fit what converted leads bring, by the way that does best on the folds, or by their mean.

    Parameters
    ----------
    past : TrainingData
        With amounts.
    probability : array of shape (n_train,)
        Of each training lead, cross-validated.
    settings : TrainingSettings
        Folds, seed, trees.
    progress : callable
        Called with a line of text after each of `N_REVENUE_STEPS` steps.
    """
    X, y = past.train
    amounts = _amounts(past, past.split.train)
    known = amounts[(y == 1) & ~np.isnan(amounts)]
    limit = robust_limit(known)
    sold = ObservedAmounts(np.minimum(amounts, limit), y)
    bounds = _bounds(np.minimum(known, limit))
    problem = AmountProblem(X, sold, settings, bounds, past.train_groups)
    told = compare_candidates(problem, progress)
    trials = compare_amounts(
        sold.amounts[sold.known],
        {name: one.amounts[sold.known] for name, one in told.items()},
        {MEAN: "the bar that any other must clear"} | {way.name: way.character for way in CANDIDATES},
        None if problem.groups is None else problem.groups[sold.known],
    )
    chosen = _choose(trials)
    way = next((way for way in CANDIDATES if way.name == chosen), None)
    pipeline = way and _fit(past.schema, problem, way, told[chosen])
    progress("amounts fitted")
    rival = _fit_rival(problem)
    progress("one regression on all leads")
    unit = past.amounts.unit if past.amounts else ""
    return FittedRevenue(
        terms=_terms(problem, unit, way, told[chosen].amounts, probability),
        trials=trials,
        chosen=chosen,
        limit=limit,
        n_cut=int(np.sum(known > limit)),
        mean_value=sold.total / float(probability.sum()),
        rival=rival,
        pipeline=pipeline,
    )


def evaluate_revenue(
    fitted: FittedRevenue, past: TrainingData, forecast: Predictions, settings: TrainingSettings
) -> Revenue:
    """Judge a model of amounts on the test leads.

    Parameters
    ----------
    fitted : FittedRevenue
        The model.
    past : TrainingData
        With amounts.
    forecast : Predictions
        What the whole model says of the test leads.
    settings : TrainingSettings
        The seed of the resamples.
    """
    assert past.amounts is not None
    uncut, (X, _) = _amounts(past, past.split.test), past.test
    probability = forecast.probability
    rivals = {
        "mean amount": probability * fitted.mean_value,
        "one regression": np.asarray(fitted.rival.predict(X), dtype=np.float64),
    }
    train = ObservedAmounts(_amounts(past, past.split.train), past.train[1])
    n_amounts = int(train.known.sum())
    return Revenue(
        n_amounts=n_amounts,
        n_unknown=int(train.y.sum()) - n_amounts,
        n_ignored=past.amounts.n_ignored,
        n_cut=fitted.n_cut,
        limit=fitted.limit,
        trials=fitted.trials,
        chosen=fitted.chosen,
        terms=fitted.terms,
        test=evaluate_amounts(
            sold_in_test(past, fitted.limit),
            uncut,
            probability,
            forecast.amount_columns,
            rivals,
            fitted.terms.mean,
            settings.seed,
        ),
    )


def sold_in_test(past: TrainingData, limit: float) -> ObservedAmounts:
    """Return what the test leads brought, beyond the limit cut to it."""
    return ObservedAmounts(np.minimum(_amounts(past, past.split.test), limit), past.test[1])


def _amounts(past: TrainingData, rows: npt.NDArray[np.intp]) -> Floats:
    assert past.amounts is not None
    return past.amounts.values[rows]


def _bounds(amounts: Floats) -> tuple[float, float]:
    low, high = publish_ends(amounts)
    return max(low, LEAST * float(amounts.mean())), high


def _choose(trials: tuple[AmountTrial, ...]) -> str:
    """Return the best way, if it is better than the mean beyond doubt and no worse by squared error."""
    mean = trials[0]
    better = [trial for trial in trials[1:] if trial.change.high < 0 and trial.rmse <= mean.rmse]
    return min(better, key=lambda trial: trial.change.value, default=mean).name


def _terms(
    problem: AmountProblem, unit: str, way: RegressionCandidate | None, told: Floats, probability: Floats
) -> AmountParameters:
    low, high = problem.bounds
    known = problem.sold.known
    return AmountParameters(
        unit=unit,
        mean=problem.unit,
        link=way.link if way else "identity",
        low=low,
        high=high,
        factor=problem.sold.total / float(probability @ told),
        ratios=conformal_ratios(problem.sold.amounts[known] / told[known]),
    )


def conformal_ratios(ratios: Floats, level: float = LEVEL) -> tuple[float, float]:
    """Return between which ratios of real and expected amount a new lead's lies, `level` of the time.

    Their quantiles by cross-validation, each end leaving half of the rest beyond it, the new lead
    counted in (split conformal prediction, Vovk et al. 2005; by folds, Barber et al. 2021).
    """
    ordered, tail = np.sort(ratios), round((1 - level) / 2 * (len(ratios) + 1), 9)
    low = max(int(np.floor(tail)), 1)
    high = min(int(np.ceil(len(ratios) + 1 - tail)), len(ratios))
    # To three digits: each is the ratio of one lead.
    return float(f"{ordered[low - 1]:.3g}"), float(f"{ordered[high - 1]:.3g}")


def _fit(
    schema: LeadSchema, problem: AmountProblem, way: RegressionCandidate, told: OutOfFoldAmounts
) -> Pipeline:
    """Fit the way to all amounts; what is made of its answer, but for the link, goes into CatBoost's own
    scale and bias."""
    rows = np.flatnonzero(problem.sold.known)
    parameters = regressor_parameters(way.loss, problem.settings) | {"iterations": told.n_trees}
    pipeline = fit_regression(schema, problem.X.iloc[rows], problem.target(way)[rows], parameters)
    scale, bias = pipeline[-1].get_scale_and_bias()
    times = told.scale * problem.unit
    if way.link == "log":
        pipeline[-1].set_scale_and_bias(scale, bias + float(np.log(times)))
    else:
        pipeline[-1].set_scale_and_bias(scale * times, bias * times)
    return pipeline


def _fit_rival(problem: AmountProblem) -> CatBoostRegressor:
    """Fit one regression on all leads; the first fold gives its tree count."""
    X, sold, settings = problem.X, problem.sold, problem.settings
    texts, counts = list(X.select_dtypes("category").columns), sold.weights > 0

    def pool(rows: npt.NDArray[np.intp], *, learned: bool = True) -> Pool:
        rows = rows[counts[rows]]
        leads = forget_rare(X.iloc[rows]) if learned else X.iloc[rows]
        return Pool(leads, sold.filled[rows], weight=sold.weights[rows], cat_features=texts)

    parameters = regressor_parameters("RMSE", settings)
    fold = problem.folds[0]
    tried = fit_until_best(pool(fold.others), pool(fold.outside, learned=False), parameters)
    n_trees = max(round((tried.best_iteration_ + 1) * settings.refit_factor), 1)
    return CatBoostRegressor(**(parameters | {"iterations": n_trees})).fit(pool(np.arange(len(X))))
