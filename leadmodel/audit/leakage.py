"""Find columns that may leak the outcome, from the leads themselves and not from column names."""

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from leadmodel.arrays import Bools, Floats, Ints
from leadmodel.audit.finding import Finding
from leadmodel.audit.univariate import N_FOLDS, UnivariateStats, is_gap, measure_univariate, to_codes
from leadmodel.leads.schema import LeadSchema

__all__ = ["deal_folds", "find_leaks", "measure_columns"]

DECISIVE_AUC = 0.99
"""ROC AUC from which on a column decides the outcome, apart from typing errors."""

NEARLY_DECISIVE_AUC = 0.9
"""ROC AUC that models of all honest columns of a lead table reach at best; no honest column alone does."""

DOMINANT_AUC = 0.8
"""ROC AUC at which a column is a suspect if all others together do not reach it.

Honest single columns of the lead sets at hand reach 0.70 to 0.77. A column that beats everything else
known of a lead may, like the length of the sales call, be part of the outcome.
"""

MIN_ONE_SIDED = 0.1
"""Share of the leads of one outcome that a column must single out by being filled in, or not, for that
outcome alone. A leak about fewer leads hardly changes the metrics of a model."""

LARGE_FILL_GAP = 0.4
"""Difference between the shares filled in for both outcomes that is suspicious by itself: the indicator
of a missing value then has a ROC AUC of 0.7, as the best honest columns have."""

FILL_GAP = 0.2
"""Difference that is suspicious if the values rank the leads well, too, or in a group of columns."""

GOOD_AUC = 0.7
"""ROC AUC of the best honest columns in most lead tables."""

USEFUL_AUC = 0.55
"""ROC AUC from which on a column contributes to a model."""

MIN_STANDARD_ERRORS = 4.0
"""Standard errors that a difference of shares must exceed, since many columns are tested."""

PURE_ON_BOTH_SIDES = 0.05
"""Share of the converted, and of the other leads, with values of one outcome only. Honest columns have
values that all but promise a conversion (a referral) or rule it out (a bounced mail); a column with
values of both kinds is a judgment about the lead."""

PURE_ON_ONE_SIDE = 0.5
"""Share of the leads of one outcome that an honest column may single out at most."""

MIN_GROUP = 3
"""Columns missing for the same leads from which on one process filled them in; two may be one question in
two columns."""

MIN_GROUP_SHARE = 0.1
"""Least share of the leads for which such a group is missing, and for which it is filled in."""

SAME_GAPS = 0.99
"""Jaccard index from which on two columns are missing for the same leads."""

MAX_GROUP_SHARE = 1 / 3
"""Share of all fields above which a group is not suspicious: so many columns come from a joined table."""

_UNREAD = ("date", "id", "text", "personal data")
"""Beginnings of the reasons of ignored columns that the outcome may still have filled in."""


def measure_columns(
    schema: LeadSchema, leads: pd.DataFrame, typed: pd.DataFrame, y: Ints, random_state: int
) -> dict[str, UnivariateStats]:
    """Measure how well each column alone predicts the outcome.

    Of dates, ids and free text, whose values are nearly all distinct, only the indicator of a missing
    value is measured.

    Parameters
    ----------
    schema : LeadSchema
        The fields, and the reasons why other columns are ignored.
    leads, typed : DataFrame of shape (n_leads, n_columns) and (n_leads, n_fields)
        The same leads, raw and as `leadmodel.leads.convert.read_leads` returns them.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others; both occur.
    random_state : int
        Seed of the folds.
    """
    folds = deal_folds(y, np.random.default_rng(random_state))
    columns = {
        name: measure_univariate(to_codes(typed[name]), is_gap(typed[name]), y, folds)
        for name in schema.columns
    }
    for name, why in schema.ignored.items():
        if why.startswith(_UNREAD):
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


def find_leaks(
    schema: LeadSchema,
    typed: pd.DataFrame,
    y: Ints,
    columns: dict[str, UnivariateStats],
    made: frozenset[str] = frozenset(),
) -> list[Finding]:
    """Find the columns that may leak the outcome.

    Parameters
    ----------
    schema, typed, y
        As for `measure_columns`.
    columns : dict of str to UnivariateStats
        Statistics by column, as `measure_columns` returns them.
    made : frozenset of str
        Fields computed from events before the cutoff of the lead: missing means there that nothing had
        happened, not that nobody had filled it in yet.
    """
    reasons = {name: _reasons(stats, y, name in made) for name, stats in columns.items()}
    suspects = {name: by_kind for name, by_kind in reasons.items() if by_kind}
    # Suspects are left out of the others, or one leak would hide that another one beats honest columns.
    for name in schema.columns:
        if columns[name].auc < DOMINANT_AUC or name in suspects:
            continue
        others = [columns[other].log_odds for other in schema.columns if other not in (*suspects, name)]
        if (together := _combined_auc(others, y)) <= columns[name].auc:
            text = f"This column alone ranks better than all others together (ROC AUC {together:.3f})."
            suspects[name] = {"outdoes the others": text}
    findings = []
    for name, by_kind in suspects.items():
        sentences = [*by_kind.values(), f"ROC AUC of this column alone: {columns[name].auc:.3f}."]
        if name in schema.ignored:
            sentences.append(f"Already left out: {schema.ignored[name]}.")
        kind, text = next(iter(by_kind)), " ".join(sentences)
        findings.append(Finding(kind=kind, columns=(name,), text=text, severity="suspect leak"))
    return findings + _find_groups([name for name in schema.columns if name not in made], typed, columns)


def _reasons(stats: UnivariateStats, y: Ints, made: bool) -> dict[str, str]:
    """Return why a column is suspicious by itself: a sentence by kind, the strongest first."""
    decides = stats.auc >= DECISIVE_AUC
    copy = decides and stats.n_values == 2 and stats.filled == (1, 1)
    for_one = stats.pure_gap >= MIN_ONE_SIDED and not made
    for_most = not for_one and not made and _filled_by_outcome(stats, y)
    pure = min(stats.pure) >= PURE_ON_BOTH_SIDES or max(stats.pure) >= PURE_ON_ONE_SIDE
    filled = "Filled in for {:.1%} of the converted leads and {:.1%} of the others.".format(*stats.filled)
    shares = "{:.1%} of the converted leads and {:.1%} of the others".format(*stats.pure)
    rules = [
        ("copy of the outcome", copy, "Its two values match the two outcomes."),
        ("filled in for one outcome", for_one, filled),
        ("decides the outcome", decides and not copy, "This column alone determines the outcome."),
        (
            "nearly decides the outcome",
            NEARLY_DECISIVE_AUC <= stats.auc < DECISIVE_AUC,
            "This column alone nearly determines the outcome.",
        ),
        ("filled in mostly for one outcome", for_most, filled),
        (
            "values of one outcome",
            pure,
            f"{shares} have a value that hardly any lead of the other outcome has.",
        ),
    ]
    return {kind: text for kind, applies, text in rules if applies}


def _filled_by_outcome(stats: UnivariateStats, y: Ints) -> bool:
    shares, n_leads = np.array(stats.filled), np.array([y.sum(), len(y) - y.sum()])
    difference = abs(shares[0] - shares[1])
    # Standard error of a difference of two independent shares.
    error = np.sqrt((shares * (1 - shares) / n_leads).sum())
    is_large = difference >= LARGE_FILL_GAP or (difference >= FILL_GAP and stats.auc >= GOOD_AUC)
    return bool(difference >= MIN_STANDARD_ERRORS * error and is_large)


def _combined_auc(log_odds: list[Floats], y: Ints) -> float:
    """Return the ROC AUC of a logistic regression on the log-odds of several columns."""
    if not log_odds:
        return 0.5
    # Log-odds have one scale and no gaps, so a linear model can use columns of any kind.
    X = np.column_stack(log_odds)
    return float(roc_auc_score(y, LogisticRegression(max_iter=1000).fit(X, y).decision_function(X)))


def _find_groups(
    names: list[str], typed: pd.DataFrame, columns: dict[str, UnivariateStats]
) -> list[Finding]:
    """Find groups of fields that are filled in together and predict the outcome."""
    gaps = {name: is_gap(typed[name]) for name in names}
    gaps = {name: gap for name, gap in gaps.items() if MIN_GROUP_SHARE <= gap.mean() <= 1 - MIN_GROUP_SHARE}
    findings = []
    for group in _group_by_gaps(gaps):
        auc = max(columns[name].auc for name in group)
        filled = columns[group[0]].filled
        if len(group) < MIN_GROUP or (abs(filled[0] - filled[1]) < FILL_GAP and auc < USEFUL_AUC):
            continue
        text = (
            f"Missing for the same {gaps[group[0]].mean():.1%} of the leads, so probably filled in "
            f"together, by another system or later (for {filled[0]:.1%} of the converted leads and "
            f"{filled[1]:.1%} of the others; the best of them ranks the leads with a ROC AUC of {auc:.3f})."
        )
        findings.append(
            Finding(
                kind="filled in together",
                columns=tuple(group),
                text=text,
                severity="note" if len(group) > MAX_GROUP_SHARE * typed.shape[1] else "suspect leak",
            )
        )
    return findings


def _group_by_gaps(gaps: dict[str, Bools]) -> list[list[str]]:
    """Group columns that are missing for the same leads as the first of their group."""
    # Compared with the first alone: chains of nearly equal columns must not join unequal ones.
    groups: list[list[str]] = []
    for name, gap in gaps.items():
        for group in groups:
            first = gaps[group[0]]
            if (first & gap).sum() >= SAME_GAPS * (first | gap).sum():
                group.append(name)
                break
        else:
            groups.append([name])
    return groups
