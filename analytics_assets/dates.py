"""Runs of adjacent days: how days are grouped into requests, runs and messages."""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo


def days_between(first: date, last: date) -> list[date]:
    """The days from the first to the last, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def hours_after(day: date, hours: float, zone: tzinfo = UTC) -> datetime:
    """The instant that many hours after the end of a day in a zone, in UTC: when a vendor's day is final."""
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC) + timedelta(hours=hours)


def spans(days: Collection[date], *, longest: int) -> Iterable[list[date]]:
    """Runs of adjacent days, oldest first, none longer than `longest`."""
    span: list[date] = []
    for day in sorted(days):
        if span and (day - span[-1] != timedelta(days=1) or len(span) == longest):
            yield span
            span = []
        span.append(day)
    if span:
        yield span


def in_words(days: Collection[date]) -> str:
    """Days for people: `2026-03-01 to 2026-03-04, 2026-03-09`."""
    return ", ".join(
        str(span[0]) if len(span) == 1 else f"{span[0]} to {span[-1]}"
        for span in spans(days, longest=max(1, len(days)))
    )
