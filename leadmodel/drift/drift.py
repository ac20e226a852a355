"""Compare recent leads with the leads that a model has learned from."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ConfigDict
from pydantic import Field as ModelField
from scipy.special import bdtr, bdtrc

from leadmodel.drift.counts import Counts, FieldCounts, count_leads
from leadmodel.drift.outcomes import OutcomeReader
from leadmodel.drift.performance import Performance, evaluate_outcomes
from leadmodel.drift.psi import MAJOR, MISSING_CELL, MODERATE, Cells, compare_cells, describe_shift
from leadmodel.insights.conversion import range_names
from leadmodel.insights.profile import FieldProfile, Profile
from leadmodel.leads.convert import read_batch
from leadmodel.leads.field import MIN_CATEGORY_COUNT, Field
from leadmodel.leads.io import ignore, read_batches
from leadmodel.leads.schema import LeadSchema
from leadmodel.model import LeadModel
from leadmodel.records import Record

__all__ = ["CellShift", "Drift", "FieldDrift", "compare_leads", "measure_drift"]

ALPHA = 0.05
"""Probability that a file without drift is called drifted, over all its fields together."""

MAX_CELLS, MAX_NAMED = 14, 10
"""Most cells that are listed, enough for all bins of a number, and most new or vanished values."""

MIN_SHARE = 0.002
"""Least share of a cell that is listed; a smaller one would be an invisible bar."""

DriftLevel = Literal["stable", "slight", "moderate", "major"]


class CellShift(Record):
    """Share of the leads in one cell, among the training leads and now."""

    name: str
    then: float
    now: float


class FieldDrift(Record):
    """Drift of one field, or of one output of the model.

    Parameters
    ----------
    label : str
        Label for people.
    psi : float
        Population stability index against the training leads.
    chance : float, optional
        PSI that chance alone reaches with probability `ALPHA` over the number of fields; None with too
        few leads for a test.
    level : str
        "stable" if not significant, else "slight" below a PSI of 0.1, "moderate" below 0.25, and
        "major". From "moderate" on it counts as drift.
    cells : tuple of CellShift
        Cells that moved most, in their own order.
    appeared, vanished : tuple of str
        Values of several leads that hardly any training lead had, and values of training leads that no
        lead has now; both significant.
    changes : tuple of str
        Sentences about the significant changes; "told" in JSON.
    """

    # The JSON of `leadmodel drift` keeps the names that scripts know.
    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    label: str
    psi: float
    chance: float | None
    level: DriftLevel
    cells: tuple[CellShift, ...]
    appeared: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    changes: tuple[str, ...] = ModelField(default=(), validation_alias="told", serialization_alias="told")

    @property
    def drifted(self) -> bool:
        """Whether the shift is large enough to look into."""
        return self.level in ("moderate", "major")


class Drift(Record):
    """Drift of recent leads from the training leads of a model.

    Parameters
    ----------
    n_then, n_now : int
        Number of training leads and of recent leads.
    drifted : bool
        Whether a field or an output has drifted, or the performance fell.
    fields : dict of str to FieldDrift
        By field name.
    outputs : dict of str to FieldDrift
        By output of the model, such as "probability", against the test leads.
    performance : Performance, optional
        Performance now and then, if enough outcomes are known.
    notes : tuple of str
        Sentences about comparisons that were not possible.
    """

    n_then: int
    n_now: int
    drifted: bool
    fields: dict[str, FieldDrift]
    outputs: dict[str, FieldDrift]
    performance: Performance | None = None
    notes: tuple[str, ...] = ()

    @property
    def ranked(self) -> list[FieldDrift]:
        """Fields and outputs, the largest drift first."""
        levels = ("major", "moderate", "slight", "stable")
        both = [*self.outputs.values(), *self.fields.values()]
        return sorted(both, key=lambda field: (levels.index(field.level), -field.psi))


def measure_drift(
    model: LeadModel,
    source: str | Path,
    progress: Callable[[int], object] = lambda n_leads: None,
    *,
    sheet: str | None = None,
    on_report: Callable[[str], None] = ignore,
) -> Drift:
    """Compare the leads of a file with the training leads of a model.

    The file is read in batches, so it may exceed the memory. If it has the target column of the model,
    performance is compared as well.

    Parameters
    ----------
    model : LeadModel
        The model.
    source : str or Path
        CSV, Parquet or Excel; a path, a URL or ``hf://``.
    progress : callable, optional
        Called with the number of leads after each batch.
    sheet, on_report : optional
        As `leadmodel.leads.io.read_table` takes them.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a field, or holds a value that cannot be read.
    """
    counts: Counts | None = None
    has_target = False
    outcomes, probability = OutcomeReader(model.config), []
    for batch in read_batches(source, sheet=sheet, on_report=on_report):
        table = read_batch(model.schema, batch, counts.n_leads if counts else 0)
        predictions = model.predictor.predict(table)
        batch_counts = count_leads(model.profile, table.to_frame(), predictions.outputs)
        counts = counts + batch_counts if counts else batch_counts
        has_target |= model.config.target in batch.column_names
        outcomes.add(batch)
        probability.append(predictions.probability)
        progress(batch.num_rows)
    assert counts is not None  # a file without leads is refused
    performance: Performance | None = None
    notes: list[str] = []
    if has_target:
        codes, notes = outcomes.read()
        is_known = codes >= 0
        performance, found = evaluate_outcomes(
            model, codes[is_known], np.concatenate(probability)[is_known]
        )
        notes += found
    if not model.profile.outputs:
        notes.append("The model has no distribution of its probabilities. Train it again to compare.")
    return compare_leads(model.schema, model.profile, counts, performance, notes)


def compare_leads(
    schema: LeadSchema,
    profile: Profile,
    counts: Counts,
    performance: Performance | None = None,
    notes: Sequence[str] = (),
) -> Drift:
    """Compare counted leads with the training leads.

    A field has drifted if its PSI is significant and at least 0.1: the first condition keeps small files
    from false alarms, the second large ones from alarms about shifts that do not matter. `ALPHA` is
    divided among all fields and outputs (Bonferroni).

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    profile : Profile
        Profile of the training leads.
    counts : Counts
        Counts of the recent leads, as `leadmodel.drift.counts.count_leads` returns them.
    performance : Performance, optional
        As `leadmodel.drift.performance.compare_performance` returns it.
    notes : sequence of str
        Sentences about comparisons that were not possible.
    """
    alpha = ALPHA / (len(counts.fields) + len(counts.outputs))
    fields = {
        name: _compare(schema.by_name[name], profile.fields[name], count, alpha)
        for name, count in counts.fields.items()
    }
    outputs = {}
    for name, count in counts.outputs.items():
        output = Field(name=name, kind="numeric", label=name.replace("_", " ").capitalize())
        outputs[name] = _compare(output, profile.outputs[name], count, alpha)
    is_shifted = any(field.drifted for field in (*fields.values(), *outputs.values()))
    return Drift(
        n_then=profile.leads.count,
        n_now=counts.n_leads,
        drifted=is_shifted or (performance is not None and performance.degraded),
        fields=fields,
        outputs=outputs,
        performance=performance,
        notes=tuple(notes),
    )


def _compare(field: Field, profile: FieldProfile, count: FieldCounts, alpha: float) -> FieldDrift:
    cells = _align(field, profile, count)
    shift = compare_cells(
        cells.then, cells.now, alpha, ordered=bool(profile.edges), hidden=MIN_CATEGORY_COUNT - 1
    )
    appeared = _find_appeared(count, cells, alpha)
    level: DriftLevel = "stable"
    if shift.is_significant:
        level = "major" if shift.psi >= MAJOR else "moderate" if shift.psi >= MODERATE else "slight"
    return FieldDrift(
        label=field.label,
        psi=shift.psi,
        chance=shift.chance,
        level=level,
        cells=tuple(
            CellShift(name=cells.names[cell], then=cells.share_then[cell], now=cells.share_now[cell])
            for cell in sorted(cells.by_weight[:MAX_CELLS])
            if max(cells.share_then[cell], cells.share_now[cell]) >= MIN_SHARE
        ),
        appeared=tuple(appeared),
        vanished=() if profile.edges else _find_vanished(profile, cells, alpha),
        changes=describe_shift(field, cells, shift.new_cells, appeared) if shift.is_significant else (),
    )


def _align(field: Field, profile: FieldProfile, count: FieldCounts) -> Cells:
    """Align the counts of then and now by cell."""
    then = [cell.count for cell in profile.cells.values()]
    now = [count.cells[name] for name in profile.cells]
    if profile.edges:
        unit = f" {field.unit}" if field.unit else ""
        ranges = [f"{name}{unit}" for name in range_names(field, profile.edges)]
        names = ["below the training range", *ranges, "above the training range", MISSING_CELL]
        # The profile counts numbers beyond its edges in the outermost bins as well.
        below, above = profile.beyond
        then[0], then[-1] = then[0] - below, then[-1] - above
        then = [below, *then, above, profile.missing.count]
        now = [count.below, *now, count.above, count.missing]
    else:
        names = [*profile.cells, "any other", MISSING_CELL]
        then = [*then, profile.other.count, profile.missing.count]
        now = [*now, count.other, count.missing]
    return Cells(tuple(names), np.array(then), np.array(now), profile.edges)


def _find_appeared(count: FieldCounts, cells: Cells, alpha: float) -> dict[str, float]:
    """Return the share of each value that is significantly more frequent than rare values were."""
    n, m = cells.then.sum(), cells.now.sum()
    ranked = sorted(count.new.items(), key=lambda item: -item[1])
    # The profile does not name rare values: each may have had all but one of the leads that would have
    # given it a name. Given the sum of both counts, the count of now is binomial.
    most_then = MIN_CATEGORY_COUNT - 1
    return {
        value: n_leads / m
        for value, n_leads in ranked[:MAX_NAMED]
        if n_leads >= MIN_CATEGORY_COUNT
        and bdtrc(n_leads - 1, n_leads + most_then, m / (n + m)) * len(count.new) < alpha
    }


def _find_vanished(profile: FieldProfile, cells: Cells, alpha: float) -> tuple[str, ...]:
    """Return the values that no lead has now, though some were to be expected."""
    n, m = cells.then.sum(), cells.now.sum()
    vanished = [
        (then, value)
        for value, then, now in zip(profile.cells, cells.then, cells.now, strict=False)
        if not now
        and then >= MIN_CATEGORY_COUNT
        and bdtr(0, then, m / (n + m)) * len(profile.cells) < alpha
    ]
    return tuple(value for _, value in sorted(vanished, reverse=True)[:MAX_NAMED])
