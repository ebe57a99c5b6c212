"""A day's numbers of the simulated Statsig metrics.

Here live the fixed GMT-8 day, when its numbers are ready, and one value per formula. The definitions are in
``statsig_catalogue``, the two spellings of a row and the paging in ``statsig``. All unit types of a metric have the same
number, because every person of the world has one user id and one device.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from math import fsum
from typing import Final

from analytics_assets.sandbox.statsig.catalogue import SandboxMetric
from analytics_assets.sandbox.timeline import Timeline

UNIT_TYPES: Final = ("overall", "userID", "stableID")
_GMT_MINUS_8: Final = timedelta(hours=8)
_READY: Final = timedelta(days=1, hours=17)


@dataclass(frozen=True)
class SeededValue:
    """One metric on one day; numerator and denominator are None for all but ratios."""

    metric: SandboxMetric
    value: float
    numerator: float | None
    denominator: float | None
    rows: int


@dataclass
class _Activity:
    """What happened on one day, by event name."""

    counts: Counter[str] = field(default_factory=Counter)
    users: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def _plain(number: float) -> float:
    """A whole number as int, others to six places."""
    rounded = round(number, 6)
    return int(rounded) if rounded == int(rounded) else rounded


class Days:
    """Readings of whole days."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        # Complete days never change in this world; a page of a long day must not cost the whole day again.
        self._activity = lru_cache(maxsize=64)(self._activity_of)

    def is_ready(self, day: date, now: datetime) -> bool:
        """From 17:00 UTC (9:00 at GMT-8) of the following day on; days before the world began never are."""
        return day >= self._timeline.world.first_day and now >= datetime.combine(day, time(), UTC) + _READY

    def readings(self, day: date, metrics: list[SandboxMetric]) -> list[SeededValue]:
        """Readings of the metrics that existed by the end of the day, in the order given."""
        end = datetime.combine(day, time(), UTC) + _GMT_MINUS_8 + timedelta(days=1)
        activity = self._activity(day)
        return [_reading(metric, activity) for metric in metrics if metric.created_at < end]

    def _activity_of(self, day: date) -> _Activity:
        start = datetime.combine(day, time(), UTC) + _GMT_MINUS_8
        activity = _Activity()
        for person, event in self._timeline.events(start, start + timedelta(days=1)):
            activity.counts[event.name] += 1
            activity.users[event.name].add(person.id)
            if event.value is not None:
                activity.values[event.name].append(event.value)
        return activity


def _reading(metric: SandboxMetric, activity: _Activity) -> SeededValue:
    first, last = metric.events[0], metric.events[-1]
    rows = sum(activity.counts[event] for event in metric.events)
    numbers = activity.values.get(first, [])
    if metric.formula == "ratio":
        over, under = activity.counts[first], activity.counts[last]
        return SeededValue(metric, _plain(over / under) if under else 0, over, under, rows)
    if metric.formula == "funnel":
        entered = activity.users.get(first, set())
        passed = entered.intersection(*(activity.users.get(event, set()) for event in metric.events))
        return SeededValue(metric, _plain(len(passed) / len(entered)) if entered else 0, None, None, rows)
    value = {
        "count": float(activity.counts[first]),
        "users": float(len(activity.users.get(first, ()))),
        "sum": fsum(numbers),
        "mean": fsum(numbers) / len(numbers) if numbers else 0.0,
    }[metric.formula]
    return SeededValue(metric, _plain(value), None, None, rows)
