"""The people of the synthetic business, what they did and bought, and the fixed exchange rates.

Here live the records that all three simulated vendors count. Where they come from is in ``world`` and ``seeded_people``; how
they are found by time is in ``timeline``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

RATES: Final[Mapping[str, Decimal]] = {
    "USD": Decimal(1),
    "EUR": Decimal("1.08"),
    "JPY": Decimal("0.0065"),
    "KRW": Decimal("0.00073"),
}


@dataclass(frozen=True, slots=True)
class Purchase:
    """Money paid at a UTC instant, in integer cents of its own currency."""

    at: datetime
    amount_cents: int
    currency: str
    is_first: bool
    is_subscription: bool


@dataclass(frozen=True, slots=True)
class Event:
    """Something a person did at a UTC instant; ``value`` is None or a number, for money in major units of the world's currency."""

    name: str
    at: datetime
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A user with the marketing labels of the acquisition; ``channel`` is Airbridge's name of ``source``."""

    id: str
    acquired_at: datetime
    source: str
    campaign: str
    medium: str
    content: str
    ad: str
    channel: str
    purchases: tuple[Purchase, ...] = ()
    events: tuple[Event, ...] = ()
    country: str = "US"


def converted_cents(amount_cents: int, currency: str, into: str) -> int:
    """Cents of one currency as cents of another by the fixed table, each amount rounded half-even."""
    if currency == into:
        return amount_cents
    exact = Decimal(amount_cents) * RATES[currency] / RATES[into]
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
