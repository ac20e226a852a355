"""Past leads made ready: outcomes read, test leads set apart, columns typed and audited."""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadmodel.amounts.read import Amounts, read_amounts
from leadmodel.arrays import Ints, Positions
from leadmodel.audit.audit import Audit, audit_leads
from leadmodel.audit.data_quality import check_open_leads
from leadmodel.errors import InputError, quoted
from leadmodel.leads.convert import duplicate_names, read_leads
from leadmodel.leads.dates import find_time
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.outcome import MIN_LEADS_PER_OUTCOME, find_positive, known_outcomes, read_outcome
from leadmodel.leads.recipe import FieldConfig, Recipe
from leadmodel.leads.schema import LeadSchema
from leadmodel.prepare.folds import GroupIds, find_group_ids
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.split import Split, split_leads

__all__ = ["TrainingData", "fingerprint", "prepare", "prepare_all"]


@dataclass(frozen=True)
class TrainingData:
    """Leads with known outcomes, typed, and divided into those to learn from and to judge by.

    Attributes
    ----------
    schema : LeadSchema
        Inferred from the leads to learn from.
    positive : str
        The outcome of a converted lead.
    X : DataFrame of shape (n_leads, n_fields)
        Typed leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    split : Split
        Positions of the leads to learn from and to judge by.
    audit : Audit
        What is suspicious about the leads to learn from.
    time : str, optional
        The column that orders the leads, named or found.
    groups : array of shape (n_leads,), optional
        Which leads belong together, where an id stands there more than once.
    amounts : Amounts, optional
        What the leads brought, if the recipe names the column.
    """

    schema: LeadSchema
    positive: str
    X: pd.DataFrame
    y: Ints
    split: Split
    audit: Audit
    time: str | None = None
    groups: GroupIds | None = None
    amounts: Amounts | None = None

    @property
    def train(self) -> tuple[pd.DataFrame, Ints]:
        """Typed leads and outcomes to learn from."""
        return self.X.iloc[self.split.train], self.y[self.split.train]

    @property
    def train_groups(self) -> GroupIds | None:
        """Which of the leads to learn from belong together; None if each stands for itself."""
        return None if self.groups is None else find_group_ids(pd.Series(self.groups[self.split.train]))

    @property
    def test(self) -> tuple[pd.DataFrame, Ints]:
        """Typed leads and outcomes to judge by."""
        return self.X.iloc[self.split.test], self.y[self.split.test]


@dataclass(frozen=True)
class _Known:
    """A table of leads, the positions of those with an outcome, and these outcomes."""

    leads: pd.DataFrame
    recipe: Recipe
    rows: Positions
    positive: str
    y: Ints
    amounts: Amounts | None

    @property
    def groups(self) -> GroupIds | None:
        """Which of the leads with an outcome belong together."""
        name = self.recipe.whose
        return find_group_ids(self.leads[name].iloc[self.rows]) if name in self.leads else None


def prepare(leads: pd.DataFrame, recipe: Recipe, settings: TrainingSettings) -> TrainingData:
    """Make raw leads ready to train on.

    The test leads choose nothing: schema and audit are those of the training leads.

    Parameters
    ----------
    leads : DataFrame of shape (n_leads, n_columns)
        As `leadmodel.leads.read.read_table` returns it.
    recipe : Recipe
        What is known of the columns; its target is needed.
    settings : TrainingSettings
        Test share, seed, and whether suspected leaks are left out.

    Raises
    ------
    InputError
        If the leads cannot be learned from: what is lacking, and what to do.
    """
    known = _read_outcomes(leads, recipe, MIN_LEADS_PER_OUTCOME)
    time = known.recipe.time
    times = known.leads[time].iloc[known.rows] if time else None
    split = split_leads(
        known.y,
        times,
        test_share=settings.test_share,
        random_state=settings.seed,
        horizon=recipe.events.horizon if recipe.events else None,
        groups=known.groups,
    )
    return _make_ready(known, split, settings)


def prepare_all(leads: pd.DataFrame, recipe: Recipe, settings: TrainingSettings) -> TrainingData:
    """Make raw leads ready to look at: as `prepare`, but however few, and none is kept for a test."""
    known = _read_outcomes(leads, recipe, 1)
    every, none = np.arange(len(known.y)), np.arange(0)
    return _make_ready(known, Split(every, none, "no test leads"), settings)


def fingerprint(leads: pd.DataFrame) -> str:
    """Return a sha256 that the same raw leads have in any order, and hardly any others."""
    rows = pd.util.hash_pandas_object(leads.astype("str"), index=False).to_numpy()
    names = "\0".join(map(str, leads.columns)).encode()
    return hashlib.sha256(names + np.sort(rows).tobytes()).hexdigest()


def _read_outcomes(leads: pd.DataFrame, recipe: Recipe, at_least: int) -> _Known:
    # Positions are named by their position from here on, columns by their text.
    leads = leads.reset_index(drop=True).set_axis([str(name) for name in leads.columns], axis="columns")
    names = list(leads.columns)
    if twice := duplicate_names(names):
        raise InputError(f"The column names must differ. {quoted(twice[0])} stands there more than once.")
    if recipe.target is None:
        raise InputError("Which column holds the outcome? Name it with --target.")
    recipe.check_columns(names)
    target = leads[recipe.target]
    rows = np.flatnonzero(known_outcomes(target))
    positive = find_positive(target.iloc[rows], recipe.positive)
    y = read_outcome(target.iloc[rows], positive, at_least)
    amounts = _read_amounts(leads.iloc[rows], y, recipe)
    unused = [name for name in recipe.unused() if name in names]
    recipe = recipe.updated(time=recipe.time or find_time(leads.drop(columns=unused)))
    return _Known(leads, recipe, rows, positive, y, amounts)


def _read_amounts(leads: pd.DataFrame, y: Ints, recipe: Recipe) -> Amounts | None:
    if recipe.amount is None:
        return None
    unit = recipe.fields.get(recipe.amount, FieldConfig()).unit or ""
    return read_amounts(leads[recipe.amount], y, recipe.placeholders, unit)


def _make_ready(known: _Known, split: Split, settings: TrainingSettings) -> TrainingData:
    learned = known.leads.iloc[known.rows[split.train]]
    schema = infer_schema(learned, known.recipe)
    X = read_leads(schema, known.leads).iloc[known.rows]
    events = known.recipe.events
    made = frozenset(schema.by_name).difference(events.fields) if events else frozenset[str]()
    audit = audit_leads(schema, learned, X.iloc[split.train], known.y[split.train], settings.seed, made)
    if known.recipe.time:
        is_open = np.isin(np.arange(len(known.leads)), known.rows, invert=True)
        open_leads = check_open_leads(known.leads[known.recipe.time], is_open)
        audit = Audit(findings=(*audit.findings, *open_leads))
    if settings.drop_leaks and audit.suspects:
        schema = _without(schema, audit.suspicions)
        X = X[schema.columns]
    return TrainingData(
        schema,
        known.positive,
        X,
        known.y,
        split,
        audit,
        time=known.recipe.time,
        groups=known.groups,
        amounts=known.amounts,
    )


def _without(schema: LeadSchema, suspicions: dict[str, str]) -> LeadSchema:
    kept = tuple(field for field in schema.fields if field.name not in suspicions)
    if not kept:
        raise InputError("Every column is a suspected leak, so that none is left. Leave --drop-leaks out.")
    reasons = {name: f"suspected leak: {why}" for name, why in suspicions.items() if name in schema.by_name}
    return LeadSchema(fields=kept, ignored=schema.ignored | reasons, placeholders=schema.placeholders)
