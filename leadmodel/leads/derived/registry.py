"""The derivations by name: how each reads a raw text, and what each is called."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from leadmodel.leads.derived import dates, email, message, phone, title, web
from leadmodel.leads.derived.record import Column, Derived, How, Proposal

__all__ = ["DERIVATIONS", "PROPOSERS", "Derivation", "sample_of"]


class Derivation(NamedTuple):
    """A derivation.

    Parameters
    ----------
    read : callable
        Takes a raw text, how to derive, and the text of the second column if there is one. It returns a
        text, a number, or None if the text says nothing; it raises nothing, takes time in proportion to
        the text, and never returns all of it.
    sample : str
        A made-up raw text.
    description : str
        How it is derived, for the model card.
    """

    read: Callable[..., str | float | None]
    sample: str
    description: str


_MAIL = "name@example.com"
_URL = "https://www.example.com/pricing?utm_source=newsletter"
_TITLE = "Marketing Manager"
_DATE = "2026-01-15 10:30"
_TEXT = "Please send me an offer."

DERIVATIONS: dict[How, Derivation] = {
    "email domain": Derivation(email.read_domain, _MAIL, "what follows the @"),
    "email kind": Derivation(
        email.read_kind,
        _MAIL,
        "whose host it is: a free provider's, a university's or a company's",
    ),
    "email website": Derivation(email.read_match, _MAIL, "whether the host is that of the website"),
    "phone country": Derivation(
        phone.read_country,
        "+1 202 555 0123",
        "the country of the number, by phonenumbers",
    ),
    "url host": Derivation(web.read_host, _URL, "the host of the address"),
    "url path": Derivation(web.read_path, _URL, "the first part of the path of the address"),
    "url parameter": Derivation(web.read_parameter, _URL, "a parameter of the address"),
    "title level": Derivation(title.read_level, _TITLE, "the level of the job, by lists of words"),
    "title area": Derivation(title.read_area, _TITLE, "the area of the job, by lists of words"),
    "company form": Derivation(
        title.read_form, "Example Inc.", "the legal form of the company, by lists of words"
    ),
    "text length": Derivation(message.read_length, _TEXT, "the number of words"),
    "text word": Derivation(message.read_word, _TEXT, "whether the text has the word"),
    "date weekday": Derivation(dates.read_weekday, _DATE, "the weekday of the date"),
    "date hour": Derivation(dates.read_hour, _DATE, "the hour of the date"),
    "date month": Derivation(dates.read_month, _DATE, "the month of the date"),
    "date days before": Derivation(
        dates.read_days, _DATE, "the days from the date to the time of the lead, or to now"
    ),
}

PROPOSERS: Sequence[Callable[[Column], list[Proposal]]] = (
    email.propose,
    phone.propose,
    web.propose,
    title.propose,
    title.propose_form,
)
"""In the order in which they are asked; the first that proposes something is taken. Whether a column holds
messages is asked last."""


def sample_of(derived: Derived) -> str:
    """Return a made-up raw text of the source of a field."""
    return DERIVATIONS[derived.how].sample
