"""Name the units that numbers are written with: currencies, percent, times, and any other noun."""

import re
import unicodedata
from typing import Literal, NamedTuple

from leadmodel.text import fold

__all__ = ["TIMES", "Unit", "find_scale", "find_unit"]


class Unit(NamedTuple):
    """A unit: its name for people, what it measures, and its size in seconds if it is a time.

    Two units of one `key` are the same, and two times can be converted.
    """

    name: str
    dimension: Literal["currency", "percent", "time", "noun"]
    factor: float = 1.0

    @property
    def key(self) -> str:
        """What singular and plural share."""
        return fold(self.name).removesuffix("s") if self.dimension == "noun" else self.name


_DAY = 86_400.0
_TIME_WORDS = {
    "s": (1.0, "s sec secs second seconds sek sekunde sekunden seconde secondes segundo segundos"),
    "min": (60.0, "min mins minute minutes minuten minuto minutos minuti"),
    "h": (3600.0, "h hr hrs hour hours std stunde stunden heure heures hora horas ore"),
    "days": (_DAY, "d day days tag tage tagen jour jours día días dia dias giorno giorni"),
    "weeks": (7 * _DAY, "w wk wks week weeks woche wochen semaine semaines semana semanas"),
    "months": (365.25 / 12 * _DAY, "mo mos month months monat monate monaten mois mes meses mesi"),
    "years": (365.25 * _DAY, "y yr yrs year years jahr jahre jahren an ans année années año años anni"),
}
TIMES = {
    word: Unit(name, "time", size) for name, (size, words) in _TIME_WORDS.items() for word in words.split()
}
"""Units of time by the words for them."""

_CODES = "chf sek nok dkk czk huf ron nzd sgd hkd mxn zar cny".split()
_CURRENCY_WORDS = {
    "$": "$ us$ usd dollar dollars",
    "€": "€ eur euro euros",
    "£": "£ gbp pound pounds",
    "¥": "¥ jpy yen",
    "₹": "₹ inr rs rs. rupee rupees",
    **{
        code.upper(): code
        for code in "chf sek nok dkk pln czk huf ron aud cad nzd sgd hkd brl mxn zar cny".split()
    },
    "AUD": "aud a$ au$",
    "CAD": "cad c$ ca$",
    "BRL": "brl r$",
    "kr": "kr kr.",
    "zł": "zł pln",
}
_CURRENCIES = {
    word: Unit(name, "currency") for name, words in _CURRENCY_WORDS.items() for word in words.split()
}

_PERCENT = Unit("%", "percent")
_PERCENT_WORDS = frozenset("% percent pct prozent".split())

_GLUED = frozenset(
    "km m² km² cm mm mi mi. kg mg lb lbs ft sqft sqm qm kb mb gb tb kwh kw ml px pts pcs km/h mph".split()
)
"""Units that are written right after a number as well; any other word there is part of a code."""

_NO_UNITS = frozenset("am pm a.m. p.m. a.m p.m uhr st nd rd th er o'clock bc ad".split())
"""Words after a number that make a time, a date or a rank of it."""

_NOUN = re.compile(r"[^\W\d_]{2}[\w²³./'-]*(?: [^\W\d_][\w²³./'-]*){0,2}")

_SCALES = {
    "k": 1e3, "thousand": 1e3, "tsd": 1e3,
    "mn": 1e6, "mln": 1e6, "mio": 1e6, "million": 1e6, "millions": 1e6, "millionen": 1e6,
    "bn": 1e9, "mrd": 1e9, "billion": 1e9, "billions": 1e9,
}  # fmt: skip
_SCALE = re.compile(r"([^\W\d_]+)\.?(?: |$|(?=[^\w]))")


def find_scale(tail: str, is_money: bool) -> tuple[str, float, str] | None:
    """Return the letter if it is one, the factor, and the rest, of what follows a number, such as "k €".

    Parameters
    ----------
    tail : str
        What follows the number.
    is_money : bool
        Whether there is a currency: then m and b are millions and billions, otherwise a metre and a code.
    """
    match = _SCALE.match(tail)
    if not match:
        return None
    word = match[1]
    factor = 1e6 if word == "M" else _SCALES.get(word.lower())
    if factor is None and is_money:
        factor = {"m": 1e6, "b": 1e9}.get(word.lower())
    if factor is None:
        return None
    return word.upper() if len(word) == 1 else "", factor, tail[match.end() :].strip()


def find_unit(text: str, *, glued: bool = False) -> Unit | None:
    """Return the unit that `text`, which stands before or after a number, names.

    Parameters
    ----------
    text : str
        Without surrounding blanks.
    glued : bool
        Whether no blank is between it and the number.
    """
    word = text.lower().rstrip(".") or text
    if word in _PERCENT_WORDS:
        return _PERCENT
    if found := _CURRENCIES.get(text.lower()) or _CURRENCIES.get(word):
        return found
    if len(text) == 1 and unicodedata.category(text) == "Sc":
        return Unit(text, "currency")
    # A capital letter after a number, as in 5G or 10D, is part of a code.
    if word in TIMES and (len(word) > 1 or text.islower()):
        return TIMES[word]
    if text.lower() in _NO_UNITS or not _NOUN.fullmatch(text) or (glued and text.lower() not in _GLUED):
        return None
    return Unit(text, "noun")
