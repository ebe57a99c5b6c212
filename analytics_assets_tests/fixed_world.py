"""A world for the sandbox that holds what a test has worked out by hand. Keep the people and the numbers in the tests."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date

from analytics_assets.sandbox.seeded_people import FIRST_DAY
from analytics_assets.sandbox.world import Person


class FixedWorld:
    """A world of given people and given spend, for numbers worked out by hand."""

    def __init__(
        self,
        people: Iterable[Person],
        spend: Mapping[tuple[date, str, str], int] | None = None,
        first_day: date = FIRST_DAY,
    ) -> None:
        by_day: dict[date, list[Person]] = defaultdict(list)
        for person in sorted(people, key=lambda one: one.acquired_at):
            by_day[person.acquired_at.astimezone(UTC).date()].append(person)
        self._by_day = dict(by_day)
        self._spend = dict(spend or {})
        self.first_day = first_day
        everyone = [person for day in self._by_day.values() for person in day]
        deeds = [(person, purchase.at) for person in everyone for purchase in person.purchases]
        deeds += [(person, event.at) for person in everyone for event in person.events]
        self.horizon_days = max(((at - person.acquired_at).days + 1 for person, at in deeds), default=0)
        self._events = tuple(dict.fromkeys(event.name for person in everyone for event in person.events))

    def people(self, acquired_on: date) -> Sequence[Person]:
        """People acquired on a UTC day, by instant."""
        return self._by_day.get(acquired_on, [])

    def person_ids(self, acquired_on: date) -> Sequence[str]:
        """Ids of ``people``."""
        return [person.id for person in self.people(acquired_on)]

    def spend_cents(self, day: date, channel: str, campaign: str) -> int:
        """Cents spent as given, 0 otherwise."""
        return self._spend.get((day, channel, campaign), 0)

    def paid_campaigns(self) -> Sequence[tuple[str, str]]:
        """The pairs named in the given spend."""
        return sorted({(channel, campaign) for _, channel, campaign in self._spend})

    def event_names(self) -> Sequence[str]:
        """Names of the given people's events."""
        return self._events
