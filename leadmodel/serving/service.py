"""The one way to score leads: form, API and every other door call this service."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import pyarrow as pa

from leadmodel.errors import InputError, LeadError, quoted
from leadmodel.explain.what_if import Curve, WhatIf
from leadmodel.leads.table import LeadTable
from leadmodel.model import LeadModel
from leadmodel.monitoring.log.log import PredictionLog, ScoredCall
from leadmodel.predictor import Answer
from leadmodel.serving.options import option_pages
from leadmodel.serving.ranking import Progress, RankedLeads, rank_list
from leadmodel.serving.web.rate_limit import charge

__all__ = ["MAX_LEADS", "Channel", "ScoringService"]

Channel = Literal["form", "list", "REST", "API", "MCP", "file"]
"""By which leads come: the two pages, the routes, a named endpoint, a tool, a file that is sent."""

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
    log : PredictionLog, optional
        Keeps what was asked and answered; the answers then name their call.
    """

    def __init__(
        self, model: LeadModel, repo_id: str | None = None, log: PredictionLog | None = None
    ) -> None:
        self.model, self.repo_id, self.log = model, repo_id, log
        self.listeners: list[Callable[[ScoredCall], object]] = [log.add] if log else []
        """What is called with each call and its answers."""

    def answer(
        self,
        lead: Mapping[str, Any],
        model: LeadModel | None = None,
        *,
        reasons: bool = True,
        door: Channel = "API",
    ) -> Answer:
        """Score one lead.

        Parameters
        ----------
        lead : mapping of str to object
            Values by field name.
        model : LeadModel, optional
            The model that the caller has looked at already.
        reasons : bool
            Whether to explain the answer.
        door : str
            How the lead came.

        Raises
        ------
        LeadError
            If the lead cannot be read; it names field and value.
        """
        charge(1)
        model = model or self.model
        answer = model.answer(lead, reasons=reasons)
        request_id = self._tell(model, [lead], [answer.probability], [answer.grade], door)
        return answer.model_copy(update={"request_id": request_id}) if self.log else answer

    def answers(
        self, leads: Sequence[Mapping[str, Any]], *, reasons: bool = False, door: Channel = "API"
    ) -> list[Answer]:
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
        charge(len(leads))
        model = self.model
        answers = model.answers(leads, reasons=reasons)
        probability, grades = [one.probability for one in answers], [one.grade for one in answers]
        request_id = self._tell(model, leads, probability, grades, door)
        if not self.log:
            return answers
        return [
            answer.model_copy(update={"request_id": request_id, "row": row})
            for row, answer in enumerate(answers, 1)
        ]

    def rank(
        self,
        name: str,
        leads: pa.Table,
        door: Channel,
        progress: Progress = lambda share, what: None,
    ) -> RankedLeads:
        """Score a list, explain each lead and put the best first, as `rank_list` does.

        Raises
        ------
        InputError
            If a column is lacking or a value cannot be read; it names row, field and value.
        """
        charge(leads.num_rows)
        model = self.model

        def tell(typed: LeadTable, answers: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
            grades = answers["grade"].cast(pa.string()).to_pylist()
            request_id = self._tell(model, typed, answers["probability"].to_numpy(), grades, door)
            if not self.log:
                return {}
            rows = pa.array(range(1, len(typed) + 1), pa.int32())
            return {"request_id": pa.array([request_id] * len(typed), pa.string()), "row": rows}

        return rank_list(model, name, leads, progress, tell)

    def _tell(self, model: LeadModel, leads: Any, probability: Any, grades: Any, door: Channel) -> str:
        """Tell whoever listens of a call, and return its name."""
        name = uuid.uuid4().hex if self.log else ""
        call = ScoredCall(model, leads, probability, grades, door, name, datetime.now(UTC))
        for listener in self.listeners:
            listener(call)
        return name

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
        for page in option_pages():
            described |= page.describe_model(model)
        return described | {
            "revision": model.revision,
            "sha256": config.sha256,
            "decision": decision,
            "split": config.training.split,
            "n_test": model.evaluation.n_test,
            "test": test,
        }
