"""Five people, seven purchases, four amounts of spend: a business small enough to work out every row of three days on paper.

What must come of it is typed out in `hand_bento.py`, `hand_statsig.py` and `hand_airbridge.py`. The days of the three vendors:

    day      Bento (UTC)        Statsig (UTC-8)                 Airbridge (Seoul, UTC+9)
    10 June  10 June            10 June 08:00 - 11 June 08:00   9 June 15:00 - 10 June 15:00
    11 June  11 June            11 June 08:00 - 12 June 08:00   10 June 15:00 - 11 June 15:00
    12 June  12 June            12 June 08:00 - 13 June 08:00   11 June 15:00 - 12 June 15:00
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from analytics_assets.sandbox.world import Event, Person, Purchase
from analytics_assets_tests.fixed_world import FixedWorld

# In Seoul it is 05:30 of the 14th, so interval 1 of the 12th is over and interval 2 is not. Bob is one who has unsubscribed from Bento.
NOW = datetime(2025, 6, 13, 20, 30, tzinfo=UTC)
D10, D11, D12 = DAYS = [date(2025, 6, day) for day in (10, 11, 12)]


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """An instant of June 2025, UTC."""
    return datetime(2025, 6, day, hour, minute, second, tzinfo=UTC)


def table(columns: Sequence[str], *typed: Sequence[Any], **same: Any) -> list[dict[str, Any]]:
    """Rows typed out as tuples under their columns; `same` holds in all of them."""
    return [{**dict(zip(columns, row, strict=True)), **same} for row in typed]


def hand_world() -> FixedWorld:
    """The world. A checkout's value is the purchase in dollars; a euro is 1.08 of them."""
    google = ("google", "google.adwords", "brand")
    facebook = ("facebook", "facebook.business", "look")
    organic = ("", "unattributed", "")
    ann = _person(
        "ann",
        at(10, 10),
        google,
        {
            Purchase(at(10, 12), 1_000, "USD", is_first=True, is_subscription=False): 10.0,
            # Past midnight in Seoul: the 12th, 00:30.
            Purchase(at(11, 15, 30), 499, "USD", is_first=False, is_subscription=True): 4.99,
            # The 14th in Seoul: beyond the last interval of her cohort, and after all three days elsewhere.
            Purchase(at(13, 16), 777, "USD", is_first=False, is_subscription=False): 7.77,
        },
    )
    bob = _person(
        "bob",
        # Ten minutes before midnight in Seoul.
        at(10, 14, 50),
        facebook,
        # Half a minute before midnight UTC: the 11th in Seoul.
        {Purchase(at(10, 23, 59, 30), 500, "EUR", is_first=True, is_subscription=False): 5.40},
    )
    cid = _person(
        "cid",
        # Ten minutes past midnight in Seoul: the 11th.
        at(10, 15, 10),
        organic,
        # The last second of Statsig's 10th.
        {Purchase(at(11, 7, 59, 59), 250, "USD", is_first=True, is_subscription=False): 2.50},
    )
    dee = _person(
        "dee",
        # The first instant of Statsig's 12th.
        at(12, 8),
        facebook,
        {
            # The last second of Seoul's 12th; 9.99 euros are 10.7892 dollars.
            Purchase(at(12, 14, 59, 59), 999, "EUR", is_first=True, is_subscription=True): 10.79,
            # Half an hour before now, in the unfinished day of Seoul.
            Purchase(at(13, 20), 100, "USD", is_first=False, is_subscription=False): 1.0,
        },
    )
    # The 13th in Seoul, so in none of Airbridge's three days.
    eve = _person("eve", at(12, 16), google, {})
    spend = {
        (D10, "google.adwords", "brand"): 400,
        (D11, "google.adwords", "brand"): 325,
        (D12, "facebook.business", "look"): 150,
        (D12, "tiktok", "spark"): 200,
    }
    return FixedWorld([ann, bob, cid, dee, eve], spend, first_day=date(2025, 6, 1))


def _person(
    name: str, acquired_at: datetime, labels: tuple[str, str, str], purchases: Mapping[Purchase, float]
) -> Person:
    source, channel, campaign = labels
    return Person(
        id=name,
        acquired_at=acquired_at,
        source=source,
        campaign=campaign,
        medium="",
        content="",
        ad="",
        channel=channel,
        purchases=tuple(purchases),
        events=(
            Event("sign_up", acquired_at),
            *(Event("checkout", bought.at, dollars) for bought, dollars in purchases.items()),
        ),
    )
