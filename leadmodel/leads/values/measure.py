"""Decide whether the texts of a column are numbers with units, ranges and gaps."""

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from leadmodel.arrays import Bools, Floats, Ints
from leadmodel.leads.values.bulk import Quantities, read_quantities
from leadmodel.leads.values.numbers import Quantity, is_gap
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
    read = read_quantities(pa.array(texts, pa.string()), decimal_comma)
    gaps = np.array([not known and is_gap(text) for known, text in zip(read.is_read, texts, strict=True)])
    stray, n_gaps = ~read.is_read & ~gaps, int(counts[gaps].sum())
    if stray.any() or gaps.all():
        share = 1 - float(counts[stray].sum()) / max(1, int(counts.sum()) - n_gaps)
        return Measured(read.numbers, stray, is_number=False, n_gaps=n_gaps, share=share)
    notes = [_gap_note([texts[place] for place in np.flatnonzero(gaps)], n_gaps)] if n_gaps else []
    if read.forms == [Quantity(1.0)]:
        return Measured(read.numbers, stray, n_gaps=n_gaps, notes=tuple(notes))
    units = _count_units(read, counts)
    currencies = [unit.name for unit in units if unit.dimension == "currency"]
    if len(currencies) > 1:
        problem = f"amounts in several currencies ({', '.join(currencies)}): convert them to one"
        return Measured(read.numbers, stray, is_number=False, n_gaps=n_gaps, problem=problem)
    one = len(units) <= 1 or all(unit.dimension == "time" for unit in units)
    if not one or (not told and (_are_codes(read, texts) or _are_buckets(read, int(counts.sum())))):
        return Measured(read.numbers, stray, is_number=False, n_gaps=n_gaps)
    unit = units.most_common(1)[0][0] if units else None
    notes += _unit_notes(read, counts, unit, len(units))
    name = unit.name if unit else ""
    return Measured(read.convert(unit), stray, unit=name, n_gaps=n_gaps, notes=tuple(notes))


def _count_units(read: Quantities, counts: Ints) -> Counter[Unit]:
    """Count the leads by unit, the singular and the plural of a noun as one."""
    by_name: Counter[Unit] = Counter()
    for form, count in zip(read.forms, read.count_forms(counts), strict=True):
        if form.unit is not None:
            by_name[form.unit] += count
    by_key: dict[str, Unit] = {}
    for unit, _ in by_name.most_common():
        by_key.setdefault(unit.key, unit)
    merged: Counter[Unit] = Counter()
    for unit, count in by_name.items():
        merged[by_key[unit.key]] += count
    return merged


def _are_codes(read: Quantities, texts: list[str]) -> bool:
    """Return whether letters after numbers, as in 3M and 4s, are rather parts of names."""
    if len(np.unique(read.numbers[read.is_read])) >= MIN_NUMBERS or any(
        form.is_range for form in read.forms
    ):
        return False
    written = [text for text, known in zip(texts, read.is_read, strict=True) if known]
    scales = {form.scale for form in read.forms}
    if scales <= {"K", "M"}:  # a letter alone after every number
        return len(scales) == 1 and not any("." in text or "," in text for text in written)
    return all(text[-1:] in TIMES and text[:-1].isdecimal() for text in written)


def _are_buckets(read: Quantities, n_leads: int) -> bool:
    """Return whether the texts are ranges alone: few to choose from, or codes that look like ranges."""
    if not all(form.is_range for form in read.forms):
        return False
    is_bare = not any(form.unit or form.scale for form in read.forms)
    n_ranges = int(read.is_read.sum())
    return n_ranges <= MAX_BUCKETS or (is_bare and n_ranges > n_leads / 2)


def _gap_note(texts: list[str], n_gaps: int) -> str:
    words = ", ".join(f"'{word}'" for word in dict.fromkeys(map(fold, texts)))
    return f"Taken as missing among the numbers: {words} ({n_gaps:,} leads)."


def _unit_notes(read: Quantities, counts: Ints, unit: Unit | None, n_units: int) -> list[str]:
    notes = []
    if unit is not None:
        others = ", other units converted" if n_units > 1 else ""
        notes.append(f"Read as numbers in {unit.name}{others}; a number without a unit is taken in it.")
    if any(form.scale for form in read.forms):
        notes.append("k and M are thousands and millions.")
    by_form = zip(read.forms, read.count_forms(counts), strict=True)
    if n_ranges := sum(count for form, count in by_form if form.is_range):
        notes.append(
            f"A range is read as its middle, one such as 1000+ as its lower end ({n_ranges:,} leads)."
        )
    return notes
