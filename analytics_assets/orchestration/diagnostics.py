"""What a component tells about itself to whoever examines the set-up: its keys, its budget, one cheap request, when its days are due.

Each component that has something to examine has a method `diagnostics`; what is made of it is in `operations/doctor/`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol, runtime_checkable

from analytics_assets.checks.check import Limits
from analytics_assets.orchestration.source_resource import SourceResource
from analytics_assets.state.rate_limit import Budget


@dataclass(frozen=True)
class VendorDiagnostics:
    """An account of a vendor.

    Attributes:
        vendor: The vendor's name.
        unknown: What a 404 to the cheapest request means does not exist, with the setting that names it.
        resource: The account's resource.
        budget: What may be spent, where budgets are on.
        final_at: Instant from which a day is final.
        limits: From where on a day counts as late.
        start_date: First day of the account, where it names one.
    """

    vendor: str
    unknown: str
    resource: SourceResource[Any]
    budget: Budget
    final_at: Callable[[date], datetime]
    limits: Limits
    start_date: date | None = None


@dataclass(frozen=True)
class Diagnostics:
    """What a component has to examine.

    Attributes:
        variables: Environment variables it names.
        is_live_only: True if they are read in live mode alone.
        account: The account, where it is one of a vendor.
    """

    variables: Sequence[str]
    is_live_only: bool = True
    account: VendorDiagnostics | None = None


@runtime_checkable
class Diagnosable(Protocol):
    """A component that has something to examine."""

    def diagnostics(self) -> Diagnostics:
        """What there is to examine."""
