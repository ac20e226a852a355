"""Which classifier answers for which lead, where some values of a field have one of their own."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from catboost import CatBoostClassifier, Pool

from leadmodel.evaluation.contributions import Contributions
from leadmodel.leads.gaps import assume, assume_rows
from leadmodel.leads.schema import LeadSchema, Value

__all__ = ["Routing"]


class Routing:
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
    """

    def __init__(
        self,
        schema: LeadSchema,
        classifier: CatBoostClassifier,
        field: str | None = None,
        parts: Mapping[str, CatBoostClassifier] | None = None,
    ) -> None:
        self.schema, self.classifier, self.field, self.parts = schema, classifier, field, parts or {}

    @cached_property
    def contributions(self) -> Contributions:
        """What fields contribute to the log-odds of a lead that no part answers for."""
        return Contributions(self.classifier)

    @cached_property
    def _by_part(self) -> dict[str, Contributions]:
        return {value: Contributions(part) for value, part in self.parts.items()}

    def predict(self, typed: pd.DataFrame, threads: int = -1) -> npt.NDArray[np.float64]:
        """Return the probability of each of the typed leads, of shape (n_leads,)."""
        typed = assume(self.schema, typed)
        probability: npt.NDArray[np.float64] = self.classifier.predict_proba(typed, thread_count=threads)[
            :, 1
        ]
        for value, part in self.parts.items():
            places = np.flatnonzero(typed[self.field] == value)
            if len(places):
                probability[places] = part.predict_proba(typed.iloc[places], thread_count=threads)[:, 1]
        return probability

    def predict_rows(
        self, rows: Sequence[list[Value]], threads: int, *, reasons: bool
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | None]:
        """Return probabilities, and contributions if they are asked for, of typed rows.

        Returns
        -------
        tuple of array of shape (n_leads,) and array of shape (n_leads, n_fields + 1) or None
            The last column of the contributions is the base.
        """
        rows, columns = assume_rows(self.schema, rows), self.schema.columns
        texts = list(range(len(self.schema.text_columns)))
        probability = np.empty(len(rows))
        contributions = np.empty((len(rows), len(columns) + 1)) if reasons else None
        for value, places in self._divide(rows):
            pool = Pool([rows[place] for place in places], cat_features=texts, feature_names=columns)
            classifier = self.classifier if value is None else self.parts[value]
            probability[places] = classifier.predict_proba(pool, thread_count=threads)[:, 1]
            if contributions is not None:
                known = self.contributions if value is None else self._by_part[value]
                contributions[places] = known.of(pool, threads)
        return probability, contributions

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
