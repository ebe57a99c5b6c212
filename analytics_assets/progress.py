"""How far a run is and what it has spent, in words and as metadata.

A line at sensible steps, not for each day: Dagster stores every line. Keep the counting of requests out of here (`http/meter.py`).
"""

import math
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

from analytics_assets.clock import Clock
from analytics_assets.http.meter import Meter, spent_on

LINES = 20
QUIET = timedelta(seconds=60)
T = TypeVar("T")


def on_its_day(fetch: Callable[[date], Awaitable[T]]) -> Callable[[date], Awaitable[T]]:
    """Reads a day so that what is sent meanwhile is spent on it."""

    async def counted(day: date) -> T:
        with spent_on(day):
            return await fetch(day)

    return counted


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
        self._placed = Meter()

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
            words += f"; {self._requests().total()} requests, {self._total().waited_s:.0f} s waited for the budget"
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
        total = self._total()
        words = (
            f"{in_requests(requests)}; {total.retries} of them repeats; {total.waited_s:.0f} s waited for the budget"
        )
        self._say(f"Spent: {words}.")
        return words

    def spent(self) -> Mapping[str, Any]:
        """What the whole step has spent, as metadata by name; empty where nothing was asked."""
        if not (requests := self._requests()):
            return {}
        return {"requests_spent": dict(sorted(requests.items())), **_repeated_and_waited(self._total())}

    def spent_for(self, day: date) -> Mapping[str, Any]:
        """What the raw table of a day that has landed carries of it, so that the sum over the days is what was spent.

        `requests` and the rest were spent on this day, or on no single day or one that did not land, since the last day that landed: a
        report task that answers for many days stands on the first of them. `requests_carried` counts those. Empty where no session was
        opened. What was spent after the last day that landed stands in the failure of the step alone.
        """
        if not self._meters:
            return {}
        # Days that are read ahead keep what they spend until they land themselves.
        ahead = Meter.total(part for meter in self._meters for at, part in meter.days.items() if at > day)
        own = Meter.total(meter.days.get(day, Meter()) for meter in self._meters)
        share = self._total().without(ahead).without(self._placed)
        self._placed = Meter.total([self._placed, share])
        carried = share.without(own).requests.total()
        return {
            "requests": share.requests.total(),
            **_repeated_and_waited(share),
            **({"requests_carried": carried} if carried else {}),
            **({"requests_by_endpoint": dict(sorted(share.requests.items()))} if share.requests else {}),
        }

    def _total(self) -> Meter:
        return Meter.total(self._meters)

    def _requests(self) -> Counter[str]:
        return self._total().requests


def in_requests(requests: Mapping[str, int]) -> str:
    """Requests in words, by endpoint."""
    return ", ".join(f"{number} {endpoint}" for endpoint, number in sorted(requests.items()))


def _repeated_and_waited(spent: Meter) -> dict[str, Any]:
    # What is subtracted from itself may be a little below nothing.
    return {"requests_repeated": spent.retries, "seconds_waited": max(0.0, round(spent.waited_s, 3))}
