"""Define the options that several commands share, and print to the terminal."""

import argparse
from collections.abc import Sequence
from typing import Any, TextIO

from leadmodel.errors import InputError
from leadmodel.text import visible

__all__ = [
    "OUTCOMES",
    "add_decision_options",
    "add_lead_options",
    "add_outcome_options",
    "add_sheet_option",
    "decision_options",
    "lead_options",
    "say",
]

OUTCOMES = {
    "positive": "an outcome of converted leads, if it is not obvious; repeat the option for several",
    "negative": "an outcome of lost leads; repeat the option for several",
    "open": "an outcome of leads that are not decided yet, which are left out; repeat for several",
}
# By the names that `read_past_leads` has for them.
LEAD_OPTIONS = (
    *("recipe", "target", *OUTCOMES, "converted_at", "horizon"),
    *("amount", "id", "time", "drop", "sheet"),
)
DECISION_OPTIONS = ("min_precision", "min_recall", "budget", "value", "cost")


def add_lead_options(parser: argparse.ArgumentParser) -> None:
    """Let `parser` take what `read_past_leads` reads."""
    parser.add_argument("--recipe", help="TOML file that describes the data source")
    parser.add_argument("--target", help="column with the outcome")
    add_outcome_options(parser)
    parser.add_argument("--converted-at", metavar="COL", help="column with the date of conversion")
    parser.add_argument(
        "--horizon", type=int, metavar="DAYS", help="days to convert in; younger leads are left out"
    )
    parser.add_argument("--amount", metavar="COL", help="column with the amount of a conversion")
    parser.add_argument("--id", nargs="+", metavar="COL", help="columns that identify a lead")
    parser.add_argument("--time", help="column that orders leads; the newest become the test leads")
    parser.add_argument("--drop", nargs="+", metavar="COL", help="columns to leave out of training")
    add_sheet_option(parser)


def add_sheet_option(parser: argparse.ArgumentParser) -> None:
    """Let `parser` take the sheet of an Excel file."""
    parser.add_argument("--sheet", metavar="NAME", help="sheet of an Excel file that has the leads")


def add_outcome_options(parser: argparse.ArgumentParser) -> None:
    """Let `parser` take what the values of the outcome column mean."""
    # Repeated rather than listed: a value may hold commas, and a list would swallow the file after it.
    for name, meaning in OUTCOMES.items():
        parser.add_argument(f"--{name}", action="append", metavar="VALUE", help=meaning)


def lead_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options of `add_lead_options`, by the names that `read_past_leads` has for them."""
    return {name: getattr(options, name) for name in LEAD_OPTIONS}


def add_decision_options(parser: argparse.ArgumentParser) -> None:
    """Let `parser` take what `read_decision` reads."""
    rules = parser.add_argument_group("decision", "rules that choose the decision threshold")
    rules.add_argument(
        "--min-precision", type=float, metavar="SHARE", help="minimum precision, such as 0.7"
    )
    rules.add_argument("--min-recall", type=float, metavar="SHARE", help="minimum recall, such as 0.9")
    rules.add_argument("--budget", metavar="N/week", help="number of calls: 200/week, 30/day, 20%%")
    rules.add_argument("--value", type=float, help="value of a conversion; with --cost")
    rules.add_argument("--cost", type=float, help="cost of a call; with --value or --amount")
    rules.add_argument(
        "--bands",
        nargs="+",
        metavar="GRADE=SCORE",
        help="lowest score of each grade, such as A=80 B=50 C=0",
    )


def decision_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options of `add_decision_options`, by the names that `read_past_leads` has for them.

    Raises
    ------
    InputError
        If the bands cannot be read.
    """
    given = {name: getattr(options, name) for name in DECISION_OPTIONS}
    return given | {"bands": _read_bands(options.bands)}


def _read_bands(bands: Sequence[str] | None) -> dict[str, int] | None:
    if bands is None:
        return None
    pairs = [band.rpartition("=") for band in bands]
    for grade, _, score in pairs:
        if not grade or not score.isdecimal():
            raise InputError(f"Bands must look like A=80 B=50 C=0. Got {' '.join(bands)!r} instead.")
    return {grade: int(score) for grade, _, score in pairs}


def say(text: str, file: TextIO | None = None) -> None:
    """Print lines that may hold texts of leads, which a terminal is to show and not to obey."""
    print(visible(text, keep="\n"), file=file)
