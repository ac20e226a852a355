"""Say why a column cannot be a feature: it is constant, an id, a date, free text or personal data."""

import re

import numpy as np
import pandas as pd
from scipy.special import pdtr

from leadmodel.errors import LeadError
from leadmodel.leads.disclosure import MAX_READ, personal_data
from leadmodel.leads.field import MIN_CATEGORY_COUNT
from leadmodel.leads.times.read import looks_like_times
from leadmodel.leads.values.column import Column, matches

__all__ = ["why_constant", "why_no_feature"]

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\s_.-]+")
_IDENTIFIER_NAME = re.compile(
    r"(^| )(id|uuid|guid|pk)$|^id "
    r"|(lead|customer|client|contact|person|user|member|student|account|company|deal|order|record|row)id$"
)
_NUMBER_NAME = re.compile(r"(^| )(nr|no|number|key|index|row|serial|#)$|^$|^unnamed")

MIN_LEADS = 50
"""Leads below which a few different numbers, such as ranks, look like serial numbers by chance."""

NO_CHANCE = 0.001
"""Probability below which whole numbers repeat too seldom to be measured ones."""


def why_constant(column: Column) -> str | None:
    """Return why the column tells nothing: nearly all leads have one value, or none."""
    n_leads, most = len(column.raw), int(column.counts.max(initial=0))
    n_missing = n_leads - column.n_given
    if n_leads - max(most, n_missing) >= MIN_CATEGORY_COUNT:
        return None
    if not column.n_given:
        return "empty"
    if most == n_leads:
        return "constant"
    few = f"fewer than {MIN_CATEGORY_COUNT} leads"
    return f"constant except for {few}" if most > n_missing else f"filled in for {few}"


def why_no_feature(column: Column) -> str | None:
    """Return why the column cannot be a feature, or None if it can.

    Raises
    ------
    LeadError
        If it has a text among numbers.
    """
    # Dates are recognized by some values as well as by all; those of a million would take seconds.
    if looks_like_times(pd.Series(column.values[:: len(column.values) // MAX_READ + 1], name=column.name)):
        return "date"
    if column.kind not in "bM":
        # Phone numbers are whole, and the texts of a million numbers would cost more than they tell.
        is_fraction = column.kind == "f" and bool((column.numbers % 1 != 0).any())
        texts = [] if is_fraction else list(map(str, column.values[:MAX_READ].tolist()))
        content = personal_data(column.name, texts, column.n_given) if texts else None
        if content:
            return f"personal data: {content}"
    _check_stray_texts(column)
    return _why_id(column)


def _check_stray_texts(column: Column) -> None:
    """Raise LeadError for a text among numbers: as categories, numbers would teach nothing."""
    measured = column.measured
    if measured.is_stray.any() and measured.share >= 0.95 and len(np.unique(column.numbers)) > 20:
        strays = set(np.array(column.texts, dtype=object)[measured.is_stray])
        row, stray = next((row, text) for row, text in column.raw.items() if str(text).strip() in strays)
        must = "be a number, as nearly all others are (or name its placeholder, or its kind, in a recipe)"
        raise LeadError.of_value(column.name, stray, must, int(str(row)) + 1)


def _why_id(column: Column) -> str | None:
    if column.measured.is_number:
        share = len(column.numbers) / max(1, column.n_given - column.measured.n_gaps)
        if share <= 0.5 or (column.numbers % 1 != 0).any():
            return None
        words = " ".join(_WORD_STARTS.split(column.name)).strip().lower()
        # A person with several leads has one id in all of them.
        if _IDENTIFIER_NAME.search(words):
            return "id"
        if share <= 0.99:
            return None
        is_id = _NUMBER_NAME.search(words) or _never_repeats(column) or _is_steady(column)
        return "id" if is_id else None
    if len(column.counts) / column.n_given < 0.5 or len(column.counts) < 100:
        return None
    if column.measured.problem:
        return column.measured.problem
    is_prose = np.average(matches(column.array, r"\s"), weights=column.counts) > 0.5
    return "text, different for nearly every lead" if is_prose else "id"


def _never_repeats(column: Column) -> bool:
    """Return whether the numbers repeat less than measured ones would: serial numbers in any order.

    Whole numbers drawn evenly from a range repeat about as often as a Poisson variable says (the
    birthday problem), and those of any other distribution repeat more often.
    """
    numbers, n_leads = column.numbers, column.n_given - column.measured.n_gaps
    if n_leads < MIN_LEADS:
        return False
    n_possible, n_pairs = numbers.max() - numbers.min() + 1, n_leads * (n_leads - 1) / 2
    return bool(pdtr(n_leads - len(numbers), n_pairs / n_possible) < NO_CHANCE)


def _is_steady(column: Column) -> bool:
    """Return whether the numbers rise or fall throughout the file, of which these leads may be a part."""
    # Rows are named by their position in the file, and training leads are shuffled.
    firsts = column.raw[column.raw.notna()].drop_duplicates().index
    if firsts.dtype.kind not in "iu" or len(firsts) != len(column.numbers):
        firsts = pd.RangeIndex(len(column.numbers))
    steps = np.diff(column.numbers[np.argsort(firsts)])
    return bool((steps >= 0).all() or (steps <= 0).all())
