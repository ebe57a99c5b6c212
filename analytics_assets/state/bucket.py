"""The sliding window of a budget: pyrate-limiter's policy over rows of the state database.

Its SQLite bucket counts and writes in two transactions, its Postgres bucket brings a pool of its own, and neither could share the
transaction of the pause and the queue in `rate_limit.py`. Policy: https://pyratelimiter.readthedocs.io/en/latest/ (custom backends).
"""

from pyrate_limiter import AbstractBucket, Rate, RateItem
from sqlalchemy import Connection, delete, func, insert, select, update

from analytics_assets.state.database import budget_requests


class Bucket(AbstractBucket):
    """pyrate-limiter's bucket over the rows of one key, inside a transaction that the caller holds."""

    is_async = False

    def __init__(self, rate: Rate, connection: Connection, key: str) -> None:
        self.rates = [rate]
        self._connection = connection
        self._is_key = budget_requests.c.key == key
        self._key = key

    def put(self, item: RateItem) -> bool:
        """Takes a place in the window, if there is one."""
        start = self._algorithm.window_start(self.rates[0], item.timestamp)
        inside = select(func.count()).where(self._is_key, budget_requests.c.at >= start)
        counts = [self._connection.execute(inside).scalar_one()]
        decision = self._algorithm.decide(self.rates, counts, item.weight, item.timestamp, self._at)
        if not self._record(item, decision):
            return False
        rows = [{"key": self._key, "kind": str(item.name), "at": item.timestamp}] * item.weight
        self._connection.execute(insert(budget_requests), rows)
        return True

    def leak(self, current_timestamp: int | None = None) -> int:
        """Forgets requests that no window holds any more."""
        assert current_timestamp is not None
        bound = self._algorithm.leak_bound(self.rates, current_timestamp)
        return self._connection.execute(
            delete(budget_requests).where(self._is_key, budget_requests.c.at < bound)
        ).rowcount

    def bring_to(self, now: int) -> None:
        """Moves requests that a clock ahead of this one has stamped to now, so that they are in the window no longer than its length."""
        self._connection.execute(update(budget_requests).where(self._is_key, budget_requests.c.at > now).values(at=now))

    def flush(self) -> None:
        """Forgets all requests."""
        self._connection.execute(delete(budget_requests).where(self._is_key))
        self.failing_rate = None

    def count(self) -> int:
        """Requests remembered."""
        return self._connection.execute(select(func.count()).where(self._is_key)).scalar_one()

    def peek(self, index: int) -> RateItem | None:
        """The request so many places before the newest."""
        newest = (
            select(budget_requests.c.kind, budget_requests.c.at)
            .where(self._is_key)
            .order_by(budget_requests.c.at.desc())
        )
        row = self._connection.execute(newest.limit(1).offset(index)).first()
        return None if row is None else RateItem(row.kind, row.at)

    def _at(self, offset: int) -> int | None:
        item = self.peek(offset)
        return None if item is None else item.timestamp
