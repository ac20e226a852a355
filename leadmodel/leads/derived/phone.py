"""Derive the country of a telephone number."""

import re
from importlib.util import find_spec

from leadmodel.errors import InputError
from leadmodel.leads.derived.record import Column, Derived, Proposal
from leadmodel.leads.disclosure import personal_data

__all__ = ["NATIONAL", "propose", "read_country"]

NATIONAL = "not in the number"
"""Value of a number that is written without a country."""

_ABROAD = re.compile(r"\s*(\+|00)")


def propose(column: Column) -> list[Proposal]:
    """Propose the country if the column holds telephone numbers, some with a country."""
    is_phone = personal_data(column.name, column.texts, sum(column.counts)) == "telephone numbers"
    if not is_phone or not any(map(_ABROAD.match, column.texts)) or not find_spec("phonenumbers"):
        return []
    derived = Derived(source=column.name, label=column.label, how="phone country")
    return [Proposal("country", f"{column.label} country", derived)]


def read_country(text: str, derived: Derived) -> str | None:
    """Return the two letters of a telephone number's country."""
    # Imported here, because few models need it.
    try:
        import phonenumbers
    except ImportError:
        raise InputError("The country of telephone numbers needs: pip install phonenumbers") from None
    if not any(map(str.isdecimal, text)):
        return None
    if not _ABROAD.match(text):
        return NATIONAL
    try:
        number = phonenumbers.parse(_ABROAD.sub("+", text[:50], count=1))
    except phonenumbers.NumberParseException:
        return None
    # Countries that share a calling code are told apart by the numbers that are in use.
    region = phonenumbers.region_code_for_number(number)
    return region or phonenumbers.region_code_for_country_code(number.country_code or 0)
