"""Split leads into training leads, test leads and cross-validation folds.

What a model learned of a person from one lead helps it with the next one, and what it learned of a lead
is true of its copies. Where leads are drawn at random, into folds or into a test set, all leads of one
person, and all copies of one lead, therefore go to the same side.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedKFold, train_test_split

from leadmodel.arrays import Ints, Positions
from leadmodel.errors import InputError
from leadmodel.leads.times.read import read_times

__all__ = [
    "Folds",
    "Split",
    "combine_group_ids",
    "find_group_ids",
    "group_outcomes",
    "split_leads",
]


@dataclass(frozen=True)
class Split:
    """Positions of the training and of the test leads, and how they were chosen.

    Attributes
    ----------
    train, test : array of int
        Positions, the oldest first where times are known.
    description : str
        How the test leads were chosen, in words.
    time_range : tuple of str, optional
        First and last time of the training leads.
    leads_per_day : float, optional
        Training leads that came in per day, where times are dates.
    """

    train: Positions
    test: Positions
    description: str
    time_range: tuple[str, str] | None = None
    leads_per_day: float | None = None


def split_leads(
    y: Ints,
    times: pd.Series | None,
    *,
    test_share: float,
    random_state: int,
    horizon: int | None = None,
    group_ids: Positions | None = None,
    twin_ids: Positions | None = None,
) -> Split:
    """Split leads into training and test leads.

    Where times are known they alone decide, as they will when the model is used: a person who has an
    old lead and a new one may stand on both sides. Given a horizon, training leads whose outcome was not
    known yet when the first test lead was scored are left out (purging; López de Prado 2018, chapter 7),
    so that nothing that happened in the time of the test has been learned. So are copies of test leads.

    Parameters
    ----------
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    times : Series of shape (n_leads,), optional
        The time of each lead; if known, the newest leads are the test leads, and those without one
        are training leads.
    test_share : float
        Share of the test leads.
    random_state : int
        Seed of the split without times, which keeps the share of converted leads.
    horizon : int, optional
        Days after its time within which a lead's outcome becomes known.
    group_ids : array of shape (n_leads,), optional
        Leads that stay together where there are no times; see `Folds`.
    twin_ids : array of shape (n_leads,), optional
        Copies of one lead have the same one; they are never on both sides.

    Raises
    ------
    InputError
        If all of the test leads, or of the training leads, have one outcome.
    """
    if times is None:
        return _at_random(y, group_ids, twin_ids, test_share, random_state)
    ordered = read_times(times)
    # Stable, so that leads of one time keep the order of their table.
    order = np.argsort(ordered.to_numpy(), kind="stable")
    is_dated = ordered.notna().to_numpy()[order]
    n_dated = int(is_dated.sum())
    n_test = round(test_share * n_dated)
    undated, order = order[~is_dated], order[is_dated]
    if not n_test:
        raise InputError(f"The time column {times.name!r} must have dates. Only {n_dated:,} have one.")
    train, test = order[:-n_test], order[-n_test:]
    description = f"the newest {test_share:.0%} of the leads by {times.name!r}"
    if len(undated):
        train = np.concatenate([undated, train])
        description += f"; {len(undated):,} leads without a time are training leads"
    if horizon is not None:
        known = (ordered.iloc[train] + pd.Timedelta(days=horizon) <= ordered.iloc[test[0]]).to_numpy()
        description += (
            f"; {(~known).sum():,} older leads were excluded: their outcome was not yet known when the "
            "test began"
        )
        train = train[known]
        if len(set(y[train])) < 2:
            raise InputError(
                "The outcomes of the leads before the test were not known when it began: a horizon of "
                f"{horizon} days leaves no training leads. Add older leads, or shorten the horizon."
            )
    if twin_ids is not None:
        is_copy = np.isin(twin_ids[train], twin_ids[test])
        description += f"; {is_copy.sum():,} older leads were excluded: they are copies of test leads"
        train = train[~is_copy]
    if len(set(y[test])) < 2 or len(set(y[train])) < 2:
        raise InputError(
            f"The newest {test_share:.0%} of the leads by {times.name!r}, and the older ones, must have "
            "both outcomes. They do not; name another time column, or drop this one with --drop."
        )
    dated = ordered.iloc[train].dropna()
    if dated.empty:
        return Split(train, test, description)
    first, last = dated.iloc[0], dated.iloc[-1]
    # A serial number puts leads in order, but is no date.
    days = (last - first) / pd.Timedelta("1D") if isinstance(first, pd.Timestamp) else 0.0
    return Split(
        train,
        test,
        description,
        time_range=(str(first), str(last)),
        leads_per_day=len(dated) / days if days else None,
    )


def _at_random(
    y: Ints, ids: Positions | None, twin_ids: Positions | None, test_share: float, random_state: int
) -> Split:
    description = f"a random {test_share:.0%} of the leads, stratified by outcome"
    group_ids = combine_group_ids(ids, twin_ids)
    # 2 of either outcome are the fewest that scikit-learn can put into equal shares.
    outcomes = y if group_ids is None else group_outcomes(y, group_ids, 2)
    train, test = train_test_split(
        np.arange(len(outcomes)), test_size=test_share, stratify=outcomes, random_state=random_state
    )
    if group_ids is None:
        return Split(train, test, description)
    is_test = np.isin(group_ids, test)
    same = (("leads of the same id", ids), ("copies of one lead", twin_ids))
    together = " and ".join(name for name, groups in same if groups is not None)
    description += f", with {together} kept together"
    return Split(np.flatnonzero(~is_test), np.flatnonzero(is_test), description)


@dataclass(frozen=True, eq=False)
class Folds:
    """Stratified folds, the same at every call.

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
        """Return folds of only the leads in `rows`."""
        if self.group_ids is None:
            return self
        return replace(self, group_ids=np.unique(self.group_ids[rows], return_inverse=True)[1])

    def redrawn(self) -> "Folds":
        """Return other folds of the same leads, to validate a choice made on these."""
        return replace(self, random_state=self.random_state + 1)


def find_group_ids(ids: pd.Series) -> Positions | None:
    """Return group ids of the leads, or None if every lead has a different id or there are no ids."""
    has_id = ids.notna().to_numpy()
    if not ids[has_id].duplicated().any():
        return None
    codes = pd.factorize(ids)[0]
    codes[~has_id] = codes.max() + 1 + np.arange((~has_id).sum())
    return np.asarray(codes, dtype=np.intp)


def combine_group_ids(first: Positions | None, second: Positions | None) -> Positions | None:
    """Return groups of the leads that are together in one or the other, directly or through a third."""
    if first is None or second is None:
        return second if first is None else first
    # A graph of leads and groups, each lead joined to its two groups.
    n_leads, leads = len(first), np.arange(len(first))
    ends = np.concatenate([n_leads + first, n_leads + first.max() + 1 + second])
    n_nodes = int(ends.max()) + 1
    graph = coo_array((np.ones(len(ends), dtype=bool), (np.tile(leads, 2), ends)), shape=(n_nodes, n_nodes))
    labels = connected_components(graph, directed=False)[1][:n_leads]
    return np.unique(labels, return_inverse=True)[1].astype(np.intp)


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
            "Leads with the same id and copies of one lead are kept together. Those of one outcome make "
            f"{fewest} groups only, and {at_least} are needed. If the column of ids names no leads, --drop "
            "it instead; if leads are copied, remove the copies."
        )
    return converted
