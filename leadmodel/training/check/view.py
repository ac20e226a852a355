"""Show the audit of past leads in a notebook: the findings, then each column."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadmodel.arrays import Floats
from leadmodel.audit.finding import Severity
from leadmodel.audit.univariate import is_gap
from leadmodel.insights.conversion import Conversion, conversions
from leadmodel.insights.profile import profile_leads
from leadmodel.leads.field import MIN_CATEGORY_COUNT, Field
from leadmodel.leads.schema import LeadSchema
from leadmodel.notebook import render
from leadmodel.prepare.data import TrainingData
from leadmodel.text import format_percent
from leadmodel.training.check.recipe import Derived, describe_field

__all__ = ["HEADINGS", "audit_html"]

MAX_COLUMNS = 200
"""Columns that are shown; a notebook grows slow with more."""

N_BARS = 24
"""Most bars of a histogram of numbers."""

HEADINGS: dict[Severity, str] = {
    "suspect leak": "SUSPECT LEAKS: were these known when the lead came in? If not, leave them out.",
    "look at this": "LOOK AT THIS: too close to a limit to call. Was it known when the lead came in?",
    "problem": "Problems",
    "note": "Notes",
}

_KINDS = {"numeric": "number", "categorical": "category", "boolean": "yes or no"}


@dataclass(frozen=True)
class _ColumnView:
    """What a notebook shows of a field.

    Attributes
    ----------
    field : Field
        The field.
    taken_for : str
        What the column is taken for.
    facts : str
        Number of distinct values, usual range, gaps.
    severity : str, optional
        Severity of the most urgent finding about the column.
    leads : list of float
        Height of each bar of the histogram; the highest is 1.
    rates : list of Conversion
        Conversion rate by value or range.
    average : float
        Conversion rate of all leads.
    """

    field: Field
    taken_for: str
    facts: str
    severity: Severity | None
    leads: list[float]
    rates: list[Conversion]
    average: float

    @property
    def rate_bars(self) -> tuple[list[float], float]:
        """Height of the bar of each conversion rate, and of the average; the highest is 1."""
        rates = [one.rate.value for one in self.rates]
        highest = max(*rates, self.average)
        return [rate / highest for rate in rates], self.average / highest

    @property
    def summary(self) -> str:
        """The lowest and the highest conversion rate in words."""
        rates = [one.rate.value for one in self.rates]
        low, high = (format_percent(rate) for rate in (min(rates), max(rates)))
        return f"{low} converted" if low == high else f"{low} to {high} converted"


def audit_html(data: TrainingData, reports: Sequence[str], derived: Derived) -> str:
    """Return the audit as HTML: the findings, the most urgent first, then the columns.

    Parameters
    ----------
    data : TrainingData
        The audited leads.
    reports : sequence of str
        What was skipped or chosen on reading the file.
    derived : mapping of str to sequence of Field
        Fields that training tries to derive, by column.
    """
    shown = data.schema.fields[:MAX_COLUMNS]
    return render(
        "leadmodel.training.check",
        "view.html.j2",
        title=data.recipe.title,
        n_leads=len(data.y),
        rate=float(data.y.mean()),
        positive=data.positive,
        target=data.outcomes.column,
        reports=reports,
        findings=[(HEADINGS[name], name, found) for name, found in data.audit.by_severity().items()],
        columns=list(_columns(data, shown)),
        n_more=len(data.schema.fields) - len(shown),
        ignored=list(_ignored(data))[:MAX_COLUMNS],
        derived={name: [field.label for field in fields] for name, fields in derived.items()},
    )


def _columns(data: TrainingData, fields: Sequence[Field]) -> Iterator[_ColumnView]:
    profile = profile_leads(LeadSchema(fields=tuple(fields)), data.X, data.y)
    urgency: dict[str, Severity] = {}
    for finding in data.audit.findings:
        for name in finding.columns:
            if finding.severity in ("suspect leak", "look at this"):
                urgency.setdefault(name, finding.severity)
    for field in fields:
        values, rates = data.X[field.name], conversions(field, profile.fields[field.name])
        unit = f" in {field.unit}" if field.unit and field.kind == "numeric" else ""
        yield _ColumnView(
            field=field,
            taken_for=_KINDS[field.kind] + unit,
            facts=f"{_count(values[~is_gap(values)].nunique())}, {describe_field(field)}",
            severity=urgency.get(field.name),
            leads=_heights(
                [one.cell.count for one in rates] if field.is_text else _histogram(field, values)
            ),
            rates=rates,
            average=float(data.y.mean()),
        )


def _histogram(field: Field, values: pd.Series) -> list[int]:
    """Count the leads in ranges of equal width, without counts of few leads and the outermost numbers."""
    low, high = field.minimum, field.maximum
    numbers = values.to_numpy(dtype=np.float64)
    if low is None or high is None or not low < high:
        return [int((~np.isnan(numbers)).sum())]
    # Bins of whole numbers hold equally many of them, or a comb would show.
    edges: Floats = np.linspace(low, high, N_BARS + 1)
    if field.integer:
        edges = np.arange(np.floor(low), np.floor(high) + 1 + (step := (high - low) // N_BARS + 1), step)
    counts = np.histogram(numbers[~np.isnan(numbers)], edges)[0]
    return np.where(counts < MIN_CATEGORY_COUNT, 0, counts).tolist()


def _heights(counts: Sequence[int]) -> list[float]:
    return [count / max(*counts, 1) for count in counts]


def _ignored(data: TrainingData) -> Iterator[tuple[str, str, str]]:
    """Yield the name of each column that is no field, what is in it, and why it is left out."""
    others = {name: why for name, why in data.schema.ignored.items() if why != "target"}
    for name, why in others.items():
        raw = data.raw(name)
        n_values = int(raw.astype("str").nunique()) if raw.dtype == object else int(raw.nunique())
        yield name, f"{_count(n_values)}, {format_percent(float(raw.isna().mean()))} missing", why


def _count(n_values: int) -> str:
    return f"{n_values:,} distinct value{'' if n_values == 1 else 's'}"
