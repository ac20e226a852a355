"""Cluster leads by their features and check that the clusters are stable."""

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from catboost import CatBoostClassifier, Pool
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import davies_bouldin_score
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from leadmodel.arrays import Floats, Ints, Positions
from leadmodel.clusters.assignment import ClusterAssigner
from leadmodel.clusters.describe import describe, find_traits, name_segments
from leadmodel.clusters.map import draw_up_map
from leadmodel.clusters.pipeline import MAX_TRIED, fit_encoder, fit_kmeans, related, slim, winsorized
from leadmodel.clusters.results import (
    MAX_SEGMENTS,
    MIN_GAIN,
    MIN_STABILITY,
    Clustering,
    Grouping,
    Segment,
)
from leadmodel.clusters.stability import agreement, compare_methods, width
from leadmodel.errors import InputError
from leadmodel.explain.shap import ShapExplainer
from leadmodel.insights.profile import Cell
from leadmodel.leads.field import MIN_CATEGORY_COUNT
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable
from leadmodel.options import EvaluationContext

__all__ = ["Segments", "check_segments", "cluster_leads", "describe_segments"]

MAX_LEADS = 4000
"""Leads that segments are looked for in: more would cost time and move no centre noticeably."""

MIN_LEADS = 50
"""Training leads of a segment; of fewer, its conversion would be known to ±14 points at best."""

MIN_SHARE = 0.02
"""Of the leads, in the smallest segment."""

MARGIN = 0.05
"""Beyond the stability that is asked for, of a number chosen among several: the best looks too good."""

N_RESAMPLES, N_SHUFFLED = 8, 3
N_EXPLAINED = 2000

Asked = int | Literal["auto"]


@dataclass(frozen=True, eq=False)
class Segments:
    """What the search found; no pipeline where the data hold no stable groups."""

    found: Clustering
    pipeline: Pipeline | None = None


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
            f"{asked} segments need {asked * MIN_LEADS} leads to learn from, {MIN_LEADS} each. There are "
            f"{n_leads}. Ask for {max(n_leads // MIN_LEADS, 0)} or fewer, or collect more leads."
            if n_leads >= 2 * MIN_LEADS
            else f"Segments need {MIN_LEADS} leads each to learn from. There are {n_leads} in all; "
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
    shuffled = [
        fit.transform(some)
        for some in (_shuffle(X, rng) for _ in range(N_SHUFFLED))
        if (fit := fit_encoder(schema, some))
    ]
    tried, fits = [], {}
    for number in numbers:
        fits[number] = fit_kmeans(encoder, encoded, number, 0)
        labels = fits[number][-1].labels_
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


def _shuffle(X: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return leads whose fields have nothing to do with each other, each spread as it is."""
    return pd.DataFrame({name: X[name].array[rng.permutation(len(X))] for name in X.columns})


def describe_segments(segments: Segments, context: EvaluationContext) -> Clustering:
    """Return the segments with their names and what is known of their leads.

    Parameters
    ----------
    segments : Segments
        As `cluster_leads` returns them.
    context : EvaluationContext
        The leads with their outcomes, and what the model says of the test leads.
    """
    if segments.pipeline is None:
        return segments.found
    data, decision, seed = context.data, context.decision, context.settings.seed
    started, schema, (X, y) = time.perf_counter(), data.schema, data.train
    scores = decision.scores(context.predictions["probability"])
    grades = np.array(list(decision.bands))[decision.grade_places(scores)]
    values = context.predictions.get("expected_value")
    n_segments = segments.pipeline[-1].n_clusters
    assignment = ClusterAssigner(schema, segments.pipeline, [str(place) for place in range(n_segments)])
    everyone, tested = (
        assignment.assign(LeadTable.from_frame(schema, leads)).codes for leads in (X, data.test[0])
    )
    rows = np.sort(np.random.default_rng(seed).permutation(len(X))[:MAX_LEADS])
    some, places = X.iloc[rows], everyone[rows]
    traits = find_traits(schema, winsorized(schema, some), places, n_segments)
    drawn, spots = draw_up_map(segments.pipeline[:-1].transform(some), places, y[rows], n_segments)
    imputed = LeadTable.from_frame(schema, some.iloc[:N_EXPLAINED]).impute().to_frame()
    reasons = _reasons(context.classifier, imputed, places[:N_EXPLAINED], n_segments)
    described = tuple(
        Segment(
            name=name,
            description=tuple(describe(schema, trait) for trait in traits[place]),
            traits=traits[place],
            train=_count(y[everyone == place]),
            test=_count_if_told(data.test[1][tested == place]),
            grades=_by_grade(grades[tested == place]),
            reasons=reasons[place],
            place=spots[place],
            value=None if values is None else _mean(values[tested == place]),
        )
        for place, name in enumerate(name_segments(schema, traits))
    )
    seconds = round(segments.found.seconds + time.perf_counter() - started, 2)
    return segments.found.model_copy(update={"segments": described, "map": drawn, "seconds": seconds})


def _count(y: Ints) -> Cell:
    return Cell(count=len(y), converted=int(y.sum()))


def _count_if_told(y: Ints) -> Cell:
    cell = _count(y)
    return cell if cell.is_told else Cell(count=0, converted=0)


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None


def _by_grade(grades: npt.NDArray[np.str_]) -> dict[str, int]:
    return {
        str(grade): int(count)
        for grade, count in zip(*np.unique(grades, return_counts=True), strict=True)
        if count >= MIN_CATEGORY_COUNT
    }


def _reasons(
    classifier: CatBoostClassifier, X: pd.DataFrame, places: Positions, n_segments: int
) -> list[dict[str, float]]:
    """Return the mean absolute contribution of each field within each segment, the largest first."""
    pool = Pool(X, cat_features=list(X.select_dtypes("category").columns))
    sizes = np.abs(ShapExplainer(classifier).contributions(pool)[:, :-1])
    found = []
    for place in range(n_segments):
        inside = sizes[places == place]
        means = dict(zip(X.columns, inside.mean(axis=0).tolist() if len(inside) else [], strict=False))
        found.append(dict(sorted(means.items(), key=lambda item: -item[1])))
    return found
