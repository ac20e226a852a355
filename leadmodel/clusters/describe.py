"""Describe segments: what sets each apart from all leads, in numbers and words, and where it lies on a map.

Only values that are common are named, with shares and winsorized means: never a lead's own value. The map
counts leads in the squares of a plane, so that no lead is a point of it.
"""

import time
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from catboost import CatBoostClassifier, Pool
from sklearn.pipeline import Pipeline

from leadmodel.arrays import Bools, Floats, Ints, Positions
from leadmodel.clusters.assignment import ClusterAssigner
from leadmodel.clusters.pipeline import winsorized
from leadmodel.clusters.results import Clustering, Map, Segment, Spot, Trait
from leadmodel.explain.shap import ShapExplainer
from leadmodel.insights.profile import Cell
from leadmodel.leads.field import MIN_CATEGORY_COUNT, MIN_TOLD, MISSING, Field
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable
from leadmodel.options import EvaluationContext
from leadmodel.text import format_number

__all__ = ["describe", "describe_segments", "draw_up_map", "find_traits", "name_segments"]

N_DESCRIBED, N_EXPLAINED = 4000, 2000
"""Leads that traits and map, and that reasons are the means of."""

MAX_TRAITS = 5
MIN_DIFFERENCE = 0.1
"""Below this a difference sets nobody apart, however sure it is."""

MAX_VALUE = 40
"""Letters of a value in a name."""


def find_traits(
    schema: LeadSchema, X: pd.DataFrame, places: Positions, n_segments: int
) -> list[tuple[Trait, ...]]:
    """Return what sets each segment apart, one trait per field, the strongest first.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    X : DataFrame of shape (n_leads, n_fields)
        Typed leads, numbers held within their usual range (`leadmodel.clusters.pipeline.winsorized`).
    places : array of shape (n_leads,)
        Of each lead's segment.
    n_segments : int
        Segments.
    """
    found: list[list[Trait]] = [[] for _ in range(n_segments)]
    for field in schema.fields:
        for place, traits in enumerate(found):
            inside = places == place
            if trait := _trait(field, X[field.name], inside):
                traits.append(trait)
    strongest = []
    for traits in found:
        ranked = sorted(traits, key=lambda trait: -trait.difference)
        clear = [trait for trait in ranked if trait.difference >= MIN_DIFFERENCE]
        # At least one, because a segment is named after its traits.
        strongest.append(tuple((clear or ranked[:1])[:MAX_TRAITS]))
    return strongest


def _trait(field: Field, column: pd.Series, inside: Bools) -> Trait | None:
    """Return what is most unlike all leads in one field; None where nothing is more frequent here."""
    if field.is_text:
        texts = column.astype(object).to_numpy()
        shares = {value: texts == value for value in (*field.choices, MISSING)}
    elif field.kind == "boolean":
        shares = {name: column.to_numpy() == value for name, value in (("Yes", 1.0), ("No", 0.0))}
        shares[MISSING] = column.isna().to_numpy()
    else:
        shares = {MISSING: column.isna().to_numpy()}
    traits = [_share(field, value, here, inside) for value, here in shares.items()]
    if field.kind == "numeric":
        traits.append(_level(field, column.to_numpy(), inside))
    return max(filter(None, traits), key=lambda trait: trait.difference, default=None)


def _share(field: Field, value: str, has: Bools, inside: Bools) -> Trait | None:
    here, everywhere = float(has[inside].mean()), float(has.mean())
    if here <= everywhere or has[inside].sum() < MIN_CATEGORY_COUNT:
        return None
    named = "not given" if value == MISSING else value
    return _rounded(field, named, here, everywhere, here - everywhere)


def _level(field: Field, numbers: Floats, inside: Bools) -> Trait | None:
    known = ~np.isnan(numbers)
    here, everywhere = np.sort(numbers[known & inside]), np.sort(numbers[known])
    if len(here) < MIN_CATEGORY_COUNT:
        return None
    shares = [np.searchsorted(some, everywhere, side="right") / len(some) for some in (here, everywhere)]
    distance = float(np.abs(shares[0] - shares[1]).max())
    means = float(here.mean()), float(everywhere.mean())
    return _rounded(field, "high" if means[0] > means[1] else "low", *means, distance)


def _rounded(field: Field, value: str, here: float, everywhere: float, difference: float) -> Trait:
    numbers = [float(f"{number:.4g}") for number in (here, everywhere, difference)]
    return Trait(
        field=field.name, value=value, here=numbers[0], everywhere=numbers[1], difference=numbers[2]
    )


def name_segments(schema: LeadSchema, traits: Sequence[Sequence[Trait]]) -> list[str]:
    """Return a name for each segment: its strongest traits, as many as tell it from the others."""
    for n_traits in range(2, MAX_TRAITS + 1):
        names = [_name(schema, some[:n_traits]) for some in traits]
        if len(set(names)) == len(names):
            return names
    return [f"{name} ({number})" for number, name in enumerate(names, 1)]


def _name(schema: LeadSchema, traits: Sequence[Trait]) -> str:
    """Return such as "Source: Referral, high time on site"."""
    told = ", ".join(_told_short(schema.by_name[trait.field], trait) for trait in traits) or "Leads"
    return told[:1].upper() + told[1:190]


def _told_short(field: Field, trait: Trait) -> str:
    label = _clipped(field.label)
    if trait.is_level and field.kind == "numeric":
        # An abbreviation keeps its capitals.
        return f"{trait.value} {label if label[1:2].isupper() else label[:1].lower() + label[1:]}"
    return f"{label} {trait.value}" if trait.value == "not given" else f"{label}: {_clipped(trait.value)}"


def _clipped(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1].rstrip() + "…"


def _number(mean: float) -> str:
    """Return a mean as it can be remembered, in three digits."""
    return format_number(float(f"{mean:.3g}"))


def describe(schema: LeadSchema, trait: Trait) -> str:
    """Return a trait as a sentence."""
    field = schema.by_name[trait.field]
    if trait.is_level and field.kind == "numeric":
        unit = f" {field.unit}".rstrip()
        here, everywhere = _number(trait.here), _number(trait.everywhere)
        return f"{field.label} is {trait.value}: {here}{unit} on average (all leads: {everywhere}{unit})."
    said = "is missing" if trait.value == "not given" else f"is {trait.value}"
    return f"{field.label} {said} for {trait.here:.0%} of these leads (all leads: {trait.everywhere:.0%})."


N_COLUMNS, N_ROWS = 24, 16
EDGES = (0.01, 0.99)
"""Quantiles of the leads at the edges of the map; those beyond are counted in the outermost squares."""

WITHIN = 0.1
"""Weight of the spread of all leads, which decides where the centres alone do not span a plane."""


def draw_up_map(
    encoded: Floats, places: Positions, y: Ints, n_segments: int
) -> tuple[Map, list[tuple[float, float]]]:
    """Return the map, and where on it the centre of each segment lies.

    Parameters
    ----------
    encoded : array of shape (n_leads, n_directions)
        The leads as they were grouped.
    places : array of shape (n_leads,)
        Of each lead's segment.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    n_segments : int
        Segments.
    """
    points = _to_plane(encoded, places, n_segments)
    low, high = np.quantile(points, EDGES, axis=0)
    squares = np.array([N_COLUMNS, N_ROWS])
    points = (points - low) / np.where(high > low, high - low, 1.0) * squares
    inside = np.clip(np.floor(points), 0, squares - 1).astype(np.int64)
    keys = list(zip(*inside.T.tolist(), places.tolist(), strict=True))
    counts = Counter(keys)
    converted = Counter(key for key, won in zip(keys, y.tolist(), strict=True) if won)
    spots = [
        Spot(column=key[0], row=key[1], segment=key[2], leads=Cell(count=count, converted=converted[key]))
        for key, count in sorted(counts.items())
        if count >= MIN_TOLD
    ]
    hidden = len(keys) - sum(spot.leads.count for spot in spots)
    centres = [np.clip(points[places == place].mean(axis=0), 0, squares) for place in range(n_segments)]
    told = [(round(float(x), 2), round(float(y), 2)) for x, y in centres]
    return Map(n_columns=N_COLUMNS, n_rows=N_ROWS, spots=tuple(spots), hidden=hidden), told


def _to_plane(encoded: Floats, places: Positions, n_segments: int) -> Floats:
    """Return the leads in the plane in which the centres lie farthest apart, of shape (n_leads, 2)."""
    if encoded.shape[1] < 2:
        encoded = np.column_stack([encoded, np.zeros((len(encoded), 2 - encoded.shape[1]))])
    centres = np.array([encoded[places == place].mean(axis=0) for place in range(n_segments)])
    between = np.cov(centres[places], rowvar=False) + WITHIN * np.cov(encoded, rowvar=False)
    axes = np.linalg.eigh(between)[1][:, ::-1][:, :2]
    # An axis has no direction of its own: its largest entry points upwards.
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    return encoded @ axes


def describe_segments(
    found: Clustering, pipeline: Pipeline | None, context: EvaluationContext
) -> Clustering:
    """Return the segments with their names and what is known of their leads.

    Parameters
    ----------
    found, pipeline : Clustering, Pipeline or None
        As `leadmodel.clusters.fit.cluster_leads` returns them.
    context : EvaluationContext
        The leads with their outcomes, and what the model says of the test leads.
    """
    if pipeline is None:
        return found
    data, decision, seed = context.data, context.decision, context.settings.seed
    started, schema, (X, y) = time.perf_counter(), data.schema, data.train
    scores = decision.scores(context.predictions["probability"])
    grades = np.array(list(decision.bands))[decision.grade_places(scores)]
    values = context.predictions.get("expected_value")
    n_segments = pipeline[-1].n_clusters
    # By number until they have names, which their traits give them.
    assignment = ClusterAssigner(schema, pipeline, [str(place) for place in range(n_segments)])
    everyone, tested = (
        assignment.assign(LeadTable.from_frame(schema, leads)).codes for leads in (X, data.test[0])
    )
    rows = np.sort(np.random.default_rng(seed).permutation(len(X))[:N_DESCRIBED])
    some, places = X.iloc[rows], everyone[rows]
    traits = find_traits(schema, winsorized(schema, some), places, n_segments)
    drawn, spots = draw_up_map(pipeline[:-1].transform(some), places, y[rows], n_segments)
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
    seconds = round(found.seconds + time.perf_counter() - started, 2)
    return found.model_copy(update={"segments": described, "map": drawn, "seconds": seconds})


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
