import pandas as pd

from leadmodel.leads.sample import make_sample


def test_the_same_seed_gives_the_same_leads() -> None:
    pd.testing.assert_frame_equal(make_sample(300, 1), make_sample(300, 1))
    assert not make_sample(300, 1).equals(make_sample(300, 2))


def test_the_sample_has_what_real_leads_have() -> None:
    leads = make_sample()
    assert len(leads) == 5000
    assert leads["lead_id"].is_unique
    assert leads["created_at"].is_monotonic_increasing
    assert leads["city"].nunique() > 200
    assert 0.05 < leads["age"].isna().mean() < 0.12
    assert 0.2 < (leads["status"] == "Won").mean() < 0.5
