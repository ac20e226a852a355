from importlib.util import find_spec

import pytest

from leadmodel.leads.derived.phone import NATIONAL, propose, read_country
from leadmodel.leads.derived.record import Column, Derived

DERIVED = Derived(source="phone", label="Phone", how="phone country")
needs_phonenumbers = pytest.mark.skipif(not find_spec("phonenumbers"), reason="no phonenumbers")


@needs_phonenumbers
@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("+49 30 1234567", "DE"),
        ("0049301234567", "DE"),
        ("+1 202 555 0123", "US"),
        ("+1 416 555 0123", "CA"),
        ("030 1234567", NATIONAL),
        ("+999 1", None),
        ("+" + "9" * 5000, None),
        ("none", None),
    ],
)
def test_country_of_a_number(text: str, country: str | None) -> None:
    assert read_country(text, DERIVED) == country


@needs_phonenumbers
def test_numbers_without_any_country_are_not_proposed() -> None:
    def column(start: str) -> Column:
        texts = [f"{start} {number} 456" for number in range(100, 200)]
        return Column("phone", "Phone", texts, [1] * 100, [0] * 100)

    assert [one.label for one in propose(column("+44 20 5432"))] == ["Phone country"]
    assert propose(column("020 5432")) == []
