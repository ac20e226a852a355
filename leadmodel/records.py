"""The base class of all records: settings, results and configuration that are validated once."""

from pydantic import BaseModel, ConfigDict

__all__ = ["Record"]


class Record(BaseModel):
    """An immutable record that refuses unknown entries.

    A mistyped name in a recipe or a changed config.json is an error, never a default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
