"""What is worth another attempt, how long to wait before it, and when to give up.

The loop is stamina's; the class of the error decides. A vendor's Retry-After is obeyed to the second where it fits the patience,
and otherwise handed on at once, so that no run sleeps for an hour in silence.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from analytics_assets.errors import BlockedError, TransientError, UnreachableError
from analytics_assets.http.statuses import THROTTLED, TOO_EARLY, UNAVAILABLE


@dataclass(frozen=True)
class RetryPolicy:
    """Bounds of the retries of one request.

    Attributes:
        attempts: Attempts in all, the first included.
        first_wait_s: Pause before the second attempt; it doubles from then on, with jitter.
        longest_wait_s: No pause is longer, a vendor's Retry-After included; a longer one gives up at once.
        throttled_wait_s: First pause after a 429 without Retry-After; doubles likewise.
        blocked_attempts: Attempts in all where the path to the vendor is blocked.
        blocked_wait_s: First pause where it is; doubles likewise. One longer than `longest_wait_s` gives up at once.
        patience_s: This long after the first attempt began, no further pause begins.
    """

    attempts: int = 5
    first_wait_s: float = 0.5
    longest_wait_s: float = 60.0
    throttled_wait_s: float = 5.0
    blocked_attempts: int = 3
    blocked_wait_s: float = 30.0
    patience_s: float = 300.0


def backoff(policy: RetryPolicy, *, attempt: Callable[[], int]) -> Callable[[Exception], bool | float]:
    """Stamina's hook for `policy`: False gives up, True waits the growing pause, a number waits that many seconds.

    Args:
        policy: The bounds.
        attempt: Gives the number of the attempt that has just failed, from 1.
    """

    def decide(error: Exception) -> bool | float:
        if not isinstance(error, TransientError):
            return False
        if error.retry_after_s:
            return error.retry_after_s if error.retry_after_s <= policy.longest_wait_s else False
        if isinstance(error, BlockedError):
            number = attempt()
            wait = policy.blocked_wait_s * 2 ** (number - 1)
            return wait if number < policy.blocked_attempts and wait <= policy.longest_wait_s else False
        if error.status == THROTTLED:
            return float(min(policy.longest_wait_s, policy.throttled_wait_s * 2 ** (attempt() - 1)))
        return True

    return decide


def _tell(details: RetryDetails) -> None:
    logging.getLogger(__name__).warning("%s Trying again in %.1f s.", details.caused_by, details.wait_for)


# Stamina's own words are a dump of its variables.
set_on_retry_hooks([_tell])


def is_untaken(error: Exception) -> bool:
    """True if the vendor did not take the request, so that repeating one that starts work cannot start it twice."""
    if isinstance(error, UnreachableError):
        return True
    status = error.status if isinstance(error, TransientError) else None
    return status in (TOO_EARLY, THROTTLED, UNAVAILABLE)
