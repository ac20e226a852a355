"""Format numbers for people: every page, card, report and message writes them the same way."""

__all__ = ["format_number", "format_percent"]


def format_number(number: float) -> str:
    """Format a number with about four significant digits and a comma between thousands.

    >>> format_number(12345.6), format_number(0.123456), format_number(3.0)
    ('12,346', '0.1235', '3')
    """
    # The format g would turn to an exponent from 10,000 on.
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"


def format_percent(share: float) -> str:
    """Format a share in percent, with a decimal where it would otherwise round to few percent.

    >>> format_percent(0.3), format_percent(0.014), format_percent(0)
    ('30%', '1.4%', '0%')
    """
    # From 9.95 % on one decimal would show 10.0%.
    return f"{share:.1%}" if 0 < share < 0.0995 else f"{share:.0%}"
