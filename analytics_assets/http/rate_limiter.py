"""What a session asks before each attempt, and tells of a Retry-After. The gate that all processes share is `state/rate_limit.py`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from analytics_assets.http.retry_after import LONGEST_PAUSE_S


@dataclass(frozen=True)
class Pause:
    """A pause of all requests that share a rate limit, as a vendor's Retry-After asks for.

    Attributes:
        until: Its end.
        reason: The response that requested it.
    """

    until: datetime
    reason: str


class RateLimiter(Protocol):
    """Says when the next request may be sent.

    Attributes:
        longest_pause_s: Longest pause that a Retry-After leads to.
    """

    longest_pause_s: float

    async def acquire(self, endpoint: str) -> float:
        """Waits until a request may be sent; returns the seconds waited."""

    def pause_for(self, seconds: float, reason: str) -> None:
        """Pauses the requests of every process for that long; `reason` is the response that requested it."""

    def remaining(self) -> int | None:
        """How many requests may be sent now without waiting for the budget; None where none is kept."""

    def pause(self) -> Pause | None:
        """The pause in force; None where requests may be sent."""

    def resume(self) -> Pause | None:
        """Ends the pause in force and returns it; None where there was none."""


class NoRateLimit:
    """Lets every request pass."""

    longest_pause_s = LONGEST_PAUSE_S

    async def acquire(self, endpoint: str) -> float:  # noqa: ARG002 - the shape of a Gate
        """Passes at once."""
        return 0.0

    def pause_for(self, seconds: float, reason: str) -> None:
        """Does nothing: a single session obeys Retry-After by itself."""

    def remaining(self) -> int | None:
        """Knows of no budget."""
        return None

    def pause(self) -> Pause | None:
        """None: pauses are not shared."""
        return None

    def resume(self) -> Pause | None:
        """None: pauses are not shared."""
        return None
