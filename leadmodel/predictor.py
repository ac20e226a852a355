"""Predict everything that a model folder predicts for typed leads, and turn it into answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier, Pool
from pydantic import BaseModel, ConfigDict, Field

from leadmodel.arrays import Floats, Positions
from leadmodel.decision.policy import Decision
from leadmodel.events.calls import EventWarning
from leadmodel.explain.reasons import Explanation
from leadmodel.explain.shap import ShapExplainer
from leadmodel.leads.field import ValueWarning
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable
from leadmodel.options import OptionModel, add_fields, installed

__all__ = ["Answer", "EventAnswer", "Predictions", "Predictor", "make_answers"]

FEW_LEADS = 150
"""Up to this many leads, a Pool of rows is made faster than a DataFrame, and one thread is enough."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions for leads, a column each.

    Parameters
    ----------
    probability : array of shape (n_leads,)
        Of conversion.
    columns : dict of str to array of shape (n_leads,)
        Columns of options by name.
    contributions : array of shape (n_leads, n_fields + 1), optional
        Contributions of the fields to the log-odds, and last the base, where asked for.
    """

    probability: Floats
    columns: dict[str, Any] = field(default_factory=dict)
    contributions: Floats | None = None

    @property
    def expected_value(self) -> Floats | None:
        """The expected value of each lead, if an option predicts it; a decision can rest on it."""
        return self.columns.get("expected_value")

    @property
    def outputs(self) -> dict[str, Floats]:
        """The predictions whose distribution is watched for drift, by name."""
        outputs = {"probability": self.probability, "expected_value": self.expected_value}
        return {name: values for name, values in outputs.items() if values is not None}


@dataclass(frozen=True, eq=False)
class Predictor:
    """Predicts with all the models of one folder.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    classifier : CatBoostClassifier
        Predicts for every lead without a segment model.
    field : str, optional
        The text field that segment models are chosen by.
    segment_models : mapping of str to CatBoostClassifier, optional
        By value of that field.
    options : sequence of OptionModel, optional
        Models of options, the same for all leads.
    """

    schema: LeadSchema
    classifier: CatBoostClassifier
    field: str | None = None
    segment_models: Mapping[str, CatBoostClassifier] | None = None
    options: Sequence[OptionModel] = ()

    @cached_property
    def explainer(self) -> ShapExplainer:
        """Explains the classifier of the leads without a segment model."""
        return ShapExplainer(self.classifier)

    @cached_property
    def _segment_explainers(self) -> dict[str, ShapExplainer]:
        return {value: ShapExplainer(model) for value, model in (self.segment_models or {}).items()}

    def predict(
        self, X: pd.DataFrame | LeadTable, explain: bool = False, threads: int | None = None
    ) -> Predictions:
        """Predict for typed leads.

        Parameters
        ----------
        X : LeadTable or DataFrame of shape (n_leads, n_fields)
            As `leadmodel.leads.convert` reads leads.
        explain : bool
            Whether to compute contributions as well.
        threads : int, optional
            Threads of CatBoost; by default one for a few leads, else one for each core.
        """
        table = X if isinstance(X, LeadTable) else LeadTable.from_frame(self.schema, X)
        pool = self._make_pool(table.impute())
        threads = threads or (1 if len(table) <= FEW_LEADS else -1)
        probability, contributions = self._classify(table, pool, explain, threads)
        columns: dict[str, Any] = {}
        for option in self.options:
            columns |= option.predict(table, pool, probability, threads)
        return Predictions(probability, columns, contributions)

    def _classify(
        self, table: LeadTable, pool: Pool, explain: bool, threads: int
    ) -> tuple[Floats, Floats | None]:
        """Return probabilities and contributions, each lead's by its own classifier."""
        if not self.segment_models:
            probability = self.classifier.predict_proba(pool, thread_count=threads)[:, 1]
            return probability, self.explainer.contributions(pool, threads) if explain else None
        probability = np.empty(len(table))
        contributions = np.empty((len(table), len(self.schema.columns) + 1)) if explain else None
        for value, rows in self._divide(table):
            part = pool.slice(rows)
            classifier = self.classifier if value is None else self.segment_models[value]
            probability[rows] = classifier.predict_proba(part, thread_count=threads)[:, 1]
            if contributions is not None:
                explainer = self.explainer if value is None else self._segment_explainers[value]
                contributions[rows] = explainer.contributions(part, threads)
        return probability, contributions

    def _divide(self, table: LeadTable) -> Iterator[tuple[str | None, Positions]]:
        """Yield the value of each segment model, or None, and the positions of its leads."""
        assert self.segment_models is not None and self.field is not None
        codes, categories = table.texts[self.field]
        values = [value if value in self.segment_models else None for value in categories]
        for value in dict.fromkeys(values):
            rows = np.flatnonzero(np.array([other == value for other in values])[codes])
            if len(rows):
                yield value, rows

    def _make_pool(self, table: LeadTable) -> Pool:
        """Hand leads to CatBoost: the one place where a few leads go another way than many.

        On one row a DataFrame takes 0.5 ms to make and to read, more than all else together; of
        10,000 leads CatBoost reads ``category`` columns a hundred times faster than rows.
        """
        texts = self.schema.text_columns
        if not 0 < len(table) <= FEW_LEADS:
            return Pool(table.to_frame(), cat_features=texts)
        return Pool(table.rows(), cat_features=[*range(len(texts))], feature_names=self.schema.columns)


_OPTION_FIELDS = {
    name: answer_type
    for option in installed().values()
    for name, answer_type in option.answer_fields.items()
}


@add_fields(_OPTION_FIELDS)
class Answer(BaseModel):
    """The answer for one lead.

    Parameters
    ----------
    probability : float
        That the lead converts, 0 to 1.
    score : int
        Percentile of the probability among the training leads', 0 to 100.
    grade : str
        A to D, or as the model's bands name them.
    decision : str
        The decision at the model's threshold, in words.
    warnings : tuple of ValueWarning
        What was missing, unseen or out of range in the lead.
    explanation : Explanation, optional
        The reasons.
    revision : str
        The revision of the model that gave this answer.
    request_id, row : str and int, optional
        Where answers are logged: names the call, and the lead's place in its list, 1 being the
        first, so that its outcome can be told.
    **options : object, optional
        Fields of the options that the model uses.
    """

    model_config = ConfigDict(frozen=True)

    probability: float
    score: int
    grade: str
    decision: str
    warnings: tuple[ValueWarning, ...] = ()
    explanation: Explanation | None = None
    revision: str
    request_id: str | None = Field(default=None, exclude_if=lambda value: value is None)
    row: int | None = Field(default=None, exclude_if=lambda value: value is None)


class EventAnswer(Answer):
    """The answer for one entity, of its events.

    Parameters
    ----------
    entity : str
        Its id.
    at : datetime
        The moment of the answer, in UTC.
    n_events : int
        Events before that moment, of which the features were made.
    features : dict of str to object
        The attributes and the features that were made, as the model takes them.
    history : tuple of EventWarning
        What was left out of the history, or is unusual in it.
    """

    entity: str
    at: datetime
    n_events: int
    features: dict[str, float | str | None]
    history: tuple[EventWarning, ...] = ()


def make_answers(
    decision: Decision,
    predictions: Predictions,
    warnings: Mapping[int, Sequence[ValueWarning]],
    explanations: Sequence[Explanation | None],
    revision: str,
    options: Sequence[OptionModel] = (),
) -> list[Answer]:
    """Turn predictions into an answer for each lead.

    Parameters
    ----------
    decision : Decision
        The decision rule.
    predictions : Predictions
        Of the leads.
    warnings : mapping of int to sequence of ValueWarning
        By position of the lead.
    explanations : sequence of Explanation or None
        Of each lead.
    revision : str
        The revision of the model.
    options : sequence of OptionModel, optional
        That made the columns of the predictions.
    """
    probability, bands = predictions.probability, list(decision.bands)
    scores = decision.scores(probability)
    columns: dict[str, Sequence[object]] = {
        "probability": probability.tolist(),
        "score": scores.tolist(),
        "grade": [bands[place] for place in decision.grade_places(scores).tolist()],
        "decision": [
            decision.positive if is_positive else decision.negative
            for is_positive in decision.is_positive(probability, predictions.expected_value).tolist()
        ],
        "warnings": [tuple(warnings.get(lead, ())) for lead in range(len(probability))],
        "explanation": explanations,
    }
    for option in options:
        columns |= option.answers(predictions.columns)
    return [
        Answer(**dict(zip(columns, values, strict=True)), revision=revision)
        for values in zip(*columns.values(), strict=True)
    ]
