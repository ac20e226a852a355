"""Leads that belong together: those of one person, who may stand among past leads more than once.

What a model learned of a person from one lead helps it with the next one. Where leads are drawn at
random, into folds or into a test set, all leads of one person therefore go to the same side.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from leadmodel.arrays import Ints, Positions
from leadmodel.errors import InputError
from leadmodel.prepare.settings import TrainingSettings

__all__ = ["GroupIds", "find_group_ids", "group_outcomes", "make_folds"]

GroupIds = Positions
"""A number for each lead, from 0 on; the same one for leads that belong together."""


def find_group_ids(ids: pd.Series) -> GroupIds | None:
    """Return which leads belong together, or None if each has an id of its own, or none at all."""
    known = ids.notna().to_numpy()
    if not ids[known].duplicated().any():
        return None
    codes = pd.factorize(ids)[0]
    codes[~known] = codes.max() + 1 + np.arange((~known).sum())
    return np.asarray(codes, dtype=np.intp)


def group_outcomes(y: Ints, groups: GroupIds, at_least: int) -> Ints:
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


def make_folds(
    y: Ints, settings: TrainingSettings, groups: GroupIds | None = None
) -> Iterator[tuple[Positions, Positions]]:
    """Yield the positions inside and outside of each fold, the same ones at every call.

    Each fold has about the same share of converted leads; given `groups`, whole groups are dealt out,
    and each fold has about the same share of those with a converted lead.
    """
    folds = StratifiedKFold(settings.n_folds, shuffle=True, random_state=settings.seed)
    if groups is None:
        yield from folds.split(np.zeros(len(y)), y)
        return
    outcomes = group_outcomes(y, groups, settings.n_folds)
    for _, dealt in folds.split(np.zeros(len(outcomes)), outcomes):
        outside = np.isin(groups, dealt)
        yield np.flatnonzero(~outside), np.flatnonzero(outside)
