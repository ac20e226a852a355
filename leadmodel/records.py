"""Define the base class of records: settings, results and configuration, validated when created."""

from pydantic import BaseModel, ConfigDict

__all__ = ["Record"]


class Record(BaseModel):
    """Hold validated values that cannot change, and refuse unknown entries.

    A mistyped name in a recipe or in an edited config.json is an error rather than ignored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
