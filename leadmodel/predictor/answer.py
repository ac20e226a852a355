"""What a model says of one lead."""

from pydantic import BaseModel, ConfigDict, Field

from leadmodel.explain.reasons import Explanation
from leadmodel.leads.schema import ValueWarning

__all__ = ["Answer"]


def _is_none(value: object) -> bool:
    return value is None


class Answer(BaseModel):
    """What the model says of one lead.

    Parameters
    ----------
    probability : float
        That the lead converts, 0 to 1.
    score : int
        Percentile of the probability among the training leads', 0 to 100.
    grade : str
        A to D, or as the model's bands name them.
    decision : str
        The decision at the model's threshold, in words.
    segment : str, optional
        The kind of leads that it belongs to; absent where the model has no segments.
    warnings : tuple of ValueWarning
        What was missing, unseen or out of range in the lead.
    explanation : Explanation, optional
        The reasons.
    expected_amount, expected_value : float, optional
        What the lead brings if it converts, and what it is worth as it is; only of models that were
        trained on amounts, as the interval.
    amount_interval : tuple of float, optional
        Between which the amount of four of five such leads lies, if they convert.
    revision : str
        The revision of the model that gave this answer.
    request_id, row : str and int, optional
        Where answers are logged: names the call, and the lead's place in its list, 1 being the
        first, so that its outcome can be told.
    """

    model_config = ConfigDict(frozen=True)

    probability: float
    score: int
    grade: str
    decision: str
    segment: str | None = Field(default=None, exclude_if=lambda value: value is None)
    warnings: tuple[ValueWarning, ...] = ()
    explanation: Explanation | None = None
    expected_amount: float | None = Field(default=None, exclude_if=_is_none)
    expected_value: float | None = Field(default=None, exclude_if=_is_none)
    amount_interval: tuple[float, float] | None = Field(default=None, exclude_if=_is_none)
    revision: str
    request_id: str | None = Field(default=None, exclude_if=_is_none)
    row: int | None = Field(default=None, exclude_if=_is_none)
