"""Days and names as pictures spread them: which days are read, and which few names are shown by themselves.

Keep looks out of here (`canvas.py`), and tables too (a source's `pictures.py`).
"""

from collections.abc import Mapping
from datetime import date, timedelta

NAMED = 8


def days_to(last: date, count: int) -> list[date]:
    """So many days, the last one given, oldest first."""
    return [last - timedelta(days=back) for back in range(count - 1, -1, -1)]


def foremost(weights: Mapping[str, float]) -> tuple[list[str], list[str]]:
    """The names that are shown by themselves, heaviest first and at most `NAMED`, and the rest; equal ones by name."""
    ordered = sorted(weights, key=lambda name: (-weights[name], name))
    return ordered[:NAMED], ordered[NAMED:]
