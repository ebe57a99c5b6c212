"""The budget as Dagster configures it, and whose requests a run's are.

Off in the sandbox: nothing is spent there, and the in-process sandbox has no limits, so a demo or a test would wait an hour for nothing.
ANALYTICS_BUDGET=on turns it on, as for a sandbox server that enforces limits; live mode has it on.
Dagster concept: run tags, https://docs.dagster.io/guides/build/assets/metadata-and-tags/tags
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import dagster as dg
from pydantic import Field

from analytics_assets.clock import Clock
from analytics_assets.http.rate_limiter import NoRateLimit, RateLimiter
from analytics_assets.settings import Settings
from analytics_assets.state.rate_limit import Budget, RequestOrigin, RequestPriority, SharedRateLimiter

# Tag of the runs of `analytics-assets load`.
LOAD_TAG: Final = "analytics/load"


class BudgetSettings(dg.Config):
    """What an account may spend, shared by all processes."""

    requests: int = Field(description="Requests in any window.")
    per_seconds: float = Field(description="Length of the window in seconds.")
    kept_for_schedules: float = Field(
        default=1.0,
        description="Share, 0 to 1, that a backfill leaves to scheduled runs, polls and persons while one of them waits.",
    )

    longest_pause_seconds: float | None = Field(
        default=None,
        description="Longest pause that a vendor's Retry-After leads to; unset is an hour, or `per_seconds` where that is longer.",
    )
    name: str | None = Field(default=None, description="Accounts of a vendor that have one name share the budget.")

    def budget(self) -> Budget:
        """The plain budget.

        Raises:
            PermanentError: Nothing could be sent with it.
        """
        return Budget(
            self.requests,
            self.per_seconds,
            self.kept_for_schedules,
            longest_pause_s=self.longest_pause_seconds,
        )

    def key(self, vendor: str, *counted_by: str) -> str:
        """The key of the budget: its name in YAML, or what the vendor counts by. Accounts with one key share the budget."""
        return " ".join([vendor, *([self.name] if self.name else counted_by)])

    def rate_limiter(
        self, current: Settings, key: Callable[[], str], origin: RequestOrigin, *, clock: Clock
    ) -> RateLimiter:
        """What a session asks before each attempt.

        Args:
            current: Whether budgets are kept, and where the state database is.
            key: Gives what the vendor counts by; called where budgets are kept.
            origin: Who asks.
            clock: The present instant.
        """
        return (
            SharedRateLimiter(current.state, key(), self.budget(), origin, clock=clock)
            if current.budget_on
            else NoRateLimit()
        )


@lru_cache(maxsize=64)
def mark_of(secret: str, place: str) -> str:
    """Eight hex digits that tell keys of one place apart and give none away: 32 bits of a slow hash, salted with the place."""
    return hashlib.scrypt(secret.encode(), salt=place.encode(), n=2**14, r=8, p=1, dklen=4).hex()


def kind_of(tags: Mapping[str, str]) -> RequestPriority:
    """Whose requests those of a run are, from its tags. A run of a backfill or of `analytics-assets load` has its tag; others of a person have none."""
    if not tags.keys().isdisjoint(("dagster/backfill", "dagster/root_backfill_id", LOAD_TAG)):
        return RequestPriority.BACKFILL
    if "dagster/schedule_name" in tags:
        return RequestPriority.SCHEDULED
    return RequestPriority.SENSOR if "dagster/sensor_name" in tags else RequestPriority.PERSON
