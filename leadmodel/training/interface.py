"""Train a model, or audit leads, in one call from Python."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from catboost.utils import get_gpu_device_count

from leadmodel.errors import InputError, quoted
from leadmodel.leads.recipe import Names, Recipe
from leadmodel.model import LeadModel
from leadmodel.prepare.data import prepare, prepare_all
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.source import Source, read_past_leads
from leadmodel.training.check.report import LeadAudit
from leadmodel.training.fit import fit
from leadmodel.training.package import package
from leadmodel.training.tuning import check_optuna

__all__ = ["check", "read_settings", "train", "train_model"]


def train(
    leads: Source,
    *,
    target: str | None = None,
    positive: Names | None = None,
    negative: Names | None = None,
    open: Names | None = None,
    recipe: Recipe | str | Path | None = None,
    amount: str | None = None,
    converted_at: str | None = None,
    horizon: int | None = None,
    id: Names | None = None,
    time: str | None = None,
    drop: Names | None = None,
    sheet: str | None = None,
    drop_leaks: bool = False,
    tune: float = 0,
    segment_by: str | None = None,
    segments: int | Literal["auto"] | None = None,
    min_precision: float | None = None,
    min_recall: float | None = None,
    budget: str | None = None,
    value: float | None = None,
    cost: float | None = None,
    bands: Mapping[str, int] | None = None,
    seed: int = 0,
    device: Literal["cpu", "gpu"] = "cpu",
    progress: Callable[[str], None] = lambda step: None,
) -> LeadModel:
    """Train a lead model: the options of `leadmodel train`, with the same defaults and errors.

    Parameters
    ----------
    leads : str, Path or DataFrame
        Past leads: a path or URL of a CSV, Parquet or Excel file, hf://datasets/…, a DataFrame, or,
        with a recipe of events, a folder of event tables, or the file of the only one.
    target : str, optional
        The column with the outcome.
    positive, negative, open : str or sequence of str, optional
        Outcomes of converted leads, of lost ones, and of those that are not decided yet, which are left
        out; the usual words are understood.
    recipe : str, Path or Recipe, optional
        What is known of the data source.
    amount : str, optional
        The column with what a converted lead brought.
    converted_at : str, optional
        The column with the date of conversion.
    horizon : int, optional
        Days after its time within which a lead converts, or not; younger leads are left out.
    id, drop : str or sequence of str, optional
        Columns that name a lead, and columns not to learn from.
    time : str, optional
        The column that orders leads; the newest become the test leads.
    sheet : str, optional
        The sheet of an Excel file that has the leads.
    drop_leaks : bool
        Whether to leave out the columns that the audit suspects of knowing the outcome.
    tune : float
        Minutes to search for better parameters.
    segment_by : str, optional
        A text field; models of their own are tried for its values.
    segments : int or "auto", optional
        How many segments to divide the leads into by what describes them.
    min_precision, min_recall : float, optional
        Floors that the decision threshold must keep.
    budget : str, optional
        How many leads can be called, such as "200/week" or "20%".
    value, cost : float, optional
        What a conversion brings and what a call costs.
    bands : mapping of str to int, optional
        Lowest score of each grade, such as ``{"A": 80, "B": 50, "C": 0}``.
    seed : int
        The same leads, seed and versions give the same model.
    device : "cpu" or "gpu"
        Where CatBoost fits; on a GPU the same leads do not give exactly the same model.
    progress : callable, optional
        Called with a line of text after each step, and for what was skipped or chosen on reading a
        file; `print` will do.

    Returns
    -------
    LeadModel
        The trained model; its notebook view shows how good it is.

    Raises
    ------
    InputError
        If the leads or options do not allow it: what is wrong, and what to do.
    """
    settings = read_settings(
        seed=seed, tune=tune, segment_by=segment_by, segments=segments, drop_leaks=drop_leaks, device=device
    )
    table, known = read_past_leads(
        leads,
        recipe=recipe,
        target=target,
        positive=positive,
        negative=negative,
        open=open,
        amount=amount,
        converted_at=converted_at,
        horizon=horizon,
        id=id,
        time=time,
        drop=drop,
        sheet=sheet,
        min_precision=min_precision,
        min_recall=min_recall,
        budget=budget,
        value=value,
        cost=cost,
        bands=bands,
        on_report=progress,
    )
    return train_model(table, known, settings, progress)


def train_model(
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


def check(
    leads: Source,
    *,
    target: str | None = None,
    positive: Names | None = None,
    negative: Names | None = None,
    open: Names | None = None,
    recipe: Recipe | str | Path | None = None,
    amount: str | None = None,
    converted_at: str | None = None,
    horizon: int | None = None,
    id: Names | None = None,
    time: str | None = None,
    drop: Sequence[str] | str | None = None,
    sheet: str | None = None,
) -> LeadAudit:
    """Audit past leads before a model is trained on them, as `leadmodel check` does.

    Parameters
    ----------
    leads, target, positive, negative, open, recipe, amount, converted_at, horizon, id, time, drop, sheet
        As for `train`.

    Returns
    -------
    LeadAudit
        Suspected leaks, problems and notes: its repr is the report of the command, in a notebook it
        shows each column as well, and its `write_recipe` writes what was found as a recipe.

    Raises
    ------
    InputError
        As for `train`.
    """
    reports: list[str] = []
    table, known = read_past_leads(
        leads,
        recipe=recipe,
        target=target,
        positive=positive,
        negative=negative,
        open=open,
        amount=amount,
        converted_at=converted_at,
        horizon=horizon,
        id=id,
        time=time,
        drop=drop,
        sheet=sheet,
        on_report=reports.append,
    )
    return LeadAudit(prepare_all(table, known, TrainingSettings()), tuple(reports))


def read_settings(
    *,
    seed: int,
    tune: float,
    segment_by: str | None,
    segments: Any,
    drop_leaks: bool,
    device: Literal["cpu", "gpu"] = "cpu",
) -> TrainingSettings:
    """Return the settings of a training run.

    Raises
    ------
    InputError
        If one is out of range, or tuning lacks its library, or there is no GPU.
    """
    if not 0 <= tune < float("inf"):
        raise InputError(f"--tune takes minutes, 0 or more. Got {tune} instead.")
    if not (segments is None or segments == "auto" or isinstance(segments, int)):
        raise InputError(f"--segments takes a number or auto. Got {quoted(segments)} instead.")
    if tune:
        check_optuna()
    if device == "gpu" and not get_gpu_device_count():
        raise InputError("CatBoost finds no GPU here. Leave out --device gpu to train on the CPU.")
    return TrainingSettings(
        seed=seed,
        tune_minutes=tune,
        segment_by=segment_by,
        segments=segments,
        drop_leaks=drop_leaks,
        device=device,
    )
