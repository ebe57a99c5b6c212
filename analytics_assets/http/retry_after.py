"""Seconds to wait, from any form of a Retry-After header. No form may lead to a wait without bound.

RFC 9110 has seconds and an HTTP date (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after). Services also send instants as seconds,
milliseconds or smaller units since 1970, and ISO 8601 dates.
"""

import email.utils
import re
from datetime import UTC, datetime

# Longest pause that a Retry-After leads to, unless an account's `budget` sets another. Bento's window is an hour, the longest of the vendors'.
LONGEST_PAUSE_S = 3600.0
_SECONDS = re.compile(r"\+?([0-9]+(?:\.[0-9]+)?)\s*s?", re.ASCII)
# As a wait this is 31 years, as an instant it is in 2001: such a number is an instant.
_FIRST_INSTANT = 1e9
# As seconds since 1970 this is the year 5138: such a number has a smaller unit.
_LAST_IN_SECONDS = 1e11
_LARGEST = 1e20


def retry_after_s(value: str | None, now: datetime, *, longest_s: float = LONGEST_PAUSE_S) -> float | None:
    """Seconds from `now` until the instant that the header names, from 0 to `longest_s`; None if it names none.

    Args:
        value: The header.
        now: The present instant, by the clock of whoever sent the header if that is known.
        longest_s: The longest wait.
    """
    text = (value or "").strip()
    number = _SECONDS.fullmatch(text)
    if number is not None:
        seconds = _seconds(float(number[1]), now)
    elif (until := instant_of(text) or _iso_instant(text)) is not None:
        seconds = (until - now).total_seconds()
    else:
        return None
    return min(max(0.0, seconds), longest_s)


def instant_of(value: str | None) -> datetime | None:
    """The instant an HTTP date names, or None."""
    try:
        instant = email.utils.parsedate_to_datetime(value or "")
    except (ValueError, TypeError, OverflowError):
        return None
    # An HTTP date is GMT, whether it says so or not.
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _seconds(number: float, now: datetime) -> float:
    """A number as a wait: an instant since 1970 where it is too large for seconds to wait."""
    if number < _FIRST_INSTANT or number > _LARGEST:
        return number
    while number >= _LAST_IN_SECONDS:
        number /= 1000
    return number - now.timestamp()


def _iso_instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
