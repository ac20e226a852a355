"""The one way to score leads: form, API and every other door call this service."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from leadmodel.errors import InputError, LeadError, quoted
from leadmodel.evaluation.answer import Answer
from leadmodel.evaluation.whatif import Curve, WhatIf
from leadmodel.model import LeadModel

__all__ = ["MAX_LEADS", "ScoringService"]

MAX_LEADS = 50_000
"""Leads in one call; more of them are a file's worth, for `python -m leadmodel score`."""


class ScoringService:
    """Answer for one model.

    Parameters
    ----------
    model : LeadModel
        The model that scores. Replace it at any time: each call looks at it once, so that no
        answer is of two models.
    repo_id : str, optional
        The repository that it is from, such as "USER/MODEL"; None for a folder.
    """

    def __init__(self, model: LeadModel, repo_id: str | None = None) -> None:
        self.model, self.repo_id = model, repo_id
        self.listeners: list[Callable[[Sequence[Answer]], object]] = []
        """What is called with the answers to each call."""

    def answer(self, lead: Mapping[str, Any], model: LeadModel | None = None) -> Answer:
        """Score one lead, with reasons.

        Parameters
        ----------
        lead : mapping of str to object
            Values by field name.
        model : LeadModel, optional
            The model that the caller has looked at already.

        Raises
        ------
        LeadError
            If the lead cannot be read; it names field and value.
        """
        return self._tell([(model or self.model).answer(lead)])[0]

    def answers(self, leads: Sequence[Mapping[str, Any]], *, reasons: bool = False) -> list[Answer]:
        """Score many leads.

        Raises
        ------
        InputError
            If there are too many, or one cannot be read; it names row, field and value.
        """
        if not isinstance(leads, Sequence) or isinstance(leads, str):
            raise InputError(f"The leads must be a list of leads. Got {quoted(leads)} instead.")
        if len(leads) > MAX_LEADS:
            raise InputError(f"A call takes at most {MAX_LEADS:,} leads. Got {len(leads):,}; split them.")
        for row, lead in enumerate(leads, 1):
            if not isinstance(lead, Mapping):
                problem = f"a lead must be an object of fields. Got {quoted(lead)} instead."
                raise LeadError(None, problem, row)
        return self._tell(self.model.answers(leads, reasons=reasons))

    def _tell(self, answers: list[Answer]) -> list[Answer]:
        for listener in self.listeners:
            listener(answers)
        return answers

    def what_if(self, lead: Mapping[str, Any]) -> WhatIf:
        """Return which single changes would raise the probability of one lead most.

        Raises
        ------
        InputError
            If the lead cannot be read; it names field and value.
        """
        return self.model.what_if(lead)

    def curve(self, lead: Mapping[str, Any], field: str) -> Curve:
        """Return the probability of one lead over the values of `field`.

        Raises
        ------
        InputError
            If the lead cannot be read, or there is no such field.
        """
        return self.model.curve(lead, field)

    def describe_schema(self) -> dict[str, Any]:
        """Return the fields of a lead, and the name of each one as a parameter of the API."""
        schema = self.model.schema
        fields = [
            field.model_dump(mode="json") | {"parameter": schema.keys[field.name]}
            for field in schema.fields
        ]
        return {"fields": fields, "example": schema.example()}

    def describe_model(self) -> dict[str, Any]:
        """Return what the model is and how good it was on its test leads."""
        model = self.model
        config = model.config
        described = config.model_dump(mode="json", include={"title", "created", "target", "positive"})
        decision = config.decision.model_dump(mode="json", exclude={"grid"})
        test = {name: estimate.model_dump() for name, estimate in model.evaluation.test.items()}
        if model.evaluation.revenue:
            curves = {"test": {"by_value", "by_probability"}}
            described["revenue"] = model.evaluation.revenue.model_dump(mode="json", exclude=curves)
        return described | {
            "revision": model.revision,
            "sha256": config.sha256,
            "decision": decision,
            "split": config.training.split,
            "n_test": model.evaluation.n_test,
            "test": test,
        }
