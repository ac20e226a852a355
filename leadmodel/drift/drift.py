"""Whether leads are still those that a model has learned from."""

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.special import bdtr, bdtrc

from leadmodel.drift.counts import Counts, FieldCounts
from leadmodel.drift.performance import Performance
from leadmodel.drift.psi import compare_cells
from leadmodel.drift.text import ABOVE, BELOW, MISSING_CELL, OTHER, Cells, tell_movement
from leadmodel.insights.profile import FieldProfile, Profile
from leadmodel.leads.schema import MIN_CATEGORY_COUNT, Field, LeadSchema

__all__ = ["ALPHA", "MAJOR", "MODERATE", "CellShift", "Drift", "FieldDrift", "compare_leads"]

ALPHA = 0.05
"""How often a file without any drift may be called drifted, over all its fields together."""

MODERATE, MAJOR = 0.1, 0.25
"""The customary bounds of PSI (Siddiqi 2006)."""

MAX_CELLS, MAX_NAMED = 14, 10
"""Cells, all of a number's among them, and new or vanished values that are named."""

LEAST_SHARE = 0.002
"""A cell of fewer leads would be an empty line."""

SliceMetrics = Literal["stable", "slight", "moderate", "major"]


class CellShift(BaseModel):
    """The share of the leads in one cell, among the training leads and now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    then: float
    now: float


class FieldDrift(BaseModel):
    """How far the values of one field, or of what the model says, have moved.

    Parameters
    ----------
    label : str
        What people call it.
    psi : float
        Population stability index against the training leads.
    chance : float, optional
        The PSI that chance alone reaches in `ALPHA` of all files, divided by the number of fields;
        None if there are too few leads to tell anything.
    level : str
        "stable" if chance may explain it, else "slight" below a PSI of 0.1, "moderate" below 0.25,
        and "major". From "moderate" on it counts as drift.
    cells : tuple of CellShift
        The cells that moved most, in their own order.
    appeared, vanished : tuple of str
        Values of at least a handful of leads that so few training leads had, and values of training
        leads that none has now; both beyond chance.
    told : tuple of str
        What moved beyond chance, in sentences.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    psi: float
    chance: float | None
    level: SliceMetrics
    cells: tuple[CellShift, ...]
    appeared: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    told: tuple[str, ...] = ()

    @property
    def drifted(self) -> bool:
        """Whether somebody should look into it."""
        return self.level in ("moderate", "major")


class Drift(BaseModel):
    """How leads of now differ from those that the model has learned from.

    Parameters
    ----------
    n_then, n_now : int
        Leads.
    drifted : bool
        Whether a field or an output has drifted, or the performance fell.
    fields : dict of str to FieldDrift
        By field name.
    outputs : dict of str to FieldDrift
        By name of what the model says of the leads, such as "probability", against what it said of
        the test leads.
    performance : Performance, optional
        Now against then, if enough outcomes are known.
    notes : tuple of str
        What could not be told, and why.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_then: int
    n_now: int
    drifted: bool
    fields: dict[str, FieldDrift]
    outputs: dict[str, FieldDrift]
    performance: Performance | None = None
    notes: tuple[str, ...] = ()

    @property
    def ranked(self) -> list[FieldDrift]:
        """Fields and outputs, what moved most first."""
        levels = ("major", "moderate", "slight", "stable")
        every = [*self.outputs.values(), *self.fields.values()]
        return sorted(every, key=lambda one: (levels.index(one.level), -one.psi))


def compare_leads(
    schema: LeadSchema,
    profile: Profile,
    counts: Counts,
    performance: Performance | None = None,
    notes: tuple[str, ...] = (),
) -> Drift:
    """Compare counted leads with the training leads.

    A field has drifted if its PSI is beyond chance and at least 0.1: the one keeps a small file from
    being called drifted for nothing, the other a large one for what nobody would act upon. Chance is
    allowed `ALPHA` over all fields and outputs together (Bonferroni).

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    profile : Profile
        Of the training leads.
    counts : Counts
        Of the leads of now, as `leadmodel.drift.counts.count_leads` returns them.
    performance : Performance, optional
        As `leadmodel.drift.performance.compare_performance` returns it.
    notes : tuple of str
        What could not be told.
    """
    alpha = ALPHA / (len(counts.fields) + len(counts.outputs))
    fields = {
        name: _compare(schema.by_name[name], profile.fields[name], found, alpha)
        for name, found in counts.fields.items()
    }
    outputs = {
        name: _compare(_as_field(name), profile.outputs[name], found, alpha)
        for name, found in counts.outputs.items()
    }
    moved = any(one.drifted for one in (*fields.values(), *outputs.values()))
    return Drift(
        n_then=profile.leads.count,
        n_now=counts.n_leads,
        drifted=moved or (performance is not None and performance.fell),
        fields=fields,
        outputs=outputs,
        performance=performance,
        notes=notes,
    )


def _as_field(output: str) -> Field:
    return Field(name=output, kind="numeric", label=output.replace("_", " ").capitalize())


def _compare(field: Field, known: FieldProfile, found: FieldCounts, alpha: float) -> FieldDrift:
    cells = _cells(field, known, found)
    shift = compare_cells(cells.then, cells.now, alpha, ordered=bool(known.edges))
    appeared = _appeared(known, found, cells, alpha)
    vanished = _vanished(known, cells, alpha)
    told = tell_movement(field, cells, shift.surges, appeared) if shift.is_certain else ()
    return FieldDrift(
        label=field.label,
        psi=shift.psi,
        chance=shift.chance,
        level=_level(shift.psi) if shift.is_certain else "stable",
        cells=tuple(
            CellShift(name=cells.names[place], then=cells.p[place], now=cells.q[place])
            for place in sorted(cells.by_weight[:MAX_CELLS])
            if max(cells.p[place], cells.q[place]) >= LEAST_SHARE
        ),
        appeared=tuple(appeared),
        vanished=vanished,
        told=told,
    )


def _level(psi: float) -> SliceMetrics:
    return "major" if psi >= MAJOR else "moderate" if psi >= MODERATE else "slight"


def _cells(field: Field, known: FieldProfile, found: FieldCounts) -> Cells:
    """Line up the counts of then and now, by cell."""
    then = [cell.count for cell in known.cells.values()]
    now = [found.cells[name] for name in known.cells]
    if known.edges:
        ranges = Cells.ranges(field, known.edges)
        names = [BELOW, *ranges, ABOVE, MISSING_CELL]
        below, above = known.beyond
        then[0], then[-1] = then[0] - below, then[-1] - above
        then = [below, *then, above, known.missing.count]
        now = [found.below, *now, found.above, found.missing]
    else:
        names = [*known.cells, OTHER, MISSING_CELL]
        then = [*then, known.other.count, known.missing.count]
        now = [*now, found.other, found.missing]
    return Cells(tuple(names), np.array(then), np.array(now), known.edges)


def _appeared(known: FieldProfile, found: FieldCounts, cells: Cells, alpha: float) -> dict[str, float]:
    """Return the share of each value that the training leads had in fewer than a handful, if any."""
    seen_at_most = MIN_CATEGORY_COUNT - 1  # a count of fewer is not told
    n, m = cells.then.sum(), cells.now.sum()
    ranked = sorted(found.new.items(), key=lambda item: -item[1])
    return {
        value: count / m
        for value, count in ranked[:MAX_NAMED]
        if count >= MIN_CATEGORY_COUNT
        and bdtrc(count - 1, count + seen_at_most, m / (n + m)) * len(found.new) < alpha
    }


def _vanished(known: FieldProfile, cells: Cells, alpha: float) -> tuple[str, ...]:
    """Return the values that no lead has now, though chance would have left some."""
    if known.edges:
        return ()
    n, m = cells.then.sum(), cells.now.sum()
    gone = [
        (count, value)
        for value, count, now in zip(known.cells, cells.then, cells.now, strict=False)
        if not now
        and count >= MIN_CATEGORY_COUNT
        and bdtr(0, count, m / (n + m)) * len(known.cells) < alpha
    ]
    return tuple(value for _, value in sorted(gone, reverse=True)[:MAX_NAMED])
