"""Cluster leads by their features and check that the clusters are stable.

The adjusted Rand index compares two groupings of the same leads, made by fits on different
resamples (Hennig 2007): 1 where they agree, 0 where they agree by chance alone.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score, davies_bouldin_score, silhouette_score
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from leadmodel.arrays import Floats, Positions
from leadmodel.clusters.describe import describe_segments
from leadmodel.clusters.option import SegmentsFile
from leadmodel.clusters.pipeline import MAX_TRIED, fit_encoder, fit_kmeans, related, slim
from leadmodel.clusters.results import MAX_SEGMENTS, MIN_GAIN, MIN_STABILITY, Clustering, Grouping
from leadmodel.errors import InputError
from leadmodel.leads.schema import LeadSchema
from leadmodel.options import EvaluationContext, FittedOption

__all__ = ["Segments", "agreement", "check_segments", "cluster_leads", "compare_methods", "width"]

MAX_LEADS = 4000
"""Leads that segments are looked for in: more would cost time and move no centre noticeably."""

MIN_LEADS = 50
"""Training leads of a segment; of fewer, its conversion would be known to ±14 points at best."""

MIN_SHARE = 0.02
"""Of the leads, in the smallest segment."""

MARGIN = 0.05
"""Beyond the stability that is asked for, of a number chosen among several: the best looks too good."""

N_RESAMPLES, N_SHUFFLED = 8, 3

N_SILHOUETTE = 1500
"""Leads that the silhouette is the mean of; it needs the distances of all pairs of them."""

N_COMPARED = 1200
"""Leads that other methods are fitted to; some take time with the square of their number."""

N_PARTS, PART = 4, 0.7
"""Parts of the leads, at random and without repeats, that each method is fitted to again."""

_Fit = Callable[[Floats], Positions]

Asked = int | Literal["auto"]


@dataclass(frozen=True, eq=False)
class Segments(FittedOption):
    """What the search found; no pipeline where the data hold no stable groups."""

    found: Clustering
    pipeline: Pipeline | None = None

    def evaluate(self, context: EvaluationContext) -> Clustering:
        """Name and describe the segments; their outcomes are looked at here for the first time."""
        return describe_segments(self.found, self.pipeline, context)

    def entry(self, result: Clustering, sha256: str | None) -> SegmentsFile | None:
        """Return the entry of config.json, unless the data hold no segments."""
        if sha256 is None:
            return None
        return SegmentsFile(names=tuple(segment.name for segment in result.segments), sha256=sha256)


def check_segments(asked: Asked, n_leads: int) -> None:
    """Raise InputError unless `n_leads` training leads can be divided into so many segments."""
    if asked == "auto":
        return
    if asked == 1:
        raise InputError("--segments takes 2 or more, or auto. A single segment would be all leads.")
    if not 2 <= asked <= MAX_SEGMENTS:
        raise InputError(f"--segments takes 2 to {MAX_SEGMENTS}, or auto. Got {asked} instead.")
    if n_leads < asked * MIN_LEADS:
        raise InputError(
            f"{asked} segments need {asked * MIN_LEADS} training leads, {MIN_LEADS} each. There are "
            f"{n_leads}. Ask for {max(n_leads // MIN_LEADS, 0)} or fewer, or collect more leads."
            if n_leads >= 2 * MIN_LEADS
            else f"Segments need {MIN_LEADS} training leads each. There are {n_leads} in all; "
            "leave --segments out, or collect more leads."
        )


def cluster_leads(schema: LeadSchema, X: pd.DataFrame, asked: Asked, seed: int) -> Segments:
    """Look for segments in typed leads.

    K-means is tried with every number of groups that was asked for. A number is possible if fits on
    resamples group the same leads alike, if the silhouette is clearly beyond that of the same fields
    shuffled, each by itself, and if no group is tiny. Of these the one with the largest silhouette
    beyond shuffled fields is kept, in the spirit of the gap statistic (Tibshirani et al. 2001).

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    X : DataFrame of shape (n_leads, n_fields)
        Typed training leads. There is no `y`: what describes leads decides, never what they did.
    asked : int or "auto"
        How many segments.
    seed : int
        Of the draw, the resamples and k-means.
    """
    # So many small fits would wait for their threads longer than they compute; and more groups than
    # there are different leads are no possible number, which their smallest group of none tells.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return _find(schema, X, asked, seed)


def _find(schema: LeadSchema, X: pd.DataFrame, asked: Asked, seed: int) -> Segments:
    started, rng = time.perf_counter(), np.random.default_rng(seed)
    everyone, X = X, _draw(X, rng)
    n_leads, smallest = len(X), max(MIN_LEADS / len(X), MIN_SHARE)
    schema = related(schema, X)
    encoder = fit_encoder(schema, X) if n_leads >= 2 * MIN_LEADS else None
    tried: tuple[Grouping, ...] = ()
    others: tuple[Grouping, ...] = ()
    kept: Pipeline | None = None
    if encoder is not None:
        numbers = range(2, min(MAX_TRIED, n_leads // MIN_LEADS) + 1) if asked == "auto" else [asked]
        encoded = encoder.transform(X)
        # Of all leads: those of a draw alone would seem more stable than they are.
        resamples = [everyone.iloc[rng.integers(0, len(everyone), n_leads)] for _ in range(N_RESAMPLES)]
        tried, fits = _try_numbers(schema, X, resamples, encoder, encoded, numbers, rng)
        needed = MIN_STABILITY + (MARGIN if asked == "auto" else 0)
        best = max(tried, key=lambda one: (_is_possible(one, needed, smallest), one.gain))
        others = compare_methods(encoded, best.n_groups, round(MIN_SHARE * n_leads), seed)
        kept = fits[best.n_groups] if _is_possible(best, needed, smallest) else None
    found = Clustering(
        asked=str(asked),
        n_leads=n_leads,
        n_fits=N_RESAMPLES,
        tried=tried,
        others=others,
        seconds=round(time.perf_counter() - started, 2),
    )
    return Segments(found, None if kept is None else slim(kept))


def _draw(X: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    rows = np.sort(rng.permutation(len(X))[:MAX_LEADS])
    return X.iloc[rows].reset_index(drop=True)


def _is_possible(one: Grouping, stability: float, smallest: float) -> bool:
    return one.stability >= stability and one.gain >= MIN_GAIN and one.smallest >= smallest


def _try_numbers(
    schema: LeadSchema,
    X: pd.DataFrame,
    resamples: Sequence[pd.DataFrame],
    encoder: Pipeline,
    encoded: Floats,
    numbers: Sequence[int],
    rng: np.random.Generator,
) -> tuple[tuple[Grouping, ...], dict[int, Pipeline]]:
    """Return what each number of groups is worth, and the fits on all leads by number."""
    again = [(fit, fit.transform(some)) for some in resamples if (fit := fit_encoder(schema, some))]
    seen = [fit.transform(X) for fit, _ in again]
    shuffled = []
    for _ in range(N_SHUFFLED):
        # Fields that have nothing to do with each other, each spread as it is; encoded anew, because the
        # principal components of the leads are those of fields that go together.
        columns = {name: X[name].array[rng.permutation(len(X))] for name in X.columns}
        if fit := fit_encoder(schema, some := pd.DataFrame(columns)):
            shuffled.append(fit.transform(some))
    tried, fits = [], {}
    for number in numbers:
        fits[number] = fit_kmeans(encoder, encoded, number, 0)
        labels = fits[number][-1].labels_
        # Each with a seed of its own, so that the stability is also that of the starts of k-means.
        groupings = [
            fit_kmeans(fit, some, number, place + 1)[-1].predict(every)
            for place, ((fit, some), every) in enumerate(zip(again, seen, strict=True))
        ]
        chance = [width(some, fit_kmeans(encoder, some, number, 0)[-1].labels_, 0) for some in shuffled]
        tried.append(
            Grouping(
                method="k-means",
                n_groups=number,
                silhouette=width(encoded, labels, 0),
                davies_bouldin=float(davies_bouldin_score(encoded, labels)),
                stability=agreement(groupings),
                shuffled=float(np.mean(chance)),
                smallest=float(np.bincount(labels, minlength=number).min() / len(labels)),
            )
        )
    return tuple(tried), fits


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
        # A copy, because HDBSCAN may overwrite what it is given, and the others take the same array.
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
