"""How good a grouping of leads is: silhouette, Davies-Bouldin, and whether it comes out again.

The adjusted Rand index compares two groupings of the same leads, made by fits on different
resamples (Hennig 2007): 1 where they agree, 0 where they agree by chance alone.
"""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score, davies_bouldin_score, silhouette_score
from sklearn.mixture import GaussianMixture

from leadmodel.arrays import Floats, Positions
from leadmodel.clusters.results import Grouping

__all__ = ["agreement", "compare_methods", "width"]

N_SILHOUETTE = 1500
"""Leads that the silhouette is the mean of; it needs the distances of all pairs of them."""

N_COMPARED = 1200
"""Leads that other methods are fitted to; some take time with the square of their number."""

N_PARTS, PART = 4, 0.7
"""Parts of the leads, at random and without repeats, that each method is fitted to again."""

_Fit = Callable[[Floats], Positions]


def width(encoded: Floats, labels: Positions, seed: int) -> float:
    """Return the mean silhouette width of grouped leads; 0 for a single group."""
    rows = np.random.default_rng(seed).permutation(len(labels))[:N_SILHOUETTE]
    if not 1 < len(np.unique(labels[rows])) < len(rows):
        return 0.0
    return float(silhouette_score(encoded[rows], labels[rows]))


def agreement(groupings: Sequence[Positions]) -> float:
    """Return the mean adjusted Rand index over all pairs of groupings of the same leads."""
    return float(np.mean([adjusted_rand_score(one, other) for one, other in combinations(groupings, 2)]))


def compare_methods(encoded: Floats, n_groups: int, smallest: int, seed: int) -> tuple[Grouping, ...]:
    """Group the same leads by k-means and by other methods, each judged by the same measures.

    Parameters
    ----------
    encoded : array of shape (n_leads, n_directions)
        The leads; some of them are drawn where there are many.
    n_groups : int
        Groups, for the methods that need to be told.
    smallest : int
        Leads of the smallest group of HDBSCAN, as a share of which it is told.
    seed : int
        Of the draw, the parts and the methods.
    """
    rng = np.random.default_rng(seed)
    encoded = encoded[rng.permutation(len(encoded))[:N_COMPARED]]
    parts = [np.sort(rng.permutation(len(encoded))[: int(PART * len(encoded))]) for _ in range(N_PARTS)]
    methods: dict[str, tuple[_Fit, bool]] = {
        "k-means": (KMeans(n_groups, n_init=4, random_state=seed).fit_predict, True),
        "Gaussian mixture": (GaussianMixture(n_groups, random_state=seed).fit_predict, True),
        "agglomerative (Ward)": (AgglomerativeClustering(n_groups).fit_predict, False),
        "HDBSCAN": (HDBSCAN(min_cluster_size=max(smallest, 5), copy=True).fit_predict, False),
    }
    return tuple(
        _judge(name, fit, encoded, parts, assigns=assigns) for name, (fit, assigns) in methods.items()
    )


def _judge(name: str, fit: _Fit, encoded: Floats, parts: list[Positions], *, assigns: bool) -> Grouping:
    labels = fit(encoded)
    again = [dict(zip(part.tolist(), fit(encoded[part]).tolist(), strict=True)) for part in parts]
    common = [
        adjusted_rand_score(
            *zip(*((one[row], other[row]) for row in one.keys() & other.keys()), strict=True)
        )
        for one, other in combinations(again, 2)
    ]
    grouped = labels >= 0  # HDBSCAN calls the leads of no group -1
    counts = np.bincount(labels[grouped]) if grouped.any() else np.zeros(0, dtype=np.intp)
    several = len(counts) > 1
    return Grouping(
        method=name,
        n_groups=len(counts),
        silhouette=float(silhouette_score(encoded[grouped], labels[grouped])) if several else 0.0,
        davies_bouldin=float(davies_bouldin_score(encoded[grouped], labels[grouped])) if several else 0.0,
        stability=float(np.mean(common)),
        smallest=float(counts.min() / len(labels)) if several else 0.0,
        left_over=float(np.mean(~grouped)),
        assigns=assigns,
    )
