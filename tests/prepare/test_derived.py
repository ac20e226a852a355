import pytest
from contacts import CONTACTS, make_contacts

from leadmodel.prepare.data import prepare, prepare_all
from leadmodel.prepare.settings import TrainingSettings


def test_what_gains_beyond_doubt_is_kept() -> None:
    data = prepare(make_contacts(), CONTACTS, TrainingSettings())
    (gain,) = data.derived
    assert gain.is_used and gain.gain.low > 0
    assert {"email domain", "email kind"} <= set(data.train[0].columns) & set(data.test[0].columns)
    assert data.schema.ignored["email"].endswith("only what is derived from it is used")


@pytest.mark.parametrize("seed", range(4))
def test_addresses_that_tell_nothing_are_left_out(seed: int) -> None:
    data = prepare(make_contacts(random_state=seed, signal=0), CONTACTS, TrainingSettings(seed=seed))
    (gain,) = data.derived
    assert not gain.is_used
    assert list(data.schema.inputs) == ["visits", "source"]
    assert data.schema.ignored["email"].endswith("nothing of it improves the model")


def test_the_test_leads_decide_nothing() -> None:
    leads = make_contacts()
    split = prepare(leads, CONTACTS, TrainingSettings()).split
    changed = leads.copy()
    changed.loc[split.test, "email"] = "a@other.example"
    before, after = (prepare(table, CONTACTS, TrainingSettings()) for table in (leads, changed))
    assert (before.schema, before.derived) == (after.schema, after.derived)


def test_an_audit_derives_nothing() -> None:
    assert prepare_all(make_contacts(400), CONTACTS, TrainingSettings()).derived == ()
