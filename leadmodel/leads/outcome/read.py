"""Read the outcomes of past leads."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadmodel.arrays import Bools, Ints
from leadmodel.errors import InputError
from leadmodel.leads.outcome.rule import OPEN, OutcomeRule, Value, find_rule, key_of
from leadmodel.leads.schema import LeadSchema

__all__ = ["MIN_LEADS_PER_OUTCOME", "Outcomes", "check_enough", "is_given", "label_leads", "read_outcomes"]

MIN_LEADS_PER_OUTCOME = 40
"""Least number of converted leads, and of others, to train on (Dynamics 365 has the same limit)."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Outcomes of leads, and what the values of their column mean.

    Attributes
    ----------
    column : str
        Name of the column.
    rule : OutcomeRule
        What its values mean.
    values : tuple of Value
        Its values, the most frequent first.
    codes : array of shape (n_leads,)
        1 for converted, 0 for lost, OPEN or UNCLEAR for the others.
    """

    column: str
    rule: OutcomeRule
    values: tuple[Value, ...]
    codes: Ints

    @property
    def is_known(self) -> Bools:
        """Which leads have converted or are lost."""
        return np.asarray(self.codes >= 0)


def label_leads(
    target: pd.Series, given: OutcomeRule, *, complete: bool = True, needs_lost: bool = True
) -> Outcomes:
    """Find out what the values of an outcome column mean, and read them.

    Parameters
    ----------
    target : Series of shape (n_leads,)
        The raw column.
    given : OutcomeRule
        What is known of its values.
    complete, needs_lost : bool
        As for `leadmodel.leads.outcome.rule.find_rule`.

    Raises
    ------
    InputError
        If that is not clear.
    """
    values, place = _group_spellings(target)
    rule = find_rule(str(target.name), values, given, complete=complete, needs_lost=needs_lost)
    return Outcomes(str(target.name), rule, tuple(values), _codes(values, place, rule))


def read_outcomes(target: pd.Series, rule: OutcomeRule) -> Ints:
    """Return 1 for each converted lead, 0 for each lost one, OPEN or UNCLEAR for the others."""
    values, place = _group_spellings(target)
    return _codes(values, place, rule)


def check_enough(y: Ints, at_least: int = MIN_LEADS_PER_OUTCOME) -> None:
    """Raise InputError if there are fewer than `at_least` leads of either outcome."""
    converted, other = int(y.sum()), int(len(y) - y.sum())
    if min(converted, other) < at_least:
        raise InputError(
            f"At least {at_least} converted and {at_least} unconverted leads are needed. Got {converted} "
            f"converted and {other} unconverted leads."
        )


def is_given(column: pd.Series) -> Bools:
    """Return which values are neither missing nor blank."""
    blank = LeadSchema(fields=())
    missing = [value for value in column.drop_duplicates() if blank.is_missing(value)]
    return (column.notna() & ~column.isin(missing)).to_numpy(dtype=bool)


def _codes(values: list[Value], place: Ints, rule: OutcomeRule) -> Ints:
    # A missing outcome is at -1, the last place.
    return np.array([*rule.codes([value.name for value in values]), OPEN], dtype=np.int64)[place]


def _group_spellings(target: pd.Series) -> tuple[list[Value], Ints]:
    """Return the values, and the place among them of each lead's value, -1 where it is missing."""
    is_known = is_given(target)
    codes, distinct = pd.factorize(_as_labels(target[is_known]))
    # Lists, because a column of numbers taken for outcomes has a value for each lead.
    labels, counts = list(distinct), np.bincount(codes, minlength=len(distinct)).tolist()
    groups: defaultdict[str, list[int]] = defaultdict(list)
    # The spellings of a value, and the values, in order of their leads; equally many in order of the text.
    for number in sorted(range(len(labels)), key=lambda number: (-counts[number], labels[number])):
        groups[key_of(labels[number])].append(number)
    values, place_of_label = [], np.zeros(len(labels), dtype=np.int64)
    ranked = sorted(groups.items(), key=lambda item: -sum(counts[one] for one in item[1]))
    for number, (key, group) in enumerate(ranked):
        place_of_label[group] = number
        first, *others = (labels[one] for one in group)
        values.append(Value(key, first, sum(counts[one] for one in group), tuple(others)))
    place = np.full(len(target), -1, dtype=np.int64)
    place[is_known] = place_of_label[codes]
    return values, place


def _as_labels(target: pd.Series) -> pd.Series:
    # Whole numbers become floats in a column with gaps, and 1.0 must stay the label "1".
    if target.dtype.kind == "f" and (target % 1 == 0).all():
        target = target.astype("int64")
    return target.astype("str").str.strip()
