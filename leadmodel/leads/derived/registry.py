"""The derivations by name: how each reads a raw text, and what each is called."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from leadmodel.leads.derived import email
from leadmodel.leads.derived.record import Column, Derived, How, Proposal

__all__ = ["DERIVATIONS", "PROPOSERS", "Derivation", "sample_of"]


class Derivation(NamedTuple):
    """A derivation.

    Parameters
    ----------
    read : callable
        Takes a raw text and how to derive, and returns a text, a number, or None if it says nothing. It
        raises nothing, takes time in proportion to the text, and never returns all of it.
    is_number : bool
        Whether it returns numbers.
    sample : str
        A made-up raw text.
    description : str
        How it is derived, for the model card.
    """

    read: Callable[[str, Derived], str | float | None]
    is_number: bool
    sample: str
    description: str


_MAIL = "name@example.com"

DERIVATIONS: dict[How, Derivation] = {
    "email domain": Derivation(email.read_domain, False, _MAIL, "what follows the @"),
    "email kind": Derivation(
        email.read_kind,
        False,
        _MAIL,
        "whose host it is: a free provider's, a university's or a company's",
    ),
}

PROPOSERS: Sequence[Callable[[Column], list[Proposal]]] = (email.propose,)
"""In the order in which they are asked; the first that proposes something is taken."""


def sample_of(derived: Derived) -> str:
    """Return a made-up raw text of the source of a field."""
    return DERIVATIONS[derived.how].sample
