"""The app as strangers use it: a real process, a real port, real clients."""

import base64
import io
import json
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from gradio_client import Client
from support import command

from leadmodel.leads.sample import make_sample
from leadmodel.model import LeadModel

LEADS: list[dict[str, Any]] = json.loads(
    make_sample(50, random_state=9).drop(columns="status").to_json(orient="records")
)


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Client]:
    """A gradio_client of the app."""
    made = Client(address, verbose=False)
    yield made
    made.close()


def run(address: str, name: str, *data: Any) -> httpx.Response:
    return httpx.post(f"{address}/gradio_api/run/{name}", json={"data": data}, timeout=30)


def test_predict_takes_the_fields_by_name(client: Client, model: LeadModel) -> None:
    lead = {name: LEADS[0][name] for name in model.schema.by_name}
    answer = client.predict(**lead, api_name="/predict")
    assert answer == model.answer(lead).model_dump(mode="json")


def test_predict_takes_what_is_known(client: Client, model: LeadModel) -> None:
    answer = client.predict(source="Referral", api_name="/predict")
    assert answer["probability"] == pytest.approx(model.answer({"source": "Referral"}).probability)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_predict_file_scores_a_file_in_its_order(
    client: Client, model: LeadModel, sample: pd.DataFrame, tmp_path: Path, suffix: str
) -> None:
    path, leads = tmp_path / f"leads{suffix}", sample.tail(40)
    writers = {".csv": leads.to_csv, ".xlsx": leads.to_excel, ".parquet": leads.to_parquet}
    writers[suffix](path, index=False)
    sent = base64.b64encode(path.read_bytes()).decode()
    answer = client.predict(path.name, sent, api_name="/predict_file")
    content = io.BytesIO(base64.b64decode(answer["content"]))
    scored = pd.read_excel(content) if suffix == ".xlsx" else pd.read_csv(content)
    assert answer["name"] == ("leads scored.xlsx" if suffix == ".xlsx" else "leads scored.csv")
    assert scored["lead_id"].tolist() == leads["lead_id"].tolist()
    np.testing.assert_allclose(scored["probability"], model.predict_proba(leads)[:, 1], atol=1e-9)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("a.csv", "?", "must be in base64"), ("a.xlsx", "YQ==", "a.xlsx"), ("a.csv", "YSxiCjEsMg==", "age")],
    ids=["no base64", "no Excel file", "columns lacking"],
)
def test_predict_file_says_what_is_wrong(address: str, name: str, content: str, message: str) -> None:
    answer = run(address, "predict_file", name, content)
    assert answer.status_code == 422
    assert message in answer.json()["error"]


def test_predict_batch_answers_in_order(client: Client, model: LeadModel) -> None:
    answers = client.predict(LEADS, api_name="/predict_batch")
    expected = model.answers(LEADS)
    assert [answer["probability"] for answer in answers] == [one.probability for one in expected]
    explained = client.predict(LEADS[:2], True, api_name="/predict_batch")
    assert explained[1]["explanation"]["reasons_for"]


def test_schema_and_model_describe_themselves(client: Client, model: LeadModel) -> None:
    schema = client.predict(api_name="/schema")
    assert [field["name"] for field in schema["fields"]] == list(model.schema.by_name)
    described = client.predict(api_name="/model")
    assert described["sha256"] == model.config.sha256
    assert described["readiness"]["level"] == model.readiness.level
    assert described["summary"].startswith(model.readiness.level.capitalize())
    assert f"{model.evaluation.n_test:,} newest leads" in described["summary"]
    assert described["test"]["roc_auc"]["value"] == model.evaluation.test["roc_auc"].value


def test_the_api_page_names_types_and_meanings(address: str, model: LeadModel) -> None:
    info = httpx.get(f"{address}/gradio_api/info").json()["named_endpoints"]
    assert set(info) == {"/predict", "/predict_batch", "/predict_file", "/schema", "/model"}
    parameters = info["/predict"]["parameters"]
    assert [one["parameter_name"] for one in parameters] == list(model.schema.keys.values())
    assert "Source (categorical: " in info["/predict"]["description"]


def test_curl_gets_an_answer(address: str, model: LeadModel) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    url = f"{address}/gradio_api/call/predict_batch"
    command = ["curl", "-s", "-X", "POST", url, "-H", "Content-Type: application/json", "-d"]
    told = subprocess.run([*command, json.dumps({"data": [LEADS, False]})], capture_output=True, check=True)
    event = json.loads(told.stdout)["event_id"]
    stream = subprocess.run(["curl", "-sN", f"{url}/{event}"], capture_output=True, check=True, text=True)
    answers = json.loads(stream.stdout.split("data: ", 1)[1])[0]
    assert len(answers) == len(LEADS)
    assert answers[0]["grade"] == model.answer(LEADS[0]).grade


@pytest.mark.parametrize(
    ("lead", "message"),
    [
        ({"age": "abc"}, "Row 2: the field 'age' must be a number. Got 'abc' instead."),
        ({"agee": 3}, "Did you mean 'age'?"),
        ({"age": [3]}, "must be a single value"),
        ({"age": "Infinity"}, "must be a finite number"),
        ("no lead", "Row 2: a lead must be an object of fields"),
    ],
    ids=["text", "unknown field", "list", "infinity", "no object"],
)
def test_wrong_leads_are_answered_with_what_is_wrong(address: str, lead: Any, message: str) -> None:
    assert message in run(address, "predict_batch", [LEADS[0], lead], False).json()["error"]


def test_odd_leads_are_scored_with_a_warning(address: str) -> None:
    odd = {"source": "x" * 1_000_000, "age": 1e12, "city": "<script>=1+1'\"😀"}
    answer = run(address, "predict_batch", [odd], False).json()["data"][0][0]
    assert {warning["kind"] for warning in answer["warnings"]} == {"missing", "unseen", "out of range"}


def test_sixteen_callers_at_once_are_all_answered(address: str, model: LeadModel) -> None:
    values = [LEADS[0][name] for name in model.schema.by_name]
    expected = model.answer(LEADS[0]).probability
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: run(address, "predict", *values), range(160)))
    assert [answer.json()["data"][0]["probability"] for answer in answers] == [expected] * 160


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("LEADMODEL_REPO", "none", "is not a model"),
        ("LEADMODEL_REPO", "tests", "is not a model: it lacks"),
        ("LEADMODEL_AUTH", "ann:secret,bob", "LEADMODEL_AUTH must be USER:PASSWORD[,USER2:PASSWORD2]"),
        ("LEADMODEL_AUTH", "ann:secret,ann:secret", "Entry 2 is not."),
        ("LEADMODEL_AUTH", ":secret", "Entry 1 is not."),
        ("LEADMODEL_RATE", "many", "LEADMODEL_RATE must be a number. Got 'many' instead."),
        ("LEADMODEL_PROXY", "yes", "LEADMODEL_PROXY must be a number."),
    ],
)
def test_the_app_says_why_it_does_not_start(name: str, value: str, message: str) -> None:
    done = command("app.py", **{name: value})
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr
