"""Offer the service as named Gradio endpoints, which are tools for assistants (MCP) as well."""

import base64
import binascii
import inspect
import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import gradio as gr
import numpy as np
from gradio.context import LocalContext
from gradio.mcp import GradioMCPServer

from leadmodel.errors import InputError
from leadmodel.leads.field import Field
from leadmodel.leads.schema import LeadSchema
from leadmodel.serving.files import read_list, to_csv, to_excel
from leadmodel.serving.service import Channel, ScoringService
from leadmodel.serving.web.safe_errors import MAX_ERROR

__all__ = ["add_endpoints", "has_mcp", "keep_to_tools", "make_endpoints", "mcp_address", "score_sent_file"]

P = ParamSpec("P")
T = TypeVar("T")


def make_endpoints(service: ScoringService) -> dict[str, Callable[..., Any]]:
    """Return the functions of the API by name; each raises InputError for what a caller did wrong."""

    def predict_batch(leads: list[dict[str, Any]], reasons: bool = False) -> list[dict[str, Any]]:
        """Score many leads in one call.

        Args:
            leads: up to 50,000 leads, each an object of values by field name
            reasons: whether to explain each answer, which takes most of the time

        Returns:
            one answer per lead, in order, each as /predict gives it
        """
        return [
            answer.model_dump(mode="json")
            for answer in service.answers(leads, reasons=reasons, door=_door())
        ]

    def predict_file(name: str, content: str) -> dict[str, str]:
        """Score a file of leads: CSV, Excel or Parquet.

        Args:
            name: of the file; ends in .xlsx or .parquet, or it is read as CSV
            content: the file in base64, up to 50,000 leads

        Returns:
            name and content, in base64, of the scored file: all columns as they were, then the answers
        """
        return score_sent_file(service, name, content, _door("file"))

    def schema() -> dict[str, Any]:
        """Describe the fields of a lead: kind, label, choices, range, and an example lead."""
        return service.describe_schema()

    def model() -> dict[str, Any]:
        """Describe the model: target, decision threshold, grades and test metrics."""
        return service.describe_model()

    functions: list[Callable[..., Any]] = [_predict(service), predict_batch, predict_file, schema, model]
    return {function.__name__: function for function in functions}


def add_endpoints(service: ScoringService) -> None:
    """Add /predict, /predict_batch, /predict_file, /schema and /model to the Blocks being built."""
    for name, function in make_endpoints(service).items():
        gr.api(
            _answering(function),
            api_name=name,
            api_description=inspect.getdoc(function),
            # Without a place in the queue there is no way of its own for tools, over HTTP to itself.
            queue=False,
        )


def _predict(service: ScoringService) -> Callable[..., dict[str, Any]]:
    """Return a function that takes the fields by name, so that the API page lists them."""
    schema = service.model.schema
    parameters = [_parameter(schema, field) for field in schema.fields]

    def predict(*values: Any) -> dict[str, Any]:
        lead = dict(zip((field.name for field in schema.fields), values, strict=True))
        return service.answer(lead, door=_door()).model_dump(mode="json")

    described = "\n".join(f"    {schema.keys[field.name]}: {_describe(field)}" for field in schema.fields)
    predict.__doc__ = (
        "Score one lead: probability, score, grade, decision and the reasons.\n\n"
        f"Args:\n{described}\n\nReturns:\n    the answer; leave out, or send null, what is not known"
    )
    predict.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": dict[str, Any]}
    predict.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        parameters, return_annotation=dict[str, Any]
    )
    return predict


def _door(otherwise: Channel = "API") -> Channel:
    """Return whether a tool is being called, or which interface it is otherwise."""
    request = LocalContext.request.get(None)
    return "MCP" if request and "/mcp" in request.url.path else otherwise


def _parameter(schema: LeadSchema, field: Field) -> inspect.Parameter:
    kind = str | None if field.is_text else float | str | None
    if field.kind == "boolean":
        kind = bool | str | None
    return inspect.Parameter(
        schema.keys[field.name],
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        default=None,
        annotation=kind,
    )


def _describe(field: Field) -> str:
    if field.is_text:
        values = ", ".join(field.choices[:8]) + (", …" if len(field.choices) > 8 else "")
    else:
        values = f"{field.minimum:g} to {field.maximum:g} {field.unit}".rstrip()
    return f"{field.label} ({field.kind}: {values})"


def _answering(function: Callable[P, T]) -> Callable[P, T]:
    """Turn what the caller did wrong into an answer that says so, without a trace in the log."""

    @wraps(function)
    def answer(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except InputError as error:
            # The cause tells the kind of refusal; see `leadmodel.serving.web.safe_errors`.
            raise gr.Error(str(error), print_exception=False) from error

    return answer


def score_sent_file(
    service: ScoringService, name: str, content: str, door: Channel = "file"
) -> dict[str, str]:
    """Return ``name`` and ``content`` of the scored file; Excel is answered in Excel, all else in CSV.

    Parameters
    ----------
    service : ScoringService
        What scores.
    name : str
        Ends in .xlsx or .parquet, or it is read as CSV.
    content : str
        The file in base64.
    door : str
        How it came.

    Raises
    ------
    InputError
        If it is no base64, no table of leads, or too large.
    """
    if not isinstance(name, str) or not isinstance(content, str):
        raise InputError("The name of the file and its content, in base64, must be texts.")
    try:
        read = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise InputError("The content of the file must be in base64. It is not.") from None
    ranked = service.rank(name, read_list(name, read), door)
    # A program goes on with its own rows: they stay in their order.
    table = ranked.table.take(np.argsort(ranked.rows, kind="stable"))
    suffix = ".xlsx" if Path(name).suffix.lower() == ".xlsx" else ".csv"
    scored = to_excel(table) if suffix == ".xlsx" else to_csv(table)
    return {"name": f"{Path(name).stem} scored{suffix}", "content": base64.b64encode(scored).decode()}


def has_mcp() -> bool:
    """Whether Gradio has found the package that speaks the protocol, in a version that it knows."""
    return hasattr(GradioMCPServer, "StreamableHTTPSessionManager")


def mcp_address(address: str) -> str:
    """Return where the tools of the app at `address` answer, or how to get them."""
    return f"{address}/gradio_api/mcp/" if has_mcp() else 'pip install "mcp<2" and start anew'


def keep_to_tools(demo: gr.Blocks) -> None:
    """Make the tools of a mounted `demo` answer in JSON, and answer nothing but tools.

    Gradio answers with Python's notation. To read a resource or a prompt, of which there are none,
    it would first call the address that the caller's Host header names.
    """
    from mcp import types

    def as_json(values: list[Any], _: str) -> list[types.TextContent]:
        texts = (json.dumps(value, ensure_ascii=False) for value in values)
        return [types.TextContent(type="text", text=text) for text in texts]

    async def call_briefly(request: types.CallToolRequest) -> types.ServerResult:
        result = await call(request)
        if result.root.isError:
            for part in result.root.content:
                # Of an argument that is wrong the protocol's package tells the whole.
                part.text = part.text[:MAX_ERROR]
        return result

    demo.mcp_server_obj.postprocess_output_data = as_json
    handlers = demo.mcp_server_obj.mcp_server.request_handlers
    for kind in [*handlers]:
        if kind not in (types.ListToolsRequest, types.CallToolRequest, types.PingRequest):
            del handlers[kind]
    call = handlers[types.CallToolRequest]
    handlers[types.CallToolRequest] = call_briefly
