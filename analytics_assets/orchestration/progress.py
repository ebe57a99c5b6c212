"""How far a run is, in words: a line at sensible steps, not for each day, because Dagster stores every line."""

import math
from collections.abc import Callable
from datetime import timedelta

from analytics_assets.clock import Clock
from analytics_assets.http.meter import Meter

LINES = 20
QUIET = timedelta(seconds=60)


def say_spent(meter: Meter, say: Callable[[str], None]) -> None:
    """Says what was spent, if it was anything."""
    if meter.requests:
        say(f"Spent: {meter}.")


class Progress:
    """The progress of one step of a run."""

    def __init__(self, days: int, meter: Meter, clock: Clock, *, say: Callable[[str], None]) -> None:
        """Begins to count.

        Args:
            days: Days the step is for.
            meter: What it has spent.
            clock: The present instant.
            say: Where lines go.
        """
        self._days, self._meter, self._clock, self._say = days, meter, clock, say
        self._began = self._told = clock()
        self._every = math.ceil(days / LINES)
        self._landed = 0

    def step(self, done: int, *, is_stored: bool) -> None:
        """Counts a day, the `done`-th; says a line after each twentieth of the days, after a minute of silence, and after the last."""
        self._landed += is_stored
        now = self._clock()
        if done % self._every and done < self._days and now - self._told < QUIET:
            return
        self._told = now
        message = f"{self._landed} of {self._days} days stored"
        message += f", {done - self._landed} did not" if done > self._landed else ""
        if self._meter.requests:
            message += f"; {self._meter.requests.total()} requests, {self._meter.waited_s:.0f} s waited for the budget"
            left = self._meter.remaining()
            message += "" if left is None else f", {left} left of it now"
        if done < self._days:
            end = now + (now - self._began) / done * (self._days - done)
            message += f"; end expected at {end:%Y-%m-%d %H:%M:%S} UTC"
        self._say(f"{message}.")
