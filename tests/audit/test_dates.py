import numpy as np
import pandas as pd
import pytest
from contacts import DATED, make_dated

from leadmodel.audit.dates import find_late_dates
from leadmodel.prepare.data import prepare, prepare_all
from leadmodel.prepare.settings import TrainingSettings

LEADS = make_dated(1500)


def with_late(share: float) -> pd.DataFrame:
    """Leads some of which have a date two days after their time."""
    late = pd.to_datetime(LEADS["created"]) + pd.Timedelta(days=2)
    chosen = np.random.default_rng(0).random(len(LEADS)) < share
    return LEADS.assign(last_visit=LEADS["last_visit"].mask(chosen, late.dt.strftime("%d.%m.%Y %H:%M")))


@pytest.mark.parametrize(("share", "n_findings"), [(0, 0), (0.02, 0), (0.2, 1), (1, 1)])
def test_dates_after_the_lead_are_suspects(share: float, n_findings: int) -> None:
    leads = with_late(share)
    found = find_late_dates(leads, leads["won"].to_numpy(), "created", ["last_visit"])
    assert [finding.severity for finding in found] == ["suspect leak"] * n_findings


def test_running_numbers_and_nonsense_are_no_findings() -> None:
    leads = LEADS.assign(number=range(len(LEADS)), text="soon")
    assert find_late_dates(leads, leads["won"].to_numpy(), "number", ["last_visit"]) == []
    assert find_late_dates(leads, leads["won"].to_numpy(), "created", ["text"]) == []


def test_nothing_is_derived_from_them_and_check_names_them() -> None:
    leads = with_late(0.2)
    data = prepare(leads, DATED, TrainingSettings())
    assert data.derived == () and "last_visit" in data.audit.suspects
    assert "last_visit" in prepare_all(leads, DATED, TrainingSettings()).audit.suspects
