"""Define a field of a lead: its kind, its usual values, and the conversion of one raw value."""

import math
from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Literal

import pydantic

from leadmodel.errors import LeadError, quoted
from leadmodel.leads.derived.record import Derived
from leadmodel.leads.values.numbers import read_text
from leadmodel.leads.values.units import Unit, find_unit
from leadmodel.records import Record
from leadmodel.text import fold

__all__ = [
    "FALSE_WORDS",
    "MIN_CATEGORY_COUNT",
    "MIN_TOLD",
    "MISSING",
    "TRUE_WORDS",
    "Field",
    "Kind",
    "Value",
    "ValueWarning",
]

TRUE_WORDS = {"1", "1.0", "true", "t", "yes", "y", "on"}
FALSE_WORDS = {"0", "0.0", "false", "f", "no", "n", "off"}

MISSING = "(missing)"
"""Category of a missing text; the saved pipeline fills in the same one."""

SIMILAR = 0.8
"""Similarity (difflib's ratio) from which on a text is taken for a misspelled choice."""

MIN_CATEGORY_COUNT = 5
"""Categories seen in fewer leads could identify a person, so no file of the model names them."""

MIN_TOLD = 2 * MIN_CATEGORY_COUNT
"""Least number of leads whose conversion rate is shown."""

Kind = Literal["numeric", "categorical", "boolean"]
Value = float | str


_NESTED = (list, tuple, set, Mapping)
"""A tuple, because isinstance with a union builds the union for each value."""


class ValueWarning(Record):
    """Warn of an unusual value, which is scored all the same."""

    field: str
    kind: Literal["missing", "unseen", "out of range"]
    message: str


class Field(Record):
    """Describe a field of a lead.

    A boolean with the choices "0" and "1" is a number to the model; every other boolean is a text with
    two choices, as the leads write it. A missing number is replaced by `assumed`, the mean of the
    training leads, if none of them lacked it. Only a few training leads lie beyond `minimum` and
    `maximum`; `missing_share` is 0 if only a few lack the field. Texts of numbers may have
    units if `text_unit`, to which they are converted, is not None. `reading` says how unusual texts of
    the past leads were read. A field with `derived` is no column of the leads, but made from one.
    """

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
    text_unit: str | None = pydantic.Field(default=None, exclude_if=lambda unit: unit is None)
    reading: str = pydantic.Field(default="", exclude_if=lambda reading: not reading)
    derived: Derived | None = pydantic.Field(default=None, exclude_if=lambda derived: derived is None)

    @pydantic.model_validator(mode="after")
    def _check_kind(self) -> "Field":
        if self.derived is not None and self.kind != self.derived.kind:
            raise ValueError(f"what is derived as {self.derived.how!r} is {self.derived.kind}")
        return self

    @property
    def is_text(self) -> bool:
        """Return whether the field is categorical to the model."""
        return self.kind == "categorical" or (self.kind == "boolean" and not self._is_flag)

    @property
    def _is_flag(self) -> bool:
        return self.kind == "boolean" and self.choices == ("0", "1")

    @property
    def is_complete(self) -> bool:
        """Return whether the field has what forms and reasons need: its range, or its two choices."""
        if self.kind == "boolean" and len(self.choices) != 2:
            return False
        return self.is_text or (self.minimum is not None and self.maximum is not None)

    @property
    def missing_value(self) -> Value:
        """Value of the field for the model if a lead lacks it."""
        return MISSING if self.is_text else math.nan

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset((*self.choices, MISSING))

    @cached_property
    def _spellings(self) -> dict[str, str]:
        """The choice that a text means, by what all of its spellings share."""
        counts = Counter(map(fold, self.choices))
        # Models of earlier versions may tell two spellings apart: then a third one is neither.
        return {fold(choice): choice for choice in self.choices if counts[fold(choice)] == 1}

    @cached_property
    def usual_texts(self) -> frozenset[str]:
        """Texts without a `warning`."""
        return self._known if self.missing_share > 0 else self._known - {MISSING}

    def parse(self, value: Any) -> Value:
        """Convert a raw `value`, which is not missing.

        Raises
        ------
        LeadError
            If the value is not of the field's kind.
        """
        if isinstance(value, _NESTED):
            raise LeadError.of_value(self.name, value, "be a single value")
        if isinstance(value, int) and value.bit_length() > 1024:
            # Python refuses to print integers of more than 4,300 digits, so that the message of float()
            # would fail as well.
            raise LeadError.of_value(self.name, value, "have at most 308 digits")
        if self._is_flag:
            return self._parse_flag(value)
        return self._parse_text(value) if self.is_text else self._parse_number(value)

    def _parse_number(self, value: Any) -> float:
        number: float | None
        try:
            number = self._read_number(value) if isinstance(value, str) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = None
        if number is None:
            unit = f", or one with a unit such as {self.text_unit}" if self.text_unit else ""
            raise LeadError.of_value(self.name, value, f"be a number{unit}")
        if math.isinf(number):
            raise LeadError.of_value(self.name, value, "be a finite number")
        return number

    def _read_number(self, text: str) -> float | None:
        return read_text(text, self.decimal_comma, self.base_unit, has_units=self.text_unit is not None)

    @cached_property
    def base_unit(self) -> Unit | None:
        """The unit that numbers of texts are converted to, None if it has no name."""
        return find_unit(self.text_unit) if self.text_unit else None

    def _parse_flag(self, value: Any) -> float:
        text = str(value).strip().lower()
        if text not in TRUE_WORDS | FALSE_WORDS:
            raise LeadError.of_value(self.name, value, "be 0 or 1, true or false, yes or no")
        return float(text in TRUE_WORDS)

    def _parse_text(self, value: Any) -> str:
        # A column of whole categories with gaps comes as floats: 3.0 is the category "3".
        if isinstance(value, float) and value.is_integer() and str(value) not in self._known:
            value = int(value)
        text = str(value).strip()
        if text in self._known:
            return text
        try:
            text.encode()  # half of a surrogate pair cannot be written, neither to a page nor to a file
        except UnicodeEncodeError:
            raise LeadError.of_value(self.name, ascii(text), "be valid Unicode") from None
        folded = fold(text)
        if folded not in self._spellings and self.kind == "boolean" and folded in TRUE_WORDS | FALSE_WORDS:
            return self.choices[folded in TRUE_WORDS]
        return self._spellings.get(folded, text)

    def warning(self, value: Value) -> ValueWarning | None:
        """Return the warning about a converted `value` if it is unusual."""
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
            message=f"{self.label}: {value:g} is outside the training range, {low:g} to {high:g}.",
        )

    def _text_warning(self, value: str) -> ValueWarning | None:
        if value == MISSING:
            return self._missing_warning()
        if value in self._known:
            return None
        message = f"{self.label}: {quoted(value)} is not a known value.{self._suggest(value)}"
        return ValueWarning(field=self.name, kind="unseen", message=message)

    def _suggest(self, value: str) -> str:
        """Return a question for the choice that was probably meant, or nothing."""
        folded = {choice.casefold(): choice for choice in self.choices}
        start = value.casefold()
        found = [choice for text, choice in folded.items() if text.startswith(start)]
        if not found:
            # Few mistype the first letter; comparing with all choices would take a list of leads seconds.
            near = [text for text in folded if text[:1] == start[:1]]
            found = [folded[text] for text in get_close_matches(start, near, n=2, cutoff=SIMILAR)]
        return f" Did you mean {quoted(found[0])}?" if len(found) == 1 else ""

    def _missing_warning(self) -> ValueWarning | None:
        if self.missing_share > 0:
            return None
        message = f"{self.label}: missing; nearly all past leads had it."
        if self.assumed is not None:
            message = f"{self.label}: missing; past leads always had it. The average is used."
        return ValueWarning(field=self.name, kind="missing", message=message)
