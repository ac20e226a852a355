"""The errors that a caller can act on.

InputError(ValueError)      the data or the command line is wrong; commands exit with status 2
├── LeadError               one value of one lead cannot be read; names row, field and value
└── ModelError              a model folder or repository is missing, damaged or not to be trusted
    └── UnreachableError    the Hub does not answer, and the cache does not hold the model
"""

from typing import Any

__all__ = ["InputError", "LeadError", "ModelError", "UnreachableError", "quoted"]


class InputError(ValueError):
    """Say what must hold, what was found instead and what to do."""


class ModelError(InputError):
    """Say why a model cannot be opened."""


class UnreachableError(ModelError):
    """Say that a model cannot be had now; another time it may."""


class LeadError(InputError):
    """Say which value of which lead cannot be read.

    Parameters
    ----------
    field : str
        Name of the field as the training leads wrote it.
    value : object
        The value that was refused.
    must : str
        What the value must be, beginning with "be" ("be a number").
    row : int, optional
        Number of the lead, 1 being the first.
    """

    def __init__(self, field: str, value: Any, must: str, row: int | None = None) -> None:
        self.field, self.value, self.must, self.row = field, value, must, row
        place = "The" if row is None else f"Row {row}: the"
        super().__init__(f"{place} field {quoted(field)} must {must}. Got {quoted(value)} instead.")

    def at(self, row: int) -> "LeadError":
        """Return the same error with the number of its lead."""
        return LeadError(self.field, self.value, self.must, row)


def quoted(value: Any, limit: int = 60) -> str:
    """Return `value` in quotes, cut to `limit` characters, fit for a message.

    >>> quoted("x" * 100, limit=5)
    "'xxxxx…'"
    """
    text = value if isinstance(value, str) else repr(value)
    text = text if len(text) <= limit else text[:limit] + "…"
    return repr(text) if isinstance(value, str) else text
