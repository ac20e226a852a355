"""What stands for a number that was not given, where no training lead lacked it: their mean.

CatBoost takes a gap that it has not learned from for a number below all others. The mean's log loss
was level with the median's or better for every field that was withheld from real leads.
"""

from collections.abc import Iterable

import pandas as pd

from leadmodel.leads.schema import LeadSchema, Value

__all__ = ["assume", "impute_rows", "unknown_lead"]


def assume(schema: LeadSchema, typed: pd.DataFrame) -> pd.DataFrame:
    """Return typed leads with every number in place that no training lead lacked.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    typed : DataFrame of shape (n_leads, n_fields)
        As `leadmodel.leads.convert.read_leads` returns it; what it has is not copied.
    """
    assumed = {field.name: field.assumed for field in schema.fields if field.assumed is not None}
    filled = {name: typed[name].fillna(number) for name, number in assumed.items() if typed[name].hasnans}
    return typed.assign(**filled) if filled else typed


def impute_rows(schema: LeadSchema, rows: Iterable[list[Value]]) -> list[list[Value]]:
    """Return what `assume` does, for leads as `LeadSchema.read_lead` returns them."""
    assumed = [schema.by_name[name].assumed for name in schema.columns]
    return [
        # Of all values, only a gap differs from itself.
        [
            value if fill is None or value == value else fill
            for value, fill in zip(row, assumed, strict=True)
        ]
        for row in rows
    ]


def unknown_lead(schema: LeadSchema) -> pd.DataFrame:
    """Return the typed lead of which nothing is known, as the model takes it."""
    row = [schema.by_name[name].missing_value for name in schema.columns]
    return pd.DataFrame(impute_rows(schema, [row]), columns=pd.Index(schema.columns))
