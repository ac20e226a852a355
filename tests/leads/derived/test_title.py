import pytest

from leadmodel.leads.derived.record import Column, Derived
from leadmodel.leads.derived.title import (
    AREAS,
    FORMS,
    LEVELS,
    propose,
    propose_form,
    read_area,
    read_form,
    read_level,
)

LEVEL = Derived(source="t", label="T", how="title level", lists=LEVELS)
AREA = Derived(source="t", label="T", how="title area", lists=AREAS)
FORM = Derived(source="c", label="C", how="company form", lists=FORMS)


@pytest.mark.parametrize(
    ("text", "level", "area"),
    [
        ("CEO & Founder", "C-level", "no known area"),
        ("Vice President, Sales", "vice president", "sales"),
        ("Senior VP Marketing", "vice president", "marketing"),
        ("Head of IT", "director", "engineering or IT"),
        ("Executive Assistant to the CEO", "junior", "no known area"),
        ("Marketing-Managerin", "manager", "marketing"),
        ("Vertriebsleiter", "director", "sales"),
        ("Geschäftsführerin", "C-level", "no known area"),
        ("Directeur des ressources humaines", "director", "human resources"),
        ("Gerente de ventas", "manager", "sales"),
        ("Praktikant Buchhaltung", "intern or student", "finance"),
        ("Senior Software Engineer", "senior", "engineering or IT"),
        ("Digital Nomad", "no known level", "no known area"),
    ],
)
def test_level_and_area_of_a_title(text: str, level: str, area: str) -> None:
    assert (read_level(text, LEVEL), read_area(text, AREA)) == (level, area)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Acme Inc.", "Inc., Corp. or LLC"),
        ("Müller GmbH & Co. KG", "GmbH, AG or KG"),
        ("Fiat S.p.A.", "S.p.A. or S.r.l."),
        ("Incredible Agents", "no known form"),
    ],
)
def test_legal_form_of_a_company(text: str, form: str) -> None:
    assert read_form(text, FORM) == form


def test_titles_and_companies_are_known_by_name_and_content() -> None:
    def column(name: str, text: str) -> Column:
        return Column(name, name, [f"{text} {n}" for n in range(30)], [1] * 30, [0] * 30)

    assert len(propose(column("Job title", "Manager"))) == 2
    assert propose(column("Job title", "Zz")) == propose(column("city", "Manager")) == []
    assert len(propose_form(column("Company", "Zz GmbH"))) == 1
    assert propose_form(column("Company", "Zz")) == propose_form(column("city", "Zz GmbH")) == []
