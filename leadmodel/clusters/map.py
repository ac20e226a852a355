"""Segments on a map: leads counted in the squares of a plane, so that no lead is a point of it."""

from collections import Counter

import numpy as np

from leadmodel.arrays import Floats, Ints, Positions
from leadmodel.clusters.results import Map, Spot
from leadmodel.insights.profile import Cell
from leadmodel.leads.field import MIN_TOLD

__all__ = ["draw_up_map"]

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
