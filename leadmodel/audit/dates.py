"""Find dates that were written after the time of their lead, which may know the outcome."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from leadmodel.arrays import Bools, Ints
from leadmodel.audit.finding import Finding
from leadmodel.errors import InputError
from leadmodel.leads.times.read import read_times

__all__ = ["find_late_dates"]

MIN_LATE = 0.05
"""Share of the leads with the date from which on it counts as written later; fewer are typing errors."""

SAME_DAY = pd.Timedelta(days=1)
"""What a date may be later: a date without a clock may be midnight in another time zone."""


def find_late_dates(leads: pd.DataFrame, y: Ints, time: str, names: Sequence[str]) -> list[Finding]:
    """Return a suspected leak for each column of dates of which many are later than the lead.

    Parameters
    ----------
    leads : DataFrame of shape (n_leads, n_columns)
        The raw leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    time : str
        The column with the time of the lead.
    names : sequence of str
        The columns of dates.
    """
    findings = []
    for name in names:
        given = (leads[name].notna() & leads[time].notna()).to_numpy()
        late = _is_late(leads.loc[given, name], leads.loc[given, time])
        if late is None or not len(late) or late.mean() < MIN_LATE:
            continue
        converted = y[given][late].mean()
        text = (
            f"{late.mean():.1%} of its dates are later than the time of the lead. What is written after "
            f"that may know the outcome: {converted:.1%} of the leads with such a date converted, "
            f"{y.mean():.1%} of all leads. Already left out: date."
        )
        findings.append(
            Finding(kind="after the time of the lead", columns=(name,), text=text, severity="suspect leak")
        )
    return findings


def _is_late(dates: pd.Series, times: pd.Series) -> Bools | None:
    """Return whether each date is later than the time beside it; None if they cannot be compared."""
    try:
        late, now = read_times(dates), read_times(times)
        return np.asarray(late - now > SAME_DAY, dtype=bool)
    except (InputError, TypeError, ValueError):  # some are no dates, or one column has running numbers
        return None
