"""The options that name past leads, the same for a training run and for the audit alone."""

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd

from leadmodel.errors import InputError
from leadmodel.leads.reading import read_table
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample

__all__ = ["add_lead_options", "read_past_leads"]


def add_lead_options(parser: argparse.ArgumentParser) -> None:
    """Let `parser` take what `read_past_leads` reads."""
    parser.add_argument("--recipe", help="TOML file with what is known of the data source")
    parser.add_argument("--target", help="column that holds the outcome")
    parser.add_argument("--positive", help="the outcome of a converted lead, where not obvious")
    parser.add_argument("--id", nargs="+", metavar="COL", help="columns that name a lead")
    parser.add_argument("--time", help="column that orders leads; the newest become the test leads")
    parser.add_argument("--drop", nargs="+", metavar="COL", help="columns not to learn from")


def read_past_leads(source: str | None, options: argparse.Namespace) -> tuple[pd.DataFrame, Recipe]:
    """Return past leads, and what the recipe and the options say of them.

    Parameters
    ----------
    source : str, optional
        Path, URL or hf://datasets/…; the synthetic sample if it is None.
    options : Namespace
        As `add_lead_options` lets them be given.

    Raises
    ------
    InputError
        If the leads or the recipe cannot be read, or an option names no column.
    """
    recipe = Recipe.load(options.recipe) if options.recipe else Recipe()
    if source is None:
        recipe, leads = SAMPLE_RECIPE, make_sample()
    else:
        leads = read_table(source)
        # Of an address only the file's name: its query may hold a token.
        recipe = recipe.updated(title=recipe.title or Path(urlsplit(source).path).stem)
    _check_names([*(options.id or ()), *(options.drop or ())], leads)
    return leads, recipe.updated(
        target=options.target,
        positive=options.positive,
        time=options.time,
        id=options.id and tuple(options.id),
        drop=options.drop and (*recipe.drop, *options.drop),
    )


def _check_names(names: Sequence[str], leads: pd.DataFrame) -> None:
    """Raise InputError for a name that no column has: a mistyped leak would stay a feature."""
    for name in names:
        if name not in leads.columns:
            close = get_close_matches(name, map(str, leads.columns), n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise InputError(f"No column is named {name!r}.{hint}")
