"""Leads that belong together: those of one person, who may stand among past leads more than once.

What a model learned of a person from one lead helps it with the next one. Where leads are drawn at
random, into folds or into a test set, all leads of one person therefore go to the same side.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadmodel.errors import InputError

__all__ = ["Groups", "find_groups", "group_outcomes"]

Groups = npt.NDArray[np.intp]
"""A number for each lead, from 0 on; the same one for leads that belong together."""


def find_groups(ids: pd.Series) -> Groups | None:
    """Return which leads belong together, or None if each has an id of its own, or none at all."""
    known = ids.notna().to_numpy()
    if not ids[known].duplicated().any():
        return None
    codes = pd.factorize(ids)[0]
    codes[~known] = codes.max() + 1 + np.arange((~known).sum())
    return np.asarray(codes, dtype=np.intp)


def group_outcomes(y: npt.NDArray[np.int64], groups: Groups, at_least: int) -> npt.NDArray[np.int64]:
    """Return 1 for each group with a converted lead, 0 for the others.

    Parameters
    ----------
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    groups : array of shape (n_leads,)
        From 0 on, without gaps.
    at_least : int
        How many groups of either outcome there must be.

    Raises
    ------
    InputError
        If there are fewer.
    """
    converted = (np.bincount(groups, weights=y) > 0).astype(np.int64)
    fewest = min(int(converted.sum()), int(len(converted) - converted.sum()))
    if fewest < at_least:
        raise InputError(
            f"Leads with the same id are kept together. Those of one outcome come from {fewest} ids only, "
            f"and {at_least} are needed. If the column of ids names no leads, --drop it instead."
        )
    return converted
