"""What scored leads, and what became of them, were like over time.

Nothing here is told of fewer than a handful of leads: it might point to a person.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadmodel.insights.conversion import wilson
from leadmodel.insights.profile import Cell
from leadmodel.leads.schema import MIN_CATEGORY_COUNT
from leadmodel.metrics.classification import Estimate, estimate_metrics

__all__ = [
    "SPANS",
    "Outcomes",
    "Requests",
    "Scores",
    "Slices",
    "judge",
    "outcomes_by_grade",
    "outcomes_by_revision",
    "outcomes_over_time",
    "requests_over_time",
    "scores_over_time",
]

SPANS = {1: 3, 7: 24, 30: 72, 90: 240}
"""Days to look back, and the hours of each slice: about ten slices, which a phone can show."""

MIN_EACH = 20
"""Converted, and other, leads from which on their order says something."""

ANSWERING = ("/api/v1/score", "/gradio_api/run", "/gradio_api/call", "/gradio_api/mcp")
"""Routes whose answer is a score; the time of all others says nothing of the model."""


@dataclass(frozen=True)
class Slices:
    """The time looked back upon, in parts of one length.

    Parameters
    ----------
    edges : tuple of datetime
        Beginnings, and the end of the last one, in UTC.
    """

    edges: tuple[datetime, ...]

    @classmethod
    def until(cls, now: datetime, days: int) -> "Slices":
        """Return the slices of the last `days`, one of `SPANS`; the last slice holds `now`."""
        step = timedelta(hours=SPANS[days])
        if days == 1:
            end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        else:
            end = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        n_slices = timedelta(days=days) // step
        return cls(tuple(end - step * back for back in range(n_slices, -1, -1)))

    def __len__(self) -> int:
        return len(self.edges) - 1

    @property
    def names(self) -> list[str]:
        """The beginning of each slice: its hour, or its day."""
        hours = self.edges[1] - self.edges[0] < timedelta(days=1)
        return [f"{edge:%H:%M}" if hours else f"{edge:%b} {edge.day}" for edge in self.edges[:-1]]

    def places(self, times: pd.Series) -> npt.NDArray[np.intp]:
        """Return the slice of each time, -1 for one outside of all."""
        edges = pd.DatetimeIndex(self.edges).as_unit("ms").asi8
        places = np.searchsorted(edges, times.dt.as_unit("ms").astype("int64").to_numpy(), side="right") - 1
        return np.where(places >= len(self), -1, places)


@dataclass(frozen=True)
class Scores:
    """Answers in a slice: how many, their quantiles (10, 50 and 90 %), and leads by grade."""

    n_leads: int
    low: float
    median: float
    high: float
    grades: dict[str, int]


@dataclass(frozen=True)
class Outcomes:
    """Leads whose outcome is known: how many, what was foretold, what happened, how well ranked.

    Parameters
    ----------
    name : str
        Of the slice, grade or revision.
    n_leads : int
        Scored leads.
    n_known : int
        Leads with an outcome.
    expected : float
        Their mean probability.
    converted : Estimate
        The share that converted, with its 95 % interval.
    lift, roc_auc : Estimate, optional
        The conversion rate of the best fifth over that of all, and the ROC AUC; None with fewer
        than `MIN_EACH` of either outcome.
    """

    name: str
    n_leads: int
    n_known: int
    expected: float
    converted: Estimate
    lift: Estimate | None = None
    roc_auc: Estimate | None = None


@dataclass(frozen=True)
class Requests:
    """Requests in a slice.

    Parameters
    ----------
    n_scoring, n_refused : int
        Of those that ask for a score, and with which something was wrong.
    n_all, n_failed : int
        Of all kinds, and with which the app failed.
    median, slow : float
        Seconds within which half, and 95 %, of the scoring ones were answered.
    """

    n_scoring: int
    n_refused: int
    n_all: int
    n_failed: int
    median: float
    slow: float


def scores_over_time(slices: Slices, scored: pd.DataFrame) -> list[Scores | None]:
    """Return the answers of each slice; None for fewer than a handful.

    Parameters
    ----------
    slices : Slices
        The time.
    scored : DataFrame of shape (n_leads, …)
        With ``slice``, ``probability`` and ``grade``.
    """
    return [_scores(some) for some in _parts(scored["slice"], range(len(slices)), scored)]


def _scores(some: pd.DataFrame) -> Scores | None:
    if len(some) < MIN_CATEGORY_COUNT:
        return None
    low, median, high = some["probability"].quantile([0.1, 0.5, 0.9])
    grades = {str(grade): int(count) for grade, count in some["grade"].value_counts().items()}
    return Scores(len(some), float(low), float(median), float(high), grades)


def outcomes_over_time(slices: Slices, scored: pd.DataFrame) -> list[Outcomes | None]:
    """Return the outcomes of the leads scored in each slice; None for fewer than a handful.

    Parameters
    ----------
    slices : Slices
        The time.
    scored : DataFrame of shape (n_leads, …)
        With ``slice``, ``probability`` and ``converted``: 1, 0, or a gap where it is not known.
    """
    parts = _parts(scored["slice"], range(len(slices)), scored)
    return [judge(name, some) for name, some in zip(slices.names, parts, strict=True)]


def outcomes_by_grade(scored: pd.DataFrame, bands: Sequence[str]) -> list[Outcomes]:
    """Return the outcomes of each grade, best first, without those of fewer than a handful."""
    parts = _parts(scored["grade"], bands, scored)
    found = (judge(name, some, ranked=False) for name, some in zip(bands, parts, strict=True))
    return [one for one in found if one]


def outcomes_by_revision(scored: pd.DataFrame) -> list[Outcomes]:
    """Return the outcomes of each revision, the latest first, without those of fewer than a handful."""
    last = scored.groupby("revision", observed=True)["time"].max().sort_values(ascending=False)
    parts = _parts(scored["revision"], last.index, scored)
    found = (judge(str(name), some) for name, some in zip(last.index, parts, strict=True))
    return [one for one in found if one]


def _parts(keys: pd.Series, wanted: Iterable[object], scored: pd.DataFrame) -> list[pd.DataFrame]:
    groups = dict(iter(scored.groupby(keys, observed=True)))
    return [groups.get(one, scored.iloc[:0]) for one in wanted]


def judge(name: str, some: pd.DataFrame, *, ranked: bool = True) -> Outcomes | None:
    """Return what became of some scored leads; None if a handful's outcome is not known.

    Parameters
    ----------
    name : str
        Of these leads.
    some : DataFrame of shape (n_leads, …)
        With ``probability`` and ``converted``.
    ranked : bool
        Whether their order is judged as well.
    """
    known = some[some["converted"].notna()]
    if len(known) < MIN_CATEGORY_COUNT:
        return None
    y, probability = known["converted"].to_numpy(dtype=np.int64), known["probability"].to_numpy()
    n_converted = int(y.sum())
    metrics: dict[str, Estimate] = {}
    if ranked and min(n_converted, len(y) - n_converted) >= MIN_EACH:
        # A hundred resamples are enough for a bar in a picture; of many leads, fewer.
        n_resamples = int(np.clip(1_000_000 // len(y), 20, 200))
        metrics = estimate_metrics(y, probability, n_resamples=n_resamples)
    return Outcomes(
        name=name,
        n_leads=len(some),
        n_known=len(y),
        expected=float(probability.mean()),
        converted=wilson(Cell(count=len(y), converted=n_converted)),
        lift=metrics.get("lift_top_20"),
        roc_auc=metrics.get("roc_auc"),
    )


def requests_over_time(slices: Slices, requests: pd.DataFrame) -> list[Requests | None]:
    """Return the requests of each slice; None for fewer than a handful.

    Parameters
    ----------
    slices : Slices
        The time.
    requests : DataFrame of shape (n_kinds, …)
        With ``slice``, ``route``, ``status``, ``seconds`` (at most) and ``requests`` (how many).
    """
    return [_requests(some) for some in _parts(requests["slice"], range(len(slices)), requests)]


def _requests(some: pd.DataFrame) -> Requests | None:
    scoring = some[some["route"].isin(ANSWERING)]
    if some["requests"].sum() < MIN_CATEGORY_COUNT:
        return None
    times = scoring.groupby("seconds")["requests"].sum().sort_index()

    def total(rows: pd.Series, of: pd.DataFrame) -> int:
        return int(of.loc[rows, "requests"].sum())

    return Requests(
        n_scoring=int(scoring["requests"].sum()),
        n_refused=total(scoring["status"].between(400, 499), scoring),
        n_all=int(some["requests"].sum()),
        n_failed=total(some["status"] >= 500, some),
        median=_within(times, 0.5),
        slow=_within(times, 0.95),
    )


def _within(times: pd.Series, share: float) -> float:
    """Return the seconds within which that share was answered: an upper edge of the counted ones."""
    if times.empty:
        return float("nan")
    reached = times.cumsum() >= share * times.sum()
    return float(times.index[int(np.argmax(reached))])
