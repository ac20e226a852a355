"""A model with fields derived from mail addresses, from training to every interface."""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from contacts import CONTACTS, DATED, PROSPECTS, make_contacts, make_dated, make_prospects, score_by_card
from models import trained
from support import running_app

from leadmodel.batch.score import score_file
from leadmodel.drift.drift import measure_drift
from leadmodel.errors import ModelError
from leadmodel.leads.convert import read_columns
from leadmodel.leads.io import read_table
from leadmodel.model import LeadModel
from leadmodel.monitoring.log.files import LogStore, find_files, read_files
from leadmodel.monitoring.log.log import LEADS, PredictionLog
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.serving.service import ScoringService
from leadmodel.serving.ui.form import Form, form_inputs

NEW = make_contacts(300, random_state=9).drop(columns="won")
SECRETS = ("Zzperson", "Qqname", "firm1")
LEAD = {"email": "Zzperson.Qqname@firm1.example", "visits": 3, "source": "Ads"}


@pytest.fixture(scope="module")
def contacts(quick: TrainingSettings) -> LeadModel:
    return trained(make_contacts(), CONTACTS, quick)


@pytest.fixture(scope="module")
def served(contacts: LeadModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("contacts") / "model"
    contacts.save_pretrained(folder)
    with running_app(str(folder)) as address:
        yield address


def tells(content: bytes) -> list[str]:
    return [secret for secret in SECRETS if secret.encode() in content]


def test_no_file_of_the_model_holds_a_raw_text(contacts: LeadModel) -> None:
    assert [name for name, content in contacts.files.items() if tells(content)] == []
    assert {"email domain", "email kind"} <= set(contacts.schema.columns)


def test_the_gain_is_in_the_report_and_the_card(contacts: LeadModel) -> None:
    (gain,) = json.loads(contacts.files["metrics.json"])["derived"]
    assert gain["is_used"] and gain["gain"]["low"] > 0
    card = contacts.files["README.md"].decode()
    assert "| Email host | email | what follows the @ |" in card
    assert "(Email host, Email domain): lowers the log loss on the folds by" in card


def test_the_reason_is_in_words(contacts: LeadModel) -> None:
    explanation = contacts.answer(LEAD).explanation
    assert explanation is not None
    sentences = [reason.sentence for reason in explanation.reasons_for]
    assert any(sentence.startswith("Email domain is a company's: ") for sentence in sentences)
    assert not tells(contacts.answer(LEAD).model_dump_json().encode())


def test_a_fresh_host_is_no_warning(contacts: LeadModel) -> None:
    assert contacts.answer(LEAD | {"email": "a@never-seen.example"}).warnings == ()


def test_the_snippet_of_the_card_derives_as_the_model_does(contacts: LeadModel, tmp_path: Path) -> None:
    found = score_by_card(contacts, NEW, tmp_path)
    np.testing.assert_allclose(found, contacts.predict_proba(NEW)[:, 1], atol=1e-7)


def test_the_api_asks_for_the_raw_text_and_repeats_nothing(served: str, contacts: LeadModel) -> None:
    fields = httpx.get(f"{served}/api/v1/schema").json()["fields"]
    assert [field["name"] for field in fields] == ["visits", "source", "email"]
    answer = httpx.post(f"{served}/api/v1/score", json=LEAD, timeout=60)
    assert answer.json()["probability"] == contacts.answer(LEAD).probability
    refused = httpx.post(f"{served}/api/v1/score", json=LEAD | {"email": [LEAD["email"]]}, timeout=60)
    assert refused.status_code == 422
    assert not tells(answer.content) and not tells(refused.content)
    documented = httpx.get(f"{served}/openapi.json").json()["paths"]["/api/v1/score"]["post"]
    lead = documented["requestBody"]["content"]["application/json"]["schema"]["anyOf"][0]
    assert lead["properties"]["email"]["type"] == ["string", "null"]
    form = httpx.get(f"{served}/config").json()["components"]
    assert [box["props"]["type"] for box in form if box["props"].get("label") == "Email"] == ["text"]


def test_a_file_and_a_list_are_scored_as_single_leads(contacts: LeadModel, tmp_path: Path) -> None:
    NEW.to_csv(tmp_path / "leads.csv", index=False)
    score_file(contacts, tmp_path / "leads.csv", tmp_path / "scored.csv")
    expected = contacts.predict_proba(NEW)[:, 1]
    scored = read_table(tmp_path / "scored.csv")
    np.testing.assert_allclose(scored["probability"].astype(float), expected, atol=1e-12)
    renamed = pa.Table.from_pandas(NEW.rename(columns={"email": "E-Mail"}), preserve_index=False)
    named = renamed.rename_columns(["Email", *renamed.column_names[1:]])
    ranked = ScoringService(contacts).rank("leads.csv", named, "list")
    assert [match.missing for match in ranked.matches if match.field == "email"] == [
        NEW["email"].isna().sum()
    ]
    assert "Email" not in ranked.unused
    np.testing.assert_allclose(
        ranked.table["probability"].to_numpy()[np.argsort(ranked.rows)], expected, atol=1e-12
    )


def test_the_log_keeps_derived_values_alone(contacts: LeadModel, tmp_path: Path) -> None:
    service = ScoringService(contacts, log=PredictionLog(LogStore(tmp_path), seconds=3600))
    service.answers(NEW.astype(object).where(NEW.notna(), None).to_dict("records"))
    assert service.log is not None
    service.log.close()
    assert not any(tells(path.read_bytes()) for path in tmp_path.rglob("*") if path.is_file())
    (logged,) = read_files(find_files([tmp_path], LEADS))
    assert "lead.email kind" in logged.column_names and "lead.email" not in logged.column_names
    expected = read_columns(contacts.schema, NEW).to_frame()["email kind"].astype(str)
    kept = logged["lead.email kind"].to_pandas().fillna("(missing)")
    assert kept.tolist() == expected.tolist()


def test_drift_compares_derived_fields(contacts: LeadModel, tmp_path: Path) -> None:
    moved = make_contacts(600, random_state=5)
    moved["email"] = [f"a{number}@gmail.com" for number in range(600)]
    moved.to_csv(tmp_path / "moved.csv", index=False)
    drift = measure_drift(contacts, tmp_path / "moved.csv")
    assert drift.fields["email kind"].drifted
    assert "email" not in drift.fields


def test_what_if_leaves_derived_fields_alone(contacts: LeadModel) -> None:
    assert not {"Email host", "Email domain"} & set(contacts.what_if(LEAD).tried)


def test_missing_addresses_are_scored(contacts: LeadModel) -> None:
    frame = pd.DataFrame([{**LEAD, "email": None}, {**LEAD, "email": "no address"}])
    assert len(set(contacts.predict_proba(frame)[:, 1].tolist())) == 1


@pytest.fixture(scope="module")
def prospects(quick: TrainingSettings) -> LeadModel:
    signals = dict.fromkeys(("phone", "landing_page", "job_title", "company", "message"), 1.5)
    return trained(make_prospects(**signals), PROSPECTS, quick)


OTHERS = make_prospects(200, random_state=3).drop(columns="won")


def test_phones_addresses_titles_companies_and_messages_are_derived(prospects: LeadModel) -> None:
    labels = {field.label for field in prospects.schema.fields}
    assert {
        "Landing page path",
        "Job title level",
        "Company legal form",
        "Word “offer” in Message",
    } <= labels
    assert ("Phone country" in labels) == (find_spec("phonenumbers") is not None)
    pinned = prospects.files["requirements.txt"].decode()
    assert ("phonenumbers==" in pinned) == ("Phone country" in labels)
    held = b"".join(content for name, content in prospects.files.items())
    assert not any(
        secret in held for secret in (b"Zzteam", b"Zzfirm", b"Zzperson", b"zzperson", b"session=")
    )


def test_the_snippet_derives_the_others_too(prospects: LeadModel, tmp_path: Path) -> None:
    found = score_by_card(prospects, OTHERS, tmp_path)
    np.testing.assert_allclose(found, prospects.predict_proba(OTHERS)[:, 1], atol=1e-7)


def test_a_word_of_a_message_is_a_reason(prospects: LeadModel) -> None:
    explanation = prospects.answer({"message": "Zzperson wants an OFFER", "visits": 4}).explanation
    assert explanation is not None
    sentences = [reason.sentence for reason in explanation.reasons_for]
    assert any(sentence.startswith("Word “offer” in Message is present: ") for sentence in sentences)


def test_odd_raw_values_are_scored(prospects: LeadModel) -> None:
    odd = [
        "",
        " ",
        "http://[",
        "//",
        "+",
        "00",
        "@",
        "\ud800",
        "a" * 100_000,
        "+49" * 999,
        10**400,
        1.5,
        True,
    ]
    names = sorted(prospects.schema.raw_only)
    answers = prospects.answers([dict.fromkeys(names, value) for value in odd], reasons=True)
    assert all(0 < answer.probability < 1 for answer in answers)
    "".join(answer.model_dump_json() for answer in answers).encode()


@pytest.fixture(scope="module")
def dated(quick: TrainingSettings) -> LeadModel:
    return trained(make_dated(), DATED, quick)


def test_dates_are_compared_with_the_time_of_the_lead(dated: LeadModel, tmp_path: Path) -> None:
    assert {"last_visit weekday", "last_visit days before the lead"} <= set(dated.schema.columns)
    leads = make_dated(200, random_state=4).drop(columns="won")
    expected = dated.predict_proba(leads)[:, 1]
    np.testing.assert_allclose(score_by_card(dated, leads, tmp_path), expected, atol=1e-7)
    answers = dated.answers(leads.to_dict("records"))
    np.testing.assert_allclose([answer.probability for answer in answers], expected, atol=1e-12)
    table = pa.Table.from_pandas(leads.drop(columns="created"), preserve_index=False)
    ranked = ScoringService(dated).rank("leads.csv", table, "list")
    assert [match.field for match in ranked.matches] == ["visits", "last_visit"]


def test_the_form_asks_for_a_time_that_may_be_empty(dated: LeadModel) -> None:
    form = Form(form_inputs(dated.schema.inputs.values(), dated.schema.raw_only), {}, None)
    assert dict(zip(form.inputs, form.empty, strict=True)) == {
        "visits": None,
        "last_visit": "",
        "created": "",
    }
    lead = {"visits": 3, "last_visit": "2026-01-15 10:30", "created": ""}
    assert 0 < dated.answer(lead).probability < 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [({"how": "shell command"}, "Input should be"), ({"other": "visits"}, "takes 1 columns")],
)
def test_a_changed_derivation_is_refused(contacts: LeadModel, change: dict[str, str], problem: str) -> None:
    config = json.loads(contacts.files["config.json"])
    field = next(field for field in config["schema"]["fields"] if "derived" in field)
    field["derived"] |= change
    with pytest.raises(ModelError, match=problem):
        LeadModel(contacts.files | {"config.json": json.dumps(config).encode()})
