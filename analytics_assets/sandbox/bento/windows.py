"""How the simulated Bento reads ``start_date`` and ``end_date`` of ``/stats/ads``, and where the points of its chart begin.

Here live the natural words of Bento's stats page and ISO dates with or without a time of day. No page says which zone counts,
whether the end is taken in, whether ISO dates are read at all and what a date without a time means: all four are options, and
so is the length of a point. What is counted inside the window is in ``bento_ads``.
"""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from analytics_assets.sandbox.endpoints import plain_date

EndRule = Literal["exclusive", "inclusive"]
Dates = Literal["midnight", "noon", "words"]

_AGO: Final = re.compile(r"(\d{1,4}) (day|week|month|year)s? ago")
_ISO: Final = re.compile(r"([0-9-]+)(?: ([0-9]{2}:[0-9]{2}))?")
_HOUR_S: Final = 3_600


class UnreadableDateError(ValueError):
    """A start or end that is no date; ``field`` is the parameter's name."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} could not be parsed")
        self.field = field


@dataclass(frozen=True)
class Window:
    """[start, end) in UTC; empty when end is not after start."""

    start: datetime
    end: datetime


def months_before(day: date, months: int) -> date:
    """The same day ``months`` earlier, or the last day of that month where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _named_day(text: str, today: date) -> date:
    """The day that the page's words mean; raises ValueError for anything else."""
    if text in {"today", "yesterday"}:
        return today - timedelta(days=text == "yesterday")
    text = re.sub(r"^last (week|month|year)$", r"1 \1 ago", text)
    if not (ago := _AGO.fullmatch(text)):
        raise ValueError(text)
    count, unit = int(ago[1]), ago[2]
    back: dict[str, Callable[[], date]] = {
        "day": lambda: today - timedelta(days=count),
        "week": lambda: today - timedelta(weeks=count),
        "month": lambda: months_before(today, count),
        "year": lambda: months_before(today, 12 * count),
    }
    return back[unit]()


def _clock_time(words: str, today: date, dates: Dates) -> datetime:
    """Date and time of day, without zone, that a parameter means; raises ValueError for what cannot be read."""
    text = " ".join(words.lower().split())
    if dates == "words" or not (iso := _ISO.fullmatch(text)):
        return datetime.combine(_named_day(text, today), time())
    usual = time(12) if dates == "noon" else time()
    return datetime.combine(plain_date(iso[1]), time.fromisoformat(iso[2]) if iso[2] else usual)


def read_window(
    start: str, end: str, *, now: datetime, zone: str, end_rule: EndRule, dates: Dates = "midnight"
) -> Window:
    """The window two parameters mean at ``now``; blank end is now, blank start 30 days before the end.

    Words mean the midnight in ``zone`` at which their day begins. An ISO date means that midnight too, or with ``noon`` the
    noon after it; a time of day after the date, such as ``2026-03-01 00:00``, is taken as it stands. With ``words`` ISO dates
    are not read. With ``exclusive`` the end is the instant its text means, with ``inclusive`` the midnight after that
    instant's day. The word ``now`` is the instant itself. Never reaches past ``now``.

    Raises:
        UnreadableDateError: A parameter cannot be read.
    """
    tz = ZoneInfo(zone)
    today = now.astimezone(tz).date()

    def instant(field: str, words: str, rule: EndRule) -> datetime:
        if words.strip().lower() == "now":
            return now
        try:
            at = _clock_time(words, today, dates)
            if rule == "inclusive":
                at = datetime.combine(at.date() + timedelta(days=1), time())
        except (ValueError, OverflowError) as error:
            raise UnreadableDateError(field) from error
        return at.replace(tzinfo=tz).astimezone(UTC)

    until = min(instant("end_date", end, end_rule), now) if end.strip() else now
    since = instant("start_date", start, "exclusive") if start.strip() else until - timedelta(days=30)
    return Window(since, until)


def bucket_start(window: Window, *, zone: str, buckets: Literal["hourly", "daily"]) -> Callable[[datetime], int]:
    """A function that gives the point an instant of the window belongs to, as epoch seconds of the point's start.

    An ``hourly`` point begins full hours after the window does, a ``daily`` one at midnight in ``zone``.
    """
    tz, first = ZoneInfo(zone), int(window.start.timestamp())

    def hour(at: datetime) -> int:
        return first + (int(at.timestamp()) - first) // _HOUR_S * _HOUR_S

    def day(at: datetime) -> int:
        return int(datetime.combine(at.astimezone(tz).date(), time(), tz).timestamp())

    return hour if buckets == "hourly" else day
