"""Leads that are too young for their outcome: named, or left out by a horizon."""

import numpy as np
import pandas as pd
import pytest

from leadmodel.audit.finding import Finding
from leadmodel.audit.maturity import YOUNG, observe
from leadmodel.errors import InputError

END = pd.Timestamp("2026-01-01")


def make_leads(mean_delay: float, n_leads: int = 4000, random_state: int = 0) -> pd.DataFrame:
    """Leads of a year, 30 % of which convert, after days of an exponential distribution."""
    rng = np.random.default_rng(random_state)
    came = END - pd.to_timedelta(rng.uniform(0, 365, n_leads), unit="D")
    converted = came + pd.to_timedelta(rng.exponential(mean_delay, n_leads), unit="D")
    is_known = (rng.random(n_leads) < 0.3) & (converted <= END)
    texts = pd.Series(converted.strftime("%Y-%m-%d")).where(is_known)
    return pd.DataFrame({"came": came.strftime("%Y-%m-%d"), "won_on": texts, "y": is_known.astype(int)})


def look(
    leads: pd.DataFrame, *, dated: bool, horizon: int | None = None
) -> tuple[np.ndarray, list[Finding]]:
    return observe(leads["y"].to_numpy(), leads["came"], leads["won_on"] if dated else None, horizon)


@pytest.mark.parametrize("dated", [True, False])
def test_a_low_rate_of_the_newest_leads_is_named_with_a_horizon(dated: bool) -> None:
    leads = make_leads(mean_delay=30)
    codes, (finding,) = look(leads, dated=dated)
    assert (codes == leads["y"]).all()
    assert (finding.kind, finding.severity) == (YOUNG, "problem")
    assert "may be too young" in finding.text
    horizon = int(finding.text.split("--horizon ")[1].split()[0].rstrip("."))
    # 90 % of the conversions come within 69 days.
    assert 45 <= horizon <= 120
    young = END - pd.to_datetime(leads["came"]) < pd.Timedelta(days=horizon)
    share = leads["y"][~young].mean()
    assert abs(float(finding.text.split("older ones ")[1].split("%")[0]) / 100 - share) < 0.01


def test_leads_that_convert_at_once_are_never_too_young() -> None:
    found = [look(make_leads(0.01, random_state=seed), dated=False)[1] for seed in range(50)]
    assert found == [[]] * 50


def test_a_horizon_leaves_out_the_young_and_says_so() -> None:
    leads = make_leads(mean_delay=30)
    codes, (finding,) = look(leads, dated=True, horizon=60)
    age = (pd.to_datetime(leads["came"]).max() - pd.to_datetime(leads["came"])).dt.days
    delay = (pd.to_datetime(leads["won_on"]) - pd.to_datetime(leads["came"])).dt.days
    n_young = int((codes < 0).sum())
    assert abs(n_young - (age < 60).sum()) <= (age == 60).sum() + (age == 59).sum()
    assert (codes[age > 61] == (delay <= 60)[age > 61]).all()
    assert f"{n_young:,} leads are left out because they are younger than 60 days" in finding.text
    assert "converted after the horizon and count as not converted" in finding.text
    assert "--converted-at" not in finding.text
    assert "--converted-at" in look(leads, dated=False, horizon=60)[1][0].text


def test_a_horizon_needs_dates() -> None:
    y = np.array([1, 0])
    with pytest.raises(InputError, match="name a column of dates with --time"):
        observe(y, None, None, 30)
    with pytest.raises(InputError, match="the time column 'n' must have dates"):
        observe(y, pd.Series([1, 2], name="n"), None, 30)
    assert observe(y, None, None, None)[1] == []


def test_of_many_leads_a_sample_is_looked_at() -> None:
    (finding,) = look(make_leads(30, n_leads=150_000), dated=False)[1]
    assert finding.kind == YOUNG
