"""Read the outcomes of recent leads as those that a model has learned."""

import numpy as np
import pandas as pd
import pyarrow as pa

from leadmodel.arrays import Ints
from leadmodel.leads.outcome.horizon import read_timing, within_horizon
from leadmodel.leads.outcome.read import read_outcomes
from leadmodel.leads.outcome.rule import OPEN, UNCLEAR
from leadmodel.publishing.config import ModelConfig

__all__ = ["OutcomeReader"]


class OutcomeReader:
    """Collect the outcomes of leads that come in batches.

    Parameters
    ----------
    config : ModelConfig
        Target, rule and horizon of the model.
    """

    def __init__(self, config: ModelConfig) -> None:
        self._config = config
        self._codes: list[Ints] = []
        self._dates: list[pd.DataFrame] = []
        recipe = config.recipe
        self._names = [recipe.time, recipe.converted_at] if recipe and config.horizon is not None else []

    def add(self, batch: pa.Table) -> None:
        """Add the leads of a batch, of which one without the target has no outcomes."""
        if self._config.target in batch.column_names:
            target = batch.column(self._config.target).to_pandas()
            self._codes.append(read_outcomes(target, self._config.outcome_rule))
        else:
            self._codes.append(np.full(batch.num_rows, OPEN))
        if self._has_dates(batch):
            self._dates.append(batch.select(self._names).to_pandas())

    def read(self) -> tuple[Ints, list[str]]:
        """Return 1 for converted, 0 for lost, negative for the other leads, and notes about those."""
        codes, days = np.concatenate(self._codes), self._config.horizon
        if days is not None and (codes != OPEN).any():
            table = pd.concat(self._dates, ignore_index=True) if self._dates else pd.DataFrame()
            timing = None
            if len(table) == len(codes):
                timing = read_timing(codes, table.iloc[:, 0], table.iloc[:, 1])
            if timing is None:
                note = (
                    f"The model predicts who converts within {days} days. To compare that with outcomes, "
                    f"the leads need dates in {' and '.join(map(repr, self._names))}."
                )
                return np.full(len(codes), OPEN), [note]
            codes = within_horizon(codes, timing, days).codes
        n_unclear = int((codes == UNCLEAR).sum())
        missing = "an outcome that the model has not learned" + (" or no date" if days else "")
        return codes, [f"{n_unclear:,} leads have {missing}. They are left out."] if n_unclear else []

    def _has_dates(self, batch: pa.Table) -> bool:
        return bool(self._names) and set(self._names) <= set(batch.column_names)
