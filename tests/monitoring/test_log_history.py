"""What a log tells over time, against plain counts of the same leads."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from models import trained
from replay import replay
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.model import LeadModel
from leadmodel.monitoring.history import (
    SPANS,
    Slices,
    evaluate_group,
    outcomes_by_grade,
    outcomes_by_revision,
    outcomes_over_time,
    requests_over_time,
    scores_over_time,
)
from leadmodel.monitoring.log import history
from leadmodel.monitoring.log.files import LogStore, find_files, read_files
from leadmodel.monitoring.log.history import History, gather, read_history
from leadmodel.monitoring.log.log import LEADS, REQUESTS
from leadmodel.monitoring.log.outcomes import read_outcomes
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.serving.ui.views.monitoring import render_history

NOON = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def models(quick: TrainingSettings) -> list[LeadModel]:
    """Two revisions, one after the other."""
    return [trained(make_sample(3000, random_state=seed), SAMPLE_RECIPE, quick) for seed in (3, 4)]


@pytest.fixture(scope="module")
def log(models: list[LeadModel], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 30 days, in the second half of which leads and revision are others."""
    folder = tmp_path_factory.mktemp("log")
    replay(models, folder, n_leads=4000)
    return folder


@pytest.fixture(scope="module")
def month(log: Path, models: list[LeadModel]) -> History:
    """That log as the page reads it."""
    return read_history(LogStore(log), models[1], 30)


def raw(log: Path) -> pd.DataFrame:
    """Return leads with outcomes by the plainest way."""
    leads = pd.concat([table.to_pandas() for table in read_files(find_files([log], LEADS))])
    outcomes = pd.concat([pd.read_parquet(path) for path in find_files([log], "outcomes")])
    return leads.merge(outcomes, on=["request_id", "row"], how="left")


@pytest.mark.parametrize("days", SPANS)
def test_slices_fill_the_time_to_now(days: int) -> None:
    slices = Slices.until(NOON, days)
    assert slices.edges[-1] - slices.edges[0] == timedelta(days=days)
    assert slices.edges[-2] <= NOON < slices.edges[-1]
    assert len(slices) == len(set(slices.names)) <= 10
    times = pd.Series([slices.edges[0], NOON, slices.edges[0] - timedelta(1e-5), slices.edges[-1]])
    assert slices.index_of(times).tolist() == [0, len(slices) - 1, -1, -1]


def test_the_same_leads_are_counted(month: History, log: Path) -> None:
    leads = raw(log)
    start = month.slices.edges[0]
    inside = leads[leads["time"] >= start]
    assert len(month.scored) == len(inside)
    scores = scores_over_time(month.slices, month.scored)
    for place, one in enumerate(scores):
        low, high = month.slices.edges[place : place + 2]
        some = inside[(inside["time"] >= low) & (inside["time"] < high)]
        assert one is not None
        assert one.n_leads == len(some)
        assert one.grades == some["grade"].value_counts().to_dict()
        assert (one.low, one.median, one.high) == tuple(np.quantile(some["probability"], [0.1, 0.5, 0.9]))


def test_outcomes_are_those_of_their_leads(month: History, log: Path, models: list[LeadModel]) -> None:
    leads = raw(log)
    leads = leads[(leads["time"] >= month.slices.edges[0]) & leads["converted"].notna()]
    by_grade = {one.name: one for one in outcomes_by_grade(month.scored, ["A", "B", "C", "D"])}
    for grade, some in leads.groupby("grade"):
        found = by_grade[str(grade)]
        assert found.n_known == len(some)
        assert found.converted.value == pytest.approx(some["converted"].mean())
        assert found.expected == pytest.approx(some["probability"].mean())
        assert found.lift is None
    by_revision = outcomes_by_revision(month.scored)
    assert [one.name for one in by_revision] == [models[1].revision, models[0].revision]
    for one in by_revision:
        some = leads[leads["revision"] == one.name]
        y, probability = some["converted"].astype(int), some["probability"]
        assert one.roc_auc is not None
        assert one.lift is not None
        assert one.roc_auc.value == pytest.approx(roc_auc_score(y, probability))
        best = y[probability.sort_values(ascending=False).index[: len(y) // 5]]
        assert one.lift.value == pytest.approx(best.mean() / y.mean(), rel=0.02)
        assert one.lift.low < one.lift.value < one.lift.high


def test_drift_is_that_of_the_leads_the_served_revision_scored(
    month: History, models: list[LeadModel]
) -> None:
    assert [drift is None for drift in month.drifts[:4]] == [True] * 4
    assert month.drift is not None
    assert 1000 <= month.drift.n_now < 2000
    drifted = {name for name, one in month.drift.fields.items() if one.drifted}
    assert {"source", "minutes_on_site"} <= drifted
    own = month.scored["revision"] == models[1].revision
    assert sum(drift.n_now for drift in month.drifts if drift) == own.sum()
    for name in ("age", "course", "brochure"):
        assert month.drift.fields[name].level == "stable"


def test_requests_are_counted_by_kind() -> None:
    slices = Slices.until(NOON, 7)
    rows = [
        (0, "/api/v1/score", 200, 0.005, 90),
        (0, "/api/v1/score", 422, 0.0025, 6),
        (0, "/gradio_api/run", 500, 0.1, 4),
        (0, "/", 200, 5.0, 50),
        (0, "/", 500, 5.0, 1),
        (2, "/api/v1/score", 200, 0.1, 4),
    ]
    frame = pd.DataFrame(rows, columns=["slice", "route", "status", "seconds", "requests"])
    first, second, third, *_ = requests_over_time(slices, frame)
    assert second is None
    assert third is None  # fewer than a handful
    assert first is not None
    assert (first.n_scoring, first.n_refused, first.n_all, first.n_failed) == (100, 6, 151, 5)
    assert (first.median, first.slow) == (0.005, 0.005)


def test_few_leads_are_not_told_of(models: list[LeadModel]) -> None:
    slices = Slices.until(NOON, 7)
    some = pd.DataFrame(
        {
            "slice": [0] * 4 + [1] * 5,
            "probability": np.linspace(0, 1, 9),
            "grade": ["A"] * 4 + ["B"] * 5,
            "converted": [1.0] * 4 + [0.0] * 5,
            "revision": ["one"] * 4 + ["two"] * 5,
            "time": pd.Timestamp(NOON),
        }
    )
    assert [one is None for one in scores_over_time(slices, some)][:3] == [True, False, True]
    assert [one is None for one in outcomes_over_time(slices, some)][:3] == [True, False, True]
    assert [one.name for one in outcomes_by_grade(some, ["A", "B"])] == ["B"]
    assert [one.name for one in outcomes_by_revision(some)] == ["two"]


def test_shares_have_the_interval_of_their_number() -> None:
    some = pd.DataFrame({"probability": [0.5] * 40, "converted": [1.0] * 10 + [0.0] * 30})
    found = evaluate_group("x", some)
    assert found is not None
    z, rate, n = norm.ppf(0.975), 0.25, 40
    middle, half = (rate + z**2 / (2 * n)), z * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    low, high = (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)
    assert (found.converted.low, found.converted.high) == pytest.approx((low, high))
    assert found.roc_auc is None  # ten converted leads are too few to judge an order by


def test_only_the_newest_leads_are_looked_at(
    log: Path, models: list[LeadModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MAX_LEADS", 500)
    cut = read_history(LogStore(log), models[1], 30)
    assert cut.is_cut
    assert 500 <= len(cut.scored) < 1000
    assert cut.scored["time"].min() > datetime.now(UTC) - timedelta(days=8)


def test_other_fields_of_an_older_log_are_gaps(log: Path, models: list[LeadModel]) -> None:
    """A log that began with a model of other fields can still be looked at."""
    tables = [table.drop_columns(["lead.age"]) for table in read_files(find_files([log], LEADS))]
    slices = Slices.until(datetime.now(UTC), 30)
    requests = next(read_files(find_files([log], REQUESTS)))
    found = gather(models[1], slices, tables, read_outcomes([log]), requests)
    assert found.drift is not None
    assert found.drift.fields["age"].drifted


def test_a_report_tells_what_moved_and_hides_small_counts(month: History, models: list[LeadModel]) -> None:
    told = render_history(month, models[1], 30, n_dropped=7)
    for part in (
        "Look into it",
        "The largest shift is in Source",
        "Referral: ",
        "7 more could not be logged",
    ):
        assert part in told
    assert told.count("<img ") == 10
    calm = History(month.slices, month.scored.head(0), [None] * 10, None, "", [None] * 10, is_cut=False)
    assert "Fewer than 5 leads were logged" in render_history(calm, models[1], 30)


def test_no_lead_is_in_a_report(log: Path, month: History, models: list[LeadModel]) -> None:
    told = render_history(month, models[1], 30)
    leads = raw(log)
    assert not any(name in told for name in leads["request_id"].unique())
    assert not any(f"{value!r}" in told for value in leads["probability"].head(500))
