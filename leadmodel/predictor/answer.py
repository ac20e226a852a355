"""The answer for one lead, as every interface returns it."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

from leadmodel.decision.policy import Decision
from leadmodel.explain.reasons import Explanation
from leadmodel.leads.field import ValueWarning
from leadmodel.predictor.predictor import Predictions

__all__ = ["Answer", "make_answers"]


def _is_none(value: object) -> bool:
    return value is None


class Answer(BaseModel):
    """The answer for one lead.

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
    segment: str | None = Field(default=None, exclude_if=_is_none)
    warnings: tuple[ValueWarning, ...] = ()
    explanation: Explanation | None = None
    expected_amount: float | None = Field(default=None, exclude_if=_is_none)
    expected_value: float | None = Field(default=None, exclude_if=_is_none)
    amount_interval: tuple[float, float] | None = Field(default=None, exclude_if=_is_none)
    revision: str
    request_id: str | None = Field(default=None, exclude_if=_is_none)
    row: int | None = Field(default=None, exclude_if=_is_none)


def make_answers(
    decision: Decision,
    predictions: Predictions,
    warnings: Mapping[int, Sequence[ValueWarning]],
    explanations: Sequence[Explanation | None],
    revision: str,
) -> list[Answer]:
    """Turn predictions into an answer for each lead.

    Parameters
    ----------
    decision : Decision
        The decision rule.
    predictions : Predictions
        Of the leads.
    warnings : mapping of int to sequence of ValueWarning
        By position of the lead.
    explanations : sequence of Explanation or None
        Of each lead.
    revision : str
        The revision of the model.
    """
    probability, bands = predictions.probability, list(decision.bands)
    scores = decision.scores(probability)
    columns: dict[str, Sequence[object]] = {
        "probability": probability.tolist(),
        "score": scores.tolist(),
        "grade": [bands[place] for place in decision.grade_places(scores).tolist()],
        "decision": [
            decision.positive if is_positive else decision.negative
            for is_positive in decision.is_positive(probability, predictions.expected_value).tolist()
        ],
        "warnings": [tuple(warnings.get(lead, ())) for lead in range(len(probability))],
        "explanation": explanations,
    }
    if predictions.segment is not None:
        columns["segment"] = predictions.segment.tolist()
    if amounts := {name: values.tolist() for name, values in predictions.amount_columns.items()}:
        interval = zip(amounts.pop("amount_low"), amounts.pop("amount_high"), strict=True)
        columns |= amounts | {"amount_interval": list(interval)}
    return [
        Answer(**dict(zip(columns, values, strict=True)), revision=revision)
        for values in zip(*columns.values(), strict=True)
    ]
