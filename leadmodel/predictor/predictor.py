"""Everything that a model predicts for typed leads, in one place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from catboost import CatBoostClassifier, Pool

from leadmodel.amounts.model import AmountModel
from leadmodel.explain.shap import ShapExplainer
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable

if TYPE_CHECKING:  # an option, whose folder may be missing
    from leadmodel.clusters.assignment import ClusterAssigner

__all__ = ["Predictions", "Predictor"]

Floats = npt.NDArray[np.float64]

FEW_LEADS = 150
"""Up to so many leads, a Pool of rows is made faster than a DataFrame, and one thread is enough."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model predicts for leads, a column each.

    Parameters
    ----------
    probability : array of shape (n_leads,)
        That each lead converts.
    expected_amount, amount_low, amount_high : array of shape (n_leads,), optional
        The amount if it converts, and its interval; only of models of amounts.
    expected_value : array of shape (n_leads,), optional
        Probability times amount, calibrated.
    segment : Categorical of shape (n_leads,), optional
        The name of its cluster; only of models with clusters.
    contributions : array of shape (n_leads, n_fields + 1), optional
        Contributions of the fields to the log-odds, and last the base, where asked for.
    """

    probability: Floats
    expected_amount: Floats | None = None
    amount_low: Floats | None = None
    amount_high: Floats | None = None
    expected_value: Floats | None = None
    segment: pd.Categorical | None = None
    contributions: Floats | None = None

    @property
    def outputs(self) -> dict[str, Floats]:
        """The predictions whose distribution is watched for drift, by name."""
        outputs = {"probability": self.probability, "expected_value": self.expected_value}
        return {name: values for name, values in outputs.items() if values is not None}

    @property
    def amount_columns(self) -> dict[str, Floats]:
        """Expected amounts, their intervals and values, by name; empty without a model of amounts."""
        names = ("expected_amount", "amount_low", "amount_high", "expected_value")
        columns = {name: getattr(self, name) for name in names}
        return {name: values for name, values in columns.items() if values is not None}


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
    amounts : AmountModel, optional
        The model of amounts, the same for all leads.
    clusters : ClusterAssigner, optional
        Assigns leads to segments.
    """

    schema: LeadSchema
    classifier: CatBoostClassifier
    field: str | None = None
    segment_models: Mapping[str, CatBoostClassifier] | None = None
    amounts: AmountModel | None = None
    clusters: "ClusterAssigner | None" = None

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
        segment = self.clusters.assign(table) if self.clusters else None
        table = table.impute()
        threads = threads or (1 if len(table) <= FEW_LEADS else -1)
        probability, amount = np.empty(len(table)), np.empty(len(table))
        contributions = np.empty((len(table), len(self.schema.columns) + 1)) if explain else None
        for value, positions in self._divide(table):
            pool = self._make_pool(table if positions is None else table.take(positions))
            rows = slice(None) if positions is None else positions
            classifier, explainer = self.classifier, self.explainer if explain else None
            if value is not None and self.segment_models:
                classifier = self.segment_models[value]
                explainer = self._segment_explainers[value] if explain else None
            probability[rows] = classifier.predict_proba(pool, thread_count=threads)[:, 1]
            if contributions is not None and explainer:
                contributions[rows] = explainer.contributions(pool, threads)
            if self.amounts:
                amount[rows] = self.amounts.predict(pool, threads)
        if not self.amounts:
            return Predictions(probability, segment=segment, contributions=contributions)
        return Predictions(
            probability,
            amount,
            *self.amounts.interval(amount),
            self.amounts.expected_value(probability, amount),
            segment,
            contributions,
        )

    def _divide(self, table: LeadTable) -> Iterator[tuple[str | None, npt.NDArray[np.intp] | None]]:
        """Yield the value of each segment model, or None, and the positions of its leads, None for all."""
        if not self.segment_models or self.field is None:
            yield None, None
            return
        codes, categories = table.texts[self.field]
        known = [value if value in self.segment_models else None for value in categories]
        for value in dict.fromkeys(known):
            chosen = np.array([other == value for other in known])
            positions = np.flatnonzero(chosen[codes])
            if len(positions):
                yield value, positions

    def _make_pool(self, table: LeadTable) -> Pool:
        """Hand leads to CatBoost: the one place where a few leads go another way than many.

        On one row a DataFrame takes 0.5 ms to make and to read, more than all else together; of
        10,000 leads CatBoost reads ``category`` columns a hundred times faster than rows.
        """
        texts = self.schema.text_columns
        if not 0 < len(table) <= FEW_LEADS:
            return Pool(table.to_frame(), cat_features=texts)
        return Pool(table.rows(), cat_features=[*range(len(texts))], feature_names=self.schema.columns)
