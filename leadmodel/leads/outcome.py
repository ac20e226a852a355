"""Read the outcomes of past leads."""

import numpy as np
import pandas as pd

from leadmodel.arrays import Bools, Ints
from leadmodel.errors import InputError, quoted
from leadmodel.leads.schema import LeadSchema

__all__ = ["MIN_LEADS_PER_OUTCOME", "find_positive", "known_outcomes", "read_outcome"]

MIN_LEADS_PER_OUTCOME = 40
"""Least number of converted leads, and of others, to train on (Dynamics 365 has the same limit)."""

_POSITIVE = ("1", "yes", "true", "y", "won", "converted", "customer", "closed won", "purchased")


def known_outcomes(target: pd.Series) -> Bools:
    """Return which leads have an outcome; that of an open lead is missing."""
    blank = LeadSchema(fields=())
    missing = [value for value in target.drop_duplicates() if blank.is_missing(value)]
    return (target.notna() & ~target.isin(missing)).to_numpy(dtype=bool)


def find_positive(target: pd.Series, positive: str | None) -> str:
    """Return the label of converted leads: `positive` if given, else the obvious one of two labels.

    Raises
    ------
    InputError
        If the target is constant, `positive` does not occur, or none is obvious.
    """
    labels = sorted(_as_labels(target).unique())
    if len(labels) < 2:
        only = quoted(labels[0]) if labels else "nothing"
        raise InputError(f"The target {target.name!r} must have two outcomes. It has only {only}.")
    shown = ", ".join(quoted(label, 30) for label in labels[:10]) + (", …" if len(labels) > 10 else "")
    if positive is not None:
        if positive not in labels:
            raise InputError(
                f"The positive label {quoted(positive)} is not a value of {target.name!r}: {shown}."
            )
        return positive
    obvious = [label for label in labels if label.lower() in _POSITIVE]
    if len(labels) > 2 or len(obvious) != 1:
        raise InputError(
            f"Which value of {target.name!r} means a converted lead: {shown}? Name it with --positive."
        )
    return obvious[0]


def read_outcome(target: pd.Series, positive: str, at_least: int = MIN_LEADS_PER_OUTCOME) -> Ints:
    """Return 1 for each converted lead and 0 for each other one, of shape (n_leads,).

    Raises
    ------
    InputError
        If there are fewer than `at_least` of either.
    """
    y = np.asarray(_as_labels(target) == positive, dtype=np.int64)
    converted, other = int(y.sum()), int(len(y) - y.sum())
    if min(converted, other) < at_least:
        raise InputError(
            f"At least {at_least} converted and {at_least} unconverted leads are needed. Got {converted} "
            f"converted and {other} unconverted leads."
        )
    return y


def _as_labels(target: pd.Series) -> pd.Series:
    # Whole numbers become floats in a column with gaps, and 1.0 must stay the label "1".
    if target.dtype.kind == "f" and (target % 1 == 0).all():
        target = target.astype("int64")
    return target.astype("str").str.strip()
