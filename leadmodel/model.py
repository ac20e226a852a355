"""LeadModel: a published model in memory, which scores and explains leads."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from catboost import CatBoostClassifier

from leadmodel.arrays import Floats
from leadmodel.errors import EventError, InputError, LeadError, ModelError
from leadmodel.events.windows import FeatureWords, check_engines
from leadmodel.explain.reasons import Explanation, explain
from leadmodel.explain.what_if import Curve, WhatIf, find_changes, trace_curve
from leadmodel.leads.convert import read_columns, read_records
from leadmodel.leads.event_recipe import EventConfig
from leadmodel.leads.field import Value
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable, warnings_by_lead
from leadmodel.notebook import ModelView
from leadmodel.predictor import Answer, EventAnswer, Predictions, Predictor, make_answers
from leadmodel.publishing.files import MODEL_FILE, is_folder, read_folder, write_folder
from leadmodel.publishing.hub.pull import pull
from leadmodel.publishing.hub.push import HubRepository, PublishedVersion
from leadmodel.publishing.loading import open_files
from leadmodel.publishing.sandbox import mark_verified, verify_in_subprocess

if TYPE_CHECKING:
    from leadmodel.events.online import OnlineFeatures

__all__ = ["LeadModel"]

BASE = "(base)"
"""Column of the base log-odds in `LeadModel.explain`; a name that no field is likely to have."""

_log = logging.getLogger("leadmodel")


class LeadModel(ModelView):
    """A conversion model with its schema, decision rule, metrics and documents.

    Make one with `leadmodel.train`; open one with `from_pretrained`.

    Parameters
    ----------
    files : mapping of str to bytes
        The files of a model folder, as `leadmodel.publishing.files.read_folder` returns them.
    revision : str, optional
        Their commit; by default the first digits of the model file's checksum.

    Raises
    ------
    ModelError
        If a file is damaged, changed, of another version, or not to be trusted.

    Notes
    -----
    Methods that take raw leads raise InputError if a column is missing or a value cannot be read.
    """

    def __init__(self, files: Mapping[str, bytes], revision: str | None = None) -> None:
        self.files = dict(files)
        opened = open_files(files)
        self.config, self.profile, self.evaluation = opened.config, opened.profile, opened.evaluation
        self.revision = revision or f"sha256:{self.config.sha256[:12]}"
        self.pipeline, self.parts = opened.pipelines[MODEL_FILE], opened.parts
        self.options = opened.open_options()
        # A damaged model file may open, and fail or give nonsense only when it predicts.
        try:
            probability = self.answer(self.schema.example()).probability
        except Exception as error:  # CatBoost can raise anything
            raise ModelError(f"The model cannot score its own example lead: {error!s:.200}.") from None
        if not math.isfinite(probability):
            raise ModelError(f"{MODEL_FILE} must give a probability. It gives {probability}.")

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        revision: str | None = None,
        *,
        patience: float | None = None,
        fresh: bool = False,
    ) -> "LeadModel":
        """Open a model from a folder or from the Hugging Face Hub.

        Parameters
        ----------
        source : str or Path
            A folder, or a repository such as "USER/MODEL"; an existing folder takes precedence.
        revision : str, optional
            Branch, tag or commit of the repository.
        patience : float, optional
            Seconds that the Hub may stay silent before a model from the cache is opened in its place, with
            a warning; by default LEADMODEL_HUB_PATIENCE, or 10.
        fresh : bool
            Whether to raise UnreachableError instead of opening one from the cache.

        Raises
        ------
        ModelError
            If the model cannot be downloaded or opened, or is not to be trusted.
        """
        if is_folder(source):
            if revision is not None:
                raise ModelError(f"The folder {str(source)!r} has no revisions. Leave {revision!r} out.")
            return cls._open_verified(read_folder(source))
        pulled = pull(str(source), revision, patience=patience, fresh=fresh)
        if pulled.notice:
            _log.warning(pulled.notice)
        try:
            return cls._open_verified(pulled.files, pulled.commit)
        except ModelError:
            if pulled.notice:
                raise
            # A damaged download stays in the cache, so that only a second one shows whether the
            # repository itself is at fault.
            again = pull(str(source), pulled.commit, anew=True, fresh=True)
            return cls._open_verified(again.files, pulled.commit)

    @classmethod
    def _open_verified(cls, files: Mapping[str, bytes], revision: str | None = None) -> "LeadModel":
        """Open files from elsewhere, after a separate process could open them."""
        verify_in_subprocess(files)
        return cls(files, revision)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the model into `folder`, and replace a model that is there.

        Raises
        ------
        InputError
            If the folder holds something other than a model.
        """
        write_folder(folder, self.files)
        mark_verified(self.files)

    def push_to_hub(
        self, repo_id: str, *, private: bool = False, commit_message: str | None = None
    ) -> PublishedVersion:
        """Publish the model in one commit, and tag it as the next version ("v1", "v2", …).

        Parameters
        ----------
        repo_id : str
            Such as "USER/MODEL"; created if it does not exist.
        private : bool
            Whether to create it as a private repository.
        commit_message : str, optional
            By default one that carries the headline metrics.

        Raises
        ------
        HubError
            If no token is set or it lacks write access, or the Hub refuses or fails.
        """
        message = commit_message or f"{self.config.title}: {self.evaluation.headline()}"
        return HubRepository(repo_id, private=private).publish(self.files, message)

    @property
    def schema(self) -> LeadSchema:
        """The fields of a lead."""
        return self.config.lead_schema

    @cached_property
    def classifier(self) -> CatBoostClassifier:
        """The last step of the pipeline, which predicts typed leads without the steps before it."""
        return self.pipeline[-1]

    @cached_property
    def predictor(self) -> Predictor:
        """The predictor of typed leads, with all models of the folder."""
        field = self.config.parts.field if self.config.parts else None
        segment_models = {value: pipeline[-1] for value, pipeline in self.parts.items()}
        options = tuple(self.options.values())
        return Predictor(self.schema, self.classifier, field, segment_models, options)

    @property
    def classes_(self) -> npt.NDArray[np.object_]:
        """Labels of the two classes: every label but the positive one, then the positive one."""
        return np.array([f"not {self.config.positive}", self.config.positive], dtype=object)

    @property
    def formats(self) -> dict[str, Callable[[float], str]]:
        """Functions that write numbers of options' columns for people, such as amounts with their unit."""
        return {name: write for option in self.options.values() for name, write in option.formats.items()}

    def predict_proba(self, leads: pd.DataFrame) -> Floats:
        """Return the probabilities of the classes of raw `leads`.

        Returns
        -------
        array of shape (n_leads, 2)
            In the order of `classes_`: the second column is the probability of conversion.
        """
        probability = self.predictor.predict(read_columns(self.schema, leads)).probability
        return np.column_stack([1 - probability, probability])

    def predict(self, leads: pd.DataFrame) -> npt.NDArray[np.object_]:
        """Return the class of each of the raw `leads`, by the model's decision rule.

        Returns
        -------
        array of shape (n_leads,)
            Labels from `classes_`. The threshold is that of the model, which need not be 0.5.
        """
        predictions = self.predictor.predict(read_columns(self.schema, leads))
        positive = self.config.decision.is_positive(predictions.probability, predictions.expected_value)
        return self.classes_[positive.astype(np.intp)]

    def score(self, leads: pd.DataFrame) -> pd.DataFrame:
        """Return ``probability``, ``score``, ``grade`` and ``decision`` of raw `leads`.

        Returns
        -------
        DataFrame of shape (n_leads, 4)
            With the index of `leads`; texts as ``category``. The options of a model add columns, such
            as ``expected_value`` or ``segment``.
        """
        predictions = self.predictor.predict(read_columns(self.schema, leads))
        return self.decide(predictions).set_axis(leads.index)

    def decide(self, predictions: Predictions) -> pd.DataFrame:
        """Return the columns of `score` from predictions."""
        decision, probability = self.config.decision, predictions.probability
        scores = decision.scores(probability)
        positive = decision.is_positive(probability, predictions.expected_value).astype(np.int8)
        labels = pd.Index([decision.negative, decision.positive])
        grades = pd.Index(decision.bands)
        columns = {
            "probability": probability,
            "score": scores,
            "grade": pd.Categorical.from_codes(decision.grade_places(scores), categories=grades),
            "decision": pd.Categorical.from_codes(positive, categories=labels),
        }
        return pd.DataFrame(columns | predictions.columns)

    def explain(self, leads: pd.DataFrame) -> pd.DataFrame:
        """Return exact contributions (SHAP values) to the log-odds of conversion of raw `leads`.

        Returns
        -------
        DataFrame of shape (n_leads, n_fields + 1)
            With the index of `leads`: a column for each field, in the order of the leads' columns,
            and last ``(base)``, the log-odds of a lead about which nothing is known. Each row sums
            to the log-odds of its probability.
        """
        contributions = self.predictor.predict(read_columns(self.schema, leads), explain=True).contributions
        # The predictor's columns have the order of the model, texts before numbers.
        explained = pd.DataFrame(contributions, leads.index, pd.Index([*self.schema.columns, BASE]))
        return explained[[*self.schema.by_name, BASE]]

    def answer(self, lead: Mapping[str, Any], *, reasons: bool = True) -> Answer:
        """Return probability, score, grade, decision and reasons for one raw lead.

        Parameters
        ----------
        lead : mapping of str to object
            Values by field name; an absent value counts as missing.
        reasons : bool
            Whether to explain the answer, which takes most of its time.
        """
        return self.answers([lead], reasons=reasons)[0]

    def answers(self, leads: Sequence[Mapping[str, Any]], *, reasons: bool = False) -> list[Answer]:
        """Return the answers for many raw leads, as `answer` does for one.

        Raises
        ------
        LeadError
            If a value cannot be read or a field is unknown; it names the row, 1 being the first lead.
        """
        if not leads:
            return []
        table = read_records(self.schema, leads)
        predictions = self.predictor.predict(table, explain=reasons)
        explanations: Sequence[Explanation | None] = [None] * len(table)
        if predictions.contributions is not None:
            explanations = explain(self.profile, table, predictions.contributions, self._words)
        return make_answers(
            self.config.decision,
            predictions,
            warnings_by_lead(table),
            explanations,
            self.revision,
            self.predictor.options,
        )

    def score_events(
        self,
        entities: Sequence[Mapping[str, Any]],
        at: str | date | None = None,
        *,
        reasons: bool = True,
    ) -> list[EventAnswer]:
        """Return the answers for entities by their raw events, whose features are made as in training.

        Parameters
        ----------
        entities : sequence of mapping
            Each with its id, its attributes and its ``events``, as the recipe's tables have them; see
            `leadmodel.events.calls`.
        at : str, date or datetime, optional
            The moment of all answers, by default now; in UTC if it has no offset. Later events are left
            out.
        reasons : bool
            Whether to explain the answers.

        Raises
        ------
        InputError
            If the model was not trained on events, or an entity or an event cannot be read; an EventError
            names entity, table, row and field.
        """
        features = self.online_features
        described = features.describe(entities, features.as_moment(at))
        leads = [{name: one.features.get(name) for name in self.schema.inputs} for one in described]
        try:
            answers = self.answers(leads, reasons=reasons)
        except LeadError as error:
            raise EventError(error.row or 1, error.problem, field=error.field) from None
        return [
            EventAnswer(
                **dict(answer),
                entity=one.entity,
                at=one.at.replace(tzinfo=UTC),
                n_events=one.n_events,
                features=lead,
                history=one.warnings,
            )
            for answer, lead, one in zip(answers, leads, described, strict=True)
        ]

    @property
    def event_config(self) -> EventConfig | None:
        """The ``[events]`` of the recipe, if the model was trained on events."""
        return self.config.recipe.events if self.config.recipe else None

    @property
    def has_online_features(self) -> bool:
        """Whether raw events can be scored here; if only a package is missing, a warning says so."""
        if self.event_config is None:
            return False
        try:
            check_engines()
        except InputError as error:
            _log.warning("Raw events cannot be scored. %s", error)
            return False
        return True

    @cached_property
    def online_features(self) -> "OnlineFeatures":
        """Makes the features of entities of their raw events; needs polars.

        Raises
        ------
        InputError
            If the model was not trained on events, or polars is missing.
        """
        if self.event_config is None:
            raise InputError("The model was not trained on events: score leads with their fields.")
        check_engines()
        from leadmodel.events.online import OnlineFeatures

        return OnlineFeatures(self.event_config)

    @cached_property
    def _words(self) -> Callable[[str, Value], str | None]:
        return FeatureWords(self.event_config) if self.event_config else lambda name, value: None

    def what_if(self, lead: Mapping[str, Any]) -> WhatIf:
        """Return the single changes that would raise the probability of one raw lead most.

        Raises
        ------
        InputError
            As for `answer`.
        """
        (row,) = read_records(self.schema, [lead]).rows()
        return find_changes(self.schema, self.profile, row, self._predict_rows)

    def curve(self, lead: Mapping[str, Any], field: str) -> Curve:
        """Return the probability of one raw lead over the values of `field`, all others unchanged.

        Raises
        ------
        InputError
            As for `answer`, or if there is no such field.
        """
        (row,) = read_records(self.schema, [lead]).rows()
        return trace_curve(self.schema, self.profile, row, field, self._predict_rows)

    def _predict_rows(self, rows: Sequence[list[Value]]) -> Floats:
        return self.predictor.predict(LeadTable.from_rows(self.schema, rows)).probability
