"""The tools as an assistant finds and calls them, with the real client of the protocol."""

import json
from typing import Any

import httpx
import pytest
from support import running_app

from leadmodel.model import LeadModel

pytest.importorskip("mcp", reason="the package of the protocol is not installed")

from mcp_client import call, with_session

LEAD = {"source": "Referral", "minutes_on_site": 42}


def test_the_endpoints_and_nothing_else_are_tools(address: str, model: LeadModel) -> None:
    tools = {tool.name: tool for tool in with_session(address, lambda one: one.list_tools()).tools}
    assert set(tools) == {"predict", "predict_batch", "predict_file", "schema", "model"}
    parameters = tools["predict"].inputSchema["properties"]
    assert list(parameters) == list(model.schema.keys.values())
    assert parameters["age"]["description"] == "Age (numeric: 18 to 70)"
    assert {"type": "number"} in parameters["age"]["anyOf"]
    assert tools["predict"].description.startswith("Score one lead: probability, score, grade")


def test_a_tool_answers_as_the_model_does(address: str, model: LeadModel) -> None:
    answer = json.loads(call(address, "predict", **LEAD).content[0].text)
    assert answer == model.answer(LEAD).model_dump(mode="json")
    answers = json.loads(call(address, "predict_batch", leads=[LEAD, {}]).content[0].text)
    assert answers == [one.model_dump(mode="json") for one in model.answers([LEAD, {}])]
    assert json.loads(call(address, "schema").content[0].text)["example"] == model.schema.example()
    assert json.loads(call(address, "model").content[0].text)["revision"] == model.revision


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        ("predict", {"age": "old"}, "The field 'age' must be a number. Got 'old' instead."),
        ("predict", {"agee": 3}, "`agee` is not a valid"),
        ("predict_batch", {"leads": "x"}, "'x' is not of type 'array'"),
        ("predict_batch", {}, "'leads' is a required property"),
        ("other", {}, "Unknown tool"),
    ],
)
def test_a_wrong_call_is_told(address: str, tool: str, arguments: dict[str, Any], message: str) -> None:
    result = call(address, tool, **arguments)
    assert result.isError
    assert message in result.content[0].text


def test_nothing_makes_the_app_call_another_address(address: str) -> None:
    """Gradio would, for a resource or a prompt: the one in the Host header of who asks."""
    headers = {"Accept": "application/json, text/event-stream", "X-Forwarded-Host": "127.0.0.1:1"}
    for method, parameters in (("resources/read", {"uri": "a://b"}), ("prompts/get", {"name": "a"})):
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        answer = httpx.post(f"{address}/gradio_api/mcp/", json=request, headers=headers, timeout=30)
        assert "Method not found" in answer.text


def test_without_the_package_the_app_says_how_to_get_it(folder: Any, tmp_path: Any) -> None:
    code = "import sys; sys.modules['mcp'] = None; from leadmodel.cli.serve import main; main([])"
    with running_app(str(folder), code=code, log=tmp_path / "log") as address:
        assert httpx.get(f"{address}/gradio_api/mcp/").status_code == 404
        assert httpx.post(f"{address}/api/v1/score", json=LEAD).is_success
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line for line in lines if "MCP" in line] == [
        'MCP is off. To enable it: pip install "mcp<2", then restart.'
    ]
