"""The errors that a caller can act on.

InputError(ValueError)      the data or the command line is wrong; commands exit with status 2
├── LeadError               one field of one lead cannot be read; names row, field and value
├── EventError              one value of an event or an entity cannot be read; names where it is
└── ModelError              a model folder or repository is missing, damaged or not to be trusted
    └── UnreachableError    the Hub does not answer, and the cache does not hold the model
"""

from typing import Any

__all__ = ["EventError", "InputError", "LeadError", "ModelError", "UnreachableError", "quoted"]


class InputError(ValueError):
    """Report wrong input: what must have, what was found instead and what to do."""


class ModelError(InputError):
    """Report why a model cannot be opened."""


class UnreachableError(ModelError):
    """Report that the Hub cannot be reached; a later attempt may succeed."""


class LeadError(InputError):
    """Report which field of which lead is wrong.

    Parameters
    ----------
    field : str, optional
        Name of the field in the training leads, or as the caller wrote it if it is unknown; None if
        the whole lead is wrong.
    problem : str
        The problem, in a sentence that begins with "the" or "a".
    row : int, optional
        Number of the lead, starting at 1.
    """

    def __init__(self, field: str | None, problem: str, row: int | None = None) -> None:
        self.field, self.problem, self.row = field, problem, row
        super().__init__(problem[0].upper() + problem[1:] if row is None else f"Row {row}: {problem}")

    @classmethod
    def of_value(cls, field: str, value: Any, must: str, row: int | None = None) -> "LeadError":
        """Return the error of a value that breaks a requirement such as "be a number"."""
        return cls(field, f"the field {quoted(field)} must {must}. Got {quoted(value)} instead.", row)

    def at(self, row: int) -> "LeadError":
        """Return the same error with the number of the lead."""
        return LeadError(self.field, self.problem, row)


class EventError(InputError):
    """Report which value of which event or entity is wrong.

    Parameters
    ----------
    entity : int
        Number of the entity in the call, starting at 1.
    problem : str
        The problem, in a sentence that begins with "the" or "a".
    table, row : str and int, optional
        Table of the event, and its number in it, starting at 1.
    field : str, optional
        Column or attribute.
    """

    def __init__(
        self,
        entity: int,
        problem: str,
        table: str | None = None,
        row: int | None = None,
        field: str | None = None,
    ) -> None:
        self.entity, self.table, self.row, self.field = entity, table, row, field
        place = f"Entity {entity}" if row is None else f"Entity {entity}, row {row} of {quoted(table)}"
        super().__init__(f"{place}: {problem}")


def quoted(value: Any, limit: int = 60) -> str:
    """Return `value` in quotes, cut to `limit` characters, fit for a message.

    >>> quoted("x" * 100, limit=5)
    "'xxxxx…'"
    """
    try:
        text = value if isinstance(value, str) else repr(value)
    except (RecursionError, ValueError):  # lists in lists, or an integer of thousands of digits
        text = f"({type(value).__name__})"
    text = text if len(text) <= limit else text[:limit] + "…"
    return repr(text) if isinstance(value, str) else text
