"""Read past leads and their recipe, for the command line and for Python alike."""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd

from leadmodel.errors import InputError, quoted
from leadmodel.events.windows import check_engines
from leadmodel.leads.io import read_table
from leadmodel.leads.recipe import Names, Recipe, as_names
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample

__all__ = ["Names", "Source", "read_leads_of", "read_past_leads"]

Source = str | Path | pd.DataFrame
"""A path, URL or hf://datasets/… of a table, a folder or file of event tables, or a table itself."""


def read_past_leads(
    source: Source | None,
    *,
    recipe: Recipe | str | Path | None = None,
    target: str | None = None,
    positive: Names | None = None,
    negative: Names | None = None,
    open: Names | None = None,
    amount: str | None = None,
    converted_at: str | None = None,
    horizon: int | None = None,
    id: Names | None = None,
    time: str | None = None,
    drop: Names | None = None,
    sheet: str | None = None,
    min_precision: float | None = None,
    min_recall: float | None = None,
    budget: str | None = None,
    value: float | None = None,
    cost: float | None = None,
    bands: Mapping[str, int] | None = None,
    on_report: Callable[[str], None] = lambda text: None,
) -> tuple[pd.DataFrame, Recipe]:
    """Read past leads, and complete their recipe with the options given.

    A recipe with events makes the leads from the tables in a folder.

    Parameters
    ----------
    source : str, Path or DataFrame, optional
        The leads; the synthetic sample if it is None.
    recipe : Recipe, str or Path, optional
        What is known of the data source, or its TOML file.
    target, amount, time : str, optional
        The columns with the outcome, with what a converted lead brought, and with what orders leads.
    positive, negative, open : str or sequence of str, optional
        Outcomes of converted leads, of lost ones, and of those that are not decided yet.
    converted_at : str, optional
        The column with the date of conversion.
    horizon : int, optional
        Days after its time within which a lead converts, or not.
    id, drop : str or sequence of str, optional
        Columns that name a lead, and columns not to learn from.
    sheet : str, optional
        The sheet of an Excel file; see `leadmodel.leads.io.read_table`.
    min_precision, min_recall, budget, value, cost, bands : optional
        The decision; see `leadmodel.leads.recipe.DecisionConfig`.
    on_report : callable, optional
        Called with what was skipped or chosen in a file, and read and left out of event tables.

    Raises
    ------
    InputError
        If the leads or the recipe cannot be read, or an option names no column.
    """
    known = recipe if isinstance(recipe, Recipe) else Recipe.load(recipe) if recipe else Recipe()
    known = known.updated(sheet=sheet)
    if known.events is not None:
        given = {"target": target, "time": time, "id": id}
        given |= {"positive": positive, "negative": negative, "open": open}
        given |= {"converted-at": converted_at, "horizon": None if horizon is None else str(horizon)}
        leads = read_leads_of(_check_event_options(source, given), known, on_report)
        from leadmodel.events.dataset import recipe_of_leads

        known = recipe_of_leads(known, known.events)
    elif source is None:
        known, leads = SAMPLE_RECIPE, make_sample()
    elif isinstance(source, pd.DataFrame):
        leads = source
    else:
        leads = read_leads_of(source, known, on_report)
        # Only the file's name: the query of a URL may contain a token.
        known = known.updated(title=known.title or Path(urlsplit(str(source)).path).stem)
    ids, dropped = as_names(id), as_names(drop)
    _check_names([*ids, *dropped], leads)
    decision = known.decision.updated(
        min_precision=min_precision,
        min_recall=min_recall,
        budget=budget,
        value=value,
        cost=cost,
        bands=None if bands is None else dict(bands),
    )
    return leads, known.updated(
        target=target,
        positive=_in_recipe(positive),
        negative=_in_recipe(negative),
        open=_in_recipe(open),
        time=time,
        amount=amount,
        converted_at=converted_at,
        horizon=_read_horizon(horizon),
        id=ids or None,
        drop=(*known.drop, *dropped) or None,
        decision=decision,
    )


def read_leads_of(
    source: str | Path, recipe: Recipe, on_report: Callable[[str], None] = lambda text: None
) -> pd.DataFrame:
    """Return the past leads of `source`, read from a table or built from events by the recipe.

    Parameters
    ----------
    source : str or Path
        Path, URL or hf://datasets/… of a table; if the recipe has events, a folder of tables, or the
        file of the only one.
    recipe : Recipe
        What is known of the leads.
    on_report : callable, optional
        Called with what was skipped or chosen in a file, and read and left out of event tables.

    Raises
    ------
    InputError
        If they cannot be read.
    """
    if recipe.events is not None:
        # Imported here, because only events need polars, which is an extra.
        check_engines()
        from leadmodel.events.dataset import past_leads
        from leadmodel.events.tables import read_event_tables

        with read_event_tables(str(source), recipe.events) as tables:
            leads, report = past_leads(tables, recipe.events)
        on_report(report.summary())
        return leads
    if Path(source).is_dir():
        raise InputError(
            f"The leads must be a file. {quoted(str(source), 300)} is a folder; tables of events "
            "need a --recipe with [events]."
        )
    return read_table(source, recipe.sheet, on_report)


def _check_event_options(source: Source | None, given: Mapping[str, Names | None]) -> str | Path:
    for name, option in given.items():
        if option:
            raise InputError(
                f"A recipe with events says what the outcome and the leads are: leave --{name} out."
            )
    if source is None or isinstance(source, pd.DataFrame):
        raise InputError("A recipe with events needs the folder of its tables: name it with --data.")
    return source


def _read_horizon(days: int | None) -> int | None:
    if days is not None and not (isinstance(days, int) and days >= 1):
        raise InputError(f"--horizon takes a number of days, 1 or more. Got {days!r} instead.")
    return days


def _in_recipe(names: Names | None) -> str | tuple[str, ...] | None:
    """Return names as a recipe has them: a single one as a text."""
    several = as_names(names)
    return several[0] if len(several) == 1 else several or None


def _check_names(names: Sequence[str], leads: pd.DataFrame) -> None:
    """Raise InputError for an unknown column: a mistyped leak would stay a feature."""
    for name in names:
        if name not in leads.columns:
            close = get_close_matches(name, map(str, leads.columns), n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise InputError(f"No column is named {name!r}.{hint}")
