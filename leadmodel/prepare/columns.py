"""Choose the columns to learn from, and hide rare texts from the model."""

import numpy as np
import pandas as pd

from leadmodel.arrays import Ints
from leadmodel.audit.leakage import deal_folds
from leadmodel.audit.univariate import is_gap, measure_univariate, to_codes
from leadmodel.leads.field import MIN_CATEGORY_COUNT
from leadmodel.leads.schema import LeadSchema

__all__ = ["choose_columns", "forget_rare", "max_columns", "narrow"]

MIN_COLUMNS = 200
"""As many columns are never too many: trees pass over what tells nothing."""

LEADS_PER_COLUMN = 10
"""Of more columns, some of those that tell nothing seem to tell as much as those that do."""


def max_columns(n_leads: int) -> int:
    """Return how many columns a model of `n_leads` takes."""
    return max(MIN_COLUMNS, n_leads // LEADS_PER_COLUMN)


def choose_columns(X: pd.DataFrame, y: Ints) -> list[str]:
    """Return the columns to learn from: those that each alone rank the leads best, if they are too many.

    Each column is judged on leads that it was not measured on, as the audit does. Whoever judges a model
    on other leads chooses without them, or columns that fit these by chance make it look good (Ambroise
    and McLachlan 2002).

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
    return [X.columns[place] for place in np.sort(best)]


def narrow(schema: LeadSchema, X: pd.DataFrame, y: Ints) -> LeadSchema:
    """Return the schema of the columns that are chosen, with the others among those left out.

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
    why = f"too many columns: of {len(schema.fields):,}, {len(kept):,} others tell more of {len(y):,} leads"
    dropped = {name: why for name in schema.by_name if name not in kept}
    fields = tuple(field for field in schema.fields if field.name in kept)
    return LeadSchema(fields=fields, ignored=schema.ignored | dropped, placeholders=schema.placeholders)


def forget_rare(X: pd.DataFrame) -> pd.DataFrame:
    """Return leads to learn from, in which every text of fewer than a handful of them is a token.

    CatBoost keeps a hash of each text that it learns from. It learns from a token what it would have
    learned from the text, and no lead that is scored can hold one: what is read of a lead begins with no
    blank. So nothing has to be replaced when leads are scored, and a rare text is one never seen.

    Parameters
    ----------
    X : DataFrame of shape (n_leads, n_fields)
        Typed leads, all that one model learns from; what it has is not copied.
    """
    return X.assign(**{name: _forget(X[name]) for name in X.select_dtypes("category").columns})


def _forget(column: pd.Series) -> pd.Series:
    texts = column.cat.categories
    counts = np.bincount(column.cat.codes.to_numpy(), minlength=len(texts))
    names = [
        text if count >= MIN_CATEGORY_COUNT else f" {place}"
        for place, (text, count) in enumerate(zip(texts, counts.tolist(), strict=True))
    ]
    return column.cat.rename_categories(names)
