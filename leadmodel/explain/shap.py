"""Compute exact SHAP values of CatBoost classifiers from a table of their leaves.

CatBoost's trees are symmetric: all nodes of a level have the same split. The SHAP values of a lead in
one tree (Lundberg et al. 2020, weighted by the training leads in the leaves) therefore depend on its leaf
alone. With a row for each leaf of each tree, the SHAP values of a lead are a sum of rows.
"""

# Why this is not left to CatBoost: `get_feature_importance` takes 0.7 ms for one lead, as long as all the
# rest of an answer. The table leans on one private method of CatBoost 1.2, `_get_tree_splits`, because no
# public one names the fields of a split on combined categories. If a release changes what it returns,
# `ShapExplainer` sees it in the example leads, and asks CatBoost for the SHAP values in each call instead.

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from catboost import CatBoostClassifier, Pool
from scipy.sparse import csr_array

from leadmodel.arrays import Floats, Ints

__all__ = ["ShapExplainer"]

TOLERANCE = 1e-6
"""Log-odds by which a table may differ from CatBoost's own SHAP values, which it adds in another order."""

MAX_CELLS = 2**26
"""Most numbers computed for a table, or held by it: a second, or half a gigabyte."""

CHUNK_CELLS = 2**18
"""Numbers computed at a time, so that they stay in the cache of the processor."""

_Split = tuple[int, ...]
"""Positions of the fields of a split: several for combined categories."""


class ShapExplainer:
    """Compute the SHAP values of leads for a classifier.

    Parameters
    ----------
    classifier : CatBoostClassifier
        Fitted, for two classes. If no table can be made, or it disagrees with CatBoost's own SHAP
        values on a few example leads, CatBoost computes them in each call, which takes longer.
    """

    def __init__(self, classifier: CatBoostClassifier) -> None:
        self.classifier = classifier
        scale, bias = classifier.get_scale_and_bias()
        self._unscaled, self._scale, self._bias = classifier, 1.0, 0.0
        if scale != 1:
            # CatBoost refuses SHAP values of a model with a scale, such as a calibrated one. Those of a
            # copy without it are scaled here.
            self._unscaled, self._scale, self._bias = classifier.copy(), scale, bias
            self._unscaled.set_scale_and_bias(1.0, 0.0)
        pool = _example_pool(classifier)
        self._table = _tabulate(classifier, pool)
        expected = self.ask(pool, 1)
        self._base = expected[0, -1]
        if not np.allclose(self.contributions(pool, 1), expected, rtol=0, atol=TOLERANCE):
            self._table = None

    @property
    def is_tabulated(self) -> bool:
        """Whether the table is used."""
        return self._table is not None

    def contributions(self, pool: Pool, thread_count: int = -1) -> Floats:
        """Return the SHAP values of `pool` in log-odds, of shape (n_leads, n_fields + 1).

        The last column is the expected log-odds; each row sums to the log-odds of its lead.
        """
        if self._table is None:
            return self.ask(pool, thread_count)
        leaves = self.classifier.calc_leaf_indexes(pool, thread_count=thread_count)
        parts = np.array_split(leaves, 1 + leaves.size // CHUNK_CELLS)
        sums = np.vstack([self._table.sum_rows(part) for part in parts])
        return np.column_stack([sums, np.full(len(sums), self._base)])

    def ask(self, pool: Pool, thread_count: int = -1) -> Floats:
        """Return the same as `contributions`, computed by CatBoost itself."""
        values = self._unscaled.get_feature_importance(pool, type="ShapValues", thread_count=thread_count)
        values = values * self._scale
        values[..., -1] += self._bias
        return values


class _Table(NamedTuple):
    """SHAP values of each leaf, of shape (n_leaves, n_fields), and the first leaf of each tree."""

    rows: Floats
    starts: Ints

    def sum_rows(self, leaves: npt.NDArray[np.uint32]) -> Floats:
        """Add the rows of the `leaves` of each lead, of shape (n_leads, n_trees)."""
        (n_leads, n_trees), indices = leaves.shape, (leaves + self.starts).ravel()
        ends = np.arange(n_leads + 1) * n_trees
        # The product with a sparse matrix of ones adds the rows without gathering them first, which would
        # take n_leads * n_trees * n_fields numbers.
        ones = csr_array((np.ones(indices.size), indices, ends), shape=(n_leads, len(self.rows)))
        ones.check_format()  # the leaves of a hostile model may lie outside the table
        return ones @ self.rows


def _example_pool(classifier: CatBoostClassifier) -> Pool:
    """Return leads that have a missing, a low and a high value in each numeric field."""
    cat_features, n_fields = classifier.get_cat_feature_indices(), len(classifier.feature_names_)
    rows = [
        ["a" if field in cat_features else number for field in range(n_fields)]
        for number in (math.nan, 0.0, 1e9)
    ]
    # Without names, so that `_get_tree_splits` describes fields by their positions.
    return Pool(rows, cat_features=cat_features)


def _tabulate(classifier: CatBoostClassifier, pool: Pool) -> _Table | None:
    """Return the table; None if trees are not symmetric or too many, or leaves have no weights."""
    n_leaves = np.asarray(classifier.get_tree_leaf_counts(), dtype=np.int64)
    descriptions = [classifier._get_tree_splits(tree, pool) for tree in range(len(n_leaves))]
    trees = [tuple(map(_read_split, splits)) for splits in descriptions]
    n_fields = len(classifier.feature_names_)
    n_cells = max(np.sum(n_leaves.astype(float) ** 2), n_leaves.sum() * n_fields)
    # A symmetric tree has two to the number of its splits leaves.
    if n_leaves.tolist() != [2 ** len(splits) for splits in trees] or n_cells > MAX_CELLS:
        return None
    try:
        leaves = np.array([classifier.get_leaf_values(), classifier.get_leaf_weights()])
    except AssertionError:  # raised by CatBoost if a leaf has no weight
        return None
    leaves[0] *= classifier.get_scale_and_bias()[0]
    table = _Table(np.zeros((n_leaves.sum(), n_fields)), np.cumsum(n_leaves) - n_leaves)
    # Trees of one size at a time, so that numpy computes many of them in one call.
    for size in set(n_leaves.tolist()):
        same_size = np.flatnonzero(n_leaves == size)
        for part in np.array_split(same_size, 1 + len(same_size) * size**2 // CHUNK_CELLS):
            indices = table.starts[part][:, None] + np.arange(size)
            shapley = np.array([_field_weights(trees[tree], n_fields) for tree in part])
            table.rows[indices] = (shapley @ _expected_values(*leaves[:, indices])).swapaxes(1, 2)
    return table


def _read_split(description: str) -> _Split:
    """Read "3, bin=0.5" as (3,), and "{1, 2, 4 border=1.5} counter_type=…" as (1, 2)."""
    # CatBoost credits the categories that it combines, not the number that they are combined with.
    is_combined = description[0] == "{"
    fields = description[1:].split("}")[0] if is_combined else description.split(",")[0]
    return tuple(int(field) for field in fields.split(", ") if field.isdecimal())


def _expected_values(values: Floats, weights: Floats) -> Floats:
    """Return the expected value of each tree for a lead of which only some splits are known.

    Parameters
    ----------
    values, weights : array of shape (n_trees, 2 ** depth)
        Of the leaves; bit s of the index of a leaf is the answer to split s, the last split the root's.

    Returns
    -------
    array of shape (n_trees, 2 ** depth, 2 ** depth)
        By the set of known splits, as bits, and by the leaf that the lead falls into.
    """
    # From the leaves up, one split at a time: an unknown answer is averaged over both, weighted by the
    # training leads below. This takes 4 ** depth steps for all sets, not one walk for each set and leaf.
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


def _field_weights(splits: tuple[_Split, ...], n_fields: int) -> Floats:
    """Return the weights of `_expected_values` in the SHAP values, of shape (n_fields, 2 ** depth)."""
    # Splits on the same fields are one player of the game; its fields share its SHAP value equally, as
    # CatBoost has it.
    players = list(dict.fromkeys(splits))
    weights = np.zeros((n_fields, 2 ** len(splits)))
    for fields, row in zip(players, _player_weights(tuple(map(players.index, splits))), strict=True):
        for field in fields:
            weights[field] += row / len(fields)
    return weights


@lru_cache(maxsize=1024)
def _player_weights(player_of: tuple[int, ...]) -> Floats:
    """Return the Shapley weights of the sets of known splits, of shape (n_players, 2 ** depth)."""
    # The value of a player is the mean, over all orders of the players, of what its splits add to those
    # of the players before it (Shapley 1953). A set of k players with the player has the weight
    # 1 / (k * comb(n, k)), and without it -1 / ((n - k) * comb(n, k)).
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
