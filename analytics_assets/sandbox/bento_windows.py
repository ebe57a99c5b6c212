"""How the simulated Bento reads ``start_date`` and ``end_date`` of ``/stats/ads``.

Here live the natural words of Bento's stats page and ISO dates, read in a zone that is an option, because no page says which
zone counts or whether the end is taken in. What is counted inside the window is in ``bento``.
"""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from analytics_assets.sandbox.endpoints import plain_date

_AGO: Final = re.compile(r"(\d{1,4}) (day|week|month|year)s? ago")


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


def _named_day(words: str, today: date) -> date:
    """The day that words or an ISO date mean; raises ValueError for anything else."""
    text = " ".join(words.lower().split())
    if text in {"today", "yesterday"}:
        return today - timedelta(days=text == "yesterday")
    text = re.sub(r"^last (week|month|year)$", r"1 \1 ago", text)
    if ago := _AGO.fullmatch(text):
        count, unit = int(ago[1]), ago[2]
        back: dict[str, Callable[[], date]] = {
            "day": lambda: today - timedelta(days=count),
            "week": lambda: today - timedelta(weeks=count),
            "month": lambda: months_before(today, count),
            "year": lambda: months_before(today, 12 * count),
        }
        return back[unit]()
    return plain_date(text)


def read_window(
    start: str, end: str, *, now: datetime, zone: str, end_rule: Literal["exclusive", "inclusive"]
) -> Window:
    """The window two parameters mean at ``now``; blank end is now, blank start 30 days before the end.

    Days begin at midnight in ``zone``. With ``exclusive`` the end is the end day's midnight, with ``inclusive`` the midnight
    after it. The word ``now`` is the instant itself. Never reaches past ``now``.

    Raises:
        UnreadableDateError: A parameter is neither natural words of the page nor YYYY-MM-DD.
    """
    tz = ZoneInfo(zone)
    today = now.astimezone(tz).date()

    def instant(field: str, words: str, extra_days: int) -> datetime:
        if words.strip().lower() == "now":
            return now
        try:
            day = _named_day(words, today) + timedelta(days=extra_days)
        except (ValueError, OverflowError) as error:
            raise UnreadableDateError(field) from error
        return datetime.combine(day, time(), tz).astimezone(UTC)

    until = min(instant("end_date", end, int(end_rule == "inclusive")), now) if end.strip() else now
    since = instant("start_date", start, 0) if start.strip() else until - timedelta(days=30)
    return Window(since, until)
