"""Aggregate scores, outcomes and requests over time.

Groups of very few leads are left out everywhere, because they might point to a person.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from leadmodel.arrays import Positions
from leadmodel.insights.conversion import wilson
from leadmodel.insights.profile import Cell
from leadmodel.leads.field import MIN_CATEGORY_COUNT
from leadmodel.metrics.classification import Estimate, estimate_metrics

__all__ = [
    "SPANS",
    "Outcomes",
    "Requests",
    "Scores",
    "Slices",
    "evaluate_group",
    "outcomes_by_grade",
    "outcomes_by_revision",
    "outcomes_over_time",
    "requests_over_time",
    "scores_over_time",
]

SPANS = {1: 3, 7: 24, 30: 72, 90: 240}
"""Hours of each slice by days to look back: about ten slices, which a phone can show."""

MIN_EACH = 20
"""Least converted and other leads for a measure of their ranking."""

ANSWERING = ("/api/v1/score", "/gradio_api/run", "/gradio_api/call", "/gradio_api/mcp")
"""Routes that return scores; the time of the others does not depend on the model."""


@dataclass(frozen=True)
class Slices:
    """Time slices of equal length.

    Parameters
    ----------
    edges : tuple of datetime
        Starts of the slices, and the end of the last one, in UTC.
    """

    edges: tuple[datetime, ...]

    @classmethod
    def until(cls, now: datetime, days: int) -> "Slices":
        """Return the slices of the last `days`, one of `SPANS`; the last slice contains `now`."""
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
        """Start of each slice: its hour, or its day."""
        hours = self.edges[1] - self.edges[0] < timedelta(days=1)
        return [f"{edge:%H:%M}" if hours else f"{edge:%b} {edge.day}" for edge in self.edges[:-1]]

    def index_of(self, times: pd.Series) -> Positions:
        """Return the index of the slice of each time, -1 for one outside all of them."""
        edges = pd.DatetimeIndex(self.edges).as_unit("ms").asi8
        index = np.searchsorted(edges, times.dt.as_unit("ms").astype("int64").to_numpy(), side="right") - 1
        return np.where(index >= len(self), -1, index)


@dataclass(frozen=True)
class Scores:
    """Scored leads of a slice: their number, quantiles (10, 50 and 90 %), and number by grade."""

    n_leads: int
    low: float
    median: float
    high: float
    grades: dict[str, int]


@dataclass(frozen=True)
class Outcomes:
    """Predictions and outcomes of a group of scored leads.

    Parameters
    ----------
    name : str
        Name of the slice, grade or revision.
    n_leads : int
        Number of scored leads.
    n_known : int
        Number of leads with an outcome.
    expected : float
        Mean probability of these.
    converted : Estimate
        The share that converted, with its 95 % interval.
    lift, roc_auc : Estimate, optional
        Conversion rate of the best fifth divided by that of all, and ROC AUC; None with fewer than
        `MIN_EACH` leads of either outcome.
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
        Requests for scores, and those refused as invalid.
    n_all, n_failed : int
        All requests, and those on which the app failed.
    median, slow : float
        Median and 95 % quantile of the seconds to answer requests for scores.
    """

    n_scoring: int
    n_refused: int
    n_all: int
    n_failed: int
    median: float
    slow: float


def scores_over_time(slices: Slices, scored: pd.DataFrame) -> list[Scores | None]:
    """Aggregate the scores of each slice; None for very few leads.

    Parameters
    ----------
    slices : Slices
        Time slices.
    scored : DataFrame of shape (n_leads, …)
        With ``slice``, ``probability`` and ``grade``.
    """
    scores: list[Scores | None] = []
    for leads in _groups(scored["slice"], range(len(slices)), scored):
        if len(leads) < MIN_CATEGORY_COUNT:
            scores.append(None)
            continue
        low, median, high = leads["probability"].quantile([0.1, 0.5, 0.9]).tolist()
        grades = {str(grade): int(count) for grade, count in leads["grade"].value_counts().items()}
        scores.append(Scores(len(leads), low, median, high, grades))
    return scores


def outcomes_over_time(slices: Slices, scored: pd.DataFrame) -> list[Outcomes | None]:
    """Aggregate the outcomes of the leads scored in each slice; None for very few.

    Parameters
    ----------
    slices : Slices
        Time slices.
    scored : DataFrame of shape (n_leads, …)
        With ``slice``, ``probability`` and ``converted``: 1, 0, or NaN where unknown.
    """
    groups = _groups(scored["slice"], range(len(slices)), scored)
    return [evaluate_group(name, group) for name, group in zip(slices.names, groups, strict=True)]


def outcomes_by_grade(scored: pd.DataFrame, bands: Sequence[str]) -> list[Outcomes]:
    """Aggregate the outcomes of each grade, best first, without grades of very few leads."""
    groups = _groups(scored["grade"], bands, scored)
    # Not ranked, because leads of one grade differ too little in their probability.
    outcomes = (
        evaluate_group(name, group, ranked=False) for name, group in zip(bands, groups, strict=True)
    )
    return list(filter(None, outcomes))


def outcomes_by_revision(scored: pd.DataFrame) -> list[Outcomes]:
    """Aggregate the outcomes of each revision, the latest first, without those of very few leads."""
    last = scored.groupby("revision", observed=True)["time"].max().sort_values(ascending=False)
    groups = _groups(scored["revision"], last.index, scored)
    outcomes = (evaluate_group(str(name), group) for name, group in zip(last.index, groups, strict=True))
    return list(filter(None, outcomes))


def _groups(keys: pd.Series, wanted: Iterable[object], rows: pd.DataFrame) -> list[pd.DataFrame]:
    groups = dict(iter(rows.groupby(keys, observed=True)))
    return [groups.get(key, rows.iloc[:0]) for key in wanted]


def evaluate_group(name: str, leads: pd.DataFrame, *, ranked: bool = True) -> Outcomes | None:
    """Compare predictions and outcomes of a group of scored leads; None with very few outcomes.

    Parameters
    ----------
    name : str
        Name of the group.
    leads : DataFrame of shape (n_leads, …)
        With ``probability`` and ``converted``.
    ranked : bool
        Whether to measure their ranking as well.
    """
    known = leads[leads["converted"].notna()]
    if len(known) < MIN_CATEGORY_COUNT:
        return None
    y, probability = known["converted"].to_numpy(dtype=np.int64), known["probability"].to_numpy()
    n_converted = int(y.sum())
    metrics: dict[str, Estimate] = {}
    if ranked and min(n_converted, len(y) - n_converted) >= MIN_EACH:
        # A figure needs no more than 200 resamples; many leads vary less between them, and take longer.
        n_resamples = int(np.clip(1_000_000 // len(y), 20, 200))
        metrics = estimate_metrics(y, probability, n_resamples=n_resamples)
    return Outcomes(
        name=name,
        n_leads=len(leads),
        n_known=len(y),
        expected=float(probability.mean()),
        converted=wilson(Cell(count=len(y), converted=n_converted)),
        lift=metrics.get("lift_top_20"),
        roc_auc=metrics.get("roc_auc"),
    )


def requests_over_time(slices: Slices, requests: pd.DataFrame) -> list[Requests | None]:
    """Aggregate the requests of each slice; None for very few.

    Parameters
    ----------
    slices : Slices
        Time slices.
    requests : DataFrame of shape (n_kinds, …)
        With ``slice``, ``route``, ``status``, ``seconds`` (upper edge of a bin) and ``requests``.
    """
    return list(map(_summarize_requests, _groups(requests["slice"], range(len(slices)), requests)))


def _summarize_requests(requests: pd.DataFrame) -> Requests | None:
    scoring = requests[requests["route"].isin(ANSWERING)]
    if requests["requests"].sum() < MIN_CATEGORY_COUNT:
        return None
    # Requests are logged by bins of time, so quantiles are those of the bins.
    times = scoring.groupby("seconds")["requests"].sum().sort_index()

    def total(rows: pd.Series, of: pd.DataFrame) -> int:
        return int(of.loc[rows, "requests"].sum())

    return Requests(
        n_scoring=int(scoring["requests"].sum()),
        n_refused=total(scoring["status"].between(400, 499), scoring),
        n_all=int(requests["requests"].sum()),
        n_failed=total(requests["status"] >= 500, requests),
        median=_quantile(times, 0.5),
        slow=_quantile(times, 0.95),
    )


def _quantile(times: pd.Series, share: float) -> float:
    """Return the quantile of binned times: the upper edge of its bin."""
    if times.empty:
        return float("nan")
    reached = times.cumsum() >= share * times.sum()
    return float(times.index[int(np.argmax(reached))])
