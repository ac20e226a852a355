import time
from typing import get_args

import pytest
from pydantic import ValidationError

from leadmodel.leads.derived.record import MAX_TEXT, NUMBERS, PAIRS, Derived, How
from leadmodel.leads.derived.registry import DERIVATIONS
from leadmodel.leads.field import Field


def derived(how: How) -> Derived:
    return Derived(source="s", label="S", how=how, argument="price", other="o" if how in PAIRS else None)


def test_every_derivation_is_registered() -> None:
    assert set(DERIVATIONS) == set(get_args(How)) >= NUMBERS | PAIRS


@pytest.mark.parametrize("how", [how for how in DERIVATIONS if how != "phone country"])
@pytest.mark.parametrize("part", ["a", "@", ".", "a@", "a.", "/", " ", "1", "-1", "<a@b.c>", "ß", "?a=1&"])
def test_no_text_is_too_odd_or_too_long(how: How, part: str) -> None:
    text = (part * MAX_TEXT)[:MAX_TEXT]
    others = [text] if how in PAIRS else []
    started = time.process_time()
    value = DERIVATIONS[how].read(text, derived(how), *others)
    assert value is None or isinstance(value, float) == (how in NUMBERS)
    assert time.process_time() - started < 5  # what backtracks without end would take years


def test_a_field_must_be_what_its_derivation_gives() -> None:
    for how in DERIVATIONS:
        assert Field(name="n", kind=derived(how).kind, label="N", derived=derived(how))
        other = "numeric" if derived(how).kind == "categorical" else "categorical"
        with pytest.raises(ValidationError, match=f"what is derived as '{how}' is {derived(how).kind}"):
            Field(name="n", kind=other, label="N", derived=derived(how))


def test_a_derivation_takes_its_number_of_columns() -> None:
    with pytest.raises(ValidationError, match="the derivation 'email website' takes 2 columns"):
        Derived(source="s", label="S", how="email website")
    with pytest.raises(ValidationError, match="the derivation 'email kind' takes 1 columns"):
        Derived(source="s", label="S", how="email kind", other="o")
