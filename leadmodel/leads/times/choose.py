"""Find the column that says when a lead came in, among all dates of a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from leadmodel.errors import InputError, quoted
from leadmodel.leads.times.read import looks_like_times, name_words, read_times, reads_month_first

__all__ = ["LeadTime", "find_time"]

MAX_GAPS = 0.05
"""Share of leads without a date from which on a column is not taken unless it is named."""

MOSTLY_BEFORE = 0.95
"""Least share of leads in which the time of a lead is not after another date."""

N_COMPARED = 5000
"""Leads on which dates are compared with each other."""

_DECIDED = tuple(
    (
        "clos won win lost conver sold sale paid pay purchas bought churn cancel contract signed "
        "signing decision decided outcome enrol expir valid due next end until deadline schedul "
        "plan expected birth dob abschluss gewonnen verloren geschlossen verkauf geburt cierre "
        "cerrado ganado nacimiento clotur clôtur vendu naissance chius vendut nascita fech "
        "nascimento"
    ).split()
)
_LATER = tuple(
    (
        "modif updat chang last latest activ contact login visit seen follow open click repl "
        "answer call touch sync stage status assigned qualif demo meeting geänd geaend letzt "
        "ultim últim dernier aktual wijzig"
    ).split()
)
_CAME_IN = tuple(
    (
        "creat enter entr receiv inquir enquir signup regist submi added insert captur arriv "
        "request subscri optin join generated lead start import erstell angelegt anlage eingang "
        "anfrage erfass inscri créa alta cria aangemaakt ricev recib reçu recebi"
    ).split()
)
"""Beginnings of words in the names of dates, in the larger European languages."""

NEVER = 3
"""Rank of a date that is known only with the outcome, or is none of a lead's history."""


@dataclass(frozen=True)
class LeadTime:
    """The column that says when a lead came in.

    Attributes
    ----------
    name : str, optional
        The column, None if there is none, or none that is more likely than another.
    text : str
        Which dates there are, which of them was taken and why, for the report; empty without any.
    """

    name: str | None
    text: str


@dataclass(frozen=True)
class _Date:
    """A column of dates: how likely its name is that of the lead's time, and the share of gaps."""

    name: str
    rank: int
    gaps: float


def find_time(leads: pd.DataFrame) -> LeadTime:
    """Find the time of the leads among the columns of dates, by their names and by what comes first."""
    dates = []
    for name, column in leads.items():
        given = column.dropna()
        if looks_like_times(given):
            dates.append(_Date(str(name), _rank(str(name)), 1 - len(given) / len(leads)))
    if not dates:
        return LeadTime(None, "")
    usable = [date for date in dates if date.rank < NEVER and date.gaps <= MAX_GAPS]
    best = [date for date in usable if date.rank == min(one.rank for one in usable)]
    # To read all dates of a million leads takes seconds.
    sample = leads.iloc[:: len(leads) // N_COMPARED + 1]
    chosen = best[0].name if len(best) == 1 else _first(sample, [date.name for date in best])
    if chosen is None or not _varies(sample[chosen]):
        return LeadTime(None, f"No date is taken for the time of a lead. {_describe(dates)} {_ADVICE}")
    why = (
        "it is the only date"
        if len(dates) == 1
        else "its name fits best" + (", and it is the earliest of those that do" if len(best) > 1 else "")
    )
    text = [f"{quoted(chosen)} is taken for the time of a lead: {why}."]
    text += [_describe([date for date in dates if date.name != chosen])] if len(dates) > 1 else []
    if reads_month_first(sample[chosen]):
        text.append("Its days are read as month/day; where that is wrong, write them as 2024-03-31.")
    return LeadTime(chosen, " ".join([*text, "Name another column with --time."]))


_ADVICE = "Name the right one with --time, and the newest leads become the test leads."


def _rank(name: str) -> int:
    words = name_words(name)
    if _begins(words, _DECIDED):
        return NEVER
    if "first" in words:
        return 1
    if _begins(words, _LATER):
        return 2
    return 0 if _begins(words, _CAME_IN) or ("sign", "up") in pairwise(words) else 1


def _begins(words: Sequence[str], stems: tuple[str, ...]) -> bool:
    return any(word.startswith(stems) for word in words)


def _describe(dates: Sequence[_Date]) -> str:
    """Return which dates there are, and why each cannot be the time of a lead."""
    texts = []
    for date in dates:
        why = "by its name not known when the lead came in" if date.rank == NEVER else ""
        why = why or (f"{date.gaps:.0%} of the leads have none" if date.gaps > MAX_GAPS else "")
        texts.append(quoted(date.name) + (f" ({why})" if why else ""))
    return f"Other dates: {', '.join(texts)}." if texts else ""


def _first(sample: pd.DataFrame, names: Sequence[str]) -> str | None:
    """Return the date that is not after any other in nearly all leads."""
    try:
        times = [read_times(sample[name]) for name in names]
    except InputError:
        return None
    if len({column.dtype.kind for column in times}) != 1:
        return None
    for name, own in zip(names, times, strict=True):
        if all(np.mean((own <= other) | own.isna() | other.isna()) >= MOSTLY_BEFORE for other in times):
            return name
    return None


def _varies(column: pd.Series) -> bool:
    sample = column.iloc[:: len(column) // N_COMPARED + 1]
    try:
        return read_times(sample).nunique() > 1 or read_times(column).nunique() > 1
    except InputError:
        return False
