"""Offer the service as named Gradio endpoints, which are tools for assistants (MCP) as well."""

import base64
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
from leadmodel.serving.lead_files import read_list, to_csv, to_excel
from leadmodel.serving.service import Channel, ScoringService
from leadmodel.serving.web.safe_errors import MAX_ERROR

__all__ = ["add_endpoints", "describe_mcp", "has_mcp", "keep_to_tools", "make_endpoints"]

P = ParamSpec("P")
T = TypeVar("T")


def make_endpoints(service: ScoringService) -> dict[str, Callable[..., Any]]:
    """Return the functions of the API by name; each raises InputError for what a caller did wrong."""

    # Gradio shows these docstrings to callers and assistants, and reads their "Args" in Google's style.
    def predict_batch(leads: list[dict[str, Any]], reasons: bool = False) -> list[dict[str, Any]]:
        """Score many leads in one call.

        Args:
            leads: up to 50,000 leads, each an object of values by field name
            reasons: whether to explain each answer, which takes most of the time

        Returns:
            one answer per lead, in order, each as /predict gives it
        """
        answers = service.answers(leads, reasons=reasons, channel=_channel())
        return [answer.model_dump(mode="json") for answer in answers]

    def predict_file(name: str, content: str) -> dict[str, str]:
        """Score a file of leads: CSV, Excel or Parquet.

        Args:
            name: of the file; ends in .xlsx or .parquet, or it is read as CSV
            content: the file in base64, up to 50,000 leads

        Returns:
            name and content, in base64, of the scored file: all columns as they were, then the answers
        """
        if not isinstance(name, str) or not isinstance(content, str):
            raise InputError("The name of the file and its content, in base64, must be texts.")
        try:
            file = base64.b64decode(content, validate=True)
        except ValueError:
            raise InputError("The content of the file must be in base64. It is not.") from None
        ranked = service.rank(name, read_list(name, file), _channel("file"))
        # A program matches the answers with its own rows, so they go back into their order.
        table = ranked.table.take(np.argsort(ranked.rows, kind="stable"))
        suffix = ".xlsx" if Path(name).suffix.lower() == ".xlsx" else ".csv"
        scored = to_excel(table) if suffix == ".xlsx" else to_csv(table)
        return {"name": f"{Path(name).stem} scored{suffix}", "content": base64.b64encode(scored).decode()}

    def schema() -> dict[str, Any]:
        """Describe the fields of a lead: kind, label, choices, range, and an example lead."""
        return service.describe_schema()

    def model() -> dict[str, Any]:
        """Describe the model: target, decision threshold, grades and test metrics."""
        return service.describe_model()

    def predict_events(
        entities: list[dict[str, Any]], at: str | None = None, reasons: bool = True
    ) -> list[dict[str, Any]]:
        """Score entities by their raw events, from which the features are made as in training.

        Args:
            entities: each an object with its id, its attributes and its "events": rows by table, with the
                columns of the recipe; /schema has an example
            at: the moment of the answers, such as 2022-09-01T12:00Z; by default now
            reasons: whether to explain each answer

        Returns:
            one answer per entity, in order, as /predict gives it, with the features that were made and a
            history that says which events were left out
        """
        answers = service.answer_events(entities, at, reasons=reasons, channel=_channel())
        return [answer.model_dump(mode="json") for answer in answers]

    functions: list[Callable[..., Any]] = [_predict(service), predict_batch, predict_file, schema, model]
    if service.model.has_online_features:
        functions.append(predict_events)
    return {function.__name__: function for function in functions}


def _predict(service: ScoringService) -> Callable[..., dict[str, Any]]:
    """Return a function that takes the fields by name, so that the API page lists them."""
    schema = service.model.schema
    names = list(schema.inputs)

    def predict(*values: Any) -> dict[str, Any]:
        lead = dict(zip(names, values, strict=True))
        return service.answer(lead, channel=_channel()).model_dump(mode="json")

    # Gradio reads parameters from the signature, types from the annotations, the rest from the docstring.
    types = {schema.keys[field.name]: _type_of(field) for field in schema.inputs.values()}
    arguments = [f"    {schema.keys[name]}: {_describe(field)}\n" for name, field in schema.inputs.items()]
    predict.__doc__ = (
        "Score one lead: probability, score, grade, decision and the reasons.\n\n"
        f"Args:\n{''.join(arguments)}\nReturns:\n    the answer; leave out, or send null, what is not known"
    )
    predict.__annotations__ = {**types, "return": dict[str, Any]}
    parameters = [
        inspect.Parameter(key, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=annotation)
        for key, annotation in types.items()
    ]
    predict.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        parameters, return_annotation=dict[str, Any]
    )
    return predict


def _type_of(field: Field) -> Any:
    if field.kind == "boolean":
        return bool | str | None
    return str | None if field.is_text else float | str | None


def _describe(field: Field) -> str:
    if field.is_text and not field.choices:
        return f"{field.label} (text). {field.help}".rstrip()
    if field.is_text:
        values = ", ".join(field.choices[:8]) + (", …" if len(field.choices) > 8 else "")
    else:
        values = f"{field.minimum:g} to {field.maximum:g} {field.unit}".rstrip()
    return f"{field.label} ({field.kind}: {values})"


def _channel(otherwise: Channel = "API") -> Channel:
    """Return "MCP" if a tool is being called, and `otherwise` if not."""
    request = LocalContext.request.get(None)
    return "MCP" if request and "/mcp" in request.url.path else otherwise


def add_endpoints(service: ScoringService) -> None:
    """Add the endpoints of `make_endpoints` to the Blocks being built."""
    for name, function in make_endpoints(service).items():
        gr.api(
            _report_refusals(function),
            api_name=name,
            api_description=inspect.getdoc(function),
            # Gradio 6.31 runs the tool of a queued endpoint by a request to itself, over HTTP.
            queue=False,
        )


def _report_refusals(function: Callable[P, T]) -> Callable[P, T]:
    """Turn InputError into an answer with its message, and leave no trace of it in the log."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except InputError as error:
            # The cause gives the answer its status; see `leadmodel.serving.web.safe_errors`.
            raise gr.Error(str(error), print_exception=False) from error

    return call


def has_mcp() -> bool:
    """Return True if Gradio has found the package of the protocol, in a version that it knows."""
    return hasattr(GradioMCPServer, "StreamableHTTPSessionManager")


def describe_mcp(address: str) -> str:
    """Say where the tools of the app at `address` answer, or how to enable them."""
    if has_mcp():
        return f"Tools for assistants (MCP): {address}/gradio_api/mcp/"
    return 'MCP is off. To enable it: pip install "mcp<2", then restart.'


def keep_to_tools(demo: gr.Blocks) -> None:
    """Make the tools of a mounted `demo` answer in JSON, and answer nothing but tools."""
    from mcp import types

    def as_json(values: list[Any], _: str) -> list[types.TextContent]:
        texts = (json.dumps(value, ensure_ascii=False) for value in values)
        return [types.TextContent(type="text", text=text) for text in texts]

    async def call_briefly(request: types.CallToolRequest) -> types.ServerResult:
        result = await call(request)
        if result.root.isError:
            for part in result.root.content:
                # The message of an invalid argument quotes all of it.
                part.text = part.text[:MAX_ERROR]
        return result

    # Gradio 6.31 writes the answer of a tool in Python's notation.
    demo.mcp_server_obj.postprocess_output_data = as_json
    handlers = demo.mcp_server_obj.mcp_server.request_handlers
    for request_type in [*handlers]:
        # For a resource or a prompt, of which there are none, Gradio 6.31 would first call the address that
        # the caller's Host header names.
        if request_type not in (types.ListToolsRequest, types.CallToolRequest, types.PingRequest):
            del handlers[request_type]
    call = handlers[types.CallToolRequest]
    handlers[types.CallToolRequest] = call_briefly
