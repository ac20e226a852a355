"""Find twins: leads that are copies of other leads with small changes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from leadmodel.arrays import Bools, Floats, Ints, Positions
from leadmodel.audit.finding import Finding

__all__ = ["TWINS", "Hashes", "Twins", "find_twins", "mix_hashes"]

Hashes = npt.NDArray[np.uint64]

TWINS = "twins"
"""Kind of the finding."""

MIN_DISTINCT = 20
"""Different values from which on a number says much about which lead it is."""

MIN_COLUMNS = 2
"""Fewest such columns: two leads with the same age are no twins."""

MAX_KEYS = 4
"""Columns whose values give the chance that two leads are equal, those with the most different values."""

MAX_CHANCE = 1e-3
"""Expected number of other leads that equal a lead in all of these columns by chance, up to which a lead
that does is its twin. Equal leads of a table with two categories, and leads with zeros in all columns, are
just equal people."""

MIN_SHARE = 0.01
"""Share of the leads that have a twin from which on there are twins, ten times what chance can produce."""

MIN_TWINS = 10
"""Least number of them."""

MIN_EQUAL = 2 / 3
"""Share of the other columns in which twins are equal; their small changes are in the rest."""

MAX_LAGS = 3
"""Most distances between a block of lines and its copy that are looked at, the most frequent first."""

LEADS_PER_VALUE = 5
"""Leads with the same value of a column, on average, from which on a column that it determines says
nothing more about which lead it is: the latitude and the longitude of a city are one column."""


@dataclass(frozen=True, eq=False)
class Twins:
    """Leads that are copies of others.

    Attributes
    ----------
    group_ids : array of shape (n_leads,)
        From 0 on; twins have the same one.
    n_twins : int
        Leads that have a twin.
    n_shifted : int
        Leads of these whose twin was found at the same distance in the file only, with numbers that differ
        by a constant.
    columns : tuple of str
        Columns with many different numbers, in which twins are equal, or differ by a constant.
    """

    group_ids: Positions
    n_twins: int
    n_shifted: int
    columns: tuple[str, ...]

    def finding(self) -> Finding:
        """Return the finding of the audit."""
        share = self.n_twins / len(self.group_ids)
        equal = "equal, or differ by a constant," if self.n_shifted else "equal"
        text = (
            f"{self.n_twins:,} leads ({share:.1%}) are copies of other leads with small changes: they are "
            f"{equal} in {len(self.columns)} columns with many different numbers, which chance hardly "
            "produces, and in most of the others. Copies are kept together, or a model would be tested on "
            "leads that it has learned. They count as one lead in the intervals of the test; other "
            "intervals are too narrow. Find out where the copies come from."
        )
        return Finding(kind=TWINS, text=text, severity="problem")


def mix_hashes(hashes: Hashes, column: pd.Series) -> Hashes:
    """Return `hashes` of rows with one more column mixed in."""
    values = pd.util.hash_pandas_object(column, index=False).to_numpy()
    # Multiplied before the exclusive or, so that the order of columns counts (Knuth's golden ratio).
    return np.asarray((hashes * np.uint64(0x9E3779B97F4A7C15)) ^ values, dtype=np.uint64)


def find_twins(typed: pd.DataFrame, ids: Positions | None = None) -> Twins | None:
    """Find the twins among leads, or None if there are too few.

    Copies are equal in all columns with many different numbers; or they follow each other in the file as
    the originals do, with a constant added to numbers. Copies that were shuffled and shifted are not found.

    Parameters
    ----------
    typed : DataFrame of shape (n_leads, n_fields)
        Typed leads, in the order of the file.
    ids : array of shape (n_leads,), optional
        Group of each lead by its id; leads of one person are no copies.
    """
    n_leads = len(typed)
    texts = {name: typed[name].cat.codes.to_numpy() for name in typed.select_dtypes("category").columns}
    numbers = {name: typed[name].to_numpy(np.float64) for name in typed.columns if name not in texts}
    # A sample is enough to tell a column of many different numbers from one of a few.
    rows = np.linspace(0, n_leads - 1, min(n_leads, 10_000)).astype(np.intp)
    n_values = {name: len(pd.unique(values[rows])) for name, values in numbers.items()}
    names = sorted(
        (name for name in numbers if n_values[name] >= MIN_DISTINCT), key=lambda name: -n_values[name]
    )
    if len(names) < MIN_COLUMNS:
        return None
    others = [*texts.values(), *(values for name, values in numbers.items() if name not in names)]
    keys = [numbers[name] for name in names]
    first, second = _equal_pairs(keys)
    pairs = [_with_equal(others, first, second)]
    for lag in _find_lags(keys):
        first = np.arange(n_leads - lag)
        steps = [_differs_by_constant(values, lag) for values in numbers.values()]
        same = [values[:-lag] == values[lag:] for values in texts.values()]
        many = [step for name, step in zip(numbers, steps, strict=True) if name in names]
        kept = (np.mean(many, axis=0) >= MIN_EQUAL) & (np.mean(steps + same, axis=0) >= MIN_EQUAL)
        pairs.append((first[kept], first[kept] + lag))
    edges = [_of_different(one, ids) for one in pairs]
    first, second = (np.concatenate(side) for side in zip(*edges, strict=True))
    twins = np.union1d(first, second)
    if len(twins) < max(MIN_TWINS, MIN_SHARE * n_leads):
        return None
    graph = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(n_leads, n_leads))
    group_ids = connected_components(graph, directed=False)[1].astype(np.intp)
    n_equal = len(np.union1d(*edges[0]))
    return Twins(
        group_ids, len(twins), len(twins) - n_equal, tuple(name for name in numbers if name in names)
    )


Pairs = tuple[Positions, Positions]


def _of_different(pairs: Pairs, ids: Positions | None) -> Pairs:
    """Return the pairs of leads with different ids."""
    kept = slice(None) if ids is None else ids[pairs[0]] != ids[pairs[1]]
    return pairs[0][kept], pairs[1][kept]


def _with_equal(others: list[npt.NDArray[np.generic]], first: Positions, second: Positions) -> Pairs:
    """Return the pairs that are equal in most of the other columns."""
    if others and len(first):
        equal = [_is_equal(values[first], values[second]) for values in others]
        kept = np.mean(equal, axis=0) >= MIN_EQUAL
        first, second = first[kept], second[kept]
    return first, second


def _is_equal(one: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> Bools:
    """Return where two arrays are equal, or both missing a value."""
    return np.asarray((one == other) | ((one != one) & (other != other)), dtype=bool)


def _differs_by_constant(values: Floats, lag: int) -> Bools:
    """Return where a number and that `lag` lines below differ by what they differ by mostly."""
    steps = _round(values[lag:] - values[:-lag])
    codes, found = pd.factorize(steps)  # -1 where one of the two is missing, which tells nothing
    usual = np.bincount(codes[codes >= 0]).argmax() if len(found) else -1
    return np.asarray((codes == usual) | (codes < 0), dtype=bool)


def _round(values: Floats) -> Floats:
    """Return differences without the last digits, which are errors of floating-point numbers."""
    scale = np.nanmax(np.abs(values), initial=0.0, where=~np.isnan(values))
    digits = 9 - int(np.ceil(np.log10(scale))) if scale else 0
    # Plus zero, so that -0.0 and 0.0 have one hash.
    return np.asarray(np.round(values, digits) + 0.0, dtype=np.float64)


def _find_lags(keys: list[Floats]) -> list[int]:
    """Return at which distances in the file leads follow each other as leads above did."""
    # What one lead has more than the lead above it is the same in the copy, whatever was added to both.
    steps = [_round(np.diff(values, prepend=np.nan)) for values in keys]
    first, second = _equal_pairs(steps)
    lags, counts = np.unique(second - first, return_counts=True)
    many = np.argsort(-counts, kind="stable")[:MAX_LAGS]
    least = max(MIN_TWINS, MIN_SHARE * len(keys[0]) / 2)
    return [int(lags[one]) for one in many if counts[one] >= least]


def _equal_pairs(keys: list[Floats]) -> Pairs:
    """Return pairs of leads next to each other among those that are equal in all `keys`, beyond chance."""
    hashes = np.zeros(len(keys[0]), dtype=np.uint64)
    for values in keys:
        hashes = mix_hashes(hashes, pd.Series(values))
    none = np.arange(0)
    rows = np.flatnonzero(pd.Series(hashes).duplicated(keep=False))
    if len(rows) < MIN_TWINS:
        return none, none
    rows = rows[_is_rare(keys, rows)]
    rows = rows[np.argsort(hashes[rows], kind="stable")]
    same = hashes[rows[1:]] == hashes[rows[:-1]]
    return rows[:-1][same], rows[1:][same]


def _is_rare(keys: list[Floats], rows: Positions) -> Bools:
    """Return of which leads in `rows` no other lead would have all values by chance."""
    n_leads = len(keys[0])
    expected = np.full(len(rows), np.log(n_leads))
    for codes, counts in _independent(keys[:MAX_KEYS]):
        expected += np.log(counts[codes[rows]] / n_leads)
    return np.asarray(expected <= np.log(MAX_CHANCE), dtype=bool)


def _independent(keys: list[Floats]) -> list[tuple[Ints, Ints]]:
    """Return codes and counts of columns that no other one of them determines."""
    kept: list[tuple[Ints, Ints]] = []
    for values in keys:
        codes = pd.factorize(values, use_na_sentinel=False)[0].astype(np.int64)
        counts = np.bincount(codes)
        if not any(_is_determined(codes, counts, *other) for other in kept):
            kept.append((codes, counts))
    return kept


def _is_determined(codes: Ints, counts: Ints, other: Ints, other_counts: Ints) -> bool:
    """Return whether the other column determines this one, as far as its values are those of many leads."""
    if len(other_counts) > len(codes) / LEADS_PER_VALUE:
        return False
    # Some leads are enough to see that there are more pairs of values than values.
    return all(
        len(pd.unique(other[:n] * len(counts) + codes[:n])) <= 1.1 * len(other_counts)
        for n in (50_000, len(codes))
    )
