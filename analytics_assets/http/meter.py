"""Counts of requests: of a run (`Meter`), and of one day as plain numbers that Dagster plots."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def spent(requests: int, repeated: int, waited_s: float) -> dict[str, float]:
    """What was spent, as metadata by name."""
    return {"requests": requests, "requests_repeated": repeated, "seconds_waited": round(waited_s, 3)}


def by_endpoint(requests: Mapping[str, int]) -> str:
    """Requests in words, by endpoint."""
    return ", ".join(f"{number} {endpoint}" for endpoint, number in sorted(requests.items()))


@dataclass
class Meter:
    """What the sessions of one caller have spent.

    Attributes:
        requests: Requests sent, by endpoint, retries included.
        retries: Requests that repeated an earlier one.
        waited_s: Seconds spent waiting for the gate.
        remaining: How many requests may be sent now; see `http.rate_limiter.RateLimiter.left`.
        ahead_s: Seconds by which the clock here was ahead of the one the last response was dated with; None before a dated one.
    """

    requests: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    waited_s: float = 0.0
    remaining: Callable[[], int | None] = field(default=lambda: None, compare=False)
    ahead_s: float | None = field(default=None, compare=False)

    def sent(self, endpoint: str, *, waited_s: float, is_repeat: bool) -> None:
        """Counts a request that is sent now, after that many seconds before the gate."""
        self.requests[endpoint] += 1
        self.retries += is_repeat
        self.waited_s += waited_s

    def spent(self) -> dict[str, float]:
        """The whole of it, as metadata by name."""
        return spent(self.requests.total(), self.retries, self.waited_s)

    def __str__(self) -> str:
        return (
            f"{by_endpoint(self.requests)}; {self.retries} of them repeats; {self.waited_s:.0f} s waited for the budget"
        )
