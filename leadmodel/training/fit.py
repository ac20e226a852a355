"""Fit a model to prepared leads: compare, tune and calibrate the classifier, decide, evaluate."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sklearn.pipeline import Pipeline

from leadmodel.arrays import Floats
from leadmodel.decision.policy import DEFAULT_BANDS, Decision, score_grid
from leadmodel.decision.threshold import budget_share, choose_threshold
from leadmodel.errors import InputError
from leadmodel.leads.schema import LeadSchema
from leadmodel.metrics.comparison import compare
from leadmodel.options import EvaluationContext, FittedOption, installed
from leadmodel.predictor import Predictions, Predictor
from leadmodel.prepare.data import TrainingData
from leadmodel.prepare.pipeline import fit_pipeline
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.report.evaluation import Evaluation, TrainingResults, evaluate_model
from leadmodel.report.refinements import SegmentModels
from leadmodel.training.crossvalidation import cross_validate, sample_leads, try_others
from leadmodel.training.portfolio import cross_validate_blend, race
from leadmodel.training.progress import Stopwatch
from leadmodel.training.refinements import check_divisible, fit_calibration, fit_segment_models
from leadmodel.training.tuning import check_optuna, tune

__all__ = ["FittedClassifier", "FittedModel", "check_settings", "fit", "fit_classifier"]

Progress = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class FittedClassifier:
    """Classifier and the results of the training leads that led to it.

    Attributes
    ----------
    pipeline : Pipeline
        The model of all leads.
    members : list of dict
        Parameters of the CatBoostClassifiers that it averages.
    oof_probability : array of shape (n_train,)
        Cross-validated probabilities of the training leads.
    results : TrainingResults
        What was measured on the training leads.
    segment_pipelines : dict of str to Pipeline
        Models for the leads with one value of a field, by value.
    """

    pipeline: Pipeline
    members: list[dict[str, Any]]
    oof_probability: Floats
    results: TrainingResults
    segment_pipelines: dict[str, Pipeline] = field(default_factory=dict)

    def predictor(self, schema: LeadSchema, options: dict[str, FittedOption] | None = None) -> Predictor:
        """Return the predictor of the classifiers and of the options that were fitted."""
        segment_models = {value: pipeline[-1] for value, pipeline in self.segment_pipelines.items()}
        segmented = self.results.parts.field if self.results.parts else None
        models = [option.model for option in (options or {}).values() if option.model is not None]
        return Predictor(schema, self.pipeline[-1], segmented, segment_models, models)


@dataclass(frozen=True, eq=False)
class FittedModel:
    """Fitted and evaluated model, ready to be packaged.

    Attributes
    ----------
    data : TrainingData
        What it was fitted to.
    settings : TrainingSettings
        How it was fitted.
    classifier : FittedClassifier
        The model of conversions.
    options : dict of str to FittedOption
        Amounts, segments and the like, by name.
    decision : Decision
        Threshold and grades.
    predictions : Predictions
        Of the test leads.
    evaluation : Evaluation
        What was measured.
    seconds : dict of str to float
        Wall time of each stage, the preparation of the leads included.
    """

    data: TrainingData
    settings: TrainingSettings
    classifier: FittedClassifier
    options: dict[str, FittedOption]
    decision: Decision
    predictions: Predictions
    evaluation: Evaluation
    seconds: dict[str, float]


def fit(
    data: TrainingData, settings: TrainingSettings, progress: Progress = lambda step: None
) -> FittedModel:
    """Fit a model to the training leads and evaluate it on the test leads.

    The test leads are used for the metrics and for the reference probabilities of drift only: parameters,
    calibration, threshold and score percentiles come from the training leads.

    Parameters
    ----------
    data : TrainingData
        As `leadmodel.prepare.data.prepare` returns it.
    settings : TrainingSettings
        Settings of the training.
    progress : callable, optional
        Called with a line of text after each step.

    Raises
    ------
    InputError
        If the leads do not allow what the settings or the recipe ask for.
    """
    settings = settings.for_leads(len(data.split.train))
    watch = Stopwatch({"preparation": data.seconds})
    check_settings(data, settings)
    classifier = fit_classifier(data, settings, progress, watch)
    fits = {
        name: option.fit(data, classifier.oof_probability, settings, progress)
        for name, option in installed().items()
    }
    options = {name: fitted for name, fitted in fits.items() if fitted is not None}
    if options:
        watch.lap("options")
    decision = _decide(data, classifier.oof_probability, options)
    predictions = classifier.predictor(data.schema, options).predict(data.test[0])
    columns = {"probability": predictions.probability} | predictions.columns
    context = EvaluationContext(data, settings, classifier.pipeline[-1], decision, columns)
    gains = (fitted.gains(data) for fitted in options.values())
    evaluation = evaluate_model(
        context,
        classifier.results,
        next((gain for gain in gains if gain is not None), None),
        {name: fitted.evaluate(context) for name, fitted in options.items()},
    )
    progress("model evaluated")
    watch.lap("evaluation")
    return FittedModel(
        data, settings, classifier, options, decision, predictions, evaluation, watch.seconds
    )


def check_settings(data: TrainingData, settings: TrainingSettings) -> None:
    """Check the settings before training, so that a mistake does not cost minutes."""
    config = data.recipe.decision
    if settings.tune_minutes:
        check_optuna()
    if settings.segment_by is not None:
        check_divisible(data.schema, settings.segment_by)
    if config.budget is not None:
        budget_share(config.budget, data.split.leads_per_day)
    if config.cost is not None and config.value is None and data.recipe.amount is None:
        raise InputError(
            "--value and --cost must be given together, unless --amount names the column with the amounts "
            "of past conversions."
        )
    for option in installed().values():
        option.check(data, settings)


def fit_classifier(
    data: TrainingData,
    settings: TrainingSettings,
    progress: Progress = lambda step: None,
    watch: Stopwatch | None = None,
) -> FittedClassifier:
    """Fit the classifier: compare it with others, tune, calibrate and divide it, where that helps.

    Parameters
    ----------
    data : TrainingData
        Only its training leads are used.
    settings : TrainingSettings
        How to train.
    progress : callable, optional
        Called with a line of text after each step.
    watch : Stopwatch, optional
        Takes the time of each stage.
    """
    watch = watch or Stopwatch()
    # The folds choose among all columns: a choice made on all leads would flatter them.
    X, y, folds = data.candidates, data.train[1], data.folds
    parameters = settings.classifier_parameters(len(y))
    default = best = checked = cross_validate(X, y, parameters, folds, settings.patience, progress)
    watch.lap("folds")
    portfolio = tuning = None
    members = settings.members(parameters, checked.n_trees)
    if len(y) < settings.race_below:
        portfolio, checked, best, members = race(X, y, default, folds, settings, progress)
        watch.lap("other settings")
    if settings.tune_minutes:
        start = members[0] | {"iterations": settings.max_trees}
        untuned = partial(cross_validate_blend, X, y, members, settings=settings)
        tuning, tuned = tune(X, y, start, best, folds, settings, progress, untuned)
        if tuning.is_used:
            checked, members = tuned, settings.members(start | tuning.best, tuned.n_trees)
        watch.lap("tuning")
    trials = [checked.trial]
    if checked is not default:
        trials.append(default.trial._replace(name="CatBoost, default settings"))
    rows = sample_leads(y, settings.compared_leads, settings.seed)
    if len(rows) < len(y):
        # The models of the folds learned from more leads than the others may: CatBoost is fitted anew.
        setting = members[0] | {"iterations": settings.max_trees}
        sampled = X.iloc[rows], y[rows]
        trials = [cross_validate(*sampled, setting, folds.subset(rows), settings.patience).trial]
    others = try_others(X.iloc[rows], y[rows], folds.subset(rows), progress)
    comparison = compare(y[rows], [*trials, *others])
    watch.lap("comparison")
    calibration, oof_probability = fit_calibration(y, checked.trial.probability, folds)
    pipeline = fit_pipeline(data.schema, X, y, members, progress, calibration.line)
    watch.lap("final model")
    segment_models: SegmentModels | None = None
    segment_pipelines: dict[str, Pipeline] = {}
    if settings.segment_by is not None:
        segment_models, segment_pipelines, oof_probability = fit_segment_models(
            data.schema, X, y, oof_probability, members[0], folds, settings, progress
        )
        watch.lap("segment models")
    n_compared = len(rows) if len(rows) < len(y) else None
    results = TrainingResults(
        comparison, calibration, checked.folds, n_compared, portfolio, tuning, segment_models
    )
    return FittedClassifier(pipeline, members, oof_probability, results, segment_pipelines)


def _decide(data: TrainingData, oof_probability: Floats, options: dict[str, FittedOption]) -> Decision:
    config = data.recipe.decision
    thresholds = (fitted.threshold(config) for fitted in options.values())
    threshold = next(filter(None, thresholds), None) or choose_threshold(
        config, data.train[1], oof_probability, data.split.leads_per_day
    )
    return Decision(
        threshold=threshold.probability,
        rule=threshold.rule,
        positive=_in_time(config.positive, data.recipe.answered_days),
        negative=_in_time(config.negative, data.recipe.answered_days),
        bands=config.bands or DEFAULT_BANDS,
        grid=score_grid(oof_probability),
        value=config.value,
        cost=config.cost,
    )


def _in_time(words: str, days: int | None) -> str:
    """Return the words of a decision with the days that they hold for."""
    return words if days is None or "within" in words else f"{words} within {days} days"
