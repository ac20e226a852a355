"""LeadModel: a published model in memory, which scores and explains leads."""

import logging
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from catboost import CatBoostClassifier

from leadmodel.errors import LeadError, ModelError
from leadmodel.explain.reasons import Explanation, explain
from leadmodel.explain.what_if import Curve, WhatIf, find_changes, trace_curve
from leadmodel.leads.convert import read_leads
from leadmodel.leads.schema import LeadSchema, Value, ValueWarning
from leadmodel.notebook import ModelView
from leadmodel.predictor.answer import Answer
from leadmodel.predictor.routing import Predictor, threads_for
from leadmodel.publishing.files import MODEL_FILE, is_folder, read_folder, write_folder
from leadmodel.publishing.hub.pull import pull
from leadmodel.publishing.hub.push import HubRepository, PublishedVersion
from leadmodel.publishing.loading import open_files
from leadmodel.publishing.sandbox import mark_verified, verify_in_subprocess

__all__ = ["LeadModel"]

_log = logging.getLogger("leadmodel")


class LeadModel(ModelView):
    """A conversion model with its schema, decision rule, metrics and documents.

    Make one with `leadmodel.train`; open one with `from_pretrained`.

    Parameters
    ----------
    files : mapping of str to bytes
        The files of a model folder, as `leadmodel.publishing.files.read_folder` returns them.
    revision : str, optional
        The commit that they are of; by default a part of the model file's checksum.

    Raises
    ------
    ModelError
        If a file is damaged, changed, of another version, or not to be trusted.
    """

    def __init__(self, files: Mapping[str, bytes], revision: str | None = None) -> None:
        self.files = dict(files)
        opened = open_files(files)
        self.config, self.profile, self.evaluation = opened.config, opened.profile, opened.evaluation
        self.revision = revision or f"sha256:{self.config.sha256[:12]}"
        self.pipeline, self.parts = opened.pipelines[MODEL_FILE], opened.parts
        options = opened.open_options()
        self.worth, self.assignment = options.get("revenue"), options.get("segments")
        self._check_answer()

    @classmethod
    def from_pretrained(cls, source: str | Path, revision: str | None = None) -> "LeadModel":
        """Open a model from a folder or from the Hugging Face Hub.

        Parameters
        ----------
        source : str or Path
            A folder, or a repository such as "USER/MODEL"; a folder of that name goes first.
        revision : str, optional
            Branch, tag or commit of the repository.

        Raises
        ------
        ModelError
            If the model cannot be had, or is not to be trusted.
        """
        if is_folder(source):
            if revision is not None:
                raise ModelError(f"The folder {str(source)!r} has no revisions. Leave {revision!r} out.")
            return cls._open_verified(read_folder(source))
        pulled = pull(str(source), revision)
        if pulled.notice:
            _log.warning(pulled.notice)
        try:
            return cls._open_verified(pulled.files, pulled.commit)
        except ModelError:
            if pulled.notice:
                raise
            # A download can be damaged and stay in the cache; the second one decides.
            return cls._open_verified(pull(str(source), pulled.commit, anew=True).files, pulled.commit)

    @classmethod
    def _open_verified(cls, files: Mapping[str, bytes], revision: str | None = None) -> "LeadModel":
        """Open files from elsewhere: first in a process of its own."""
        verify_in_subprocess(files)
        return cls(files, revision)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the model into `folder`, in place of the model that is there, if any.

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
            Such as "USER/MODEL"; made if it does not exist.
        private : bool
            Whether it is to be private, if it is made.
        commit_message : str, optional
            By default one that carries the headline metrics.

        Raises
        ------
        HubError
            If nobody is logged in, the token may not write there, or the Hub refuses or fails.
        """
        message = commit_message or f"{self.config.title}: {self.evaluation.headline()}"
        return HubRepository(repo_id, private=private).publish(self.files, message)

    @property
    def schema(self) -> LeadSchema:
        """The fields of a lead."""
        return self.config.lead_schema

    @cached_property
    def classifier(self) -> CatBoostClassifier:
        """The last step of the pipeline; typed leads need none of the steps before it."""
        return self.pipeline[-1]

    @cached_property
    def routing(self) -> Predictor:
        """Which classifier answers for which lead."""
        field = self.config.parts.field if self.config.parts else None
        parts = {value: pipeline[-1] for value, pipeline in self.parts.items()}
        return Predictor(self.schema, self.classifier, field, parts, self.worth)

    def predict_proba(self, leads: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the probability that each of the raw `leads` converts, of shape (n_leads,).

        Raises
        ------
        InputError
            If a column is lacking or a value cannot be read.
        """
        return self.routing.predict(read_leads(self.schema, leads))

    def score(self, leads: pd.DataFrame) -> pd.DataFrame:
        """Return ``probability``, ``score``, ``grade`` and ``decision`` of raw `leads`.

        Returns
        -------
        DataFrame of shape (n_leads, 4)
            With the index of `leads`; the texts as ``category``. Of a model that was trained on
            amounts, also ``expected_amount``, ``amount_low``, ``amount_high`` and ``expected_value``;
            of one with segments also ``segment``.

        Raises
        ------
        InputError
            If a column is lacking or a value cannot be read.
        """
        return self.score_typed(read_leads(self.schema, leads))

    def score_typed(self, typed: pd.DataFrame, threads: int = -1) -> pd.DataFrame:
        """Return what `score` does, for leads as `leadmodel.leads.convert.read_leads` returns them."""
        probability, worths, _ = self.routing.forecast(typed, threads)
        decision = self.config.decision
        scores = decision.scores(probability)
        positive = decision.is_positive(probability, worths and worths.value)
        answers = pd.DataFrame(
            {
                "probability": probability,
                "score": scores,
                "grade": pd.Categorical.from_codes(
                    decision.grade_places(scores), categories=pd.Index(decision.bands)
                ),
                "decision": pd.Categorical.from_codes(
                    positive.astype(np.int8),
                    categories=pd.Index([decision.negative, decision.positive]),
                ),
            },
            index=typed.index,
        )
        if worths:
            answers = answers.assign(**worths.columns())
        if self.assignment:
            answers = answers.assign(segment=self.assignment.categorise(typed))
        return answers

    def answer(self, lead: Mapping[str, Any], *, reasons: bool = True) -> Answer:
        """Return probability, score, grade, decision and reasons for one raw lead.

        Parameters
        ----------
        lead : mapping of str to object
            Values by field name; what is absent counts as not answered.
        reasons : bool
            Whether to explain the answer, which takes most of its time.
        """
        return self.answers([lead], reasons=reasons)[0]

    def answers(self, leads: Sequence[Mapping[str, Any]], *, reasons: bool = False) -> list[Answer]:
        """Return the answers for many raw leads, as `answer` does for one.

        Raises
        ------
        LeadError
            If a value cannot be read or a field is not known; it names the row, 1 being the first lead.
        """
        if not leads:
            return []
        rows, remarks = self._read_rows(leads)
        forecast = self.routing.predict_rows(rows, threads_for(len(rows)), reasons=reasons)
        probability, worths, contributions = forecast
        decision = self.config.decision
        scores = decision.scores(probability)
        positive = decision.is_positive(probability, worths and worths.value)
        grades = decision.grade_places(scores)
        bands = list(decision.bands)
        segments = self.assignment.name_rows(rows) if self.assignment else [None] * len(rows)
        explanations: Sequence[Explanation | None] = [None] * len(rows)
        if contributions is not None:
            explanations = explain(self.schema, self.profile, rows, contributions)
        return [
            Answer(
                probability=float(probability[row]),
                score=int(scores[row]),
                grade=bands[grades[row]],
                decision=decision.positive if positive[row] else decision.negative,
                segment=segments[row],
                warnings=tuple(remarks[row]),
                explanation=explanations[row],
                revision=self.revision,
                **(worths.answer(row) if worths else {}),
            )
            for row in range(len(rows))
        ]

    def what_if(self, lead: Mapping[str, Any]) -> WhatIf:
        """Return which single changes would raise the probability of one raw lead most.

        Raises
        ------
        InputError
            As for `answer`.
        """
        row, _ = self.schema.read_lead(lead)
        return find_changes(self.schema, self.profile, row, self._predict_rows)

    def curve(self, lead: Mapping[str, Any], field: str) -> Curve:
        """Return the probability of one raw lead over the values of `field`, all else as it is.

        Raises
        ------
        InputError
            As for `answer`, or if there is no such field.
        """
        row, _ = self.schema.read_lead(lead)
        return trace_curve(self.schema, self.profile, row, field, self._predict_rows)

    def _predict_rows(self, rows: Sequence[list[Value]]) -> npt.NDArray[np.float64]:
        return self.routing.predict_rows(rows, threads_for(len(rows)), reasons=False).probability

    def _read_rows(
        self, leads: Sequence[Mapping[str, Any]]
    ) -> tuple[list[list[Value]], list[list[ValueWarning]]]:
        rows, remarks = [], []
        known: dict[Any, Any] = {}
        for number, lead in enumerate(leads, 1):
            try:
                row, found = self.schema.read_lead(lead, known)
            except LeadError as error:
                raise (error.at(number) if len(leads) > 1 else error) from None
            rows.append(row)
            remarks.append(found)
        return rows, remarks

    def _check_answer(self) -> None:
        """Raise ModelError unless the model can score its own example."""
        try:
            answer = self.answer(self.schema.example())
        except Exception as error:  # whatever a damaged file makes it raise, the file is to blame
            raise ModelError(f"The model cannot score its own example lead: {error!s:.200}.") from None
        if not math.isfinite(answer.probability):
            raise ModelError(f"{MODEL_FILE} must give a probability. It gives {answer.probability}.")
