"""Columns that seem to know the outcome, told by what they do in the leads, not by their names."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from leadmodel.audit.finding import Finding
from leadmodel.audit.signs import N_FOLDS, Signs, is_gap, read_signs, to_cells
from leadmodel.leads.schema import LeadSchema

__all__ = ["deal_folds", "find_leaks", "measure_columns"]

Ints = npt.NDArray[np.int64]

DECIDES = 0.99
"""ROC AUC from which on a column decides the outcome, but for slips."""

NEARLY_DECIDES = 0.9
"""ROC AUC that models of all honest columns of a lead table reach at best; no honest column alone does."""

OUTDOES = 0.8
"""ROC AUC at which a column is a suspect if all others together do not reach it.

Honest single columns of the lead sets at hand reach 0.70 to 0.77. One that is ahead of everything
else that is known of a lead may well be, like the length of the sales call, a part of the outcome.
"""

ONE_SIDED = 0.1
"""Share of the leads of one outcome that a column must single out by being filled in, or not, for
that outcome alone. What concerns fewer leads can hardly mend a model's figures."""

MOSTLY = 0.4
"""Difference between the shares filled in for both outcomes that is suspicious by itself: being
filled in or not, whatever it says, has a ROC AUC of 0.7 then, as the best honest columns have."""

RATHER = 0.2
"""A difference that is suspicious where the values, too, rank the leads well, or in a group."""

RANKS_WELL = 0.7
"""ROC AUC of the best honest columns in most lead tables."""

RANKS = 0.55
"""ROC AUC from which on a column does something for a model."""

SURE = 4.0
"""Standard errors that a difference of shares must have to be none of chance, among many columns."""

PURE_ON_BOTH_SIDES = 0.05
"""Share of the converted, and of the other leads, in values of one outcome only. Honest columns
have values that all but promise a conversion (a referral) or rule it out (a bounced mail);
values of both kinds are a judgement of the lead."""

PURE_ON_ONE_SIDE = 0.5
"""Share of the leads of one outcome that a column may single out without being a suspect."""

GROUP = 3
"""Columns that are missing for the same leads from which on they were filled in by one process;
two may be one question in two columns."""

SUBSTANTIAL = 0.1
"""Share of the leads for which such a group is missing; and for which it is filled in."""

SAME = 0.99
"""Share of leads in common (Jaccard) from which on two columns are missing for the same leads."""

JOINED = 1 / 3
"""Share of all fields beyond which a group is no suspect: so many columns that are filled in together
are a table joined to another one."""

_UNREAD = ("date", "id", "text", "personal data")
"""How the reasons begin for which a column is no field and may still be filled in by the outcome."""


def measure_columns(
    schema: LeadSchema, leads: pd.DataFrame, typed: pd.DataFrame, y: Ints, random_state: int
) -> dict[str, Signs]:
    """Return what each column says of the outcome.

    Dates, ids and texts of which each lead has its own tell only whether they are filled in.

    Parameters
    ----------
    schema : LeadSchema
        The fields, and why other columns are none.
    leads, typed : DataFrame of shape (n_leads, n_columns) and (n_leads, n_fields)
        The same leads, raw and as `leadmodel.leads.convert.read_leads` returns them.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others; both occur.
    random_state : int
        Seed of the folds.
    """
    folds = deal_folds(y, np.random.default_rng(random_state))
    signs = {
        name: read_signs(to_cells(typed[name]), is_gap(typed[name]), y, folds) for name in schema.columns
    }
    for name in (name for name, why in schema.ignored.items() if why.startswith(_UNREAD)):
        gap = _raw_gap(leads[name], schema)
        signs[name] = read_signs(gap.astype(np.int64), gap, y, folds)
    return signs


def deal_folds(y: Ints, rng: np.random.Generator) -> Ints:
    """Return a fold for each lead, the outcomes in equal shares."""
    order = np.lexsort((rng.random(len(y)), y))
    folds = np.empty(len(y), dtype=np.int64)
    folds[order] = np.arange(len(y)) % N_FOLDS
    return folds


def _raw_gap(column: pd.Series, schema: LeadSchema) -> npt.NDArray[np.bool_]:
    blanks = [value for value in column.drop_duplicates() if schema.is_missing(value)]
    return np.asarray(column.isna() | column.isin(blanks), dtype=bool)


def find_leaks(
    schema: LeadSchema,
    typed: pd.DataFrame,
    y: Ints,
    signs: dict[str, Signs],
    made: frozenset[str] = frozenset(),
) -> list[Finding]:
    """Return the columns that may know the outcome, and what makes them suspicious.

    Parameters
    ----------
    schema, typed, y
        As for `measure_columns`.
    signs : dict of str to Signs
        What it returned.
    made : frozenset of str
        Fields that were made of events before the lead's moment: a gap there says that nothing had
        happened, not that nobody had filled it in yet.
    """
    read = {name: _reasons(one, y, name in made) for name, one in signs.items()}
    found = {name: reasons for name, reasons in read.items() if reasons}
    strong = [name for name in schema.columns if signs[name].auc >= OUTDOES and name not in found]
    for name in strong:
        others = [signs[other].log_odds for other in schema.columns if other not in (*found, name)]
        if (together := _auc_together(others, y)) <= signs[name].auc:
            text = f"By itself it ranks the leads better than all others together (ROC AUC {together:.3f})."
            found[name] = {"outdoes the others": text}
    alone = [_finding(name, reasons, signs[name], schema) for name, reasons in found.items()]
    return alone + _groups([name for name in schema.columns if name not in made], typed, signs)


def _finding(name: str, reasons: dict[str, str], signs: Signs, schema: LeadSchema) -> Finding:
    why = schema.ignored.get(name)
    known = [f"It is left out already: {why}."] if why else []
    text = " ".join([*reasons.values(), f"ROC AUC of this column alone: {signs.auc:.3f}.", *known])
    return Finding(kind=next(iter(reasons)), columns=(name,), text=text, severity="suspect leak")


def _reasons(signs: Signs, y: Ints, made: bool) -> dict[str, str]:
    """Return what makes a column suspicious by itself: a kind and a sentence each."""
    copy = signs.auc >= DECIDES and signs.n_values == 2 and signs.filled == (1, 1)
    for_one = signs.pure_gap >= ONE_SIDED and not made
    for_most = not for_one and not made and _filled_by_outcome(signs, y)
    judges = min(signs.pure) >= PURE_ON_BOTH_SIDES or max(signs.pure) >= PURE_ON_ONE_SIDE
    filled = "Filled in for {:.1%} of the converted leads and {:.1%} of the others.".format(*signs.filled)
    pure = "{:.1%} of the converted leads and {:.1%} of the others".format(*signs.pure)
    told = [
        ("copy of the outcome", copy, "Its two values are the two outcomes in other words."),
        ("filled in for one outcome", for_one, filled),
        ("decides the outcome", signs.auc >= DECIDES and not copy, "By itself it decides the outcome."),
        (
            "nearly decides the outcome",
            NEARLY_DECIDES <= signs.auc < DECIDES,
            "By itself it nearly decides the outcome.",
        ),
        ("filled in mostly for one outcome", for_most, filled),
        (
            "values of one outcome",
            judges,
            f"{pure} have a value that hardly any lead of the other outcome has.",
        ),
    ]
    return {kind: text for kind, holds, text in told if holds}


def _filled_by_outcome(signs: Signs, y: Ints) -> bool:
    shares, n_leads = np.array(signs.filled), np.array([y.sum(), len(y) - y.sum()])
    difference = abs(shares[0] - shares[1])
    sure = difference >= SURE * np.sqrt((shares * (1 - shares) / n_leads).sum())
    return bool(sure and (difference >= MOSTLY or (difference >= RATHER and signs.auc >= RANKS_WELL)))


def _auc_together(log_odds: list[npt.NDArray[np.float64]], y: Ints) -> float:
    """Return the ROC AUC of columns together, by a logistic regression on what each says alone."""
    if not log_odds:
        return 0.5
    X = np.column_stack(log_odds)
    return float(roc_auc_score(y, LogisticRegression(max_iter=1000).fit(X, y).decision_function(X)))


def _groups(names: list[str], typed: pd.DataFrame, signs: dict[str, Signs]) -> list[Finding]:
    """Return groups of fields that are filled in together and say something of the outcome."""
    gaps = {name: is_gap(typed[name]) for name in names}
    gaps = {name: gap for name, gap in gaps.items() if SUBSTANTIAL <= gap.mean() <= 1 - SUBSTANTIAL}
    findings = []
    for names in _alike(gaps):
        auc = max(signs[name].auc for name in names)
        first = signs[names[0]]
        by_outcome = abs(first.filled[0] - first.filled[1]) >= RATHER
        if len(names) >= GROUP and (by_outcome or auc >= RANKS):
            findings.append(_group(names, float(gaps[names[0]].mean()), first, auc, typed.shape[1]))
    return findings


def _group(names: list[str], share: float, first: Signs, auc: float, n_fields: int) -> Finding:
    text = (
        f"Missing for the same {share:.1%} of the leads: filled in together, by another system or at "
        f"a later time (for {first.filled[0]:.1%} of the converted leads and {first.filled[1]:.1%} of "
        f"the others; the best of them ranks the leads with a ROC AUC of {auc:.3f})."
    )
    joined = len(names) > JOINED * n_fields
    return Finding(
        kind="filled in together",
        columns=tuple(names),
        text=text,
        severity="note" if joined else "suspect leak",
    )


def _alike(gaps: dict[str, npt.NDArray[np.bool_]]) -> list[list[str]]:
    """Return the names in groups, each of columns that are missing for the same leads as its first."""
    groups: list[list[str]] = []
    for name, gap in gaps.items():
        for group in groups:
            if _jaccard(gaps[group[0]], gap) >= SAME:
                group.append(name)
                break
        else:
            groups.append([name])
    return groups


def _jaccard(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
    return float((one & other).sum() / (one | other).sum())
