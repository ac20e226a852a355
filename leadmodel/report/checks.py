"""Define a check of readiness: the result of one rule."""

from typing import Literal

from leadmodel.records import Record

__all__ = ["LEVELS", "Check", "ReadinessLevel", "grade"]

ReadinessLevel = Literal["ready", "usable with care", "not ready"]

LEVELS: tuple[ReadinessLevel, ...] = ("ready", "usable with care", "not ready")


class Check(Record):
    """Hold the result of one rule.

    Parameters
    ----------
    level : str
        The best level that a model with this result can have.
    sentence : str
        The result in words, with its numbers.
    """

    level: ReadinessLevel
    sentence: str


def grade(care: bool, fail: bool) -> ReadinessLevel:
    """Return the level that is left by a rule that asks for care, or fails."""
    return "not ready" if fail else "usable with care" if care else "ready"
