"""Draws the people of one day of the seeded business from ``Random(f"{seed}:{day}")``.

Here lives what the business is like: campaigns, prices, how many come and how they behave afterwards. Any day can be made
alone. The world that hands them out is in ``world``; nothing here knows a vendor.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from random import Random
from typing import Final

from analytics_assets.sandbox.people import Event, Person, Purchase, converted_cents

FIRST_DAY: Final = date(2023, 1, 1)
# Of spend and of money in events; purchases name their own.
CURRENCY: Final = "USD"
HORIZON_DAYS: Final = 120
EVENT_NAMES: Final = (
    "sign_up",
    "page view",
    "add_to_cart",
    "checkout",
    "a/b läuft",
    "sign_in",
    "deeplink_open",
    "deeplink_pageview",
    "ad_impression",
    "ad_click",
)


@dataclass(frozen=True)
class SeededCampaign:
    """Where people come from: labels, share of the people, and usual cents a day (0 where nothing is paid)."""

    source: str
    channel: str
    campaign: str
    medium: str
    weight: int
    daily_cents: int


CAMPAIGNS: Final = (
    SeededCampaign("", "unattributed", "", "", 30, 0),
    SeededCampaign("google", "google.adwords", "brand_search", "cpc", 14, 4_000),
    SeededCampaign("google", "google.adwords", "generic_search", "cpc", 10, 9_000),
    SeededCampaign("google", "google.adwords", 'Été "Sommer" 20%/läuft & más', "cpc", 5, 3_000),
    SeededCampaign("facebook", "facebook.business", "lookalike_1", "paid_social", 10, 7_000),
    SeededCampaign("facebook", "facebook.business", "retargeting", "paid_social", 4, 2_500),
    SeededCampaign("tiktok", "tiktok", "spark", "paid_social", 8, 5_000),
    SeededCampaign("youtube", "youtube", "creators", "video", 7, 6_000),
    SeededCampaign("newsletter", "newsletter", "weekly_digest", "email", 12, 0),
)
_WEEKLY: Final = (1.05, 1.0, 1.0, 0.98, 0.95, 1.2, 1.25)
_COUNTRIES: Final = ("US", "US", "KR", "KR", "KR", "JP", "DE", "FR")
_PRICES: Final = (990, 1_490, 1_990, 2_990, 4_950, 9_900)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def headcount(seed: int, day: date) -> int:
    """How many people a UTC day brings: 30 to 80, more at weekends, slowly growing."""
    growth = min(max((day - FIRST_DAY).days, 0) / 1_500, 1.0)
    count = (30 + 26 * growth) * _WEEKLY[day.weekday()] * Random(f"{seed}:{day}:count").uniform(0.95, 1.12)
    return min(max(round(count), 30), 80)


def _purchases(rng: Random, acquired_at: datetime, currency: str) -> tuple[Purchase, ...]:
    if rng.random() > 0.28:
        return ()
    subscribed = rng.random() < 0.3
    amount = rng.choice(_PRICES)
    hours = min(rng.expovariate(1 / 40), 24 * 60)
    made: list[Purchase] = []
    for number in range(1 if rng.random() < 0.55 else rng.randint(2, 4)):
        at = acquired_at + timedelta(hours=hours)
        if at >= acquired_at + timedelta(days=HORIZON_DAYS):
            break
        made.append(Purchase(at.replace(microsecond=0), amount, currency, number == 0, subscribed))
        hours += 24 * 30 if subscribed else rng.uniform(20, 700)
        amount = amount if subscribed else rng.choice(_PRICES)
    return tuple(made)


def _events(rng: Random, acquired_at: datetime, purchases: Sequence[Purchase], paid: bool) -> tuple[Event, ...]:
    def later(hours: float) -> datetime:
        return (acquired_at + timedelta(hours=min(rng.expovariate(1 / hours), 2_800))).replace(microsecond=0)

    made = [Event("sign_up", acquired_at)]
    made += [Event("page view", later(30)) for _ in range(rng.randint(1, 3))]
    made += [Event("a/b läuft", later(60))] if rng.random() < 0.5 else []
    made += [Event("sign_in", later(200))] if rng.random() < 0.4 else []
    made += [Event("add_to_cart", later(30), float(rng.randint(1, 5)))] if rng.random() < 0.3 else []
    if paid and rng.random() < 0.3:
        opened = later(100)
        made += [Event("deeplink_open", opened), Event("deeplink_pageview", opened + timedelta(seconds=3))]
    if rng.random() < 0.3:
        seen = later(150)
        made += [Event("ad_impression", seen, rng.randint(1, 9) / 100)]
        made += [Event("ad_click", seen + timedelta(seconds=9), 0.5)] if rng.random() < 0.3 else []
    for purchase in purchases:
        cents = converted_cents(purchase.amount_cents, purchase.currency, CURRENCY)
        made += [Event("add_to_cart", purchase.at - timedelta(seconds=40), float(rng.randint(1, 5)))]
        made += [Event("checkout", purchase.at, cents / 100)]
    # The basket of a purchase in the first minute must not stand before the sign-up.
    return tuple(sorted((e for e in made if e.at >= acquired_at), key=lambda event: event.at))


def _person(rng: Random, person_id: str, acquired_at: datetime) -> Person:
    chosen = rng.choices(CAMPAIGNS, weights=[one.weight for one in CAMPAIGNS])[0]
    paid = chosen.daily_cents > 0
    country = rng.choice(_COUNTRIES)
    purchases = _purchases(rng, acquired_at, "EUR" if country in {"DE", "FR"} else "USD")
    return Person(
        id=person_id,
        acquired_at=acquired_at,
        source=chosen.source,
        campaign=chosen.campaign,
        medium=chosen.medium,
        content=rng.choice(("banner", "story", "text")) if chosen.source else "",
        ad=f"ad-{rng.randint(1, 6)}" if paid else "",
        channel=chosen.channel,
        purchases=purchases,
        events=_events(rng, acquired_at, purchases, paid),
        country=country,
    )


# A year and the horizon before it stay in memory (about 30,000 people), shared by all apps of one process.
@lru_cache(maxsize=500)
def people_of_day(seed: int, day: date) -> tuple[Person, ...]:
    """The people acquired on a UTC day, by instant; the same in every process."""
    rng = Random(f"{seed}:{day}")
    seconds = sorted(rng.randrange(86_400) for _ in range(headcount(seed, day)))
    start = _midnight(day)
    return tuple(
        _person(rng, f"u{day:%Y%m%d}-{number:03d}", start + timedelta(seconds=second))
        for number, second in enumerate(seconds)
    )
