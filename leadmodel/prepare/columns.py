"""Choose the columns to train on, and hide rare text values from the model."""

import numpy as np
import pandas as pd

from leadmodel.arrays import Ints
from leadmodel.audit.leakage import deal_folds
from leadmodel.audit.univariate import is_gap, measure_univariate, to_codes
from leadmodel.leads.field import MIN_CATEGORY_COUNT
from leadmodel.leads.schema import LeadSchema

__all__ = ["choose_columns", "forget_rare", "max_columns", "narrow"]

MIN_COLUMNS = 200
"""Number of columns that is always allowed: trees ignore those without information."""

LEADS_PER_COLUMN = 10
"""Leads per column; with fewer, some columns of pure chance look as good as the best real ones."""


def max_columns(n_leads: int) -> int:
    """Return the largest number of columns for a model of `n_leads`."""
    return max(MIN_COLUMNS, n_leads // LEADS_PER_COLUMN)


def choose_columns(X: pd.DataFrame, y: Ints) -> list[str]:
    """Choose the columns to train on: all, or, if there are too many, those that rank leads best.

    Each column is evaluated on leads that it was not fitted to, as in the audit. The leads that a model is
    tested on must not take part in the choice, or columns that fit them by chance make the model look
    good (Ambroise and McLachlan 2002).

    Parameters
    ----------
    X : DataFrame of shape (n_leads, n_columns)
        Typed leads to learn from.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others; both occur.
    """
    limit = max_columns(len(y))
    if X.shape[1] <= limit:
        return list(X.columns)
    folds = deal_folds(y, np.random.default_rng(0))
    auc = [measure_univariate(to_codes(X[name]), is_gap(X[name]), y, folds).auc for name in X.columns]
    best = np.argsort(-np.array(auc), kind="stable")[:limit]
    # In the order of the leads' columns, so that the same columns give the same model.
    return [X.columns[position] for position in np.sort(best)]


def narrow(schema: LeadSchema, X: pd.DataFrame, y: Ints) -> LeadSchema:
    """Return the schema of the chosen columns; the others are ignored, with the reason.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    X, y
        As for `choose_columns`.
    """
    kept = set(choose_columns(X, y))
    if len(kept) == len(schema.fields):
        return schema
    why = f"too many columns for {len(y):,} leads: {len(kept):,} of {len(schema.fields):,} rank better"
    return schema.narrowed(kept, dict.fromkeys(schema.by_name, why))


def forget_rare(X: pd.DataFrame) -> pd.DataFrame:
    """Replace rare text values by tokens, so that the model does not reveal that a lead had one.

    CatBoost keeps a hash of each text that it learns from. It learns from a token what it would have
    learned from the text, but no lead to score can have a token: tokens begin with a blank, and texts
    are stripped when they are read. So scoring treats a rare text as one never seen.

    Parameters
    ----------
    X : DataFrame of shape (n_leads, n_fields)
        Typed leads, all that one model is fitted to; unchanged columns are not copied.
    """
    return X.assign(**{name: _forget(X[name]) for name in X.select_dtypes("category").columns})


def _forget(column: pd.Series) -> pd.Series:
    texts = column.cat.categories
    counts = np.bincount(column.cat.codes.to_numpy(), minlength=len(texts))
    names = [
        text if count >= MIN_CATEGORY_COUNT else f" {code}"
        for code, (text, count) in enumerate(zip(texts, counts.tolist(), strict=True))
    ]
    return column.cat.rename_categories(names)
