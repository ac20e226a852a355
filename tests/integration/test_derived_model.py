"""A model with fields derived from mail addresses, from training to every interface."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from contacts import CONTACTS, make_contacts
from models import trained
from support import running_app

from leadmodel.batch.score import score_file
from leadmodel.drift.drift import measure_drift
from leadmodel.leads.convert import read_columns
from leadmodel.leads.io import read_table
from leadmodel.model import LeadModel
from leadmodel.monitoring.log.files import LogStore, find_files, read_files
from leadmodel.monitoring.log.log import LEADS, PredictionLog
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.serving.service import ScoringService

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
    assert "Email host, Email domain lower the log loss by" in card


def test_the_reason_is_in_words(contacts: LeadModel) -> None:
    explanation = contacts.answer(LEAD).explanation
    assert explanation is not None
    sentences = [reason.sentence for reason in explanation.reasons_for]
    assert any(sentence.startswith("Email domain is a company's: ") for sentence in sentences)
    assert not tells(contacts.answer(LEAD).model_dump_json().encode())


def test_a_fresh_host_is_no_warning(contacts: LeadModel) -> None:
    assert contacts.answer(LEAD | {"email": "a@never-seen.example"}).warnings == ()


def test_the_snippet_of_the_card_derives_as_the_model_does(contacts: LeadModel, tmp_path: Path) -> None:
    contacts.save_pretrained(tmp_path / "model")
    NEW.to_csv(tmp_path / "leads.csv", index=False)
    code = contacts.files["README.md"].decode().split("```python\n")[1].split("```")[0]
    # As the reader is told to: the comments on one's own leads become code.
    own = code.split("# leads = pd.read_csv(")[1].split("leads = pd.DataFrame(")[0]
    own = "leads = pd.read_csv(" + own.replace("\n#", "\n").replace("leads.csv", "../leads.csv")
    own = own.replace("\n leads = ", "\nleads = ")
    before, after = code.split("# Or your own leads")[0], code.split('["example_input"])')[1]
    after = after.replace("print(model", "print(*model")
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.modules['leadmodel'] = None\n{before}{own}{after}"],
        cwd=tmp_path / "model",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = np.array(done.stdout.split(), dtype=float)
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
