"""The requests an account may spend, shared by every process: a gate before each attempt, on rows of the state database.

The window is that of `bucket.py`. In one transaction with it are the pause that a vendor's Retry-After puts on all processes, and the queue
of scheduled work that a backfill lets pass. No wait is longer than what it serves: rows that a clock ahead of this one has stamped, as before
the clock was set back, count as of now.
"""

import asyncio
import math
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from pyrate_limiter import Rate, RateItem
from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from analytics_assets.clock import Clock
from analytics_assets.errors import PermanentError
from analytics_assets.http.meter import Meter
from analytics_assets.http.rate_limiter import Pause
from analytics_assets.http.retry_after import LONGEST_PAUSE_S
from analytics_assets.state.bucket import Bucket
from analytics_assets.state.database import budget_pauses, budget_queue, budget_requests, engine

# A request reaches the vendor a little after it was let through, and the vendor counts arrivals: the window is longer by this share of
# it, or by `Budget.late_s` where that is more.
_LATE_SHARE = 0.02
# Shorter waits are the ordinary pace of a budget a second; they are counted, not told.
NOTABLE_S = 5.0
# Scheduled work that had to wait stays first this long after it passed, so that its next request finds the place free.
_LINGER_S = 1.0
_GRACE_S = 2.0
_LONGEST_SLEEP_S = 60.0


class RequestPriority(StrEnum):
    """Whose request it is. All but backfills go first."""

    BACKFILL = "backfill"
    SCHEDULED = "scheduled"
    PERSON = "person"
    SENSOR = "sensor"


@dataclass(frozen=True)
class RequestOrigin:
    """Who asks: what a run or a tick tells whoever opens a client for it.

    Attributes:
        kind: Whose requests they are.
        say: Told in words what is waited for and until when, once a wait.
        meter: Counts what the sessions opened for the caller send.
    """

    kind: RequestPriority = RequestPriority.PERSON
    say: Callable[[str], None] = lambda _words: None
    meter: Meter = field(default_factory=Meter)


@dataclass(frozen=True)
class Budget:
    """What an account may spend.

    Attributes:
        requests: Requests in any window, sent by all processes together.
        per_s: Length of the window in seconds.
        kept: Share of the requests, 0 to 1, that a backfill leaves to scheduled runs, polls and persons while one of them waits.
        late_s: Seconds a request may take to arrive without falling into a later window of the vendor.
        longest_pause_s: Longest pause that a Retry-After leads to; None is an hour, or `per_s` where that is longer.
    """

    requests: int
    per_s: float
    kept: float = 1.0
    late_s: float = 1.0
    longest_pause_s: float | None = None

    def __post_init__(self) -> None:
        """Refuses what nothing could be sent with."""
        if self.requests < 1:
            raise PermanentError(f"budget, `requests`: {self.requests} let nothing pass.", remedy="Use 1 or more.")
        if not (math.isfinite(self.per_s) and self.per_s > 0):
            raise PermanentError(
                f"budget, `per_seconds`: {self.per_s} is no length of time.", remedy="Use more than 0."
            )
        if self.longest_pause_s is not None and not (math.isfinite(self.longest_pause_s) and self.longest_pause_s > 0):
            raise PermanentError(
                f"budget, `longest_pause_seconds`: {self.longest_pause_s} is out of range.",
                remedy="Use more than 0, or leave it out.",
            )
        if not 0 <= self.kept <= 1:
            raise PermanentError(f"budget, `kept_for_schedules`: {self.kept} is no share.", remedy="Use 0 to 1.")

    @property
    def window_s(self) -> float:
        """Length of the window that is kept here: the vendor's and what requests may arrive late."""
        return self.per_s + max(_LATE_SHARE * self.per_s, self.late_s)

    @property
    def pause_limit_s(self) -> float:
        """Longest pause that a Retry-After leads to."""
        return self.longest_pause_s or max(LONGEST_PAUSE_S, self.per_s)

    def seconds_for(self, requests: int) -> float:
        """How long so many requests take at least when nothing else is asked and none was asked before."""
        return round(max(0, math.ceil(requests / self.requests) - 1) * self.window_s, 1)

    def __str__(self) -> str:
        return f"{self.requests} requests in {self.per_s:g} s"


class SharedRateLimiter:
    """The gate of one account in one process; see `http.session.RateLimiter`."""

    def __init__(
        self,
        url: str,
        key: str,
        budget: Budget,
        origin: RequestOrigin,
        *,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Prepares the gate; the database is opened with the first request.

        Args:
            url: The state database.
            key: What the vendor counts by, such as its host; gates with the same key share one budget. Holds no secret.
            budget: What may be spent.
            origin: Who asks.
            clock: The present instant.
            sleep: How to wait.
        """
        self._url, self._key, self._budget, self._origin = url, key, budget, origin
        self._clock, self._sleep = clock, sleep
        self._turn = asyncio.Lock()
        self._id = uuid.uuid4().hex
        self._rate = Rate(budget.requests, math.ceil(budget.window_s * 1000))
        self.longest_pause_s = budget.pause_limit_s
        self._pause_s = min(5.0, max(0.02, budget.per_s / budget.requests / 10))

    async def acquire(self, endpoint: str) -> float:
        """Waits for the door, for scheduled work and for the window, in this order; returns the seconds waited.

        One request of a process asks at a time; the others queue behind it without asking the database.
        """
        began = self._clock()
        told = False
        async with self._turn:
            has_waited = False
            while (verdict := await asyncio.to_thread(self._try, has_waited=has_waited)) is not None:
                until, reason = verdict
                has_waited = True
                seconds = (until - self._clock()).total_seconds()
                if seconds >= NOTABLE_S and not told:
                    told = True
                    line = f"{endpoint} waits until {until:%Y-%m-%d %H:%M:%S} UTC: {reason}."
                    # In a run this is a statement to Dagster's database.
                    await asyncio.to_thread(self._origin.say, line)
                await self._sleep(min(_LONGEST_SLEEP_S, max(0.001, seconds)))
        # Less than nothing where the clock was set back meanwhile.
        return max(0.0, (self._clock() - began).total_seconds())

    def pause_for(self, seconds: float, reason: str) -> None:
        """Pauses all processes for `seconds`, within the longest pause; a longer pause in force stays."""
        with engine(self._url).begin() as connection:
            # Rounded up: no request is sent before the instant that the vendor named.
            row, now = self._lock(connection), _ms(self._clock() + timedelta(microseconds=999))
            until = now + math.ceil(min(seconds, self.longest_pause_s) * 1000)
            if until > self._paused_until(connection, row, now):
                self._set_pause(connection, paused_at=now, paused_until=until, reason=reason)

    def remaining(self) -> int:
        """Places in the window that nobody has taken; a backfill may have to leave them to scheduled work."""
        with engine(self._url).connect().execution_options(is_reading=True) as connection:
            start = _ms(self._clock()) - self._rate.interval
            inside = select(func.count()).where(budget_requests.c.key == self._key, budget_requests.c.at > start)
            return max(0, self._budget.requests - connection.execute(inside).scalar_one())

    def pause(self) -> Pause | None:
        """The pause in force; None where there is none."""
        with engine(self._url).connect().execution_options(is_reading=True) as connection:
            row = connection.execute(select(budget_pauses).where(budget_pauses.c.key == self._key)).first()
        return None if row is None else self._in_force(row, _ms(self._clock()))

    def resume(self) -> Pause | None:
        """Ends the pause in force for all processes and returns it; None where there was none."""
        with engine(self._url).begin() as connection:
            row, now = self._lock(connection), _ms(self._clock())
            self._set_pause(connection, paused_at=None, paused_until=0, reason=None)
        return self._in_force(row, now)

    def _try(self, *, has_waited: bool) -> tuple[datetime, str] | None:
        """Takes a place, or says until when there is none and why; one transaction."""
        is_first = self._origin.kind is not RequestPriority.BACKFILL
        with engine(self._url).begin() as connection:
            row, now = self._lock(connection), _ms(self._clock())
            bucket = Bucket(self._rate, connection, self._key)
            bucket.bring_to(now)
            if (paused_until := self._paused_until(connection, row, now)) > now:
                verdict = paused_until, "the vendor asked all requests to wait (Retry-After)"
            elif not is_first and self._must_give_way(connection, now):
                verdict = now + math.ceil(self._pause_s * 1000), "scheduled work goes first"
            else:
                bucket.leak(now)
                if bucket.put(RateItem(self._origin.kind, now)):
                    if is_first and has_waited:
                        self._queue(connection, now + math.ceil(_LINGER_S * 1000))
                    return None
                wait = bucket.waiting(RateItem(self._origin.kind, now))
                assert isinstance(wait, int)
                verdict = now + max(1, wait), f"the budget of {self._budget} is spent"
            if is_first:
                longest = now + math.ceil(_LONGEST_SLEEP_S * 1000)
                self._queue(connection, min(verdict[0], longest) + math.ceil(_GRACE_S * 1000))
        return datetime.fromtimestamp(verdict[0] / 1000, UTC), verdict[1]

    def _lock(self, connection: Connection) -> Row[Any]:
        """The row of the pause, locked: the processes decide one after the other, in Postgres too."""
        row = select(budget_pauses).where(budget_pauses.c.key == self._key).with_for_update()
        found = connection.execute(row).first()
        if found is None:
            # Two processes may find no row at once; Postgres lets both look.
            of_dialect = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            connection.execute(of_dialect(budget_pauses).values(key=self._key, paused_until=0).on_conflict_do_nothing())
            found = connection.execute(row).one()
        return found

    def _paused_until(self, connection: Connection, row: Row[Any], now: int) -> int:
        """When the pause ends; one that began in the future begins now."""
        until = self._pause_end(row, now)
        if until != row.paused_until:
            self._set_pause(connection, paused_at=min(now, row.paused_at or now), paused_until=until)
        return until

    def _pause_end(self, row: Row[Any], now: int) -> int:
        began = now if row.paused_at is None else int(row.paused_at)
        return min(began, now) + min(int(row.paused_until) - began, math.ceil(self.longest_pause_s * 1000))

    def _in_force(self, row: Row[Any], now: int) -> Pause | None:
        if (until := self._pause_end(row, now)) <= now:
            return None
        return Pause(datetime.fromtimestamp(until / 1000, UTC), row.reason or "a Retry-After of the vendor")

    def _set_pause(self, connection: Connection, **values: Any) -> None:
        connection.execute(update(budget_pauses).where(budget_pauses.c.key == self._key).values(**values))

    def _must_give_way(self, connection: Connection, now: int) -> bool:
        """True if scheduled work waits and backfills have spent all that is not kept for it."""
        # No waiter requests longer: a row beyond is of a clock that was ahead of this one.
        latest = now + math.ceil((_LONGEST_SLEEP_S + _GRACE_S) * 1000)
        is_beyond = (budget_queue.c.key == self._key) & (budget_queue.c.until > latest)
        connection.execute(update(budget_queue).where(is_beyond).values(until=latest))
        waiting = select(func.count()).where(budget_queue.c.key == self._key, budget_queue.c.until > now)
        if not connection.execute(waiting).scalar_one():
            return False
        spent = select(func.count()).where(
            budget_requests.c.key == self._key,
            budget_requests.c.kind == RequestPriority.BACKFILL,
            budget_requests.c.at >= now - self._rate.interval,
        )
        return connection.execute(spent).scalar_one() >= math.floor((1 - self._budget.kept) * self._budget.requests)

    def _queue(self, connection: Connection, until: int) -> None:
        """Stands in the queue until then; a process that dies is out of it by itself."""
        now = _ms(self._clock())
        mine = (budget_queue.c.key == self._key) & ((budget_queue.c.waiter == self._id) | (budget_queue.c.until <= now))
        connection.execute(delete(budget_queue).where(mine))
        connection.execute(insert(budget_queue).values(key=self._key, waiter=self._id, until=until))


def forget_budgets(url: str, *, before: datetime) -> None:
    """Deletes what no request has used since an instant: budgets of accounts that were removed, or have another key, name or address."""
    instant = _ms(before)
    with engine(url).begin() as connection:
        used = select(budget_requests.c.key).where(budget_requests.c.at >= instant).distinct()
        connection.execute(delete(budget_requests).where(budget_requests.c.key.not_in(used)))
        connection.execute(delete(budget_queue).where(budget_queue.c.until < instant))
        is_used = budget_pauses.c.key.in_(select(budget_requests.c.key))
        connection.execute(delete(budget_pauses).where(budget_pauses.c.paused_until < instant, ~is_used))


def _ms(instant: datetime) -> int:
    """An instant as the rows have it: milliseconds since 1970."""
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
