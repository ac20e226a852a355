"""Find columns that were filled in after the outcome, from where their values are missing."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, hypergeom

from leadmodel.arrays import Bools, Floats, Ints
from leadmodel.audit.finding import Finding, Severity, Z, leak_severity, strongest, weakest
from leadmodel.audit.univariate import PURE_SHARE, UnivariateStats, is_pure

__all__ = [
    "FILL_KINDS",
    "FillTest",
    "find_followers",
    "find_groups",
]

ALPHA = 0.001
"""Significance level for the table as a whole: by chance one of a thousand tables has such a column."""

ONE_SIDED = 0.1
"""Share of the leads of one outcome that a column may single out at most by being filled in, or not, for
that outcome alone."""

PR_AUC_GAIN = 0.015
"""PR AUC that the indicator of a missing value may add to that of chance, if it singles out leads of one
outcome. A column filled in for 5 % of the converted leads and for no other adds 0.05, more than most honest
columns, and hardly changes the ROC AUC."""

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

FILLED_INSIDE = 0.99
"""Share of a column's values from which on it is filled in only where another one is."""

MIN_GROUP = 3
"""Columns missing for the same leads from which on one process filled them in; two may be one question in
two columns."""

MIN_GROUP_SHARE = 0.1
"""Least share of the leads for which such a group is missing, and for which it is filled in."""

SAME_GAPS = 0.99
"""Jaccard index from which on two columns are missing for the same leads."""

MAX_GROUP_SHARE = 1 / 3
"""Share of all fields above which a group is not suspicious: so many columns come from a joined table."""

FILL_KINDS = ("filled in for one outcome", "filled in mostly for one outcome")
"""Kinds of findings about where a column is filled in."""


@dataclass(frozen=True)
class FillTest:
    """Test whether a column is filled in for one outcome.

    Attributes
    ----------
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    n_columns : int
        Number of columns that are tested (Bonferroni).
    """

    y: Ints
    n_columns: int

    @property
    def n_leads(self) -> Floats:
        """Number of the converted leads, and of the others."""
        return np.array([self.y.sum(), len(self.y) - self.y.sum()], dtype=np.float64)

    def for_one(self, stats: UnivariateStats) -> Severity | None:
        """Return how suspicious it is that the column has values, or lacks them, for one outcome alone."""
        with_value = np.rint(np.array(stats.filled) * self.n_leads)
        groups = with_value, self.n_leads - with_value
        return strongest(self._singles_out(group, side) for group in groups for side in (0, 1))

    def _singles_out(self, group: Floats, side: int) -> Severity | None:
        """Test the leads with a value, or those without; `group` has their numbers by outcome."""
        total, right, wrong = self.n_leads, group[side], group[1 - side]
        size, usual = right + wrong, float(total[1 - side] / total.sum())
        if not size or not is_pure(size, wrong, usual):
            return None
        # Fisher's exact test; each column is tested four times.
        chance = hypergeom.cdf(wrong, total.sum(), total[1 - side], size)
        if chance * 4 * self.n_columns > ALPHA:
            return None
        share = right / total[side]
        error = np.sqrt(share * (1 - share) / total[side])
        # An honest column, such as a referral, may promise a conversion, but not without exception: few
        # leads are a suspect only if that is sure.
        is_sure = binomtest(int(right), int(size)).proportion_ci().low >= PURE_SHARE
        gain = leak_severity(self._gain(group, side), PR_AUC_GAIN, error * (1 - total[0] / total.sum()))
        broad = leak_severity(share, ONE_SIDED, error)
        return strongest([broad, gain if is_sure else gain and "look at this"])

    def _gain(self, group: Floats, side: int) -> float:
        """Return the PR AUC of the indicator beyond that of chance."""
        # With two values the curve has one step: those ranked first, here the leads that convert more.
        first = group if side == 0 else self.n_leads - group
        recall, precision = first[0] / self.n_leads[0], first[0] / first.sum()
        return float(recall * (precision - self.n_leads[0] / self.n_leads.sum()))

    def for_most(self, stats: UnivariateStats) -> Severity | None:
        """Return how suspicious it is that the column is filled in more often for one outcome."""
        difference, error = self.difference(stats)
        if difference < MIN_STANDARD_ERRORS * error:
            return None
        ranks = leak_severity(stats.auc, GOOD_AUC, stats.auc_error)
        both = weakest([leak_severity(difference, FILL_GAP, error), ranks])
        return strongest([leak_severity(difference, LARGE_FILL_GAP, error), both])

    def difference(self, stats: UnivariateStats) -> tuple[float, float]:
        """Return the difference between the shares filled in, and its standard error."""
        shares = np.array(stats.filled)
        error = np.sqrt((shares * (1 - shares) / self.n_leads).sum())
        return float(abs(shares[0] - shares[1])), float(error)


def find_followers(source: Bools, gaps: dict[str, Bools]) -> list[str]:
    """Find the columns that are filled in only where `source` is missing nothing.

    Parameters
    ----------
    source : array of shape (n_leads,)
        Whether each value of the source is missing.
    gaps : dict of str to array of shape (n_leads,)
        The same of the columns that may follow it.
    """
    share = float(1 - source.mean())
    followers = []
    for name, gap in gaps.items():
        n_filled = int((~gap).sum())
        if not n_filled or (~gap & source).sum() > (1 - FILLED_INSIDE) * n_filled:
            continue
        # That few values all lie there by chance is possible: every pair of columns is a try.
        if share and n_filled * np.log(share) + 2 * np.log(1 + len(gaps)) <= np.log(ALPHA):
            followers.append(name)
    return followers


def find_groups(
    names: list[str], columns: dict[str, UnivariateStats], test: FillTest, n_fields: int
) -> list[Finding]:
    """Find groups of fields that are filled in together and predict the outcome."""
    gaps = {name: columns[name].gap for name in names}
    gaps = {name: gap for name, gap in gaps.items() if MIN_GROUP_SHARE <= gap.mean() <= 1 - MIN_GROUP_SHARE}
    findings = []
    for group in _group_by_gaps(gaps):
        best = max((columns[name] for name in group), key=lambda stats: stats.auc)
        filled = columns[group[0]].filled
        # In a small table an interval around 0.5 may reach the limit and mean nothing.
        ranks = leak_severity(best.auc, USEFUL_AUC, best.auc_error)
        ranks = ranks if best.auc - 2 * Z * best.auc_error > 0.5 else None
        difference, error = test.difference(columns[group[0]])
        differs = leak_severity(difference, FILL_GAP, error)
        severity = strongest([differs, ranks])
        if len(group) < MIN_GROUP or severity is None:
            continue
        text = (
            f"Missing for the same {gaps[group[0]].mean():.1%} of the leads, so probably filled in "
            f"together, by another system or later (for {filled[0]:.1%} of the converted leads and "
            f"{filled[1]:.1%} of the others; the best of them ranks the leads with a ROC AUC of "
            f"{best.auc:.3f})."
        )
        findings.append(
            Finding(
                kind="filled in together",
                columns=tuple(group),
                text=text,
                severity="note" if len(group) > MAX_GROUP_SHARE * n_fields else severity,
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
