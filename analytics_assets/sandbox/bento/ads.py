"""The numbers of the simulated Bento ``/stats/ads``: signups, customers and revenue of one window by one dimension.

Here lives the whole body in the vendor's camelCase. A signup belongs to the window in which the person was acquired; a
customer is a person with a purchase of the mode within the window, whenever acquired; money is integer cents per currency.
Which window is meant and how long a point of the chart is are ``bento_windows``' affair.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from analytics_assets.sandbox.bento.windows import Window
from analytics_assets.sandbox.timeline import Timeline
from analytics_assets.sandbox.world import Person, Purchase

DIMENSIONS: Final[Mapping[str, Callable[[Person], str]]] = {
    "source": lambda person: person.source,
    "campaign": lambda person: person.campaign,
    "medium": lambda person: person.medium,
    "content": lambda person: person.content,
    "ad": lambda person: person.ad,
}


@dataclass(frozen=True)
class _Mode:
    label: str
    description: str
    counts: Callable[[Purchase], bool]


REVENUE_MODES: Final[Mapping[str, _Mode]] = {
    "all_revenue": _Mode("All revenue", "Every revenue event", lambda _: True),
    "first_revenue": _Mode("First revenue", "First purchase only", lambda purchase: purchase.is_first),
    "subscriptions": _Mode("Subscriptions", "Subscription revenue", lambda purchase: purchase.is_subscription),
}
_TOP: Final = 50


@dataclass
class _Tally:
    """Counts of one key or one bucket of the chart."""

    signups: int = 0
    customers: set[str] = field(default_factory=set)
    cents: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, person: Person, purchase: Purchase) -> None:
        self.customers.add(person.id)
        self.cents[purchase.currency] += purchase.amount_cents

    def rate(self) -> int:
        """Customers per signup in whole percent; customers may have signed up before the window, so it is held at 100."""
        return min(round(100 * len(self.customers) / self.signups), 100) if self.signups else 0


def ads_body(
    timeline: Timeline,
    window: Window,
    *,
    dimension: str,
    value: str,
    mode: str,
    currency: str,
    chart_key: str,
    bucket_of: Callable[[datetime], int],
) -> dict[str, Any]:
    """The response of ``/stats/ads``.

    A ``value`` restricts totals, chart and breakdown to people with exactly that value. ``revenueCents`` is the part in
    ``currency``; other currencies stand beside it in ``revenueByCurrency``. ``x`` is epoch seconds of the start
    of a bucket, as ``bucket_of`` gives it; buckets in which nothing happened are left out.
    """
    of = DIMENSIONS[dimension]
    keys, sources, buckets = (
        defaultdict[str, _Tally](_Tally),
        defaultdict[str, _Tally](_Tally),
        defaultdict[int, _Tally](_Tally),
    )
    total, payers = _Tally(), set[str]()

    def tallies(person: Person, at: datetime) -> tuple[_Tally, ...]:
        return total, keys[of(person)], sources[person.source], buckets[bucket_of(at)]

    for person in timeline.people(window.start, window.end):
        if not value or of(person) == value:
            for tally in tallies(person, person.acquired_at):
                tally.signups += 1
    for person, purchase in timeline.purchases(window.start, window.end):
        if not value or of(person) == value:
            payers.add(person.id)
            if REVENUE_MODES[mode].counts(purchase):
                for tally in tallies(person, purchase.at):
                    tally.add(person, purchase)

    def ranked(by_key: Mapping[str, _Tally]) -> list[str]:
        return sorted(by_key, key=lambda key: (-by_key[key].cents.get(currency, 0), key))

    return {
        "dimension": dimension,
        "dimensionLabel": dimension.capitalize(),
        "attribution": {
            "mode": "last_click",
            "modeLabel": "Last Click",
            "windowDays": 7,
            "settingsPath": "/account/sites/1/attribution_settings",
            "appliesToAdRevenue": False,
        },
        "revenueMode": {
            "mode": mode,
            "label": REVENUE_MODES[mode].label,
            "description": REVENUE_MODES[mode].description,
        },
        "totals": {
            "signups": total.signups,
            "customers": len(total.customers),
            "revenueCents": total.cents.get(currency, 0),
            "revenueCurrency": currency,
            "revenueByCurrency": dict(sorted(total.cents.items())),
            "revenueVisitorCount": len(payers),
            "customerRate": total.rate(),
            "topSource": next(iter(ranked(sources)), ""),
        },
        chart_key: [
            {
                "x": x,
                "signups": bucket.signups,
                "customers": len(bucket.customers),
                "revenue": bucket.cents.get(currency, 0),
            }
            for x, bucket in sorted(buckets.items())
        ],
        "breakdown": [_row(key, keys[key], currency) for key in ranked(keys)[:_TOP]],
        "revenueTruncated": False,
    }


def _row(key: str, tally: _Tally, currency: str) -> dict[str, Any]:
    cents = tally.cents.get(currency, 0)
    return {
        "key": key,
        "label": key,
        "signups": tally.signups,
        "customers": len(tally.customers),
        "customerRate": tally.rate(),
        "revenueCents": cents,
        "revenueCurrency": currency,
        "revenueByCurrency": dict(sorted(tally.cents.items())),
        "revenuePerSignupCents": cents // tally.signups if tally.signups else 0,
    }
