"""The world read by time: who was acquired, who bought and who did what between two UTC instants.

Here lives the index that makes "everything of one day" cheap although a person's deeds lie up to the world's horizon after
the acquisition. What a window means (zones, calendars, ends) is the vendors' affair, as is leaving out what lies after now.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from analytics_assets.sandbox.world import Event, Person, Purchase, World


@dataclass(frozen=True)
class _Deeds:
    """What the people acquired on one day did, by UTC day of the deed."""

    purchases: dict[date, list[tuple[Person, Purchase]]] = field(default_factory=lambda: defaultdict(list))
    events: dict[date, list[tuple[Person, Event]]] = field(default_factory=lambda: defaultdict(list))


def _days(start: datetime, end: datetime) -> Iterator[date]:
    """UTC days touched by [start, end)."""
    day = start.astimezone(UTC).date()
    while datetime(day.year, day.month, day.day, tzinfo=UTC) < end:
        yield day
        day += timedelta(days=1)


class Timeline:
    """Windows on a world; every window is [start, end) in timezone-aware instants."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._deeds = lru_cache(maxsize=500)(self._deeds_of)

    def people(self, start: datetime, end: datetime) -> Iterator[Person]:
        """People acquired within the window."""
        for day in _days(max(start, self._beginning()), end):
            yield from (person for person in self.world.people(day) if start <= person.acquired_at < end)

    def purchases(self, start: datetime, end: datetime) -> Iterator[tuple[Person, Purchase]]:
        """Purchases made within the window, by anyone ever acquired."""
        for day in _days(max(start, self._beginning()), end):
            for acquired_on in self._acquired_before(day):
                for person, purchase in self._deeds(acquired_on).purchases.get(day, ()):
                    if start <= purchase.at < end:
                        yield person, purchase

    def events(self, start: datetime, end: datetime) -> Iterator[tuple[Person, Event]]:
        """Events done within the window, by anyone ever acquired."""
        for day in _days(max(start, self._beginning()), end):
            for acquired_on in self._acquired_before(day):
                for person, event in self._deeds(acquired_on).events.get(day, ()):
                    if start <= event.at < end:
                        yield person, event

    def _beginning(self) -> datetime:
        first = self.world.first_day
        return datetime(first.year, first.month, first.day, tzinfo=UTC)

    def _acquired_before(self, day: date) -> Iterator[date]:
        """Days of acquisition whose people can still do something on ``day``."""
        for back in range(self.world.horizon_days + 1, -1, -1):
            acquired_on = day - timedelta(days=back)
            if acquired_on >= self.world.first_day:
                yield acquired_on

    def _deeds_of(self, acquired_on: date) -> _Deeds:
        deeds = _Deeds()
        for person in self.world.people(acquired_on):
            for purchase in person.purchases:
                deeds.purchases[purchase.at.astimezone(UTC).date()].append((person, purchase))
            for event in person.events:
                deeds.events[event.at.astimezone(UTC).date()].append((person, event))
        return deeds
