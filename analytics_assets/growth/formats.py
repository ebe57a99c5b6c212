"""Figures of the growth page as text. What is unknown is a dash, never zero."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

UNKNOWN: Final = "\N{EN DASH}"
_LARGE: Final = ((1e9, "B"), (1e6, "M"))
# From here on decimals tell nothing.
_WHOLE: Final = 1000
_MINUS: Final = "\N{MINUS SIGN}"


def level_name(row: Mapping[str, Any]) -> str:
    """Name of a row of channels or of several together."""
    return (row["channel"] or "no name", "Channels with spend", "All channels")[row["level"]]


def number(value: float | Decimal | None, decimals: int = 0) -> str:
    """A number with thousands separated, large ones in millions or billions; a dash where it is unknown."""
    if value is None:
        return UNKNOWN
    amount = float(value)
    for unit, letter in _LARGE:
        if abs(amount) >= unit:
            return _minus(f"{amount / unit:,.2f}{letter}")
    return _minus(f"{amount:,.{decimals if abs(amount) < _WHOLE else 0}f}")


def percent(value: float | None) -> str:
    """A share in percent, with a decimal below 10 %."""
    if value is None:
        return UNKNOWN
    return _minus(f"{100 * value:,.{0 if abs(value) >= 0.0995 else 1}f}%")  # noqa: PLR2004 - 9.95 % is written as 10 %


def change(value: float | None) -> str:
    """A change in percent, with its direction; a dash where it is unknown."""
    if value is None:
        return UNKNOWN
    text = f"{100 * abs(value):,.0f}%"
    return f"{_arrow(value, text == '0%')} {text}"


def points_of_percent(value: float | None) -> str:
    """A difference of two shares in points, with its direction; a dash where it is unknown."""
    if value is None:
        return UNKNOWN
    text = f"{100 * abs(value):,.1f}"
    return f"{_arrow(value, text == '0.0')} {text}"


def _arrow(value: float, is_level: bool) -> str:
    return "=" if is_level else "▲" if value > 0 else "▼"


def _minus(text: str) -> str:
    return text.replace("-", _MINUS)


def week_in_words(first: date) -> str:
    """The dates of a week, such as 23 to 29 November 2026."""
    last = first + timedelta(days=6)
    if first.year != last.year:
        return f"{day_in_words(first)} to {day_in_words(last)}"
    month = "" if first.month == last.month else f" {first:%B}"
    return f"{first.day}{month} to {day_in_words(last)}"


def day_in_words(day: date) -> str:
    """A date, such as 29 November 2026."""
    return f"{day.day} {day:%B %Y}"


def markdown_text(name: str) -> str:
    """A vendor's name as text of a Markdown table."""
    return "".join(f"&#{ord(letter)};" if letter in r"\|*_`[]<>&#~!" else letter for letter in " ".join(name.split()))
