"""Amounts of money as people write them."""

import pytest

from leadmodel.amounts.read import Ambiguous, decimal_mark, read_money


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1.234,50 €", "€ 99", "12,5"], [1234.5, 99, 12.5]),
        (["$1,234.50", "$7"], [1234.5, 7]),
        (["$1,234", "$999"], [1234, 999]),
        (["1.234.567", "1.234"], [1234567, 1234]),
        (["12.345", "7.5"], [12.345, 7.5]),
        (["12,34,567.5"], [1234567.5]),
        (["1 234,50 kr", "7 kr"], [1234.5, 7]),
        (["1\u202f234,50"], [1234.5]),
        (["CHF 1'234.50"], [1234.5]),
        (["0,500"], [0.5]),
        (["Rs.500", "Rs. 1,500"], [500, 1500]),
        (["5,-", "7"], [5, 7]),
        (["5.–"], [5]),
        (["R$ 5", ".5"], [5, 0.5]),
    ],
)
def test_amounts_are_read_as_their_column_writes_them(texts: list[str], numbers: list[float]) -> None:
    written = [read_money(text) for text in texts]
    mark = decimal_mark(written)
    assert [one.number(mark) for one in written] == numbers


@pytest.mark.parametrize("text", ["-5", "5-", "(5)", "-$5", "$-5", "\u22125"])
def test_a_minus_is_seen_wherever_it_stands(text: str) -> None:
    one = read_money(text)
    assert (one.is_negative, one.digits) == (True, "5")


@pytest.mark.parametrize("text", ["5k", "1.2 mio", "abc", "", "12 34", "€", "5 of 10", "nan", "1e999x"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no (amount|currency)"):
        read_money(text)


@pytest.mark.parametrize(("digits", "mark"), [("1,5,2", "."), ("1.234.5", ","), ("1.2.3", ",")])
def test_digits_in_odd_groups_are_refused(digits: str, mark: str) -> None:
    with pytest.raises(ValueError, match="no amount"):
        read_money(digits).number(mark)


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (["1,234.5", "1.234,5"], "'1,234.5' has a decimal point, and '1.234,5' a decimal comma"),
        (["€1.234", "€5"], "the point in '1.234' may set apart decimals or thousands"),
        (["1.234", "1,234"], "the point in '1.234' may set apart decimals or thousands"),
    ],
    ids=["both", "a point beside a sign", "points and commas"],
)
def test_what_can_be_read_in_two_ways_is_refused(texts: list[str], why: str) -> None:
    with pytest.raises(Ambiguous, match=why):
        decimal_mark([read_money(text) for text in texts])
