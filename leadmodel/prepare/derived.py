"""Keep the derived fields that improve the model on the folds of the training leads beyond doubt."""

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier, Pool
from scipy.stats import norm

from leadmodel.arrays import Floats, Ints
from leadmodel.audit.finding import Audit, Finding
from leadmodel.audit.leakage import find_leaks, measure_columns
from leadmodel.leads.convert import read_leads
from leadmodel.leads.derived.candidates import find_candidates
from leadmodel.leads.field import Field
from leadmodel.leads.schema import LeadSchema
from leadmodel.metrics.bootstrap import Estimate
from leadmodel.metrics.classification import log_losses
from leadmodel.prepare.columns import choose_columns, forget_rare
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.split import Folds
from leadmodel.records import Record

if TYPE_CHECKING:
    from leadmodel.prepare.data import TrainingData

__all__ = ["DerivedFields", "DerivedGain", "add_derived"]

MAX_TRIED = 10_000
"""Training leads that the gain is measured on, to keep it a matter of seconds."""

QUICK: dict[str, Any] = {
    "iterations": 120,
    "learning_rate": 0.1,
    "depth": 6,
    "one_hot_max_size": 10,
    "max_ctr_complexity": 1,
    "allow_writing_files": False,
    "verbose": False,
}
"""Parameters of the models that are compared: like the default, but for what takes most time."""

EVERY = 10
"""Trees between two tree counts that are tried; with one for all, what adds nothing would overfit more."""


class DerivedGain(Record):
    """What the fields derived from one column gain.

    Parameters
    ----------
    source : str
        The raw column.
    fields : tuple of str
        Labels of the fields.
    gain : Estimate
        Log loss without them minus that with them, cross-validated, with an interval that allows for the
        number of columns tried.
    is_used : bool
        Whether the interval is above zero.
    """

    source: str
    fields: tuple[str, ...]
    gain: Estimate
    is_used: bool

    def summary(self) -> str:
        """Return the gain in a sentence."""
        names, gain = ", ".join(self.fields), self.gain.summary(".4f")
        if self.is_used:
            return f"{self.source} ({names}): lowers the log loss on the folds by {gain}."
        return f"{self.source} ({names}): left out; the gain of {gain} on the folds is not beyond doubt."


@dataclass(frozen=True, eq=False)
class DerivedFields:
    """Derived fields that are worth it.

    Attributes
    ----------
    fields : tuple of Field
        The fields that are kept.
    gains : tuple of DerivedGain
        What each column's fields gained; those that are not kept as well.
    findings : tuple of Finding
        What the audit says of the fields.
    placeholders : tuple of str
        Texts that mark a missing value.
    """

    fields: tuple[Field, ...] = ()
    gains: tuple[DerivedGain, ...] = ()
    findings: tuple[Finding, ...] = ()
    placeholders: tuple[str, ...] = ()

    @property
    def schema_of_fields(self) -> LeadSchema:
        """The schema of the derived fields alone."""
        return LeadSchema(fields=self.fields, placeholders=self.placeholders)

    def without_suspects(self) -> "DerivedFields":
        """Return the fields that are no suspected leaks."""
        suspects = Audit(findings=self.findings).suspects
        return replace(self, fields=tuple(field for field in self.fields if field.name not in suspects))

    def extend(self, schema: LeadSchema) -> LeadSchema:
        """Return `schema` with the fields, and say of their columns what became of them."""
        used = {field.derived.source for field in self.fields if field.derived}
        ends = {True: "only what is derived from it is used", False: "nothing of it improves the model"}
        # What turned out to be addresses or titles looked like ids before.
        before = {
            name: "different for nearly every lead" if why == "id" else why
            for name, why in schema.ignored.items()
        }
        reasons = {
            gain.source: f"{before[gain.source]}; {ends[gain.source in used]}"
            for gain in self.gains
            if gain.source in before
        }
        return LeadSchema(
            fields=(*schema.fields, *self.fields),
            ignored=schema.ignored | reasons,
            placeholders=schema.placeholders,
        )


def add_derived(data: "TrainingData", settings: TrainingSettings) -> "TrainingData":
    """Return the data with the derived fields that improve the model beyond doubt.

    Parameters
    ----------
    data : TrainingData
        Prepared leads. Only the training leads choose fields; nothing is derived from a suspected leak.
    settings : TrainingSettings
        Whether suspected leaks are left out.
    """
    started = time.perf_counter()
    added = _find_derived(data)
    if not added.gains:
        return data
    if settings.drop_leaks:
        added = added.without_suspects()
    raw = data.leads.iloc[data.X.index]
    X = pd.concat([data.X, read_leads(added.schema_of_fields, raw)], axis=1) if added.fields else data.X
    return replace(
        data,
        schema=added.extend(data.schema),
        X=X,
        audit=Audit(findings=(*data.audit.findings, *added.findings)),
        derived=added.gains,
        seconds=data.seconds + time.perf_counter() - started,
    )


def _find_derived(data: "TrainingData") -> DerivedFields:
    schema, folds, (X, y) = data.schema, data.folds, data.train
    leads = data.leads.iloc[X.index]
    candidates = find_candidates(schema, leads, y, data.recipe, data.audit.suspects)
    if not candidates:
        return DerivedFields()
    rows = np.arange(len(leads))
    if len(rows) > MAX_TRIED:
        rows = np.sort(np.random.default_rng(folds.random_state).permutation(rows)[:MAX_TRIED])
        folds = folds.subset(rows)
    X, y, leads = X.iloc[rows], y[rows], leads.iloc[rows]
    without = _oof_log_losses(X, y, folds)
    # The more columns are tried, the more often one of them gains by chance; the interval allows for it.
    z = float(norm.isf(0.025 / len(candidates)))
    kept: list[Field] = []
    gains: list[DerivedGain] = []
    findings: list[Finding] = []
    for source, fields in candidates.items():
        own = LeadSchema(fields=fields, placeholders=schema.placeholders)
        derived = read_leads(own, leads)
        gain = Estimate.of_mean(without - _oof_log_losses(pd.concat([X, derived], axis=1), y, folds), z)
        labels = tuple(field.label for field in fields)
        gains.append(DerivedGain(source=source, fields=labels, gain=gain, is_used=gain.low > 0))
        if gain.low > 0:
            kept += fields
            measured = measure_columns(own, leads, derived, y)
            # Where they are missing is no news: the audit has looked at the gaps of the raw column.
            findings += find_leaks(own, y, measured, frozenset(own.by_name))
    return DerivedFields(tuple(kept), tuple(gains), tuple(findings), schema.placeholders)


def _oof_log_losses(X: pd.DataFrame, y: Ints, folds: Folds) -> Floats:
    """Return the out-of-fold log loss of each lead, with the tree count of the lowest mean."""
    losses = np.empty((QUICK["iterations"] // EVERY, len(y)))
    for train_idx, test_idx in folds.split(y):
        leads = X[choose_columns(X.iloc[train_idx], y[train_idx])]
        texts = tuple(leads.select_dtypes("category").columns)
        model = CatBoostClassifier(**QUICK, random_seed=folds.random_state)
        model.fit(Pool(forget_rare(leads.iloc[train_idx]), y[train_idx], cat_features=texts))
        stages = model.staged_predict_proba(
            Pool(leads.iloc[test_idx], cat_features=texts), eval_period=EVERY
        )
        for row, probability in zip(losses, stages, strict=True):
            row[test_idx] = log_losses(y[test_idx], probability[:, 1])
    return np.asarray(losses[losses.mean(axis=1).argmin()])
