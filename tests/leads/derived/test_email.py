import pytest

from leadmodel.leads.derived.email import KINDS, propose, read_domain, read_kind, read_match
from leadmodel.leads.derived.record import Column, Derived

DERIVED = Derived(source="mail", label="Mail", how="email kind", lists=KINDS)


@pytest.mark.parametrize(
    ("text", "domain", "kind"),
    [
        ("Ann@GMail.com", "gmail.com", "a free provider's"),
        ("Ann Lee <ann@yahoo.co.uk>", "yahoo.co.uk", "a free provider's"),
        ("a.b@cs.stanford.edu", "cs.stanford.edu", "a university's"),
        ("a@ox.ac.uk", "ox.ac.uk", "a university's"),
        ("a@uni-koeln.de", "uni-koeln.de", "a university's"),
        ("a@acme.io", "acme.io", "a company's"),
        ("a@notgmail.com", "notgmail.com", "a company's"),
        ("no address", None, None),
        ("@", None, None),
    ],
)
def test_host_and_kind_of_an_address(text: str, domain: str | None, kind: str | None) -> None:
    assert (read_domain(text, DERIVED), read_kind(text, DERIVED)) == (domain, kind)


def test_a_kind_is_read_by_the_lists_that_the_model_was_saved_with() -> None:
    derived = Derived(source="m", label="M", how="email kind", lists={"a free provider's": (".acme.io.",)})
    assert read_kind("a@acme.io", derived) == "a free provider's"
    assert read_kind("a@gmail.com", derived) == "a company's"


def test_only_columns_of_addresses_are_proposed() -> None:
    addresses = [f"a{n}@b.example" for n in range(8)]
    assert len(propose(Column("m", "M", addresses, [1] * 8, [0] * 8))) == 2
    assert propose(Column("m", "M", [*addresses, *"abcdefgh"], [1] * 16, [0] * 16)) == []
    assert propose(Column("m", "M", [], [], [])) == []


@pytest.mark.parametrize(
    ("text", "website", "match"),
    [
        ("a@acme.io", "https://www.acme.io/jobs", "found"),
        ("a@acme.io", "shop.acme.io", "found"),
        ("a@mail.acme.io", "acme.io", "found"),
        ("a@gmail.com", "acme.io", "not found"),
        ("a@me.io", "acme.io", "not found"),
        ("a@acme.io", None, None),
        ("nobody", "acme.io", None),
    ],
)
def test_an_address_matches_the_website_of_its_host(
    text: str, website: str | None, match: str | None
) -> None:
    derived = Derived(source="m", label="M", how="email website", other="w", other_label="W")
    assert read_match(text, derived, website) == match
