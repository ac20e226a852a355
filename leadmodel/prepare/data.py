"""Prepare past leads for training: read outcomes, split, convert and audit."""

import hashlib
import time
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from leadmodel.arrays import Ints, Positions
from leadmodel.audit.audit import Audit, audit_leads
from leadmodel.audit.dates import find_late_dates
from leadmodel.audit.finding import Finding
from leadmodel.audit.maturity import observe
from leadmodel.audit.order import check_open_leads, check_order, report_time
from leadmodel.audit.outcomes import check_outcomes
from leadmodel.audit.twins import Twins, find_twins
from leadmodel.errors import InputError
from leadmodel.leads.convert import check_unique, read_leads
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.outcome.read import MIN_LEADS_PER_OUTCOME, Outcomes, check_enough, label_leads
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.times.choose import LeadTime, find_time
from leadmodel.prepare.columns import narrow
from leadmodel.prepare.derived import DerivedGain, add_derived
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.split import Folds, Split, combine_group_ids, find_group_ids, split_leads

__all__ = ["TrainingData", "fingerprint", "prepare", "prepare_all"]


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Past leads with known outcomes: converted, split, and audited.

    Attributes
    ----------
    leads : DataFrame of shape (n_rows, n_columns)
        All raw leads, those without an outcome included; rows are named by their position.
    recipe : Recipe
        What is known of the columns, with the time column that was found.
    outcomes : Outcomes
        What the values of the outcome column mean, for all rows.
    schema : LeadSchema
        Inferred from the training leads.
    X : DataFrame of shape (n_leads, n_columns)
        Converted leads with an outcome, with the columns that are too many for a model as well; the
        index has their positions in `leads`.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    split : Split
        Positions of the training and of the test leads in `X`.
    audit : Audit
        What is suspicious about the leads with an outcome, test leads included.
    folds : Folds
        Of the training leads; those with the same id, and copies of one lead, stay together.
    seconds : float
        Wall time of the preparation.
    twins : Twins, optional
        Copies among the leads in `X`, if there are any.
    derived : tuple of DerivedGain
        What the fields derived from personal data, addresses, texts and dates gained; empty if there was
        nothing to derive, or no model is to be trained.
    """

    leads: pd.DataFrame
    recipe: Recipe
    outcomes: Outcomes
    schema: LeadSchema
    X: pd.DataFrame
    y: Ints
    split: Split
    audit: Audit
    folds: Folds
    seconds: float
    twins: Twins | None = None
    derived: tuple[DerivedGain, ...] = ()

    @property
    def positive(self) -> str:
        """The outcome of a converted lead."""
        return self.outcomes.rule.label

    @property
    def train(self) -> tuple[pd.DataFrame, Ints]:
        """Converted training leads and their outcomes."""
        return self.candidates[self.schema.columns], self.y[self.split.train]

    @property
    def candidates(self) -> pd.DataFrame:
        """Converted training leads with all columns, from which each fold chooses."""
        return self.X.iloc[self.split.train]

    @property
    def test_copies(self) -> Positions | None:
        """Group of each test lead and its copies, if there are copies."""
        return (
            None
            if self.twins is None
            else np.unique(self.twins.group_ids[self.split.test], return_inverse=True)[1]
        )

    @property
    def test(self) -> tuple[pd.DataFrame, Ints]:
        """Converted test leads and their outcomes."""
        return self.X.iloc[self.split.test][self.schema.columns], self.y[self.split.test]

    def raw(self, name: str) -> pd.Series:
        """Return a raw column of the leads in `X`."""
        return self.leads[name].iloc[self.X.index]


@dataclass(frozen=True, eq=False)
class _LabeledLeads:
    """Table of leads, with the positions and outcomes of the decided ones."""

    leads: pd.DataFrame
    recipe: Recipe
    outcomes: Outcomes
    findings: tuple[Finding, ...]
    rows: Positions
    y: Ints

    @cached_property
    def group_ids(self) -> Positions | None:
        """Group of each lead with an outcome."""
        name = self.recipe.whose
        return find_group_ids(self.leads[name].iloc[self.rows]) if name in self.leads else None


@dataclass(frozen=True, eq=False)
class _TypedLeads:
    """Schema inferred from some leads, and all leads with an outcome converted by it."""

    schema: LeadSchema
    X: pd.DataFrame


def prepare(leads: pd.DataFrame, recipe: Recipe, settings: TrainingSettings) -> TrainingData:
    """Prepare raw leads for training: read outcomes, split, infer the schema, audit.

    The test leads choose nothing that a model learns: the schema is that of the training leads. The audit
    looks at all leads with an outcome, as `prepare_all` does, or `check` would name a column that
    `--drop-leaks` leaves in. This cannot make the test flatter the model: without `drop_leaks` the audit
    decides nothing, and with it a column is left out for telling the outcome too well, the test leads'
    included, so that the test can only get worse.

    Parameters
    ----------
    leads : DataFrame of shape (n_leads, n_columns)
        As `leadmodel.leads.io.read_table` returns it.
    recipe : Recipe
        What is known of the columns; its target is needed.
    settings : TrainingSettings
        Test share, seed, folds, and whether suspected leaks are left out.

    Raises
    ------
    InputError
        If the leads cannot be learned from: what is lacking, and what to do.
    """
    started = time.perf_counter()
    labeled = _read_outcomes(leads, recipe, MIN_LEADS_PER_OUTCOME)
    whole, time_column = _convert(labeled, labeled.rows), labeled.recipe.time
    twins = _find_twins(labeled, whole)
    split = split_leads(
        labeled.y,
        labeled.leads[time_column].iloc[labeled.rows] if time_column else None,
        test_share=settings.test_share,
        random_state=settings.seed,
        horizon=recipe.events.horizon if recipe.events else recipe.horizon,
        group_ids=labeled.group_ids,
        twin_ids=twins.group_ids if twins else None,
    )
    typed = _convert(labeled, labeled.rows[split.train])
    return add_derived(_combine(labeled, whole, twins, typed, split, settings, started), settings)


def prepare_all(leads: pd.DataFrame, recipe: Recipe, settings: TrainingSettings) -> TrainingData:
    """Prepare raw leads for an audit, like `prepare` but with any number of leads and no test leads."""
    started, labeled = time.perf_counter(), _read_outcomes(leads, recipe, 1)
    split = Split(np.arange(len(labeled.y)), np.arange(0), "no test leads")
    whole = _convert(labeled, labeled.rows)
    twins = _find_twins(labeled, whole)
    return _combine(labeled, whole, twins, whole, split, settings, started)


def fingerprint(leads: pd.DataFrame) -> str:
    """Return a sha256 of raw leads that does not depend on their order."""
    rows = pd.util.hash_pandas_object(leads.astype("str"), index=False).to_numpy()
    names = "\0".join(map(str, leads.columns)).encode()
    return hashlib.sha256(names + np.sort(rows).tobytes()).hexdigest()


def _read_outcomes(leads: pd.DataFrame, recipe: Recipe, at_least: int) -> _LabeledLeads:
    # Rows are named by their position from here on, columns by their text.
    leads = leads.reset_index(drop=True).set_axis([str(name) for name in leads.columns], axis="columns")
    names = list(leads.columns)
    check_unique(names)
    if recipe.target is None and recipe.horizon is not None:
        # With a horizon, the date of conversion alone is an outcome.
        recipe = recipe.updated(target=recipe.converted_at)
    if recipe.target is None:
        raise InputError("Which column has the outcome? Name it with --target.")
    recipe.check_columns(names)
    outcomes = label_leads(leads[recipe.target], recipe.outcomes, needs_lost=recipe.answered_days is None)
    unused = [name for name in recipe.unused() if name in names]
    found = LeadTime(recipe.time, "") if recipe.time else find_time(leads.drop(columns=unused))
    recipe = recipe.updated(time=found.name)
    findings = [*check_outcomes(outcomes, recipe.answered_days), *report_time(found, leads)]
    if recipe.events is None:
        times, converted_at = (leads[name] if name else None for name in (recipe.time, recipe.converted_at))
        codes, of_age = observe(outcomes.codes, times, converted_at, recipe.horizon)
        outcomes, findings = replace(outcomes, codes=codes), [*findings, *of_age]
    rows = np.flatnonzero(outcomes.is_known)
    y = outcomes.codes[rows]
    check_enough(y, at_least)
    return _LabeledLeads(leads, recipe, outcomes, tuple(findings), rows, y)


def _convert(labeled: _LabeledLeads, rows: Positions) -> _TypedLeads:
    """Infer the schema from the leads in `rows`, and convert all leads with an outcome."""
    schema = infer_schema(labeled.leads.iloc[rows], labeled.recipe)
    return _TypedLeads(schema, read_leads(schema, labeled.leads).iloc[labeled.rows])


def _find_twins(labeled: _LabeledLeads, whole: _TypedLeads) -> Twins | None:
    # Leads of one person at several times are no copies, and what events say of two people may be equal.
    events = labeled.recipe.events
    return None if events else find_twins(whole.X[whole.schema.columns], labeled.group_ids)


def _audit(labeled: _LabeledLeads, whole: _TypedLeads, twins: Twins | None, used: LeadSchema) -> Audit:
    """Audit all leads with an outcome, for a model that uses the fields of `used`."""
    recipe, events = labeled.recipe, labeled.recipe.events
    made = frozenset(whole.schema.by_name).difference(events.fields) if events else frozenset[str]()
    raw = labeled.leads.iloc[labeled.rows]
    audit = audit_leads(whole.schema, raw, whole.X[whole.schema.columns], labeled.y, made, used, twins)
    further = labeled.findings
    if not (recipe.time or events or twins):
        ids = [name for name, why in whole.schema.ignored.items() if why == "id"]
        further += tuple(check_order(whole.X[whole.schema.columns], labeled.y, raw[ids]))
    if recipe.time and recipe.horizon is None:
        is_open = np.isin(np.arange(len(labeled.leads)), labeled.rows, invert=True)
        further += tuple(check_open_leads(labeled.leads[recipe.time], is_open))
    if recipe.time:
        dates = [name for name, why in whole.schema.ignored.items() if why.startswith("date")]
        further += tuple(find_late_dates(raw, labeled.y, recipe.time, dates))
    return Audit(findings=(*audit.findings, *further))


def _combine(
    labeled: _LabeledLeads,
    whole: _TypedLeads,
    twins: Twins | None,
    typed: _TypedLeads,
    split: Split,
    settings: TrainingSettings,
    started: float,
) -> TrainingData:
    settings = settings.for_leads(len(split.train))
    schema = narrow(typed.schema, typed.X.iloc[split.train], labeled.y[split.train])
    audit, X = _audit(labeled, whole, twins, schema), typed.X
    if settings.drop_leaks and audit.suspects:
        kept = schema.by_name.keys() - audit.suspicions.keys()
        if not kept:
            raise InputError(
                "Every column is a suspected leak, so that none is left. Leave --drop-leaks out."
            )
        reasons = {name: f"suspected leak: {why}" for name, why in audit.suspicions.items()}
        schema = schema.narrowed(kept, reasons)
        X = X.drop(columns=[name for name in audit.suspicions if name in X])
    # Found anew: the training leads alone may hold one lead of each id, or leave gaps between the numbers.
    ids = combine_group_ids(labeled.group_ids, twins.group_ids if twins else None)
    train_ids = None if ids is None else find_group_ids(pd.Series(ids[split.train]))
    return TrainingData(
        leads=labeled.leads,
        recipe=labeled.recipe,
        outcomes=labeled.outcomes,
        schema=schema,
        X=X,
        y=labeled.y,
        split=split,
        audit=audit,
        folds=Folds(settings.n_folds, settings.seed, train_ids),
        seconds=time.perf_counter() - started,
        twins=twins,
    )
