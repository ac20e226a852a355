import pytest

from leadmodel.leads.values.numbers import is_gap, read_quantity, read_text
from leadmodel.leads.values.units import find_unit


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("$1,234.56", 1234.56, "$"),
        ("1,234.56 $", 1234.56, "$"),
        ("-$5", -5, "$"),
        ("($1,234.50)", -1234.5, "$"),
        ("USD 1200", 1200, "$"),
        ("CHF 1'234.50", 1234.5, "CHF"),
        ("A$5", 5, "AUD"),
        ("Rs. 500", 500, "₹"),
        ("44%", 44, "%"),
        ("12.3k", 12_300, None),
        ("1.2M", 1_200_000, None),
        ("$1.2m", 1_200_000, "$"),
        ("3 Mio. €", 3_000_000, "€"),
        ("1\u202f234.5", 1234.5, None),
        ("2 years", 2, "years"),
        ("90 mins", 90, "min"),
        ("3:45 min", 3.75, "min"),
        ("1:30 h", 1.5, "h"),
        ("2h 30m", 2.5, "h"),
        ("1y 6m", 1.5, "years"),
        ("2 years 3 months", 2.25, "years"),
        ("12 employees", 12, "employees"),
        ("15kg", 15, "kg"),
        ("10-50", 30, None),
        ("10 – 20 %", 15, "%"),
        ("10-50k", 30_000, None),
        ("500-1k", 750, None),
        ("$10k to $50k", 30_000, "$"),
        ("1,000+", 1000, None),
        ("10+ years", 10, "years"),
        ("> 1000", 1000, None),
        ("under 5", 2.5, None),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, number: float, unit: str | None) -> None:
    quantity = read_quantity(text)
    assert quantity is not None
    assert quantity.number == pytest.approx(number)
    assert (quantity.unit and quantity.unit.name) == unit


@pytest.mark.parametrize(
    ("text", "number"),
    [("€1.234,56", 1234.56), ("1.234,56 €", 1234.56), ("12,3 %", 12.3), ("1,5 Std.", 1.5)],
)
def test_a_comma_can_mark_decimals(text: str, number: float) -> None:
    quantity = read_quantity(text, decimal_comma=True)
    assert quantity is not None
    assert quantity.number == pytest.approx(number)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "007",
            "01234",
            "1.2.3",
            "192.168.1.1",
            "2024-01-03",
            "10/12",
            "12:30",
            "12:30 pm",
            "5 pm",
            "1st",
        ),
        *(
            "A10",
            "5G",
            "4g",
            "10D",
            "2B",
            "1001AB",
            "AB 12",
            "#5",
            "v1.2",
            "3x",
            "Q1 2024",
            "2024 Q1",
            "24/7",
        ),
        *(
            "2-1",
            "5-5",
            "12345-6789",
            "+49 171 1234567",
            "Room 5",
            "12 12",
            "12,3 %",
            "",
            "-",
            "x" * 10_000,
        ),
        "1" * 10_000,
    ],
    ids=lambda text: text[:20],
)
def test_codes_dates_and_scores_are_no_numbers(text: str) -> None:
    assert read_quantity(text) is None


def test_a_unit_is_known_by_its_own_name() -> None:
    for text in ("5 $", "5 €", "5 chf", "5 AUD", "5 zł", "5 kr", "5 %", "5 mins", "5 year", "5 employees"):
        quantity = read_quantity(text)
        assert quantity is not None
        assert quantity.unit is not None
        assert find_unit(quantity.unit.name) == quantity.unit


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [("2 h", "min", 120), ("18 months", "years", 1.5), ("90", "min", 90), ("1 visit", "visits", 1)],
)
def test_numbers_are_converted_to_the_unit_of_the_column(text: str, unit: str, number: float) -> None:
    assert read_text(text, False, find_unit(unit), has_units=True) == pytest.approx(number)


def test_what_is_of_another_unit_is_no_number() -> None:
    assert read_text("5 kg", False, find_unit("min"), has_units=True) is None
    assert read_text("5 €", False, find_unit("$"), has_units=True) is None
    assert read_text("5 €", False, None, has_units=False) is None


def test_texts_that_mean_no_answer_are_gaps() -> None:
    for text in ("N/A", " n/a ", "-", "null", "NULL", "Unknown", "?", "not  available", "#N/A", "nan"):
        assert is_gap(text), text
    assert not any(map(is_gap, ["0", "no", "NA 5", "many"]))
