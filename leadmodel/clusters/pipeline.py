"""The pipeline that groups leads by what describes them: scikit-learn's own steps, then k-means.

Nothing of the outcome is in it. A kind of leads is several fields that go together, so a field that
goes with no other is left out: it would cut every kind into halves. Numbers are held within the
range of nine leads in ten and brought to one spread, so that no outlier makes a group; of a text,
the values of at least one lead in twenty count. A principal component analysis keeps the directions
in which leads differ most: as many as the most groups that are tried can differ in.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from leadmodel.arrays import Floats, Positions
from leadmodel.insights.association import category_codes, cramers_v
from leadmodel.leads.field import MIN_CATEGORY_COUNT, MISSING, Field
from leadmodel.leads.schema import LeadSchema

__all__ = ["MAX_TRIED", "RARE", "fit_encoder", "fit_kmeans", "related", "slim", "winsorized"]

MAX_TRIED = 8
"""Groups that are tried at most where no number is asked for."""

RARE = 0.05
"""Share of the leads: rarer values of a text do not count, nor what lies beyond in a number."""


RELATED = 0.2
"""Cramér's V with some other field, at least, of a field that can tell kinds of leads apart."""

N_BINS = 5
"""Of a number, of about equal size, for Cramér's V: it sees whatever goes together, in line or not."""

N_STARTS = 10
"""Of k-means, of which the best is kept: with few, fits differ by chance and seem unstable."""


def related(schema: LeadSchema, X: pd.DataFrame) -> LeadSchema:
    """Return the schema of the fields that go together with some other field.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    X : DataFrame of shape (n_leads, n_fields)
        Typed leads.
    """
    codes = {field.name: _codes(field, X[field.name]) for field in schema.fields}
    kept: set[str] = set()
    for one, other in combinations(codes, 2):
        # NaN, of a field that does not vary, is not above anything.
        if not {one, other} <= kept and cramers_v(codes[one], codes[other]) >= RELATED:
            kept |= {one, other}
    return schema.narrowed(kept)


def _codes(field: Field, column: pd.Series) -> Positions:
    if field.is_text:
        return category_codes(field, column) + 1
    numbers = column.to_numpy(dtype=np.float64)
    known = ~np.isnan(numbers)
    if not known.any():
        return np.zeros(len(numbers), dtype=np.intp)
    edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, N_BINS + 1)[1:-1]))
    return np.where(known, np.searchsorted(edges, numbers) + 1, 0).astype(np.intp)


def fit_encoder(schema: LeadSchema, X: pd.DataFrame) -> Pipeline | None:
    """Fit the steps from typed leads to the directions in which they differ most.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    X : DataFrame of shape (n_leads, n_fields)
        Typed leads.

    Returns
    -------
    Pipeline or None
        Ending in the principal component analysis; None if no field varies enough.
    """
    X = winsorized(schema, X)
    filled = X[schema.number_columns].fillna(X[schema.number_columns].median())
    numbers = [name for name in schema.number_columns if filled[name].min() < filled[name].max()]
    choices = {name: _common(X[name]) for name in schema.text_columns}
    choices = {name: values for name, values in choices.items() if len(values) > 1}
    if not numbers and not choices:
        return None
    # Numbers in the range that they were held in, a new lead's as well; then in deviations.
    number = Pipeline(
        [
            ("fill", SimpleImputer(strategy="median")),
            ("hold", MinMaxScaler(clip=True)),
            ("scale", StandardScaler()),
        ]
    )
    categories = [np.array(values, dtype=object) for values in choices.values()]
    text = Pipeline(
        [
            ("fill", SimpleImputer(strategy="constant", fill_value=MISSING)),
            ("values", OneHotEncoder(categories=categories, handle_unknown="ignore", sparse_output=False)),
        ]
    )
    columns = ColumnTransformer([("number", number, numbers), ("text", text, list(choices))])
    n_columns = len(numbers) + sum(map(len, categories))
    # Exactly: by default scikit-learn chooses the solver by the shape, and one of them draws at random.
    directions = PCA(min(MAX_TRIED - 1, n_columns), svd_solver="full")
    return Pipeline([("columns", columns), ("directions", directions)]).fit(X)


def winsorized(schema: LeadSchema, X: pd.DataFrame) -> pd.DataFrame:
    """Return typed leads with each number held between its `RARE` and its 1 - `RARE` quantile."""
    known = {name: X[name].dropna() for name in schema.number_columns}
    held = {
        name: X[name].clip(*np.quantile(values, [RARE, 1 - RARE]))
        for name, values in known.items()
        if len(values)
    }
    return X.assign(**held)


def _common(column: pd.Series) -> list[str]:
    """Return the values that count, in an order that does not depend on that of the leads."""
    counts = column.value_counts()
    common = counts[counts >= max(MIN_CATEGORY_COUNT, RARE * len(column))]
    return sorted(str(value) for value in common.index)


def fit_kmeans(encoder: Pipeline, encoded: Floats, n_groups: int, seed: int) -> Pipeline:
    """Fit k-means on encoded leads, and return it at the end of the steps that encode them.

    Parameters
    ----------
    encoder : Pipeline
        As `fit_encoder` returns it.
    encoded : array of shape (n_leads, n_directions)
        What it makes of the leads.
    n_groups : int
        Groups.
    seed : int
        Of the first centres.
    """
    groups = KMeans(n_groups, n_init=N_STARTS, random_state=seed).fit(encoded)
    return Pipeline([*encoder.steps, ("groups", groups)])


def slim(pipeline: Pipeline) -> Pipeline:
    """Return the pipeline without what belongs to single leads, its numbers as plain rows and tables."""
    # Rows and tables of float64 in C order: the only arrays that the reader of the file lets in.
    for step in _steps(pipeline):
        for name, value in vars(step).copy().items():
            if name == "labels_":  # of k-means: the group of each lead that it was fitted on
                del step.labels_
            elif isinstance(value, np.generic):
                setattr(step, name, value.item())
            elif isinstance(value, np.ndarray) and value.dtype.kind in "iuf":
                setattr(step, name, np.ascontiguousarray(value, dtype=np.float64))
    return pipeline


def _steps(step: BaseEstimator) -> Sequence[BaseEstimator]:
    """Return all estimators in a pipeline."""
    below: list[BaseEstimator] = []
    if isinstance(step, Pipeline):
        below = [one for _, one in step.steps]
    if isinstance(step, ColumnTransformer):
        below = [one for _, one, _ in step.transformers_ if isinstance(one, BaseEstimator)]
    return [step, *(inner for one in below for inner in _steps(one))]
