"""The options of several commands: which past leads, and how to decide."""

import argparse
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd

from leadmodel.errors import InputError, quoted
from leadmodel.events.dataset import past_leads, recipe_of_leads
from leadmodel.events.tables import read_event_tables
from leadmodel.leads.read import read_table
from leadmodel.leads.recipe import DecisionConfig, Recipe
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample

__all__ = ["add_decision_options", "add_lead_options", "read_decision", "read_leads_of", "read_past_leads"]


def add_lead_options(parser: argparse.ArgumentParser) -> None:
    """Let `parser` take what `read_past_leads` reads."""
    parser.add_argument("--recipe", help="TOML file with what is known of the data source")
    parser.add_argument("--target", help="column that holds the outcome")
    parser.add_argument("--positive", help="the outcome of a converted lead, where not obvious")
    parser.add_argument("--amount", metavar="COL", help="column of what a converted lead brought")
    parser.add_argument("--id", nargs="+", metavar="COL", help="columns that name a lead")
    parser.add_argument("--time", help="column that orders leads; the newest become the test leads")
    parser.add_argument("--drop", nargs="+", metavar="COL", help="columns not to learn from")


def read_past_leads(
    source: str | None, options: argparse.Namespace, tell: Callable[[str], None] = lambda text: None
) -> tuple[pd.DataFrame, Recipe]:
    """Return past leads, and what the recipe and the options say of them.

    A recipe with events makes the leads of the tables in a folder.

    Parameters
    ----------
    source : str, optional
        Path, URL or hf://datasets/…, or a folder of tables; the synthetic sample if it is None.
    options : Namespace
        As `add_lead_options` lets them be given.
    tell : callable, optional
        Called with what was read of tables of events, kept and left out.

    Raises
    ------
    InputError
        If the leads or the recipe cannot be read, or an option names no column.
    """
    recipe = Recipe.load(options.recipe) if options.recipe else Recipe()
    if recipe.events is not None:
        leads = read_leads_of(_check_event_options(source, options), recipe, tell)
        recipe = recipe_of_leads(recipe, recipe.events)
    elif source is None:
        recipe, leads = SAMPLE_RECIPE, make_sample()
    else:
        leads = read_leads_of(source, recipe)
        # Of an address only the file's name: its query may hold a token.
        recipe = recipe.updated(title=recipe.title or Path(urlsplit(source).path).stem)
    _check_names([*(options.id or ()), *(options.drop or ())], leads)
    return leads, recipe.updated(
        target=options.target,
        positive=options.positive,
        time=options.time,
        amount=options.amount,
        id=tuple(options.id) if options.id else None,
        drop=(*recipe.drop, *options.drop) if options.drop else None,
    )


def read_leads_of(
    source: str, recipe: Recipe, tell: Callable[[str], None] = lambda text: None
) -> pd.DataFrame:
    """Return the past leads of `source` as the recipe tells to: a table of them, or made of its events.

    Parameters
    ----------
    source : str
        Path, URL or hf://datasets/… of a table; a folder of tables, if the recipe has events.
    recipe : Recipe
        What is known of the leads.
    tell : callable, optional
        Called with what was read and left out of event tables.

    Raises
    ------
    InputError
        If they cannot be read.
    """
    if recipe.events is not None:
        with read_event_tables(source, recipe.events) as tables:
            leads, report = past_leads(tables, recipe.events)
        tell(report.summary())
        return leads
    if Path(source).is_dir():
        raise InputError(
            f"The leads must be a file. {quoted(source, 300)} is a folder; tables of events "
            "need a --recipe with [events]."
        )
    return read_table(source)


def _check_event_options(source: str | None, options: argparse.Namespace) -> str:
    for name in ("target", "positive", "time", "id"):
        if getattr(options, name):
            raise InputError(
                f"A recipe with events says what the outcome and the leads are: leave --{name} out."
            )
    if source is None:
        raise InputError("A recipe with events needs the folder of its tables: name it with --data.")
    return source


def _check_names(names: Sequence[str], leads: pd.DataFrame) -> None:
    """Raise InputError for a name that no column has: a mistyped leak would stay a feature."""
    for name in names:
        if name not in leads.columns:
            close = get_close_matches(name, map(str, leads.columns), n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise InputError(f"No column is named {name!r}.{hint}")


def add_decision_options(parser: argparse.ArgumentParser) -> None:
    """Let `parser` take what `read_decision` reads."""
    rules = parser.add_argument_group("decision", "from which probability on to decide for a lead")
    rules.add_argument("--min-precision", type=float, metavar="SHARE", help="a floor, such as 0.7")
    rules.add_argument("--min-recall", type=float, metavar="SHARE", help="a floor, such as 0.9")
    rules.add_argument("--budget", metavar="N/week", help="how many can be called: 200/week, 30/day, 20%%")
    rules.add_argument("--value", type=float, help="what a conversion brings; with --cost")
    rules.add_argument("--cost", type=float, help="what a call costs; with --value or --amount")
    rules.add_argument("--bands", nargs="+", metavar="GRADE=SCORE", help="such as A=80 B=50 C=0")


def read_decision(hints: DecisionConfig, options: argparse.Namespace) -> DecisionConfig:
    """Return the hints of a recipe with what the options say instead.

    Raises
    ------
    InputError
        If that is no decision.
    """
    return hints.updated(
        min_precision=options.min_precision,
        min_recall=options.min_recall,
        budget=options.budget,
        value=options.value,
        cost=options.cost,
        bands=_read_bands(options.bands),
    )


def _read_bands(bands: Sequence[str] | None) -> dict[str, int] | None:
    if bands is None:
        return None
    pairs = [band.rpartition("=") for band in bands]
    for grade, _, score in pairs:
        if not grade or not score.isdecimal():
            raise InputError(f"Bands read like A=80 B=50 C=0. Got {' '.join(bands)!r} instead.")
    return {grade: int(score) for grade, _, score in pairs}
