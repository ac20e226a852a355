"""Decide whether the texts of a column are numbers with units, ranges and gaps."""

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from leadmodel.arrays import Bools, Floats, Ints
from leadmodel.leads.values.numbers import Quantity, convert, is_gap, plain_number, read_quantity
from leadmodel.leads.values.units import TIMES, Unit
from leadmodel.text import fold

__all__ = ["Measured", "measure"]

_LEADING_ZERO = re.compile(r"[+-]?0\d")
"""What codes begin with; no text of a number does."""

MAX_BUCKETS = 12
"""Ranges up to which a column of nothing else stays categorical: it is easier to choose from few."""

MIN_NUMBERS = 20
"""Different numbers from which on a letter after each, as in 5M or 5s, is no code."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What the texts of a column are as numbers.

    Attributes
    ----------
    numbers : array of shape (n_distinct,)
        In the unit of the column; NaN for a gap, and for what is no number.
    is_stray : array of shape (n_distinct,)
        Whether the text is neither a number nor a gap.
    is_number : bool
        Whether the column is one of numbers.
    unit : str, optional
        Unit of the column, "" if there is none; None if no text has a unit, a scale or a range.
    n_gaps : int
        Number of leads whose text means that nobody knows the number.
    problem : str
        Why amounts cannot be numbers.
    notes : tuple of str
        Sentences on how the texts are read.
    share : float
        Share of the leads with a number, of those with a text that is no gap.
    """

    numbers: Floats
    is_stray: Bools
    is_number: bool = True
    unit: str | None = None
    n_gaps: int = 0
    problem: str = ""
    notes: tuple[str, ...] = ()
    share: float = 1.0


def measure(texts: list[str], counts: Ints, decimal_comma: bool, *, told: bool = False) -> Measured:
    """Read the distinct texts of a column.

    Parameters
    ----------
    texts : list of str
        Distinct texts.
    counts : array of shape (n_distinct,)
        Number of leads by text.
    decimal_comma : bool
        Whether a comma marks the decimals.
    told : bool
        Whether a recipe says that they are numbers: then few ranges are, too.
    """
    if not told and any(map(_LEADING_ZERO.match, texts)):
        nothing = np.full(len(texts), np.nan)
        return Measured(nothing, np.isnan(nothing), is_number=False, share=0.0)
    read = [_read(text, decimal_comma) for text in texts]
    gaps = np.array(
        [value is None and is_gap(text) for value, text in zip(read, texts, strict=True)], dtype=bool
    )
    stray = np.array([value is None for value in read], dtype=bool) & ~gaps
    numbers = np.array([np.nan if value is None else value.number for value in read])
    n_gaps = int(counts[gaps].sum())
    if stray.any() or gaps.all():
        share = 1 - float(counts[stray].sum()) / max(1, int(counts.sum()) - n_gaps)
        return Measured(numbers, stray, is_number=False, n_gaps=n_gaps, share=share)
    weighted = [(value, int(count)) for value, count in zip(read, counts, strict=True) if value is not None]
    notes = (
        [_gap_note([text for text, gap in zip(texts, gaps, strict=True) if gap], n_gaps)] if n_gaps else []
    )
    if all(value == Quantity(value.number) for value, _ in weighted):
        return Measured(numbers, stray, n_gaps=n_gaps, notes=tuple(notes))
    units = _count_units(weighted)
    currencies = [unit.name for unit in units if unit.dimension == "currency"]
    if len(currencies) > 1:
        problem = f"amounts in several currencies ({', '.join(currencies)}): convert them to one"
        return Measured(numbers, stray, is_number=False, n_gaps=n_gaps, problem=problem)
    one = len({unit.key for unit in units}) <= 1 or all(unit.dimension == "time" for unit in units)
    if not one or (not told and (_are_codes(texts, weighted) or _are_buckets(weighted))):
        return Measured(numbers, stray, is_number=False, n_gaps=n_gaps)
    unit = units.most_common(1)[0][0] if units else None
    converted = [np.nan if value is None else convert(value, unit) for value in read]
    notes += _unit_notes(weighted, unit, len({unit.key for unit in units}))
    numbers = np.array(converted, dtype=np.float64)
    return Measured(numbers, stray, unit=unit.name if unit else "", n_gaps=n_gaps, notes=tuple(notes))


def _read(text: str, decimal_comma: bool) -> Quantity | None:
    try:
        number = float(plain_number(text, decimal_comma))
        return Quantity(number) if np.isfinite(number) and "_" not in text else None
    except ValueError:
        return read_quantity(text, decimal_comma)


def _count_units(weighted: list[tuple[Quantity, int]]) -> Counter[Unit]:
    """Count the leads by unit, the singular and the plural of a noun as one."""
    units: Counter[Unit] = Counter()
    for value, count in weighted:
        if value.unit is not None:
            units[value.unit] += count
    by_key: dict[str, Unit] = {}
    for unit, _ in units.most_common():
        by_key.setdefault(unit.key, unit)
    merged: Counter[Unit] = Counter()
    for unit, count in units.items():
        merged[by_key[unit.key]] += count
    return merged


def _are_codes(texts: list[str], weighted: list[tuple[Quantity, int]]) -> bool:
    """Return whether letters after numbers, as in 3M and 4s, are rather parts of names."""
    numbers = {value.number for value, _ in weighted}
    if len(numbers) >= MIN_NUMBERS or any(value.is_range for value, _ in weighted):
        return False
    written = [text for text in texts if not is_gap(text)]
    scales = {value.scale for value, _ in weighted}
    if scales <= {"K", "M"}:  # a letter alone after every number
        return len(scales) == 1 and not any("." in text or "," in text for text in written)
    return all(text[-1:] in TIMES and text[:-1].isdecimal() for text in written)


def _are_buckets(weighted: list[tuple[Quantity, int]]) -> bool:
    """Return whether the texts are ranges alone: few to choose from, or codes that look like ranges."""
    if not all(value.is_range for value, _ in weighted):
        return False
    is_bare = not any(value.unit or value.scale for value, _ in weighted)
    n_leads = sum(count for _, count in weighted)
    return len(weighted) <= MAX_BUCKETS or (is_bare and len(weighted) > n_leads / 2)


def _gap_note(texts: list[str], n_gaps: int) -> str:
    words = ", ".join(f"'{word}'" for word in dict.fromkeys(map(fold, texts)))
    return f"{words} among numbers count as missing ({n_gaps:,} leads)."


def _unit_notes(weighted: list[tuple[Quantity, int]], unit: Unit | None, n_units: int) -> list[str]:
    n_ranges = sum(count for value, count in weighted if value.is_range)
    notes = []
    if unit is not None:
        others = ", other units converted" if n_units > 1 else ""
        notes.append(
            f"Texts are read as numbers in {unit.name}{others}; a number without a unit is in it too."
        )
    if any(value.scale for value, _ in weighted):
        notes.append("k and M are thousands and millions.")
    if n_ranges:
        notes.append(
            f"A range is read as its middle, one such as 1000+ as its lower end ({n_ranges:,} leads)."
        )
    return notes
