"""Score leads: the pages and every interface call this one service, so that all give the same answer."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import pyarrow as pa

from leadmodel.errors import InputError, LeadError, quoted
from leadmodel.events.calls import count_events
from leadmodel.leads.table import LeadTable
from leadmodel.model import LeadModel
from leadmodel.monitoring.log.log import PredictionLog, ScoredCall
from leadmodel.predictor import Answer, EventAnswer
from leadmodel.serving.events import example_call
from leadmodel.serving.options import option_pages
from leadmodel.serving.ranking import Progress, RankedLeads, rank_list
from leadmodel.serving.web.rate_limit import charge

__all__ = ["MAX_LEADS", "Channel", "ScoringService"]

# How leads come: by the two pages, the REST routes, a named endpoint, a tool, a file in a call.
Channel = Literal["form", "list", "REST", "API", "MCP", "file"]

# Leads in one call; more of them are a matter for `python -m leadmodel score`.
MAX_LEADS = 50_000

# Events that count as one lead more for the limit of a caller.
EVENTS_OF_A_LEAD = 100


class ScoringService:
    """Answer for one model.

    Parameters
    ----------
    model : LeadModel
        The model that scores. It can be replaced at any time.
    repo_id : str, optional
        The repository that it is from, such as "USER/MODEL"; None for a folder.
    log : PredictionLog, optional
        Keeps calls and answers; the answers then have a request ID.
    """

    def __init__(
        self, model: LeadModel, repo_id: str | None = None, log: PredictionLog | None = None
    ) -> None:
        self.model, self.repo_id, self.log = model, repo_id, log
        self.listeners: list[Callable[[ScoredCall], object]] = [log.add] if log else []

    def answer(
        self,
        lead: Mapping[str, Any],
        model: LeadModel | None = None,
        *,
        reasons: bool = True,
        channel: Channel = "API",
    ) -> Answer:
        """Score one lead.

        Parameters
        ----------
        lead : mapping of str to object
            Values by field name.
        model : LeadModel, optional
            The model that the caller uses for the rest of its answer.
        reasons : bool
            Explain the answer.
        channel : str
            How the lead came.

        Raises
        ------
        LeadError
            If the lead cannot be read; it names field and value.
        """
        charge(1)
        # Each call reads the attribute once, so that no answer is of two models when it is replaced.
        model = model or self.model
        answer = model.answer(lead, reasons=reasons)
        request_id = self._notify(model, [lead], [answer.probability], [answer.grade], channel)
        return answer.model_copy(update={"request_id": request_id}) if self.log else answer

    def answers(
        self, leads: Sequence[Mapping[str, Any]], *, reasons: bool = False, channel: Channel = "API"
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
        probability = [answer.probability for answer in answers]
        grades = [answer.grade for answer in answers]
        request_id = self._notify(model, leads, probability, grades, channel)
        if not self.log:
            return answers
        return [
            answer.model_copy(update={"request_id": request_id, "row": row})
            for row, answer in enumerate(answers, 1)
        ]

    def answer_events(
        self,
        entities: Sequence[Mapping[str, Any]],
        at: str | None = None,
        *,
        reasons: bool | None = None,
        channel: Channel = "API",
    ) -> list[EventAnswer]:
        """Score entities by their raw events, as `LeadModel.score_events` does.

        Parameters
        ----------
        entities, at
            As `LeadModel.score_events` takes them.
        reasons : bool, optional
            Explain the answers; by default only that of a single entity.
        channel : str
            How the entities came.

        Raises
        ------
        InputError
            If there are too many, or one cannot be read; it names entity, table, row and field.
        """
        if not isinstance(entities, Sequence) or isinstance(entities, str):
            raise InputError(f"The entities must be a list of objects. Got {quoted(entities)} instead.")
        if len(entities) > MAX_LEADS:
            raise InputError(
                f"A call takes at most {MAX_LEADS:,} entities. Got {len(entities):,}; split them."
            )
        # Many events take as long as many leads.
        charge(len(entities) + sum(map(count_events, entities)) // EVENTS_OF_A_LEAD)
        model, explained = self.model, len(entities) == 1 if reasons is None else reasons
        answers = model.score_events(entities, at, reasons=explained)
        leads = [answer.features for answer in answers]
        probability = [answer.probability for answer in answers]
        request_id = self._notify(model, leads, probability, [answer.grade for answer in answers], channel)
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
        channel: Channel,
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

        def on_scored(typed: LeadTable, answers: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
            grades = answers["grade"].cast(pa.string()).to_pylist()
            request_id = self._notify(model, typed, answers["probability"].to_numpy(), grades, channel)
            if not self.log:
                return {}
            rows = pa.array(range(1, len(typed) + 1), pa.int32())
            return {"request_id": pa.array([request_id] * len(typed), pa.string()), "row": rows}

        return rank_list(model, name, leads, progress, on_scored)

    def _notify(self, model: LeadModel, leads: Any, probability: Any, grades: Any, channel: Channel) -> str:
        """Pass a call and its answers to the listeners, and return its request ID."""
        request_id = uuid.uuid4().hex if self.log else ""
        call = ScoredCall(model, leads, probability, grades, channel, request_id, datetime.now(UTC))
        for listener in self.listeners:
            listener(call)
        return request_id

    def describe_schema(self) -> dict[str, Any]:
        """Return the fields of a lead, and the name of each one as a parameter of the API."""
        schema = self.model.schema
        fields = [
            field.model_dump(mode="json") | {"parameter": schema.keys[field.name]}
            for field in schema.inputs.values()
        ]
        described = {"fields": fields, "example": schema.example()}
        config = self.model.event_config
        return described | ({"example_events": example_call(config)} if config else {})

    def describe_model(self) -> dict[str, Any]:
        """Return what the model is and how good it was on its test leads."""
        model = self.model
        config = model.config
        included = {"title", "created", "target", "positive", "horizon"}
        described = config.model_dump(mode="json", include=included)
        decision = config.decision.model_dump(mode="json", exclude={"grid"})
        test = {name: estimate.model_dump() for name, estimate in model.evaluation.test.items()}
        for page in option_pages():
            described |= page.describe_model(model)
        return described | {
            "revision": model.revision,
            "sha256": config.sha256,
            "decision": decision,
            "summary": model.summary(),
            "readiness": {"level": model.readiness.level, "reasons": model.readiness.reasons},
            "average_rate": model.evaluation.n_test_converted / model.evaluation.n_test,
            "split": config.training.split,
            "n_test": model.evaluation.n_test,
            "test": test,
        }
