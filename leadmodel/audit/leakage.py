"""Find columns that may leak the outcome, from the leads themselves and not from column names."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from leadmodel.arrays import Floats, Ints
from leadmodel.audit.finding import SEVERITIES, Finding, Severity, Z, leak_severity, strongest, weakest
from leadmodel.audit.gaps import FILL_KINDS, FillTest, find_followers, find_groups
from leadmodel.audit.univariate import (
    N_FOLDS,
    UnivariateStats,
    auc_difference,
    is_gap,
    measure_univariate,
    to_codes,
)
from leadmodel.errors import quoted
from leadmodel.leads.schema import LeadSchema

__all__ = ["SEED", "deal_folds", "find_leaks", "measure_columns"]

DECISIVE_AUC = 0.99
"""ROC AUC from which on a column decides the outcome, apart from typing errors."""

NEARLY_DECISIVE_AUC = 0.9
"""ROC AUC that models of all honest columns of a lead table reach at best; no honest column alone does."""

DOMINANT_AUC = 0.8
"""ROC AUC at which a column is a suspect if all others together do not reach it.

Honest single columns of the lead sets at hand reach 0.70 to 0.77. A column that beats everything else
known of a lead may, like the length of the sales call, be part of the outcome.
"""

PURE_ON_BOTH_SIDES = 0.05
"""Share of the converted, and of the other leads, with values of one outcome only. Honest columns have
values that all but promise a conversion (a referral) or rule it out (a bounced mail); a column with
values of both kinds is a judgment about the lead."""

PURE_ON_ONE_SIDE = 0.5
"""Share of the leads of one outcome that an honest column may single out at most."""

_UNREAD = ("date", "id", "text", "personal data")
"""Beginnings of the reasons of ignored columns that the outcome may still have filled in."""

MAX_COMBINED = 200
"""Most columns whose joint ROC AUC is estimated, the best ones; more would fit the leads by chance."""

KNOWN = "leak"
"""Beginning of the reason of ignored columns that the user named as leaks."""

SEED = 0
"""Of the folds; not the seed of the training, for `check` and `train` must find the same."""


def measure_columns(
    schema: LeadSchema, leads: pd.DataFrame, typed: pd.DataFrame, y: Ints
) -> dict[str, UnivariateStats]:
    """Measure how well each column alone predicts the outcome.

    Of dates, ids and free text, whose values are nearly all distinct, and of leaks that are known, only
    the indicator of a missing value is measured.

    Parameters
    ----------
    schema : LeadSchema
        The fields, and the reasons why other columns are ignored.
    leads, typed : DataFrame of shape (n_leads, n_columns) and (n_leads, n_fields)
        The same leads, raw and as `leadmodel.leads.convert.read_leads` returns them.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others; both occur.
    """
    folds = deal_folds(y, np.random.default_rng(SEED))
    columns = {
        name: measure_univariate(to_codes(typed[name]), is_gap(typed[name]), y, folds)
        for name in schema.columns
    }
    for name, why in schema.ignored.items():
        if why.startswith((*_UNREAD, KNOWN)):
            blanks = [value for value in leads[name].drop_duplicates() if schema.is_missing(value)]
            gap = np.asarray(leads[name].isna() | leads[name].isin(blanks), dtype=bool)
            columns[name] = measure_univariate(gap.astype(np.int64), gap, y, folds)
    return columns


def deal_folds(y: Ints, rng: np.random.Generator) -> Ints:
    """Assign each lead to one of `N_FOLDS` stratified folds."""
    # Sorted by outcome, then at random, the leads are dealt to the folds in turn. scikit-learn's
    # StratifiedKFold does the same in a Python loop over folds and classes, and takes much longer.
    folds = np.empty(len(y), dtype=np.int64)
    folds[np.lexsort((rng.random(len(y)), y))] = np.arange(len(y)) % N_FOLDS
    return folds


@dataclass(frozen=True)
class _Reason:
    """Why a column is suspicious: a sentence, and how much so."""

    text: str
    severity: Severity


def find_leaks(
    schema: LeadSchema, y: Ints, columns: dict[str, UnivariateStats], made: frozenset[str] = frozenset()
) -> list[Finding]:
    """Find the columns that may leak the outcome.

    Parameters
    ----------
    schema, y
        As for `measure_columns`.
    columns : dict of str to UnivariateStats
        Statistics by column, as `measure_columns` returns them.
    made : frozenset of str
        Fields computed from events before the cutoff of the lead: missing means there that nothing had
        happened, not that nobody had filled it in yet.
    """
    test = FillTest(y, len(columns))
    reasons = {name: _reasons(stats, y, None if name in made else test) for name, stats in columns.items()}
    reasons = {name: by_kind for name, by_kind in reasons.items() if by_kind}
    reasons |= _outdoing(schema, y, columns, reasons)
    followers = _followers(schema, columns, reasons, made)
    following = {name for names in followers.values() for name in names}
    findings = []
    for name, by_kind in reasons.items():
        is_known = name in schema.ignored and schema.ignored[name].startswith(KNOWN)
        if name in following or (is_known and name not in followers):
            continue
        sentences = [reason.text for reason in by_kind.values()]
        if is_known:
            sentences.insert(0, f"Filled in only where {quoted(name)} is, which is known as a leak.")
        elif name in followers:
            sentences.append(f"Filled in only where it is: {', '.join(map(quoted, followers[name]))}.")
        stats = columns[name]
        low, high = (np.clip(stats.auc + side * Z * stats.auc_error, 0, 1) for side in (-1, 1))
        sentences.append(f"ROC AUC of this column alone: {stats.auc:.3f} ({low:.3f} to {high:.3f}).")
        if name in schema.ignored and not is_known:
            sentences.append(f"Already left out: {schema.ignored[name]}.")
        findings.append(
            Finding(
                kind="filled in with a known leak" if is_known else next(iter(by_kind)),
                columns=(*(() if is_known else (name,)), *followers.get(name, ())),
                text=" ".join(sentences),
                severity=_severity(by_kind),
            )
        )
    fields = [name for name in schema.columns if name not in made]
    return findings + find_groups(fields, columns, test, len(schema.fields))


def _severity(by_kind: dict[str, _Reason]) -> Severity:
    severity = strongest(reason.severity for reason in by_kind.values())
    assert severity is not None
    return severity


def _reasons(stats: UnivariateStats, y: Ints, test: FillTest | None) -> dict[str, _Reason]:
    """Return why a column is suspicious by itself, by kind, the strongest first."""
    decides = stats.auc >= DECISIVE_AUC
    copy = decides and stats.n_values == 2 and stats.filled == (1, 1)
    nearly = leak_severity(stats.auc, NEARLY_DECISIVE_AUC, stats.auc_error)
    for_one = test and test.for_one(stats)
    for_most = test.for_most(stats) if test and not for_one else None
    filled = "Filled in for {:.1%} of the converted leads and {:.1%} of the others.".format(*stats.filled)
    pure, totals = np.array(stats.pure), np.array([y.sum(), len(y) - y.sum()])
    errors = np.sqrt(pure * (1 - pure) / totals)
    shares = "{:.1%} of the converted leads and {:.1%} of the others".format(*stats.pure)
    rules = [
        ("copy of the outcome", nearly if copy else None, "Its two values match the two outcomes."),
        (FILL_KINDS[0], for_one, filled),
        (
            "decides the outcome",
            nearly if decides and not copy else None,
            "This column alone determines the outcome.",
        ),
        (
            "nearly decides the outcome",
            None if decides else nearly,
            "This column alone nearly determines the outcome.",
        ),
        (FILL_KINDS[1], for_most, filled),
        (
            "values of one outcome",
            strongest(
                [
                    weakest(map(leak_severity, pure, (PURE_ON_BOTH_SIDES,) * 2, errors)),
                    strongest(map(leak_severity, pure, (PURE_ON_ONE_SIDE,) * 2, errors)),
                ]
            ),
            f"{shares} have a value that hardly any lead of the other outcome has.",
        ),
    ]
    found = [(kind, _Reason(text, severity)) for kind, severity, text in rules if severity]
    return dict(sorted(found, key=lambda pair: SEVERITIES.index(pair[1].severity)))


def _outdoing(
    schema: LeadSchema,
    y: Ints,
    columns: dict[str, UnivariateStats],
    reasons: dict[str, dict[str, _Reason]],
) -> dict[str, dict[str, _Reason]]:
    """Return the columns that rank leads better than all others together."""
    # Suspects are left out of the others, or one leak would hide that another one beats honest columns.
    found = {}
    honest = [name for name in schema.columns if name not in reasons]
    for name in honest:
        stats = columns[name]
        strong = leak_severity(stats.auc, DOMINANT_AUC, stats.auc_error)
        if strong is None:
            continue
        others = sorted(set(honest) - {name}, key=lambda other: (-columns[other].auc, other))
        together = _combine([columns[other].log_odds for other in others[:MAX_COMBINED]], y)
        lead, error = auc_difference(stats.log_odds, together, y)
        ahead = leak_severity(lead, 0.0, error)
        if severity := weakest([strong, ahead]):
            auc = roc_auc_score(y, together)
            how = "better than" if ahead == "suspect leak" else "as well as"
            text = f"This column alone ranks {how} all others together (ROC AUC {auc:.3f})."
            found[name] = {"outdoes the others": _Reason(text, severity)}
    return found


def _followers(
    schema: LeadSchema,
    columns: dict[str, UnivariateStats],
    reasons: dict[str, dict[str, _Reason]],
    made: frozenset[str],
) -> dict[str, list[str]]:
    """Return the columns that are filled in only where a suspect is, by the suspect's name."""
    sources = [name for name, by_kind in reasons.items() if set(by_kind) & set(FILL_KINDS)]
    free = {name: columns[name].gap for name in schema.columns if name not in made}
    followers: dict[str, list[str]] = {}
    urgencies = {name: SEVERITIES.index(_severity(by_kind)) for name, by_kind in reasons.items()}
    for source in sorted(sources, key=lambda name: (urgencies[name], columns[name].gap.sum())):
        if source in (name for names in followers.values() for name in names):
            continue
        # A column with a stronger reason of its own keeps its own finding.
        may_follow = {
            name: gap
            for name, gap in free.items()
            if name != source
            and set(reasons.get(name, {})) <= set(FILL_KINDS)
            and urgencies.get(name, len(SEVERITIES)) >= urgencies[source]
        }
        if found := find_followers(columns[source].gap, may_follow):
            followers[source] = found
            free = {name: gap for name, gap in free.items() if name not in (source, *found)}
    return followers


def _combine(log_odds: list[Floats], y: Ints) -> Floats:
    """Return the scores of a logistic regression on the log-odds of several columns."""
    if not log_odds:
        return np.zeros(len(y))
    # Log-odds have one scale and no gaps, so a linear model can use columns of any kind.
    X = np.column_stack(log_odds)
    return np.asarray(LogisticRegression(max_iter=1000).fit(X, y).decision_function(X), dtype=np.float64)
