"""One synthetic business behind all three vendors, so that figures agree across sources.

Here live the worlds: who was acquired on which day and what was spent on campaigns. No HTTP, no clock and no vendor's shape:
the vendors leave out what lies after their clock and count in their own zones. A seeded world draws each day from its seed. The
records are in ``people`` and are handed on here.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random
from typing import Protocol

from analytics_assets.sandbox.people import Event, Person, Purchase, converted_cents
from analytics_assets.sandbox.seeded_people import (
    CAMPAIGNS,
    CURRENCY,
    EVENT_NAMES,
    FIRST_DAY,
    HORIZON_DAYS,
    headcount,
    people_of_day,
)

__all__ = [
    "CURRENCY",
    "Event",
    "Person",
    "Purchase",
    "SeededWorld",
    "StoppedWorld",
    "World",
    "converted_cents",
]


class World(Protocol):
    """What the vendors need to know about the business."""

    @property
    def first_day(self) -> date:
        """Nobody was acquired before this UTC day."""

    @property
    def horizon_days(self) -> int:
        """Nothing happens to a person later than this many days after the acquisition."""

    def people(self, acquired_on: date) -> Sequence[Person]:
        """People acquired on a UTC day, by instant."""

    def person_ids(self, acquired_on: date) -> Sequence[str]:
        """Ids of ``people``, without the cost of making them."""

    def spend_cents(self, day: date, channel: str, campaign: str) -> int:
        """Cents of `CURRENCY` spent on a campaign on a day of the app's zone; 0 where nothing was."""

    def paid_campaigns(self) -> Sequence[tuple[str, str]]:
        """The (channel, campaign) pairs on which money is spent on any day."""

    def event_names(self) -> Sequence[str]:
        """Names of all events that people do."""


class SeededWorld:
    """The default world: 30 to 80 people a day with a weekly rhythm and slow growth, from 2023-01-01 on."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.first_day = FIRST_DAY
        self.horizon_days = HORIZON_DAYS

    def people(self, acquired_on: date) -> Sequence[Person]:
        """People acquired on a UTC day, by instant."""
        return people_of_day(self._seed, acquired_on) if acquired_on >= FIRST_DAY else ()

    def person_ids(self, acquired_on: date) -> Sequence[str]:
        """Ids of ``people``, counted without making them."""
        count = headcount(self._seed, acquired_on) if acquired_on >= FIRST_DAY else 0
        return [f"u{acquired_on:%Y%m%d}-{number:03d}" for number in range(count)]

    def spend_cents(self, day: date, channel: str, campaign: str) -> int:
        """Cents within 40 % of the campaign's usual day."""
        usual = {(one.channel, one.campaign): one.daily_cents for one in CAMPAIGNS}.get((channel, campaign), 0)
        if day < FIRST_DAY or not usual:
            return 0
        return round(usual * Random(f"{self._seed}:{day}:spend:{channel}:{campaign}").uniform(0.6, 1.4))

    def paid_campaigns(self) -> Sequence[tuple[str, str]]:
        """The campaigns that cost money."""
        return [(one.channel, one.campaign) for one in CAMPAIGNS if one.daily_cents]

    def event_names(self) -> Sequence[str]:
        """All event names of the seeded business."""
        return EVENT_NAMES


class StoppedWorld:
    """A world in which nothing happens from an instant on, so that two readings at different times see the same."""

    def __init__(self, world: World, until: datetime) -> None:
        self._world = world
        self._until = until
        self.first_day = world.first_day
        self.horizon_days = world.horizon_days

    def people(self, acquired_on: date) -> Sequence[Person]:
        """People acquired on a UTC day before the stop, with what they did before it."""
        return [
            replace(
                person,
                purchases=tuple(one for one in person.purchases if one.at < self._until),
                events=tuple(one for one in person.events if one.at < self._until),
            )
            for person in self._world.people(acquired_on)
            if person.acquired_at < self._until
        ]

    def person_ids(self, acquired_on: date) -> Sequence[str]:
        """Ids of ``people``; only the day of the stop needs them made."""
        if acquired_on < self._until.astimezone(UTC).date():
            return self._world.person_ids(acquired_on)
        return [person.id for person in self.people(acquired_on)]

    def spend_cents(self, day: date, channel: str, campaign: str) -> int:
        """Spend is known by the day, so it is not cut."""
        return self._world.spend_cents(day, channel, campaign)

    def paid_campaigns(self) -> Sequence[tuple[str, str]]:
        """The campaigns that cost money."""
        return self._world.paid_campaigns()

    def event_names(self) -> Sequence[str]:
        """Names of all events that people do."""
        return self._world.event_names()
