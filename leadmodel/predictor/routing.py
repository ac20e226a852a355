"""Which classifier answers for which lead, where some values of a field have one of their own."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from catboost import CatBoostClassifier, Pool

from leadmodel.amounts.model import AmountModel, ExpectedValues
from leadmodel.explain.shap import ShapExplainer
from leadmodel.leads.impute import assume, impute_rows
from leadmodel.leads.schema import LeadSchema, Value

__all__ = ["Predictions", "Predictor", "threads_for"]

Floats = npt.NDArray[np.float64]


class Predictions(NamedTuple):
    """What is expected of leads.

    Parameters
    ----------
    probability : array of shape (n_leads,)
        That each converts.
    worths : ExpectedValues, optional
        What each is worth, if there is a model of amounts.
    contributions : array of shape (n_leads, n_fields + 1), optional
        Of the fields to the log-odds, and last the base, if they were asked for.
    """

    probability: npt.NDArray[np.float64]
    worths: ExpectedValues | None = None
    contributions: npt.NDArray[np.float64] | None = None

    @property
    def outputs(self) -> dict[str, npt.NDArray[np.float64]]:
        """What can drift of what is said of leads, by name."""
        valued = {"expected_value": self.worths.value} if self.worths else {}
        return {"probability": self.probability} | valued


class Predictor:
    """The classifier of all leads, and those of the leads with single values of one field.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    classifier : CatBoostClassifier
        Answers for every lead that no other answers for.
    field : str, optional
        The field that divides the leads; a text.
    parts : mapping of str to CatBoostClassifier, optional
        By value of that field.
    worth : AmountModel, optional
        The model of amounts, the same for all leads.
    """

    def __init__(
        self,
        schema: LeadSchema,
        classifier: CatBoostClassifier,
        field: str | None = None,
        parts: Mapping[str, CatBoostClassifier] | None = None,
        worth: AmountModel | None = None,
    ) -> None:
        self.schema, self.classifier, self.field, self.parts = schema, classifier, field, parts or {}
        self.worth = worth

    @cached_property
    def contributions(self) -> ShapExplainer:
        """What fields contribute to the log-odds of a lead that no part answers for."""
        return ShapExplainer(self.classifier)

    @cached_property
    def _by_part(self) -> dict[str, ShapExplainer]:
        return {value: ShapExplainer(part) for value, part in self.parts.items()}

    def predict(self, typed: pd.DataFrame, threads: int = -1) -> Floats:
        """Return the probability of each of the typed leads, of shape (n_leads,)."""
        return self._predict(assume(self.schema, typed), threads)[0]

    def forecast(self, typed: pd.DataFrame, threads: int = -1) -> Predictions:
        """Return what is expected of each of the typed leads, without contributions."""
        probability, pool = self._predict(assume(self.schema, typed), threads)
        worths = self.worth.of(probability, self.worth.amounts(pool, threads)) if self.worth else None
        return Predictions(probability, worths)

    def _predict(self, typed: pd.DataFrame, threads: int) -> tuple[Floats, Pool]:
        # For both models: it takes longer to make than to ask.
        pool = Pool(typed, cat_features=self.schema.text_columns)
        probability: Floats = self.classifier.predict_proba(pool, thread_count=threads)[:, 1]
        for value, part in self.parts.items():
            places = np.flatnonzero(typed[self.field] == value)
            if len(places):
                probability[places] = part.predict_proba(typed.iloc[places], thread_count=threads)[:, 1]
        return probability, pool

    def predict_rows(self, rows: Sequence[list[Value]], threads: int, *, reasons: bool) -> Predictions:
        """Return what is expected of typed rows, with contributions if they are asked for."""
        rows, columns = impute_rows(self.schema, rows), self.schema.columns
        texts = list(range(len(self.schema.text_columns)))
        probability, amounts = np.empty(len(rows)), np.empty(len(rows))
        contributions = np.empty((len(rows), len(columns) + 1)) if reasons else None
        for value, places in self._divide(rows):
            pool = Pool([rows[place] for place in places], cat_features=texts, feature_names=columns)
            classifier = self.classifier if value is None else self.parts[value]
            probability[places] = classifier.predict_proba(pool, thread_count=threads)[:, 1]
            if self.worth:
                amounts[places] = self.worth.amounts(pool, threads)
            if contributions is not None:
                known = self.contributions if value is None else self._by_part[value]
                contributions[places] = known.of(pool, threads)
        worths = self.worth.of(probability, amounts) if self.worth else None
        return Predictions(probability, worths, contributions)

    def _divide(self, rows: Sequence[list[Value]]) -> Iterator[tuple[str | None, list[int]]]:
        if not self.parts or self.field is None:
            yield None, list(range(len(rows)))
            return
        place = self.schema.columns.index(self.field)
        divided: dict[str | None, list[int]] = {}
        for number, row in enumerate(rows):
            value = str(row[place])
            divided.setdefault(value if value in self.parts else None, []).append(number)
        yield from divided.items()


def threads_for(n_leads: int) -> int:
    """Return how many threads are worth their start: one for a few leads, else as many as cores."""
    return 1 if n_leads < 200 else -1
