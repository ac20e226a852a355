"""Make and read links that open the form filled in.

The lead stands behind the #, which no browser sends anywhere.
"""

import json
import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from leadmodel.errors import quoted
from leadmodel.leads.schema import Field, LeadSchema
from leadmodel.serving.ui.components import read_script
from leadmodel.serving.ui.form import UNKNOWN

__all__ = ["read_link", "to_link"]

MAX_LENGTH = 20_000
MAX_TEXT = 200
"""Characters of a link and of a value in it; a link made by the form is shorter."""


def to_link(names: Sequence[str]) -> str:
    """Return the script that makes a link from the values of the form's widgets.

    Parameters
    ----------
    names : sequence of str
        The fields, in the order of the widgets.
    """
    script, fields, unknown = read_script("make_link"), json.dumps(list(names)), json.dumps(UNKNOWN)
    return f"(...values) => ({script})(values, {fields}, {unknown})"


def read_link(schema: LeadSchema, text: str) -> tuple[dict[str, Any], list[str]]:
    """Return the lead in a link as values of the form's widgets, with notes on ignored parts.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    text : str
        The text after ``#lead?``. Anybody may have written it.
    """
    if len(text) > MAX_LENGTH:
        return {}, [f"The link is ignored: it is longer than {MAX_LENGTH:,} characters."]
    lead: dict[str, Any] = {}
    notes: list[str] = []
    for name, value in parse_qsl(text, errors="replace"):
        field = schema.by_name.get(name)
        if field is None:
            notes.append(f"{quoted(name)} is not a field of this model.")
        elif name in lead:
            notes.append(f"{field.label}: given twice; the first value is used.")
        elif (shown := _read_value(field, value)) is None:
            notes.append(f"{field.label}: {quoted(value)} is not one of its values.")
        else:
            lead[name] = shown
    return lead, notes


def _read_value(field: Field, text: str) -> Any:
    """Return a value as its widget accepts it, or None if it does not."""
    if field.kind == "numeric":
        return _read_number(text)
    if field.kind == "boolean":
        choices = field.choices if field.is_text else ("No", "Yes")
        return text if text in choices else None
    return text.strip() if text.strip() and len(text) <= MAX_TEXT else None


def _read_number(text: str) -> float | None:
    """Return a number written with a decimal point, as browsers do, whatever the leads use."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
