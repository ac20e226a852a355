"""Assign leads to segments in plain numpy, as the saved pipeline of scikit-learn's steps would.

The pipeline encodes a lead, projects it on principal components and takes the nearest center. All
of that is linear once numbers are clipped to their range, and the nearest of centers c has the
largest ``x @ c - c @ c / 2``. So each value of a text is a row of one table, each number a row of
weights, and a lead is a sum. scikit-learn's own predict takes 3 to 8 ms for one lead, this 0.02;
and none of its compiled code runs on arrays from elsewhere, whose shapes it does not check.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from catboost import Pool
from sklearn.pipeline import Pipeline

from leadmodel.arrays import Floats
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable
from leadmodel.options import OptionModel

__all__ = ["ClusterAssigner"]

CHUNK = 8192
"""Leads at a time, so that their sums stay near the processor."""


class ClusterAssigner(OptionModel):
    """Assigns typed leads to segments.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    pipeline : Pipeline
        As `leadmodel.clusters.pipeline.fit_kmeans` returns it; only its numbers are read.
    names : sequence of str
        Of the segments, in its order.

    Raises
    ------
    ValueError
        If the pipeline is not of this schema, or its numbers do not fit each other.
    """

    def __init__(self, schema: LeadSchema, pipeline: Pipeline, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.choices = {"segment": self.names}
        _check(len(set(self.names)) == len(self.names))  # they become categories, which must differ
        numbers, texts = _read_columns(schema, pipeline["columns"])
        n_columns = len(numbers["names"]) + sum(len(values) for values in texts.values())
        weights, self._bias = _read_weights(pipeline, n_columns, len(self.names))
        self._read_numbers(numbers, weights[: len(numbers["names"])])
        self._tables: dict[str, dict[str, Floats]] = {}
        start = len(numbers["names"])
        for name, values in texts.items():
            self._tables[name] = dict(zip(values, weights[start : start + len(values)], strict=True))
            start += len(values)
        self._none = np.zeros(len(self.names))
        self._rows = [schema.number_columns.index(name) for name in self._number_names]
        self._dtype = pd.CategoricalDtype(pd.Index(self.names, dtype=object))

    def _read_numbers(self, numbers: dict[str, Any], weights: Floats) -> None:
        self._number_names: list[str] = numbers["names"]
        self._fill, self._slope, self._shift = numbers["fill"], numbers["slope"], numbers["shift"]
        # ((clipped - mean) / scale) @ weights
        self._weights = weights / numbers["scale"][:, None]
        self._bias = self._bias - numbers["mean"] @ self._weights

    def predict(self, table: LeadTable, pool: Pool, probability: Floats, threads: int) -> dict[str, Any]:
        """Return the name of each lead's segment; gaps count as in training, not as CatBoost has them."""
        return {"segment": self.assign(table)}

    def answers(self, columns: Mapping[str, Any]) -> dict[str, Sequence[object]]:
        """Return the names of the segments."""
        return {"segment": columns["segment"].tolist()}

    def assign(self, table: LeadTable) -> pd.Categorical:
        """Return the name of each lead's segment."""
        lookups = [self._look_up(name, table.texts[name].categories) for name in self._tables]
        nearest = np.empty(len(table), dtype=np.intp)
        for start in range(0, len(table), CHUNK):
            part = slice(start, start + CHUNK)
            sums = self._sum_numbers(table.numbers[self._rows, part].T)
            for name, lookup in zip(self._tables, lookups, strict=True):
                # The codes fit the table, and a check takes longer than the lookup.
                sums += lookup.take(table.texts[name].codes[part], axis=0, mode="clip")
            nearest[part] = sums.argmax(axis=1)
        return pd.Categorical.from_codes(nearest, dtype=self._dtype, validate=False)

    def _look_up(self, name: str, values: list[str]) -> Floats:
        return np.array([self._tables[name].get(value, self._none) for value in values] or [self._none])

    def _sum_numbers(self, numbers: Floats) -> Floats:
        numbers = np.where(np.isnan(numbers), self._fill, numbers)
        with np.errstate(over="ignore"):  # what is beyond all numbers is beyond the range as well
            clipped = np.clip(numbers * self._slope + self._shift, 0.0, 1.0)
        sums: Floats = clipped @ self._weights + self._bias
        return sums


def _read_columns(schema: LeadSchema, columns: Any) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Return the numbers with what is done to them, and the values of the texts by field."""
    known = {name: (step, list(names)) for name, step, names in columns.transformers_}
    steps, names = known["number"]
    _check(not set(names) - set(schema.by_name) and not set(names) & set(schema.text_columns))
    number: dict[str, Any] = {"names": names}
    if names:
        fill, hold, scale = (steps[name] for name in ("fill", "hold", "scale"))
        parts = {"fill": fill.statistics_, "slope": hold.scale_, "shift": hold.min_}
        number |= parts | {"mean": scale.mean_, "scale": scale.scale_}
    empty = dict.fromkeys(("fill", "slope", "shift", "mean", "scale"), np.zeros(0))
    number = {
        name: value if name == "names" else _floats(value, (len(names),))
        for name, value in (empty | number).items()
    }
    _check(bool((number["scale"] > 0).all()) and bool((number["slope"] > 0).all()))
    steps, names = known["text"]
    _check(not set(names) - set(schema.text_columns))
    values = [[str(value) for value in found] for found in steps["values"].categories_] if names else []
    return number, dict(zip(names, values, strict=True))


def _read_weights(pipeline: Pipeline, n_columns: int, n_segments: int) -> tuple[Floats, Floats]:
    """Return weights of shape (n_columns, n_segments) and a bias, whose sum is largest at the nearest."""
    directions, groups = pipeline["directions"], pipeline["groups"]
    n_directions = len(directions.components_)
    axes = _floats(directions.components_, (n_directions, n_columns))
    centres = _floats(groups.cluster_centers_, (n_segments, n_directions))
    weights = axes.T @ centres.T
    bias = -_floats(directions.mean_, (n_columns,)) @ weights - (centres**2).sum(axis=1) / 2
    return weights, bias


def _floats(array: Any, shape: tuple[int, ...]) -> Floats:
    array = np.asarray(array, dtype=np.float64)
    _check(array.shape == shape and bool(np.isfinite(array).all()))
    return array


def _check(sound: bool) -> None:
    if not sound:
        raise ValueError("the fields or numbers of the segments do not fit each other")
