"""The named endpoints of the app's API: for gradio_client, curl and whatever speaks HTTP."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import gradio as gr
from gradio.context import LocalContext

from leadmodel.errors import InputError
from leadmodel.leads.schema import Field, LeadSchema
from leadmodel.serving.api.files import score_sent_file
from leadmodel.serving.service import Channel, ScoringService

__all__ = ["add_endpoints", "make_endpoints"]

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
            # The cause tells the kind of refusal; see `leadmodel.serving.web.refusals`.
            raise gr.Error(str(error), print_exception=False) from error

    return answer
