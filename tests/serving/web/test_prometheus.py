import re
from collections import Counter

import httpx

from leadmodel.model import LeadModel

LEADS = [{"source": "Referral", "minutes_on_site": minutes, "webinar": "Yes"} for minutes in range(40)]


def numbers(address: str) -> dict[str, float]:
    """Return the app's numbers by name and labels."""
    text = httpx.get(f"{address}/metrics").text
    lines = re.findall(r"^([a-z_]+(?:\{.*\})?) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in lines}


def test_calls_and_leads_are_counted(address: str, model: LeadModel) -> None:
    before = Counter(numbers(address))
    assert httpx.post(f"{address}/api/v1/score", json=LEADS, timeout=30).is_success
    assert httpx.post(f"{address}/api/v1/score", json={"age": "x"}).status_code == 422
    run = f"{address}/gradio_api/run/predict_batch"
    assert httpx.post(run, json={"data": [LEADS, False]}, timeout=30).is_success
    more = Counter(numbers(address))
    more.subtract(before)
    assert more['leadmodel_requests_total{route="/api/v1/score",status="200"}'] == 1
    assert more['leadmodel_requests_total{route="/api/v1/score",status="422"}'] == 1
    assert more['leadmodel_requests_total{route="/gradio_api/run",status="200"}'] == 1
    assert more['leadmodel_request_seconds_count{route="/api/v1/score"}'] == 2
    assert more['leadmodel_request_seconds_bucket{le="+Inf",route="/api/v1/score"}'] == 2
    assert 0 < more['leadmodel_request_seconds_sum{route="/api/v1/score"}'] < 30
    grades = Counter(answer.grade for answer in model.answers(LEADS))
    for grade, number in grades.items():
        assert more[f'leadmodel_leads_total{{grade="{grade}"}}'] == 2 * number


def test_the_model_is_named(address: str, model: LeadModel) -> None:
    named = f'leadmodel_model_info{{revision="{model.revision}",title="{model.config.title}"}}'
    assert numbers(address)[named] == 1


def test_no_caller_makes_a_label(address: str) -> None:
    for path in ("/canary", "/api/v1/canary", "/gradio_api/canary", "/gradio_api/run/canary", "//canary"):
        httpx.get(address + path)
        httpx.request("CANARY", address + path)
    httpx.post(f"{address}/api/v1/score?reasons=canary", json={"source": "canary", "canary": 1})
    text = httpx.get(f"{address}/metrics").text
    assert "canary" not in text.lower()
    assert "Referral" not in text
