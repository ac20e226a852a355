"""Rare texts, which a model must not know: whoever asks for one would learn whether a lead had it."""

import numpy as np
import pandas as pd

from leadmodel.leads.field import MIN_CATEGORY_COUNT

__all__ = ["forget_rare"]


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
