"""Define the schema of leads: their fields, their names in the API, and the conversion of values."""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from keyword import iskeyword
from typing import Any

import pydantic

from leadmodel.errors import InputError, LeadError, quoted
from leadmodel.leads.derived.convert import group_by_source
from leadmodel.leads.derived.registry import sample_of
from leadmodel.leads.field import Field, Value
from leadmodel.records import Record

__all__ = ["LeadSchema", "identifier", "identifiers"]

_OPTIONAL = "Only compared with other fields; may be left empty. A time that is not given is now."

_TAKEN = {"api_name", "fn_index", "headers", "self"}
"""Parameters that callers of the API give by name already."""

MAX_NAME = 200
"""Characters of a name that are compared; a name of megabytes would take seconds."""


class LeadSchema(Record):
    """Hold the fields of a lead, in the order of the leads' columns.

    `fields` are what the model takes; `inputs` are what is asked of a lead. They differ where fields are
    derived: a lead has a mail address, and the model takes its host.

    Parameters
    ----------
    fields : tuple of Field
        The fields that the model uses.
    ignored : dict of str to str
        Columns that leads may have and the model does not use, each with the reason.
    placeholders : tuple of str
        Texts that mark a missing value, besides the empty text.
    """

    fields: tuple[Field, ...]
    ignored: dict[str, str] = pydantic.Field(default_factory=dict)
    placeholders: tuple[str, ...] = ()

    @cached_property
    def columns(self) -> list[str]:
        """Names of the fields in the order of the model's columns: texts, then numbers, gaps last."""
        numbers = [field for field in self.fields if not field.is_text]
        numbers.sort(key=lambda field: field.assumed is None)
        return [*self.text_columns, *(field.name for field in numbers)]

    @cached_property
    def text_columns(self) -> list[str]:
        """Names of the fields that the model takes as categories."""
        return [field.name for field in self.fields if field.is_text]

    @cached_property
    def number_columns(self) -> list[str]:
        """Names of the fields that the model takes as numbers, in the order of its columns."""
        return self.columns[len(self.text_columns) :]

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """The fields by name."""
        return {field.name: field for field in self.fields}

    @cached_property
    def sources(self) -> dict[str, list[Field]]:
        """The derived fields by the raw column that they are made from."""
        return group_by_source(self.fields)

    @cached_property
    def inputs(self) -> dict[str, Field]:
        """What is asked of a lead, by name: fields that are not derived, and what others are made from."""
        asked = {field.name: field for field in self.fields if field.derived is None}
        for source, fields in self.sources.items():
            if source not in asked and (derived := fields[0].derived):
                used = ", ".join(field.label for field in fields)
                asked[source] = Field(
                    name=source,
                    kind="categorical",
                    label=derived.label,
                    help=f"The model uses only what is derived from it: {used}.",
                    missing_share=min(field.missing_share for field in fields),
                    typical=sample_of(derived),
                )
        for name, label in self.optional.items():
            asked[name] = Field(name=name, kind="categorical", label=label, help=_OPTIONAL, missing_share=1)
        return asked

    @cached_property
    def optional(self) -> dict[str, str]:
        """Labels of raw columns that derivations also look at, by name; a lead may lack them."""
        derived = [field.derived for field in self.fields if field.derived]
        asked = {field.name for field in self.fields} | {one.source for one in derived}
        return {one.other: one.other_label for one in derived if one.other and one.other not in asked}

    @cached_property
    def raw_only(self) -> frozenset[str]:
        """Names of the inputs that are no fields: only what is derived from them is kept."""
        return frozenset(self.inputs).difference(self.by_name)

    @cached_property
    def keys(self) -> dict[str, str]:
        """The name of each input as a parameter of the API, by its name; no two alike."""
        return identifiers(self.inputs)

    @cached_property
    def _by_key(self) -> dict[str, Field]:
        return {key: self.inputs[name] for name, key in self.keys.items()} | self.inputs

    @cached_property
    def _by_identifier(self) -> dict[str, Field]:
        """The inputs whose name or label no other one has, but for capitals, spaces and signs."""
        keys = [{identifier(field.name), identifier(field.label)} for field in self.inputs.values()]
        counts = Counter(key for both in keys for key in both)
        pairs = zip(keys, self.inputs.values(), strict=True)
        return {key: field for both, field in pairs for key in both if counts[key] == 1}

    # Tuples, not arrays: pydantic compares cached values too when it compares schemas.
    @cached_property
    def means(self) -> tuple[float, ...]:
        """What stands for a missing value of the first number columns, which no training lead lacked."""
        means = (self.by_name[name].assumed for name in self.number_columns)
        return tuple(mean for mean in means if mean is not None)

    @cached_property
    def ranges(self) -> tuple[tuple[float, float], ...]:
        """Lowest and highest usual value of each number column."""
        fields = (self.by_name[name] for name in self.number_columns)
        return tuple(
            (-math.inf, math.inf)
            if field.minimum is None or field.maximum is None
            else (field.minimum, field.maximum)
            for field in fields
        )

    def narrowed(self, kept: Collection[str], reasons: Mapping[str, str] | None = None) -> "LeadSchema":
        """Return the schema of the fields in `kept`; the others are ignored, for `reasons` by name."""
        fields = tuple(field for field in self.fields if field.name in kept)
        lost = self.by_name.keys() - kept
        # A derived field is no column of the leads, which the ignored ones are.
        dropped = {name: why for name, why in (reasons or {}).items() if name in lost & self.inputs.keys()}
        return LeadSchema(fields=fields, ignored=self.ignored | dropped, placeholders=self.placeholders)

    def is_missing(self, value: Any) -> bool:
        """Return whether a raw `value` means that the lead lacks it."""
        if isinstance(value, str):
            text = value.strip()
            return not text or text in self.placeholders
        return value is None or (isinstance(value, float) and math.isnan(value))

    def read_value(self, field: Field, value: Any) -> Value:
        """Convert one raw value of `field`.

        Raises
        ------
        LeadError
            If the value is not of the field's kind, or a required one is missing.
        """
        if not self.is_missing(value):
            number = field.parse(value)
            # A text such as "unknown" among numbers is a gap as well.
            if number == number or not field.required:
                return number
        if field.required:
            raise LeadError.of_value(field.name, value, "be given")
        return field.missing_value

    def find_fields(self, names: Iterable[str]) -> dict[str, str]:
        """Return the name that a lead has for each of its fields, by field name.

        Raises
        ------
        LeadError
            If a name is unknown, or two are of one field.
        """
        name_of: dict[str, str] = {}
        for name in names:
            field = self._by_key.get(name)
            if field is None and name not in self.ignored:
                field = self._by_identifier.get(identifier(str(name)[:MAX_NAME]))
            if field is not None:
                if field.name in name_of:
                    problem = f"the lead has the field {quoted(field.name)} twice, by two names."
                    raise LeadError(field.name, problem)
                name_of[field.name] = name
            elif name not in self.ignored:
                close = get_close_matches(str(name)[:MAX_NAME], self.inputs, n=1)
                hint = f" Did you mean {quoted(close[0])}?" if close else ""
                problem = f"the lead has a field {quoted(name)} that the model does not know.{hint}"
                raise LeadError(str(name), f"{problem} Known: {', '.join(self.inputs)}.")
        return name_of

    def match_columns(self, columns: Sequence[str]) -> dict[str, str]:
        """Return the column of each input, by its name.

        A column of the field's own name goes first; else the one column whose name is that of the
        field, or its label, but for capitals, spaces and signs. Columns that the model does not know
        are allowed: a table usually has more than the model uses.

        Raises
        ------
        InputError
            If a field has no column, with a diff of the names, or may have several.
        """
        matched = {name: name for name in self.inputs if name in columns}
        if len(matched) == len(self.inputs):  # as nearly always
            return matched
        free = [name for name in columns if name not in matched and name not in self.ignored]
        alike: defaultdict[str, list[str]] = defaultdict(list)
        for column in free:
            field = self._by_identifier.get(identifier(column[:MAX_NAME]))
            if field is not None and field.name not in matched:
                alike[field.name].append(column)
        for name, found in alike.items():
            if len(found) > 1:
                shown = " or ".join(map(quoted, found[:3]))
                problem = f"must have one column. It may be {shown}; name one {quoted(name)}."
                raise InputError(f"The field {quoted(name)} {problem}")
            matched[name] = found[0]
        lacking = [name for name in self.inputs if name not in matched and name not in self.optional]
        if lacking:
            unknown = [name for name in free if name not in matched.values()]
            diff = [f"  - {name} (missing)" for name in lacking]
            diff += [f"  + {name[:100]} (unknown)" for name in unknown[:20]]
            raise InputError("The columns do not match the model's fields:\n" + "\n".join(diff))
        return {name: matched[name] for name in self.inputs if name in matched}

    def example(self) -> dict[str, Any]:
        """Return a made-up lead: each input at its typical value."""
        return {name: field.typical for name, field in self.inputs.items()}


def identifier(name: str) -> str:
    """Return `name` as a Python identifier.

    >>> identifier("Total Time Spent on Website")
    'total_time_spent_on_website'
    """
    text = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", name).strip().lower()).strip("_") or "field"
    usable = text.isidentifier() and not iskeyword(text) and text not in _TAKEN
    text = text if usable else f"field_{text}"
    return text if text.isidentifier() else re.sub(r"[^a-z0-9_]", "_", text)


def identifiers(names: Collection[str]) -> dict[str, str]:
    """Return an identifier for each of `names`, no two alike and none that is another's name."""
    chosen: dict[str, str] = {}
    for name in names:
        key, number = identifier(name), 2
        while key in chosen.values() or (key in names and key != name):
            key, number = f"{identifier(name)}_{number}", number + 1
        chosen[name] = key
    return chosen
