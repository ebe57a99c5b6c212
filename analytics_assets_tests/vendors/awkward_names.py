"""A world whose channels, campaigns and events have names that trip readers: empty, slashes, quotes, other scripts, 500 letters.

Here lives the renaming and nothing else: who did what is the other world's, so the numbers stay those of that world. The names differ
from each other, so that a reader that keeps them as they are can be told by mapping them back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Final

from analytics_assets.sandbox.people import Person
from analytics_assets.sandbox.world import World

LONG: Final = "n" * 500
CHANNELS: Final[Mapping[str, str]] = {
    "unattributed": "",
    "google.adwords": "Ünï/渠道 🚀",
    "tiktok": "a/b\\c?d=1&e#f%2F+g",
    "youtube": "say \"hi\" 'there' `now`",
    "newsletter": LONG,
}
CAMPAIGNS: Final[Mapping[str, str]] = {
    "brand_search": " blanks  around ",
    "generic_search": "a/b\\c?d=1&e#f%2F+g",
    "lookalike_1": "say \"hi\" 'there' `now`",
    "spark": LONG,
    "creators": "NULL",
    "weekly_digest": "line\nbreak\ttab",
}
EVENTS: Final[Mapping[str, str]] = {
    "sign_in": "",
    "ad_click": "..",
    "add_to_cart": "a/../b\\c?d=1&e#f%2F+g",
    "deeplink_open": "say \"hi\" 'there' `now`",
    "deeplink_pageview": LONG,
    "page view": "Ünï::渠道 🚀",
}


class AwkwardWorld:
    """Another world under other names; a name that is not listed here stays."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.first_day, self.horizon_days = world.first_day, world.horizon_days
        self.people = lru_cache(maxsize=500)(self._people_of)

    def person_ids(self, acquired_on: date) -> Sequence[str]:
        """Ids stay."""
        return self._world.person_ids(acquired_on)

    def spend_cents(self, day: date, channel: str, campaign: str) -> int:
        """Cents spent on what has these names now."""
        pairs = dict(zip(self.paid_campaigns(), self._world.paid_campaigns(), strict=True))
        return self._world.spend_cents(day, *pairs.get((channel, campaign), (channel, campaign)))

    def paid_campaigns(self) -> Sequence[tuple[str, str]]:
        """The pairs under their names."""
        return [(CHANNELS.get(one, one), CAMPAIGNS.get(two, two)) for one, two in self._world.paid_campaigns()]

    def event_names(self) -> Sequence[str]:
        """The events under their names."""
        return [EVENTS.get(name, name) for name in self._world.event_names()]

    def _people_of(self, acquired_on: date) -> Sequence[Person]:
        return [
            replace(
                person,
                channel=CHANNELS.get(person.channel, person.channel),
                campaign=CAMPAIGNS.get(person.campaign, person.campaign),
                events=tuple(replace(event, name=EVENTS.get(event.name, event.name)) for event in person.events),
            )
            for person in self._world.people(acquired_on)
        ]
