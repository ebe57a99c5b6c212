"""A clock that only sleeping moves, and gates that live by it. No assertions here."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from analytics_assets.state.rate_limit import Budget, SharedRateLimiter

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
THREE_IN_TEN_S = Budget(3, 10, late_s=0.25)
Make = Callable[..., SharedRateLimiter]


class Watch:
    """A clock that only sleeping moves; `naps` has how long each sleep was."""

    def __init__(self) -> None:
        self.now = START
        self.naps: list[float] = []

    def __call__(self) -> datetime:
        """The present instant."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Moves the clock."""
        self.naps.append(seconds)
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    def since_start(self) -> float:
        """Seconds since the test began."""
        return (self.now - START).total_seconds()


def passes(one: SharedRateLimiter) -> bool:
    """True if one request would be let through now; if so it is, and otherwise the gate waits in the queue as `enter` would."""
    return one._try(has_waited=True) is None
