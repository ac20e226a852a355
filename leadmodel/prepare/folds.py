"""Cross-validation folds that keep the leads of one person together.

What a model learned of a person from one lead helps it with the next one. Where leads are drawn at
random, into folds or into a test set, all leads of one person therefore go to the same side.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from leadmodel.arrays import Ints, Positions
from leadmodel.errors import InputError

__all__ = ["Folds", "find_group_ids", "group_outcomes"]


@dataclass(frozen=True, eq=False)
class Folds:
    """Stratified folds, the same ones at every call.

    Parameters
    ----------
    n_folds : int
        Number of folds.
    random_state : int
        Seed of the shuffling, and of models that are compared on the folds.
    group_ids : array of shape (n_leads,), optional
        A number for each lead, from 0 on without gaps; leads with the same one go to one fold.
    """

    n_folds: int
    random_state: int
    group_ids: Positions | None = None

    def split(self, y: Ints) -> Iterator[tuple[Positions, Positions]]:
        """Yield the positions to fit on and to evaluate on, fold by fold.

        Each fold has about the same share of converted leads; with `group_ids`, whole groups are
        dealt out, and each fold has about the same share of those with a converted lead.
        """
        folds = StratifiedKFold(self.n_folds, shuffle=True, random_state=self.random_state)
        if self.group_ids is None:
            yield from folds.split(np.zeros(len(y)), y)
            return
        outcomes = group_outcomes(y, self.group_ids, self.n_folds)
        for _, test_groups in folds.split(np.zeros(len(outcomes)), outcomes):
            is_test = np.isin(self.group_ids, test_groups)
            yield np.flatnonzero(~is_test), np.flatnonzero(is_test)

    def subset(self, rows: Positions) -> "Folds":
        """Return folds of the leads in `rows` alone."""
        if self.group_ids is None:
            return self
        return replace(self, group_ids=np.unique(self.group_ids[rows], return_inverse=True)[1])

    def redrawn(self) -> "Folds":
        """Return other folds of the same leads, to check what was chosen on these."""
        return replace(self, random_state=self.random_state + 1)


def find_group_ids(ids: pd.Series) -> Positions | None:
    """Return which leads belong together, or None if each has an id of its own, or none at all."""
    has_id = ids.notna().to_numpy()
    if not ids[has_id].duplicated().any():
        return None
    codes = pd.factorize(ids)[0]
    codes[~has_id] = codes.max() + 1 + np.arange((~has_id).sum())
    return np.asarray(codes, dtype=np.intp)


def group_outcomes(y: Ints, group_ids: Positions, at_least: int) -> Ints:
    """Return 1 for each group with a converted lead, 0 for the others.

    Parameters
    ----------
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    group_ids : array of shape (n_leads,)
        From 0 on, without gaps.
    at_least : int
        How many groups of either outcome there must be.

    Raises
    ------
    InputError
        If there are fewer.
    """
    converted = (np.bincount(group_ids, weights=y) > 0).astype(np.int64)
    fewest = min(int(converted.sum()), int(len(converted) - converted.sum()))
    if fewest < at_least:
        raise InputError(
            f"Leads with the same id are kept together. Those of one outcome come from {fewest} ids only, "
            f"and {at_least} are needed. If the column of ids names no leads, --drop it instead."
        )
    return converted
