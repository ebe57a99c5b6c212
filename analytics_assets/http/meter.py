"""What a session spends, as a whole and on each day it is spent on.

A request belongs to the day whose reading it was sent in; one that serves many days, such as a report task, belongs to none of them.
Keep what may be spent out of here (`state/budget.py`), and what a run tells of it (`progress.py`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from typing import Self

# Tasks begun while a day is read inherit it, however deep; sessions need not be told.
_DAY: ContextVar[date | None] = ContextVar("day", default=None)


@contextmanager
def spent_on(day: date) -> Iterator[None]:
    """What is sent within, and in tasks begun within, is spent on that day."""
    token = _DAY.set(day)
    try:
        yield
    finally:
        _DAY.reset(token)


@dataclass
class Meter:
    """What a session has spent.

    Attributes:
        requests: Requests sent, by endpoint, retries included.
        retries: Requests that repeated an earlier one.
        waited_s: Seconds spent waiting for the gate.
        received: Bytes of successful bodies.
        days: Of the requests, repeats and seconds: what was spent on one day alone.
        left: What the session's gate says is left; see `session.Gate.left`.
        ahead_s: Seconds by which the clock here was ahead of the one the last answer was dated with; None before a dated one.
    """

    requests: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    waited_s: float = 0.0
    received: int = 0
    days: dict[date, "Meter"] = field(default_factory=dict)
    left: Callable[[], int | None] = field(default=lambda: None, compare=False)
    ahead_s: float | None = field(default=None, compare=False)

    def sent(self, endpoint: str, *, waited_s: float, is_repeat: bool) -> None:
        """Counts a request that is sent now, after that many seconds before the gate."""
        day = _DAY.get()
        for meter in (self, *([] if day is None else [self.days.setdefault(day, Meter())])):
            meter.requests[endpoint] += 1
            meter.retries += is_repeat
            meter.waited_s += waited_s

    @classmethod
    def total(cls, meters: Iterable["Meter"]) -> Self:
        """The requests, repeats and seconds of several."""
        together = cls()
        for meter in meters:
            together.requests += meter.requests
            together.retries += meter.retries
            together.waited_s += meter.waited_s
        return together

    def without(self, other: "Meter") -> "Meter":
        """The requests, repeats and seconds that are not the other's, which is a part of it."""
        return Meter(self.requests - other.requests, self.retries - other.retries, self.waited_s - other.waited_s)
