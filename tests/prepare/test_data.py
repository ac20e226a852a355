import numpy as np
import pandas as pd
import pytest

from leadmodel.audit.audit import audit_leads
from leadmodel.errors import InputError
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.sample import SAMPLE_RECIPE
from leadmodel.prepare.data import prepare, prepare_all
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.training.check.report import audit_report
from leadmodel.training.interface import check

SETTINGS = TrainingSettings()


def test_check_and_train_audit_the_same_leads(sample: pd.DataFrame) -> None:
    """A column that only the newest leads betray, of which training sees none, is named and left out."""
    changed, newest = sample.copy(), sample.index[-240:]
    noise = np.random.default_rng(0).choice(["a", "b", "c"], len(sample))
    changed["stage"] = np.where(sample.index < newest[0], noise, sample["status"])
    checked = prepare_all(changed, SAMPLE_RECIPE, SETTINGS).audit
    assert "stage" in checked.suspects
    other_seed = SETTINGS.model_copy(update={"drop_leaks": True, "seed": 7})
    trained = prepare(changed, SAMPLE_RECIPE, other_seed)
    assert trained.audit == checked
    assert "stage" not in trained.schema.by_name
    assert list(trained.X.columns) == trained.schema.columns


def test_what_is_only_to_be_looked_at_stays_and_is_said(sample: pd.DataFrame) -> None:
    slips = np.random.default_rng(1).random(len(sample)) < 0.195
    leads = sample.assign(stage=np.where((sample["status"] == "Won") ^ slips, "x", "y"))
    data = prepare(leads, SAMPLE_RECIPE, SETTINGS.model_copy(update={"drop_leaks": True}))
    assert data.audit.doubtful == ("stage",)
    assert "stage" in data.schema.by_name
    report = audit_report(data)
    assert "LOOK AT THIS" in report
    assert report.endswith("only to be looked at; this does:\n  --drop stage")


def test_a_field_of_the_training_leads_alone_is_said_not_to_be_measured(sample: pd.DataFrame) -> None:
    numbers = np.where(sample.index < 960, sample.index % 40, np.nan)
    leads = sample.assign(code=[f"a{number}" if number >= 0 else "" for number in numbers])
    whole = prepare_all(leads.drop(columns="code"), SAMPLE_RECIPE, SETTINGS)
    used = prepare(leads, SAMPLE_RECIPE, SETTINGS).schema
    audit = audit_leads(whole.schema, whole.leads, whole.X, whole.y, used=used)
    (finding,) = [one for one in audit.findings if one.kind == "not measured"]
    assert (finding.columns, finding.severity) == (("code",), "look at this")


def test_every_lead_with_an_outcome_is_looked_at(sample: pd.DataFrame) -> None:
    leads = sample.copy()
    leads.loc[::10, "status"] = None
    past = prepare_all(leads, SAMPLE_RECIPE, SETTINGS)
    assert len(past.train[1]) == 1080
    assert len(past.test[1]) == 0


def test_few_leads_can_be_looked_at_but_not_learned_from(sample: pd.DataFrame) -> None:
    few = sample.head(60)
    (finding,) = [
        one for one in prepare_all(few, SAMPLE_RECIPE, SETTINGS).audit.findings if one.severity == "problem"
    ]
    assert finding.kind == "too few leads"
    with pytest.raises(InputError, match="At least 40 converted"):
        prepare(few, SAMPLE_RECIPE, SETTINGS)


def test_newest_leads_without_an_outcome_are_told(sample: pd.DataFrame) -> None:
    leads = sample.copy()
    leads.loc[leads.index[-100:-20], "status"] = None
    leads.loc[leads.index[::50], "created_at"] = leads["created_at"].iloc[0]
    told = [
        one
        for one in prepare_all(leads, SAMPLE_RECIPE, SETTINGS).audit.findings
        if one.kind == "open leads"
    ]
    newest = leads["created_at"] >= leads["created_at"].sort_values().iloc[-121]
    share = leads.loc[newest, "status"].isna().mean()
    assert told[0].columns == ("created_at",)
    assert (
        f"{share:.1%} of the newest leads have no outcome yet ({80 / 1200:.1%} of all leads)."
        in told[0].text
    )
    older = sample.copy()
    older.loc[older.index[:100], "status"] = None
    findings = prepare_all(older, SAMPLE_RECIPE, SETTINGS).audit.findings
    assert not [one for one in findings if one.kind == "open leads"]


def test_a_table_of_suspects_alone_cannot_be_left_out(sample: pd.DataFrame) -> None:
    leads = sample[["status"]].assign(a=sample["status"], b=np.where(sample["status"] == "Won", "x", "y"))
    settings = SETTINGS.model_copy(update={"drop_leaks": True})
    with pytest.raises(InputError, match=r"Every column is a suspected leak.*Leave --drop-leaks out"):
        prepare(leads, SAMPLE_RECIPE.model_copy(update={"time": None}), settings)


def test_a_dropped_column_may_hold_lists(sample: pd.DataFrame) -> None:
    leads = pd.concat([sample.assign(tags=[["a"]] * 1200), sample.head(3).assign(tags=[["a"]] * 3)])
    recipe = SAMPLE_RECIPE.updated(drop=("tags",))
    (copies,) = [
        one for one in prepare_all(leads, recipe, SETTINGS).audit.findings if one.kind == "duplicates"
    ]
    assert copies.text.startswith("3 leads (0.2%)")


def test_the_report_advises_only_on_suspects_in_use(sample: pd.DataFrame) -> None:
    leads = sample.assign(**{"It's so": sample["status"]})
    assert audit_report(prepare(leads, SAMPLE_RECIPE, SETTINGS)).endswith("""\n  --drop 'It'"'"'s so'""")
    dropping = SETTINGS.model_copy(update={"drop_leaks": True})
    assert audit_report(prepare(leads, SAMPLE_RECIPE, dropping)).endswith("uses none of the suspects.")
    assert "--drop" not in audit_report(prepare(sample, SAMPLE_RECIPE, SETTINGS))


def test_open_stages_are_left_out_and_make_no_leak(sample: pd.DataFrame) -> None:
    leads = sample.assign(closed_by=np.where(np.arange(len(sample)) % 2, "Ann", "Bob"))
    is_open = np.random.default_rng(3).random(len(leads)) < 0.4
    leads.loc[is_open, ["status", "closed_by"]] = ["Contacted", None]
    past = prepare_all(leads, SAMPLE_RECIPE, SETTINGS)
    assert len(past.y) == (~is_open).sum()
    assert past.y.sum() == (leads["status"] == "Won").sum()
    assert past.audit.suspects == ()
    (finding,) = [one for one in past.audit.findings if one.kind == "outcomes"]
    assert f"Still open and left out: 'Contacted' {is_open.sum():,}." in finding.text


def test_outcomes_are_given_to_check_in_python(sample: pd.DataFrame) -> None:
    leads = sample.assign(status=sample["status"].where(np.arange(len(sample)) % 3 > 0, "Parked"))
    with pytest.raises(InputError, match="What do these values of 'status' mean: 'Parked'"):
        check(leads, target="status", positive="Won")
    n_parked = (leads["status"] == "Parked").sum()
    assert len(check(leads, target="status", positive="Won", open="Parked").data.y) == 1200 - n_parked
    assert len(check(leads, target="status", negative=["Lost", "Parked"]).data.y) == 1200


def test_copies_are_said_by_check_and_train_and_kept_together(sample: pd.DataFrame) -> None:
    leads = sample.drop(columns=["lead_id", "created_at"])
    numbers = leads.select_dtypes("number").columns
    copies = leads.assign(**{name: leads[name] + 1 for name in numbers})
    table = pd.concat([leads, copies], ignore_index=True)
    recipe = Recipe(target="status", positive="Won")
    data, checked = (make(table, recipe, SETTINGS) for make in (prepare, prepare_all))
    assert data.audit == checked.audit
    (finding,) = [one for one in data.audit.findings if one.kind == "twins"]
    assert finding.severity == "problem"
    of_lead = np.arange(len(table)) % len(leads)
    assert not set(of_lead[data.split.train]) & set(of_lead[data.split.test])
    in_training = of_lead[data.split.train]
    for train_idx, test_idx in data.folds.split(data.y[data.split.train]):
        assert not set(in_training[train_idx]) & set(in_training[test_idx])


def make_dated(sample: pd.DataFrame) -> pd.DataFrame:
    """Leads of the sample with a date of conversion, up to 60 days after the lead."""
    came = pd.to_datetime(sample["created_at"])
    days = pd.to_timedelta(np.random.default_rng(0).integers(0, 60, len(sample)), unit="D")
    return sample.assign(won_on=(came + days).dt.date.astype(str).where(sample["status"] == "Won"))


def test_a_horizon_leaves_out_young_leads_and_purges_the_split(sample: pd.DataFrame) -> None:
    leads = make_dated(sample)
    recipe = SAMPLE_RECIPE.updated(converted_at="won_on", horizon=30)
    past = prepare(leads, recipe, SETTINGS)
    came, won = pd.to_datetime(leads["created_at"]), pd.to_datetime(leads["won_on"])
    until = max(came.max(), won.max())
    kept = leads.index[until - came >= pd.Timedelta(days=30)]
    assert past.X.index.tolist() == kept.tolist()
    within = won[kept] - came[kept] <= pd.Timedelta(days=30)
    assert past.y.tolist() == within.astype(int).tolist()
    assert 0 < past.y.sum() < (leads.loc[kept, "status"] == "Won").sum()
    assert "won_on" not in past.schema.by_name
    assert past.schema.ignored["won_on"] == "conversion date, known after the outcome"
    assert past.audit.suspects == ()
    train, test = came[past.X.index[past.split.train]], came[past.X.index[past.split.test]]
    assert train.max() + pd.Timedelta(days=30) <= test.min()
    assert "their outcome was not yet known when the test began" in past.split.description


def test_open_leads_older_than_the_horizon_have_not_converted(sample: pd.DataFrame) -> None:
    leads = make_dated(sample)
    is_open = (leads["status"] == "Lost") & (np.arange(len(leads)) % 2 == 0)
    leads.loc[is_open, "status"] = "In progress"
    recipe = SAMPLE_RECIPE.updated(converted_at="won_on", horizon=30)
    all_lost = prepare_all(make_dated(sample), recipe, SETTINGS)
    assert prepare_all(leads, recipe, SETTINGS).y.tolist() == all_lost.y.tolist()
    undated = prepare_all(leads, SAMPLE_RECIPE.updated(horizon=30), SETTINGS)
    assert not is_open[undated.X.index].any()


@pytest.mark.parametrize("others", [None, "Open", "lead"])
def test_with_a_horizon_no_lead_need_be_lost(sample: pd.DataFrame, others: str | None) -> None:
    recipe = SAMPLE_RECIPE.updated(converted_at="won_on", horizon=30)
    leads = make_dated(sample)
    expected = prepare_all(leads, recipe, SETTINGS).y.tolist()
    leads["status"] = leads["status"].where(leads["status"] == "Won", others)
    if others == "lead":
        leads.loc[leads.index[::2], "status"] = leads["status"].replace({"lead": "opportunity"})
    found = prepare_all(leads, recipe, SETTINGS)
    assert found.y.tolist() == expected
    assert "open leads as lost" not in {one.kind for one in found.audit.findings}


def test_a_horizon_is_a_number_of_days(sample: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"--horizon takes a number of days, 1 or more\. Got 0"):
        check(sample, target="status", horizon=0)
    with pytest.raises(InputError, match="conversion date column 'won' is not among"):
        check(sample, target="status", converted_at="won")


def test_a_date_of_conversion_is_an_outcome_by_itself(sample: pd.DataFrame) -> None:
    leads = make_dated(sample)
    recipe = SAMPLE_RECIPE.updated(converted_at="won_on", horizon=30)
    expected = prepare_all(leads, recipe, SETTINGS)
    alone = leads.drop(columns="status")
    found = check(alone, converted_at="won_on", horizon=30, time="created_at", id="lead_id").data
    assert found.y.tolist() == expected.y.tolist()
    assert (found.recipe.target, found.positive) == ("won_on", "filled in")
    assert [one.kind for one in found.audit.findings] == [one.kind for one in expected.audit.findings]
    with pytest.raises(InputError, match="Which column has the outcome"):
        check(alone, converted_at="won_on", time="created_at")
    with pytest.raises(InputError, match="Which column has the outcome"):
        check(alone, horizon=30, time="created_at")
