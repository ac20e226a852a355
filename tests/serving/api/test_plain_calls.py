import httpx
import pytest
from gradio_client import Client

from leadmodel.model import LeadModel

LEAD = {"source": "Referral", "minutes_on_site": 42}


def run(address: str, name: str, **body: object) -> httpx.Response:
    return httpx.post(f"{address}/gradio_api/run/{name}", json=body, timeout=30)


def test_a_plain_call_answers_as_one_of_a_session(address: str, model: LeadModel) -> None:
    values = [LEAD.get(name) for name in model.schema.by_name]
    plain = run(address, "predict", data=values).json()
    in_session = run(address, "predict", data=values, session_hash="abc").json()
    assert plain["data"] == in_session["data"]
    client = Client(address, verbose=False)
    assert client.predict(**LEAD, api_name="/predict") == plain["data"][0]
    client.close()


def test_what_is_left_out_is_unknown(address: str, model: LeadModel) -> None:
    first = next(iter(model.schema.by_name))
    answer = run(address, "predict", data=["Referral"]).json()["data"][0]
    assert answer["probability"] == model.answer({first: "Referral"}).probability


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("predict", [0] * 50, "/predict takes: source, "),
        ("predict_batch", [], "/predict_batch takes: leads, reasons. Got 0 values."),
        ("predict_batch", [[{"age": "x"}]], "The field 'age' must be a number. Got 'x' instead."),
        ("predict_batch", [["x"]], "Row 1: a lead must be an object of fields"),
        ("predict_batch", [3], "must be a list of leads"),
        ("predict_batch", [[{}] * 50_001], "A call takes at most 50,000 leads. Got 50,001"),
    ],
)
def test_a_wrong_call_is_answered_with_422(
    address: str, name: str, data: list[object], message: str
) -> None:
    answer = run(address, name, data=data)
    assert answer.status_code == 422
    assert message in answer.json()["error"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"", b"[" * 100_000, b'{"data": 3}', b"\xff"])
def test_what_is_no_call_is_refused(address: str, body: bytes) -> None:
    answer = httpx.post(
        f"{address}/gradio_api/run/predict", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422)
    assert "detail" in answer.json()
