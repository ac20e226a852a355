"""What a lead is: its fields, and the one path from raw values to typed ones."""

import math
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from leadmodel.errors import InputError, LeadError, quoted
from leadmodel.leads.parse import FALSE_WORDS, TRUE_WORDS, identifiers, is_unicode, plain_number

__all__ = [
    "MIN_CATEGORY_COUNT",
    "MIN_TOLD",
    "MISSING",
    "Field",
    "Kind",
    "LeadSchema",
    "Value",
    "ValueWarning",
]

MISSING = "(missing)"
"""The category that stands for "not answered"; the saved pipeline fills it in as well."""

MIN_CATEGORY_COUNT = 5
"""Categories seen in fewer leads might point to a person, so no file of the model names them."""

MIN_TOLD = 2 * MIN_CATEGORY_COUNT
"""Of fewer leads it is not told how many converted."""

Kind = Literal["numeric", "categorical", "boolean"]
Value = float | str


_NESTED = (list, tuple, set, Mapping)
"""A tuple: a union would be made anew for each value."""


class ValueWarning(BaseModel):
    """Something to know about a value that was scored all the same."""

    model_config = ConfigDict(frozen=True)

    field: str
    kind: Literal["missing", "unseen", "out of range"]
    message: str


class Field(BaseModel):
    """One thing known of a lead.

    A boolean whose two choices are "0" and "1" is a number to the model; every other
    boolean is a text of two choices, exactly as the leads write it. What is `assumed` stands
    for a number that was not given: the training leads' mean, where none of them lacked it. Beyond
    `minimum` and `maximum` lie a handful of training leads; `missing_share` is 0 of fewer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Kind
    label: str
    help: str = ""
    unit: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    integer: bool = False
    decimal_comma: bool = False
    required: bool = False
    influence: bool = False
    missing_share: float = 0.0
    typical: int | float | str | None = None
    assumed: float | None = None

    @property
    def is_text(self) -> bool:
        """Whether the model takes this field as a category."""
        return self.kind == "categorical" or (self.kind == "boolean" and not self._is_flag)

    @property
    def _is_flag(self) -> bool:
        return self.kind == "boolean" and self.choices == ("0", "1")

    @property
    def is_complete(self) -> bool:
        """Whether the field says all that forms and reasons need: its range, or its two choices."""
        if self.kind == "boolean" and len(self.choices) != 2:
            return False
        return self.is_text or (self.minimum is not None and self.maximum is not None)

    @property
    def missing_value(self) -> Value:
        """What the model gets when the field was not answered."""
        return MISSING if self.is_text else math.nan

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset((*self.choices, MISSING))

    @cached_property
    def usual_texts(self) -> frozenset[str]:
        """The texts that `warning` finds nothing unusual about."""
        return self._known if self.missing_share > 0 else self._known - {MISSING}

    def parse(self, value: Any) -> Value:
        """Return `value`, which is not missing, as the model takes it.

        Raises
        ------
        LeadError
            If the value is not of the field's kind.
        """
        if isinstance(value, _NESTED):
            raise LeadError.of_value(self.name, value, "be a single value")
        if isinstance(value, int) and value.bit_length() > 1024:
            raise LeadError.of_value(self.name, value, "have at most 308 digits")
        if self._is_flag:
            return self._parse_flag(value)
        return self._parse_text(value) if self.is_text else self._parse_number(value)

    def _parse_number(self, value: Any) -> float:
        try:
            number = float(plain_number(value, self.decimal_comma) if isinstance(value, str) else value)
        except (TypeError, ValueError, OverflowError):
            raise LeadError.of_value(self.name, value, "be a number") from None
        if math.isinf(number):
            raise LeadError.of_value(self.name, value, "be a finite number")
        return number

    def _parse_flag(self, value: Any) -> float:
        text = str(value).strip().lower()
        if text not in TRUE_WORDS | FALSE_WORDS:
            raise LeadError.of_value(self.name, value, "be 0 or 1, true or false, yes or no")
        return float(text in TRUE_WORDS)

    def _parse_text(self, value: Any) -> str:
        if isinstance(value, float) and value.is_integer() and str(value) not in self._known:
            value = int(value)
        text = str(value).strip()
        if not is_unicode(text):
            raise LeadError.of_value(self.name, ascii(text), "be valid Unicode")
        if self.kind == "boolean" and text not in self._known:
            return self._match_choice(text)
        return text

    def _match_choice(self, text: str) -> str:
        no, yes = self.choices
        folded = text.lower()
        if folded in TRUE_WORDS | {yes.lower()}:
            return yes
        return no if folded in FALSE_WORDS | {no.lower()} else text

    def warning(self, value: Value) -> ValueWarning | None:
        """Return what is unusual about a parsed `value`, if anything."""
        if isinstance(value, str):
            return self._text_warning(value)
        if math.isnan(value):
            return self._missing_warning()
        low, high = self.minimum, self.maximum
        if low is None or high is None or low <= value <= high:
            return None
        return ValueWarning(
            field=self.name,
            kind="out of range",
            message=f"{self.label}: {value:g} lies outside the training leads' {low:g} to {high:g}.",
        )

    def _text_warning(self, value: str) -> ValueWarning | None:
        if value == MISSING:
            return self._missing_warning()
        if value in self._known:
            return None
        message = (
            f"{self.label}: {quoted(value)} was seen in fewer than {MIN_CATEGORY_COUNT} training leads."
        )
        return ValueWarning(field=self.name, kind="unseen", message=message)

    def _missing_warning(self) -> ValueWarning | None:
        if self.missing_share > 0:
            return None
        lacked = f"fewer than {MIN_CATEGORY_COUNT} training leads lacked"
        if self.assumed is not None:
            lacked = "no training lead lacked; the average is assumed"
        message = f"{self.label}: not given, which {lacked}."
        return ValueWarning(field=self.name, kind="missing", message=message)


class LeadSchema(BaseModel):
    """The fields of a lead, in the order the leads have them.

    Parameters
    ----------
    fields : tuple of Field
        What the model uses.
    ignored : dict of str to str
        Columns that a lead may carry and the model does not use, each with the reason.
    placeholders : tuple of str
        Texts that mean "not answered", beside the empty text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[Field, ...]
    ignored: dict[str, str] = {}
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
    def keys(self) -> dict[str, str]:
        """The name of each field as a parameter of the API, by field name; no two alike."""
        return identifiers(self.by_name)

    @cached_property
    def _by_key(self) -> dict[str, Field]:
        return {key: self.by_name[name] for name, key in self.keys.items()} | self.by_name

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

    def is_missing(self, value: Any) -> bool:
        """Whether `value` means "not answered"."""
        if isinstance(value, str):
            text = value.strip()
            return not text or text in self.placeholders
        return value is None or (isinstance(value, float) and math.isnan(value))

    def read_value(self, field: Field, value: Any) -> Value:
        """Return one raw value of `field` as the model takes it.

        Raises
        ------
        LeadError
            If the value is not of the field's kind, or a required one is missing.
        """
        if not self.is_missing(value):
            return field.parse(value)
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
        found: dict[str, str] = {}
        for name in names:
            field = self._by_key.get(name)
            if field is not None:
                if field.name in found:
                    twice = f"the lead has the field {quoted(field.name)} twice, by two names."
                    raise LeadError(field.name, twice)
                found[field.name] = name
            elif name not in self.ignored:
                raise LeadError(str(name), self._unknown(name))
        return found

    def _unknown(self, name: str) -> str:
        # A name of megabytes would be compared for seconds.
        close = get_close_matches(str(name)[:200], self.by_name, n=1)
        hint = f" Did you mean {quoted(close[0])}?" if close else ""
        known = ", ".join(self.by_name)
        return f"the lead has a field {quoted(name)} that the model does not know.{hint} Known: {known}."

    def check_columns(self, columns: Sequence[str]) -> None:
        """Raise InputError, as a diff, unless `columns` hold every field.

        Columns that the model does not know are let pass: a table carries more than a score needs.
        """
        lacking = [name for name in self.by_name if name not in columns]
        if not lacking:
            return
        unknown = [name for name in columns if name not in self.by_name and name not in self.ignored]
        diff = [f"  - {name} (the model needs it)" for name in lacking]
        diff += [f"  + {name[:100]} (the model does not know it)" for name in unknown[:20]]
        raise InputError("The columns do not match the model's fields:\n" + "\n".join(diff))

    def example(self) -> dict[str, Any]:
        """Return a made-up lead: each field at its typical value."""
        return {field.name: field.typical for field in self.fields}
