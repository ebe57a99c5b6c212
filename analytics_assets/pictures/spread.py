"""Days and names as pictures spread them: which days are read, and which few names are shown by themselves.

Keep looks out of here (`canvas.py`), and tables too (a source's `pictures.py`).
"""

from collections.abc import Collection, Mapping
from datetime import date, timedelta

from analytics_assets.spans import days_between

NAMED = 8
_WEEK = 7


def days_to(last: date, most: int, *, standing: Collection[date]) -> list[date]:
    """The days up to `last`, oldest first: `most` of them, or only those from the first that stands, but a week at least.

    Days before the first were never wanted, and a young table would drown in them.
    """
    days = days_between(last - timedelta(days=most - 1), last)
    before = next((number for number, day in enumerate(days) if day in standing), most)
    return days[min(before, most - _WEEK) :]


def foremost(weights: Mapping[str, float]) -> tuple[list[str], list[str]]:
    """The names that are shown by themselves, heaviest first and at most `NAMED`, and the rest; equal ones by name."""
    ordered = sorted(weights, key=lambda name: (-weights[name], name))
    return ordered[:NAMED], ordered[NAMED:]
