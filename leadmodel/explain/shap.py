"""Exact contributions of the fields to a lead's log-odds, looked up in a table made once.

CatBoost's trees are symmetric: all nodes of a level ask the same question. The SHAP values of a lead
in one tree (Lundberg et al. 2020, weighted by the training leads in the leaves) therefore follow from
its leaf alone. With a row for each leaf of each tree, what is left to do for a lead is a sum of rows.
"""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from catboost import CatBoostClassifier, Pool
from scipy.sparse import csr_array

from leadmodel.arrays import Floats, Ints

__all__ = ["ShapExplainer"]

TOLERANCE = 1e-6
"""In log-odds: a table that differs by more from CatBoost's own contributions is not used."""

MAX_CELLS = 2**26
"""Numbers worked out for a table, or held by it, at most: a second, or half a gigabyte."""

CHUNK_CELLS = 2**18
"""Numbers worked out at a time, so that they stay near the processor."""

_Floats = Floats
_Split = tuple[int, ...]
"""Positions of the fields that a split asks about: several for categories taken together."""


class ShapExplainer:
    """What the fields of a lead contribute to the log-odds that a classifier gives it.

    Parameters
    ----------
    classifier : CatBoostClassifier
        Fitted, for two classes. Where no table can be made, or it does not agree with CatBoost's
        own contributions on a few made-up leads, CatBoost is asked each time, which takes longer.
    """

    def __init__(self, classifier: CatBoostClassifier) -> None:
        self.classifier = classifier
        self._asked, self._line = _without_scale(classifier)
        pool = _make_up_leads(classifier)
        self._table = _tabulate(classifier, pool)
        own = self.ask(pool, 1)
        self._base = own[0, -1]
        if not np.allclose(self.contributions(pool, 1), own, rtol=0, atol=TOLERANCE):
            self._table = None

    @property
    def is_tabulated(self) -> bool:
        """Whether contributions are looked up rather than asked of CatBoost."""
        return self._table is not None

    def contributions(self, pool: Pool, thread_count: int = -1) -> _Floats:
        """Return the SHAP values of `pool` in log-odds, of shape (n_leads, n_fields + 1).

        The last column is the expected log-odds; each row sums to the log-odds of its lead.
        """
        if self._table is None:
            return self.ask(pool, thread_count)
        leaves = self.classifier.calc_leaf_indexes(pool, thread_count=thread_count)
        parts = np.array_split(leaves, 1 + leaves.size // CHUNK_CELLS)
        sums = np.vstack([self._table.sum_rows(part) for part in parts])
        return np.column_stack([sums, np.full(len(sums), self._base)])

    def ask(self, pool: Pool, thread_count: int = -1) -> _Floats:
        """Return what `contributions` does, as CatBoost itself computes it."""
        kind, (scale, bias) = "ShapValues", self._line
        values = self._asked.get_feature_importance(pool, type=kind, thread_count=thread_count) * scale
        values[..., -1] += bias
        return values


class _Table(NamedTuple):
    """The contributions in each leaf, (n_leaves, n_fields), and where each tree's leaves begin."""

    rows: _Floats
    starts: Ints

    def sum_rows(self, leaves: npt.NDArray[np.uint32]) -> _Floats:
        """Add up the rows of each lead's `leaves`, of shape (n_leads, n_trees)."""
        (n_leads, n_trees), places = leaves.shape, (leaves + self.starts).ravel()
        ends = np.arange(n_leads + 1) * n_trees
        ones = csr_array((np.ones(places.size), places, ends), shape=(n_leads, len(self.rows)))
        ones.check_format()  # no leaf outside the table, whatever a hostile model says
        return ones @ self.rows


def _without_scale(classifier: CatBoostClassifier) -> tuple[CatBoostClassifier, tuple[float, float]]:
    """Return a classifier that CatBoost explains, and the scale and bias that lead from its log-odds.

    CatBoost refuses SHAP values of a model with a scale, such as a calibrated one.
    """
    scale, bias = classifier.get_scale_and_bias()
    if scale == 1:
        return classifier, (1.0, 0.0)
    plain = classifier.copy()
    plain.set_scale_and_bias(1.0, 0.0)
    return plain, (scale, bias)


def _make_up_leads(classifier: CatBoostClassifier) -> Pool:
    """Return leads without names of fields, so that CatBoost calls the fields by their positions."""
    texts, n_fields = classifier.get_cat_feature_indices(), len(classifier.feature_names_)
    rows = [
        ["a" if place in texts else number for place in range(n_fields)] for number in (math.nan, 0.0, 1e9)
    ]
    return Pool(rows, cat_features=texts)


def _tabulate(classifier: CatBoostClassifier, pool: Pool) -> _Table | None:
    """Return the table, or None where trees are not symmetric, without weights, or too many."""
    n_leaves = np.asarray(classifier.get_tree_leaf_counts(), dtype=np.int64)
    described = [classifier._get_tree_splits(tree, pool) for tree in range(len(n_leaves))]
    trees = [tuple(map(_read_split, splits)) for splits in described]
    n_fields = len(classifier.feature_names_)
    n_cells = max(np.sum(n_leaves.astype(float) ** 2), n_leaves.sum() * n_fields)
    if n_leaves.tolist() != [2 ** len(splits) for splits in trees] or n_cells > MAX_CELLS:
        return None
    try:
        leaves = np.array([classifier.get_leaf_values(), classifier.get_leaf_weights()])
    except AssertionError:  # CatBoost has not a weight for each leaf
        return None
    leaves[0] *= classifier.get_scale_and_bias()[0]
    table = _Table(np.zeros((n_leaves.sum(), n_fields)), np.cumsum(n_leaves) - n_leaves)
    for part in _batches(n_leaves):
        places = table.starts[part][:, None] + np.arange(n_leaves[part[0]])
        shapley = np.array([_weigh_fields(trees[tree], n_fields) for tree in part])
        table.rows[places] = (shapley @ _expect(*leaves[:, places])).swapaxes(1, 2)
    return table


def _batches(n_leaves: Ints) -> Iterator[Ints]:
    """Yield the positions of trees of one size, a few at a time."""
    for size in set(n_leaves.tolist()):
        alike = np.flatnonzero(n_leaves == size)
        yield from np.array_split(alike, 1 + len(alike) * size**2 // CHUNK_CELLS)


def _read_split(described: str) -> _Split:
    """Read "3, bin=0.5" as (3,), and "{1, 2, 4 border=1.5} counter_type=…" as (1, 2).

    CatBoost credits the categories that it takes together, not the number they are taken with.
    """
    named = described[1:].split("}")[0] if described[0] == "{" else described.split(",")[0]
    return tuple(int(field) for field in named.split(", ") if field.isdecimal())


def _expect(values: _Floats, weights: _Floats) -> _Floats:
    """Return what each tree gives on average to a lead of which only some splits are known.

    Parameters
    ----------
    values, weights : array of shape (n_trees, 2 ** depth)
        Of the leaves; bit s of a leaf's place is the answer to split s, the last split the root's.

    Returns
    -------
    array of shape (n_trees, 2 ** depth, 2 ** depth)
        By the set of known splits, as bits, and by the leaf that the lead falls into.
    """
    n_trees, n_leaves = values.shape
    expected = values.reshape(n_trees, 1, n_leaves)
    for split in range(n_leaves.bit_length() - 1):
        # Axes: tree, known splits so far, answers above, answer here, answers below.
        expected = expected.reshape(n_trees, 2**split, -1, 2, 2**split)
        weights = weights.reshape(n_trees, 1, -1, 2, 1)
        total = weights.sum(axis=3, keepdims=True)
        share = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
        unknown = np.broadcast_to((expected * share).sum(axis=3, keepdims=True), expected.shape)
        expected = np.stack([unknown, expected], axis=1)
        weights = total
    return expected.reshape(n_trees, n_leaves, n_leaves)


def _weigh_fields(splits: tuple[_Split, ...], n_fields: int) -> _Floats:
    """Return what makes contributions of `_expect`, of shape (n_fields, 2 ** depth).

    Splits that ask about the same fields are one player; its fields share what it contributes.
    """
    players = list(dict.fromkeys(splits))
    weights = np.zeros((n_fields, 2 ** len(splits)))
    for fields, row in zip(players, _weigh(tuple(map(players.index, splits))), strict=True):
        for field in fields:
            weights[field] += row / len(fields)
    return weights


@lru_cache(maxsize=1024)
def _weigh(player_of: tuple[int, ...]) -> _Floats:
    """Return Shapley's weights of the sets of known splits, of shape (n_players, 2 ** depth).

    A player contributes the mean, over all orders of the players, of what knowing its splits
    adds to knowing those of the players before it (Shapley 1953).
    """
    n_players = max(player_of, default=-1) + 1
    known = np.arange(2**n_players)[:, None] >> np.arange(n_players) & 1
    bits = np.zeros(n_players, dtype=np.int64)
    np.add.at(bits, list(player_of), 1 << np.arange(len(player_of)))
    size = known.sum(axis=1)
    orders = np.array([math.comb(n_players, int(k)) for k in size])
    share = known / np.maximum(size, 1)[:, None] - (1 - known) / np.maximum(n_players - size, 1)[:, None]
    weights = np.zeros((n_players, 2 ** len(player_of)))
    weights[:, known @ bits] = (share / orders[:, None]).T
    return weights
