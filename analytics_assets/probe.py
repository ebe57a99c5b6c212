"""What a component tells about itself to whoever examines the set-up: its keys, its budget, one cheap request, when its days are due.

Each component that has something to examine has a method `probe`; what is made of it is in `doctor/`.
Keep vendors out of here (`sources/*/component.py` fills this in), and judgement too.
"""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Protocol, runtime_checkable

from analytics_assets.checks.finding import Limits
from analytics_assets.clock import Clock
from analytics_assets.http.retries import RetryPolicy
from analytics_assets.http.session import Gate
from analytics_assets.state.budget import Budget, Caller

# Whoever looks wants to know what comes of one request, and does not wait for a vendor as a run does.
ONCE: Final = RetryPolicy(attempts=1)


@dataclass(frozen=True)
class VendorProbe:
    """An account of a vendor.

    Attributes:
        vendor: The vendor's name.
        base_url: Its address.
        unknown: What a 404 to the request below means does not exist, with the setting that names it.
        ask: Sends the cheapest request there is, for a clock and a caller.
        gate: The budget's gate, for a clock.
        budget: What may be spent, where budgets are on.
        final_at: Instant from which a day is final.
        limits: From where on a day counts as late.
    """

    vendor: str
    base_url: str
    unknown: str
    ask: Callable[[Clock, Caller], Coroutine[Any, Any, object]]
    gate: Callable[[Clock], Gate]
    budget: Budget
    final_at: Callable[[date], datetime]
    limits: Limits


@dataclass(frozen=True)
class Probe:
    """What a component has to examine.

    Attributes:
        variables: Environment variables it names.
        is_live_only: Whether they are read in live mode alone.
        account: The account, where it is one of a vendor.
    """

    variables: Sequence[str]
    is_live_only: bool = True
    account: VendorProbe | None = None


@runtime_checkable
class Probed(Protocol):
    """A component that has something to examine."""

    def probe(self) -> Probe:
        """What there is to examine."""
