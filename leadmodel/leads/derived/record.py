"""Define how a field is derived from a raw column, as config.json stores it."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from pydantic import Field, model_validator

from leadmodel.records import Record

__all__ = ["MAX_TEXT", "OTHER", "Column", "Derived", "How", "Proposal", "pick"]

OTHER = "another one"
"""Value of a derived text that fewer than five training leads had."""

MAX_TEXT = 10_000
"""Characters of a raw text that are read."""

How = Literal[
    "email domain",
    "email kind",
    "email website",
    "phone country",
    "url host",
    "url path",
    "url parameter",
    "title level",
    "title area",
    "company form",
    "text length",
    "text word",
    "date weekday",
    "date hour",
    "date month",
    "date days before",
]
"""The closed list of derivations; `leadmodel.leads.derived.registry` has the functions."""


NUMBERS = {"text length", "date hour", "date days before"}
"""Derivations that give numbers; the others give texts."""

PAIRS = {"email website", "date days before"}
"""Derivations that look at a second column."""


class Derived(Record):
    """Say how a field is derived.

    Word lists are stored with the model and not looked up in the package, so that a later release with
    other lists scores an old model as before. They are plain texts: a pattern of a stranger's model
    could keep a server busy for hours.

    Parameters
    ----------
    source : str
        The raw column.
    label : str
        Label of the raw column.
    how : str
        Name of the derivation.
    argument : str
        What the derivation looks for, such as a word.
    lists : dict of str to tuple of str
        Parts of texts by value of the field, for `pick`.
    other, other_label : str, optional
        A second raw column that the derivation looks at, and its label. A lead may lack it.
    """

    source: str
    label: str
    how: How
    argument: str = Field(default="", exclude_if=lambda argument: not argument)
    lists: dict[str, tuple[str, ...]] = Field(default_factory=dict, exclude_if=lambda lists: not lists)
    other: str | None = Field(default=None, exclude_if=lambda other: other is None)
    other_label: str = Field(default="", exclude_if=lambda label: not label)

    @model_validator(mode="after")
    def _check_other(self) -> "Derived":
        if (self.other is not None) != (self.how in PAIRS):
            raise ValueError(f"the derivation {self.how!r} takes {1 + (self.how in PAIRS)} columns")
        return self

    @property
    def kind(self) -> Literal["numeric", "categorical"]:
        """The kind of the field."""
        return "numeric" if self.how in NUMBERS else "categorical"


class Column(NamedTuple):
    """A raw column that may be a source.

    Parameters
    ----------
    name, label : str
        Name of the column, and its label for people.
    texts : list of str
        Its distinct values that are not missing.
    counts, converted : list of int
        Number of leads with each of them, and how many of those converted.
    """

    name: str
    label: str
    texts: list[str]
    counts: list[int]
    converted: list[int]

    def share(self, is_so: Iterator[bool]) -> float:
        """Return the share of the distinct values for which `is_so`."""
        return sum(is_so) / max(len(self.texts), 1)


class Proposal(NamedTuple):
    """A field to derive: the end of its name, its label, and how it is derived."""

    suffix: str
    label: str
    derived: Derived
    properties: Mapping[str, Any] = {}


def pick(text: str, lists: Mapping[str, tuple[str, ...]], otherwise: str | None) -> str | None:
    """Return the first value with a part that `text` contains, else `otherwise`."""
    return next((value for value, parts in lists.items() if any(part in text for part in parts)), otherwise)
