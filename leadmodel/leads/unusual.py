"""Find values that are scored all the same but worth a warning: missing, unseen or out of range."""

from collections import Counter, defaultdict
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadmodel.leads.schema import ValueWarning
from leadmodel.leads.table import LeadTable

__all__ = ["UnusualValues", "count_warnings", "find_unusual", "warning_texts", "warnings_by_lead"]


class UnusualValues(NamedTuple):
    """The leads with unusual values of one field, and the position of each one's warning in a list.

    A value is warned of once, however many leads have it.
    """

    leads: npt.NDArray[np.intp]
    codes: npt.NDArray[np.intp]
    warnings: list[ValueWarning | None]


def find_unusual(table: LeadTable) -> list[UnusualValues]:
    """Find unusual values field by field, in the order of the model's columns."""
    by_name, found = table.schema.by_name, []
    for name, (codes, categories) in table.texts.items():
        if by_name[name].usual_texts.issuperset(categories):
            continue
        warnings = [by_name[name].warning(text) for text in categories]
        is_unusual = np.array([warning is not None for warning in warnings])
        leads = np.flatnonzero(is_unusual[codes])
        found.append(UnusualValues(leads, codes[leads].astype(np.intp), warnings))
    low, high = np.array(table.schema.ranges, dtype=np.float64).reshape(-1, 2).T[..., None]
    usual = (table.numbers >= low) & (table.numbers <= high)  # false for missing values
    for position in () if usual.all() else np.flatnonzero(~usual.all(axis=1)):
        field, numbers = by_name[table.schema.number_columns[position]], table.numbers[position]
        unusual = ~usual[position]
        if field.warning(np.nan) is None:
            unusual &= ~np.isnan(numbers)
        leads = np.flatnonzero(unusual)
        if not len(leads):  # of one lead, to factorize nothing takes half of the time
            continue
        codes, values = pd.factorize(numbers[leads], use_na_sentinel=False)
        found.append(UnusualValues(leads, codes, [field.warning(float(value)) for value in values]))
    return [values for values in found if len(values.leads)]


def warnings_by_lead(table: LeadTable) -> dict[int, list[ValueWarning]]:
    """Return the warnings of each lead that has any, by its position."""
    found: defaultdict[int, list[ValueWarning]] = defaultdict(list)
    for leads, codes, warnings in find_unusual(table):
        for lead, code in zip(leads.tolist(), codes.tolist(), strict=True):
            if warning := warnings[code]:
                found[lead].append(warning)
    return dict(found)


def count_warnings(table: LeadTable) -> Counter[tuple[str, str]]:
    """Count the warnings by field and kind."""
    counts: Counter[tuple[str, str]] = Counter()
    for _, codes, warnings in find_unusual(table):
        numbers = np.bincount(codes, minlength=len(warnings)).tolist()
        for warning, number in zip(warnings, numbers, strict=True):
            if warning:
                counts[warning.field, warning.kind] += number
    return counts


def warning_texts(table: LeadTable) -> pa.Array:
    """Return the warnings of each lead as one text, null where there are none.

    Every message is made once and put in its places by Arrow, whatever the number of leads.
    """
    found = find_unusual(table)
    is_unusual = np.zeros(len(table), dtype=bool)
    for leads, _, _ in found:
        is_unusual[leads] = True
    if not is_unusual.any():
        return pa.nulls(len(table), pa.string())
    # Texts are joined for the leads with any warning alone, and then spread over all leads.
    positions = np.cumsum(is_unusual) - 1
    columns = []
    for leads, codes, warnings in found:
        messages = [warning and warning.message for warning in warnings]
        places = np.full(positions[-1] + 1, len(messages))
        places[positions[leads]] = codes
        columns.append(pa.array([*messages, None], pa.string()).take(pa.array(places)))
    texts = pc.binary_join_element_wise(*columns, " ", null_handling="skip")
    return texts.take(pa.array(positions, mask=~is_unusual))
