"""How far a run is and what it has spent, in words and as metadata.

A line at sensible steps, not for each day: Dagster stores every line. Keep the counting of requests out of here (`http/session.py`).
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from analytics_assets.clock import Clock
from analytics_assets.http.session import Meter

LINES = 20
QUIET = timedelta(seconds=60)


class Progress:
    """The progress of one step of a run."""

    def __init__(self, days: int, meters: Sequence[Meter], clock: Clock, *, say: Callable[[str], None]) -> None:
        """Begins to count.

        Args:
            days: Days the step is for.
            meters: What its sessions have spent; grows while they are opened.
            clock: The present instant.
            say: Where lines go.
        """
        self._days, self._meters, self._clock, self._say = days, meters, clock, say
        self._began = self._told = clock()
        self._every = math.ceil(days / LINES)
        self._landed = 0

    def step(self, done: int, *, is_landed: bool) -> None:
        """Counts a day, the `done`-th; says a line after each twentieth of the days, after a minute of silence, and after the last."""
        self._landed += is_landed
        now = self._clock()
        if done % self._every and done < self._days and now - self._told < QUIET:
            return
        self._told = now
        words = f"{self._landed} of {self._days} days landed"
        words += f", {done - self._landed} did not" if done > self._landed else ""
        if self._requests():
            words += f"; {self._requests().total()} requests, {self._waited_s():.0f} s waited for the budget"
            left = [number for meter in self._meters if (number := meter.left()) is not None]
            words += f", {min(left)} left of it now" if left else ""
        if done < self._days:
            end = now + (now - self._began) / done * (self._days - done)
            words += f"; end expected at {end:%Y-%m-%d %H:%M:%S} UTC"
        self._say(f"{words}.")

    def end(self) -> str:
        """What was spent, in words; said too, if it was anything."""
        if not (requests := self._requests()):
            return "nothing"
        words = f"{in_requests(requests)}; {self._repeated()} of them repeats; {self._waited_s():.0f} s waited for the budget"
        self._say(f"Spent: {words}.")
        return words

    def spent(self) -> Mapping[str, Any]:
        """What was spent, as metadata by name; empty where nothing was asked."""
        if not (requests := self._requests()):
            return {}
        return {
            "requests_spent": dict(sorted(requests.items())),
            "requests_repeated": self._repeated(),
            "seconds_waited": round(self._waited_s(), 3),
        }

    def spent_after(self, done: int) -> Mapping[str, Any]:
        """What the materializations of the `done`-th day carry of it: only those of the last day do."""
        return self.spent() if done == self._days else {}

    def _requests(self) -> Counter[str]:
        return sum((meter.requests for meter in self._meters), Counter[str]())

    def _repeated(self) -> int:
        return sum(meter.retries for meter in self._meters)

    def _waited_s(self) -> float:
        return sum(meter.waited_s for meter in self._meters)


def in_requests(requests: Mapping[str, int]) -> str:
    """Requests in words, by endpoint."""
    return ", ".join(f"{number} {endpoint}" for endpoint, number in sorted(requests.items()))
