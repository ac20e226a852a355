"""Train a model in three calls: prepare the leads, fit, package."""

from collections.abc import Callable

import pandas as pd

from leadmodel.leads.recipe import Recipe
from leadmodel.model import LeadModel
from leadmodel.prepare.data import prepare
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.training.fit import fit
from leadmodel.training.package import package

__all__ = ["train"]


def train(
    leads: pd.DataFrame,
    recipe: Recipe,
    settings: TrainingSettings | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> LeadModel:
    """Train a model on past leads and evaluate it on those kept apart.

    Whoever wants to look at the leads before the training, or at the fit before it is packaged, makes
    these three calls instead.

    Parameters
    ----------
    leads : DataFrame of shape (n_leads, n_columns)
        As `leadmodel.leads.io.read_table` returns it.
    recipe : Recipe
        What is known of the columns; its target is needed.
    settings : TrainingSettings, optional
        How to train.
    progress : callable, optional
        Called with a line of text after each step.

    Raises
    ------
    InputError
        If the leads cannot be learned from: what is lacking, and what to do.
    """
    settings = settings or TrainingSettings()
    data = prepare(leads, recipe, settings)
    fitted = fit(data, settings, progress)
    return package(fitted)
