"""What Airbridge's tables must hold, counted person by person from the world.

The reports are by channel and campaign, of every purchase after the acquisition. Nothing of the package's sources and nothing of the
simulated vendor is used; the catalogue alone is what the sandbox's vocabulary declares.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from analytics_assets.sandbox.airbridge.spec import events_body, groupbys_body, metrics_body
from analytics_assets.sandbox.world import Person, World

_DOLLARS = {"USD": Decimal(1), "EUR": Decimal("1.08")}
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class AirbridgeTruth:
    """An app in a zone, counted in dollars as of an instant, up to the last interval of its reports."""

    world: World
    zone: ZoneInfo
    now: datetime
    intervals: int

    def cohorts(self, days: Sequence[date], metric: str) -> list[dict[str, Any]]:
        """Rows of `<report>_cohorts`; `metric` is revenue (cumulative) or users (of different buyers, cumulative)."""
        made = []
        for day in days:
            over = (self._today() - day).days
            for (channel, campaign), people in self._groups(day).items():
                for interval in range(self.intervals + 1):
                    is_reached = interval < over
                    bought = list(self._purchases(people, day, last=interval))
                    buyers = {person.id for person, _ in bought}
                    value = sum((dollars for _, dollars in bought), Decimal(0)) if metric == "revenue" else len(buyers)
                    row = {
                        "date": day,
                        "channel": channel,
                        "campaign": campaign,
                        "days_since_start": interval,
                        "value": value if is_reached else None,
                        # Meta's small numbers are masked: fewer than three buyers.
                        "is_masked": is_reached and channel == "facebook.business" and len(buyers) < 3,
                        "is_reached": is_reached,
                    }
                    made.append(row | ({"currency": "USD"} if metric == "revenue" else {}))
        return made

    def totals(self, days: Sequence[date]) -> list[dict[str, Any]]:
        """Rows of `<report>_cohort_totals`: up to the instant, the unfinished day included."""
        return [
            {
                "date": day,
                "channel": channel,
                "campaign": campaign,
                "cost": Decimal(self.world.spend_cents(day, channel, campaign)) / 100,
                "cost_is_masked": False,
                "revenue": sum((paid for _, paid in self._purchases(people, day, last=self.intervals)), Decimal(0)),
                "revenue_is_masked": False,
                "users": len(people),
                "users_is_masked": channel == "facebook.business" and len(people) < 3,
                "currency": "USD",
            }
            for day in days
            for (channel, campaign), people in self._groups(day).items()
        ]

    def _today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def _groups(self, day: date) -> dict[tuple[str, str], list[Person]]:
        """People acquired on a day of the app, by channel and campaign; groups with cost alone have nobody."""
        groups: dict[tuple[str, str], list[Person]] = {
            pair: [] for pair in self.world.paid_campaigns() if self.world.spend_cents(day, *pair)
        }
        for utc_day in (day - timedelta(days=1), day, day + timedelta(days=1)):
            for person in self.world.people(utc_day):
                if person.acquired_at.astimezone(self.zone).date() == day and person.acquired_at < self.now:
                    groups.setdefault((person.channel, person.campaign), []).append(person)
        return groups

    def _purchases(self, people: Sequence[Person], day: date, *, last: int) -> Iterator[tuple[Person, Decimal]]:
        """Buyers and dollars of the purchases made by the last interval; each amount is converted and rounded by itself."""
        for person in people:
            for purchase in person.purchases:
                age = (purchase.at.astimezone(self.zone).date() - day).days
                if purchase.at < self.now and age <= last:
                    dollars = Decimal(purchase.amount_cents) / 100 * _DOLLARS[purchase.currency]
                    yield person, dollars.quantize(_CENT, rounding=ROUND_HALF_EVEN)


def catalog_rows(day: date, observed_at: datetime) -> list[dict[str, Any]]:
    """Rows of `catalog` from the sandbox's vocabulary."""
    lists = (
        ("metric", "metrics", metrics_body()),
        ("group_by", "fields", groupbys_body()),
        ("event", "events", events_body()),
    )
    return [
        catalog_row(day, observed_at, kind, section["name"], entry)
        for kind, listed, body in lists
        for section in body["data"]
        for entry in section[listed]
    ]


def catalog_row(day: date, observed_at: datetime, kind: str, section: str, entry: dict[str, Any]) -> dict[str, Any]:
    """One entry of the vendor's metadata as a row; what the entry does not have is null."""
    return {
        "date": day,
        "kind": kind,
        "section": section,
        "key": entry["key"],
        "name": entry["name"],
        "description": entry["description"],
        "value_type": entry.get("valueType"),
        "aggregations": entry.get("aggregationType"),
        "sub_group": entry.get("subGroup"),
        "example": entry.get("example"),
        "is_filter": entry.get("isFilter"),
        "is_cost": entry.get("isCost"),
        "type": entry.get("type"),
        "entry": json.dumps(entry, ensure_ascii=False, separators=(",", ":")),
        "observed_at": observed_at,
    }
