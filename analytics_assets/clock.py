"""The real clock, in one place.

Everything else takes a `Clock` as an argument, so that tests and simulations can hold time still.
"""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)
