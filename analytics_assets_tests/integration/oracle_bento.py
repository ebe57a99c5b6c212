"""What Bento's tables must hold, counted person by person from the world, with dollars as the main currency.

Attribution is counted in the days of a zone, the rest in UTC days.

Nothing of the package's sources and nothing of the simulated vendor is used.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Any
from zlib import crc32

from analytics_assets.sandbox.world import Person, Purchase, World

_COUNTED: Mapping[str, Callable[[Purchase], bool]] = {
    "all_revenue": lambda _: True,
    "first_revenue": lambda purchase: purchase.is_first,
    "subscriptions": lambda purchase: purchase.is_subscription,
}


@dataclass
class _Tally:
    """People and cents of one key, one hour or one day."""

    signups: int = 0
    customers: set[str] = field(default_factory=set)
    cents: dict[str, int] = field(default_factory=dict)

    def buys(self, person: Person, purchase: Purchase) -> None:
        """One purchase more."""
        self.customers.add(person.id)
        self.cents[purchase.currency] = self.cents.get(purchase.currency, 0) + purchase.amount_cents

    def rate(self) -> float:
        """Customers per signup in whole percent, never above 100; zero without signups."""
        return min(round(100 * len(self.customers) / self.signups), 100) if self.signups else 0

    def money(self) -> Iterator[tuple[str, int, bool]]:
        """Currency, cents, and whether it is the row to sum counts over; without money one row of no dollars."""
        held = self.cents or {"USD": 0}
        main = "USD" if "USD" in held else min(held)
        for currency, cents in held.items():
            yield currency, cents, currency == main


class _Answer:
    """One day by one dimension and revenue mode; `bought` are the purchases that count in the mode."""

    def __init__(
        self,
        about: Mapping[str, Any],
        dimension: str,
        bought: Sequence[tuple[Person, Purchase]],
        signups: Sequence[Person],
        bucket_of: Callable[[datetime], datetime],
    ) -> None:
        self._about = about
        self._total = _Tally()
        self._keys: dict[str, _Tally] = {}
        self._sources: dict[str, _Tally] = {}
        self._buckets: dict[datetime, _Tally] = {}

        def touched(person: Person, at: datetime) -> list[_Tally]:
            return [
                self._total,
                self._keys.setdefault(getattr(person, dimension), _Tally()),
                self._sources.setdefault(person.source, _Tally()),
                self._buckets.setdefault(bucket_of(at), _Tally()),
            ]

        for person in signups:
            for tally in touched(person, person.acquired_at):
                tally.signups += 1
        for person, purchase in bought:
            for tally in touched(person, purchase.at):
                tally.buys(person, purchase)

    def attribution(self) -> Iterator[dict[str, Any]]:
        """Rows of `ads_attribution`."""
        for key, tally in self._keys.items():
            for currency, cents, is_main in tally.money():
                per_signup = cents // tally.signups if tally.signups else 0
                yield {
                    **self._about,
                    "key": key,
                    "currency": currency,
                    "label": key,
                    "is_main_currency": is_main,
                    "signups": tally.signups,
                    "customers": len(tally.customers),
                    "customer_rate_percent": tally.rate(),
                    "revenue_cents": cents,
                    "revenue_per_signup_cents": per_signup if currency == "USD" else None,
                }

    def totals(self, *, payers: int) -> Iterator[dict[str, Any]]:
        """Rows of `ads_totals`; `payers` bought something, whatever the mode."""
        best = sorted(self._sources, key=lambda source: (-self._sources[source].cents.get("USD", 0), source))
        for currency, cents, is_main in self._total.money():
            yield {
                **self._about,
                "currency": currency,
                "is_main_currency": is_main,
                "value_filter": None,
                "signups": self._total.signups,
                "customers": len(self._total.customers),
                "revenue_visitor_count": payers,
                "customer_rate_percent": self._total.rate(),
                "revenue_cents": cents,
                "top_source": best[0] if best else "",
                "attribution_mode": "last_click",
                "attribution_window_days": 7,
                "attribution_applies_to_ad_revenue": False,
            }

    def chart(self) -> Iterator[dict[str, Any]]:
        """Rows of `ads_chart`, by the bucket."""
        for start, tally in self._buckets.items():
            yield {
                **self._about,
                "bucket_start": start,
                "signups": tally.signups,
                "customers": len(tally.customers),
                "revenue_as_sent": tally.cents.get("USD", 0),
            }


@dataclass(frozen=True)
class BentoTruth:
    """A site as of an instant; `zone` is that of its attribution, whose chart is by the hour or by the day."""

    world: World
    now: datetime
    zone: tzinfo = UTC
    is_daily: bool = False

    def ads(
        self, days: Sequence[date], dimensions: Sequence[str], modes: Sequence[str]
    ) -> dict[str, list[dict[str, Any]]]:
        """Rows of the three tables of attribution, by table name."""
        tables: dict[str, list[dict[str, Any]]] = {"ads_attribution": [], "ads_totals": [], "ads_chart": []}
        for day in days:
            signups = [one for one in self._everyone if self._local(one.acquired_at).date() == day]
            bought = [(one, p) for one in self._everyone for p in one.purchases if self._local(p.at).date() == day]
            for dimension in dimensions:
                for mode in modes:
                    about = {"date": day, "dimension": dimension, "revenue_mode": mode, "revenue_truncated": False}
                    counted = [pair for pair in bought if _COUNTED[mode](pair[1])]
                    answer = _Answer(about, dimension, counted, signups, self._bucket)
                    tables["ads_attribution"] += answer.attribution()
                    tables["ads_totals"] += answer.totals(payers=len({one.id for one, _ in bought}))
                    tables["ads_chart"] += answer.chart()
        return tables

    def audience(self, segments: Sequence[str]) -> list[dict[str, Any]]:
        """Rows of `audience_counts`."""
        return [self._counts("site", "")] + [self._counts("segment", segment) for segment in segments]

    def signups_by_source(self, report_id: str) -> list[dict[str, Any]]:
        """Rows of `report_points` of the report that counts signups of the last 14 days by source."""
        days = [self.now.date() - timedelta(days=back) for back in range(13, -1, -1)]
        recent = [one for one in self._everyone if one.acquired_at.date() in days]
        points = [
            (source, day.isoformat(), sum(one.source == source and one.acquired_at.date() == day for one in recent))
            for source in sorted({one.source for one in recent})
            for day in days
        ]
        about = {"report_name": "Signups by source", "chart_style": "column_chart"}
        kind = "Reporting::Reports::VisitorSourceReport"
        return self._points(report_id, {**about, "report_type": kind}, points)

    def counter(self, report_id: str) -> list[dict[str, Any]]:
        """Rows of `report_points` of a report that is one number: people in the segment of its name."""
        users = self._counts("segment", report_id)["user_count"]
        about = {"report_name": "New subscribers", "chart_style": "counter"}
        kind = "Reporting::Reports::VisitorCountReport"
        return self._points(report_id, {**about, "report_type": kind}, [(None, None, users)])

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)

    def _bucket(self, at: datetime) -> datetime:
        """The instant at which the hour or the day of the zone begins."""
        hour = self._local(at).replace(minute=0, second=0, microsecond=0)
        return (hour.replace(hour=0, fold=0) if self.is_daily else hour).astimezone(UTC)

    @cached_property
    def _everyone(self) -> list[Person]:
        """Everybody acquired so far."""
        found, day = [], self.world.first_day
        while day <= self.now.astimezone(UTC).date():
            found += [person for person in self.world.people(day) if person.acquired_at < self.now]
            day += timedelta(days=1)
        return found

    def _counts(self, kind: str, name: str) -> dict[str, Any]:
        """The site holds everybody; a segment a share of people that hangs on its name and theirs; some have unsubscribed."""
        share = 10 + crc32(name.encode()) % 81
        chosen = [
            one.id for one in self._everyone if kind == "site" or crc32(f"{name}/{one.id}".encode()) % 100 < share
        ]
        gone = sum(crc32(one.encode()) % 100 < 7 for one in chosen)
        return {
            "date": self.now.date(),
            "kind": kind,
            "id": name,
            "user_count": len(chosen),
            "subscriber_count": len(chosen) - gone,
            "unsubscriber_count": gone,
            "observed_at": self.now,
        }

    def _points(
        self, report_id: str, about: dict[str, Any], points: Sequence[tuple[str | None, str | None, int]]
    ) -> list[dict[str, Any]]:
        return [
            {
                "date": self.now.date(),
                "report_id": report_id,
                "point_no": number,
                **about,
                "series": group,
                "x": x,
                "y": y,
                "observed_at": self.now,
            }
            for number, (group, x, y) in enumerate(points)
        ]
