"""Which leads the model learns from, and which it is judged on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import train_test_split

from leadmodel.errors import InputError
from leadmodel.leads.times import read_times

__all__ = ["Split", "split_leads"]


@dataclass(frozen=True)
class Split:
    """Positions of the training and of the test leads, and how they were chosen.

    Attributes
    ----------
    train, test : array of int
        Positions, the oldest first where times are known.
    description : str
        How the test leads were chosen, in words.
    time_range : tuple of str, optional
        First and last time of the training leads.
    leads_per_day : float, optional
        Training leads that came in per day, where times are dates.
    """

    train: npt.NDArray[np.intp]
    test: npt.NDArray[np.intp]
    description: str
    time_range: tuple[str, str] | None = None
    leads_per_day: float | None = None


def split_leads(
    y: npt.NDArray[np.int64], times: pd.Series | None, *, test_share: float, random_state: int
) -> Split:
    """Split leads into training and test leads.

    Parameters
    ----------
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    times : Series of shape (n_leads,), optional
        The time of each lead; if known, the newest leads are the test leads.
    test_share : float
        Share of the test leads.
    random_state : int
        Seed of the split without times, which keeps the share of converted leads.

    Raises
    ------
    InputError
        If all of the test leads, or of the training leads, have one outcome.
    """
    if times is None:
        train, test = train_test_split(
            np.arange(len(y)), test_size=test_share, stratify=y, random_state=random_state
        )
        return Split(train, test, f"a random {test_share:.0%} of the leads, outcomes in equal shares")
    ordered = read_times(times)
    order = np.argsort(ordered.to_numpy(), kind="stable")
    n_test = round(test_share * len(y))
    train, test = order[:-n_test], order[-n_test:]
    if len(set(y[test])) < 2 or len(set(y[train])) < 2:
        raise InputError(
            f"The newest {test_share:.0%} of the leads by {times.name!r}, and the older ones, must "
            "hold both outcomes. They do not; name another time column, or drop this one with --drop."
        )
    first, last = ordered.iloc[train[0]], ordered.iloc[train[-1]]
    # A serial number puts leads in order, but is no date.
    days = (last - first) / pd.Timedelta("1D") if isinstance(first, pd.Timestamp) else 0.0
    return Split(
        train,
        test,
        f"the newest {test_share:.0%} of the leads by {times.name!r}",
        time_range=(str(first), str(last)),
        leads_per_day=len(train) / days if days else None,
    )
