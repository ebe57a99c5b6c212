"""What people were told of: the causes that are open, and the failed runs that were taken in.

A cause is open once, a failed run is taken in once, and both together with the messages they make are one transaction; so two daemons, or a
look taken again, tell nothing twice. Keep what a cause is and how a message reads out of here (`alerts/`), and where messages wait too
(`outbox.py`).
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Row, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from analytics_assets.state.database import alert_causes, alert_runs, engine, schema_version
from analytics_assets.state.outbox import REMEMBERED, Message, put
from analytics_assets.state.requests import as_text

T = TypeVar("T")

# Of each table and day (or "" for a snapshot) that did not land, the position in Dagster's history that its landing has to be after.
Missing = Mapping[str, Mapping[str, int]]

_OVERLAP = timedelta(hours=1)


@dataclass(frozen=True)
class Sighting(Generic[T]):
    """A cause seen in one look.

    Attributes:
        key: What makes it the same cause.
        kind: Which kind of cause it is.
        title: What is wrong, in one line.
        what: All that is known of it, for the message.
        run: The failed run it was seen in; a run is taken in once. None for what stands as long as it is seen.
        missing: What has to land for it to be over, by table; what stands as long as it is seen names its table without days.
    """

    key: str
    kind: str
    title: str
    what: T
    run: str | None = None
    missing: Missing = field(default_factory=dict)


@dataclass(frozen=True)
class OpenCause:
    """A cause people were told of and that is not over.

    Attributes:
        key: What makes it the same cause.
        kind: Which kind of cause it is.
        title: What is wrong, in one line.
        times: How often it was seen: a failed run counts once, what stands counts as one.
        first_seen: Instant it was seen first.
        last_seen: Instant it was seen last.
        told_at: Instant people were told last.
        missing: What has to land for it to be over.
    """

    key: str
    kind: str
    title: str
    times: int
    first_seen: datetime
    last_seen: datetime
    told_at: datetime
    missing: Missing


# The causes to tell now, each with all it was seen as, and as it stood before if it was told before; then those that are over.
Tell = Callable[[Sequence[tuple[OpenCause | None, Sequence[Any]]], Sequence[OpenCause]], Sequence[Message]]


class Told:
    """The causes and messages of all accounts, in one database."""

    def __init__(self, url: str) -> None:
        """Opens the tables at a SQLAlchemy URL and makes them if they are missing."""
        self._engine = engine(url)

    def failures_since(self, *, now: datetime) -> datetime:
        """The instant from which failed runs may be new; the first look of all begins with now, so that no old failure is told."""
        with self._engine.begin() as connection:
            newest = connection.execute(select(func.max(alert_runs.c.failed_at))).scalar()
            if newest is None:
                self._is_new(connection, "", now)
                return now
            # Several machines may disagree a little about the time; what was taken in is known by its id.
            since = datetime.fromisoformat(newest) - _OVERLAP
            began = connection.execute(select(alert_runs.c.failed_at).where(alert_runs.c.run_id == "")).scalar()
            return max(since, datetime.fromisoformat(began)) if began else since

    def taken_in(self, runs: Iterable[str]) -> set[str]:
        """Those of some failed runs that were taken in before."""
        with self._engine.connect().execution_options(is_reading=True) as connection:
            known = select(alert_runs.c.run_id).where(alert_runs.c.run_id.in_(list(runs)))
            return set(connection.execute(known).scalars())

    def open_causes(self) -> list[OpenCause]:
        """The causes that are open, oldest first."""
        with self._engine.connect().execution_options(is_reading=True) as connection:
            return self._open(connection)

    def take_in(
        self,
        sightings: Sequence[Sighting[Any]],
        *,
        runs: Mapping[str, datetime],
        over: Collection[str],
        gone: Collection[str] = (),
        destinations: Sequence[str],
        repeat: timedelta,
        now: datetime,
        tell: Tell,
    ) -> int:
        """Remembers what one look has shown, and the messages that it makes; returns how many were made.

        Args:
            sightings: The causes seen.
            runs: The failed runs looked at, with the instant each failed; what another process has taken in meanwhile counts for nothing.
            over: Keys of causes that are over.
            gone: Keys of causes whose tables are no longer configured; they are closed without a message.
            destinations: Where each message goes.
            repeat: A cause that is still seen this long after it was told is told again.
            now: The present instant.
            tell: Makes the messages.
        """
        with self._engine.begin() as connection:
            # One at a time: SQLite's transaction holds the write lock already, Postgres needs a row to wait for.
            connection.execute(select(schema_version).with_for_update())
            new_runs = {run for run, failed_at in runs.items() if self._is_new(connection, run, failed_at)}
            standing = {cause.key: cause for cause in self._open(connection)}
            seen: dict[str, list[Sighting[Any]]] = {}
            for sighting in sightings:
                if sighting.run is None or sighting.run in new_runs:
                    seen.setdefault(sighting.key, []).append(sighting)
            due = [
                (standing.get(key), [one.what for one in of_key])
                for key, of_key in seen.items()
                if self._remember(connection, standing.get(key), of_key, repeat=repeat, now=now)
            ]
            ended = [cause for key, cause in standing.items() if key in over and key not in seen]
            self._close(connection, [*(cause.key for cause in ended), *gone], now)
            messages = tell(due, ended)
            put(connection, messages, destinations, now=now)
            self._forget(connection, now)
            return len(messages)

    @staticmethod
    def _is_new(connection: Connection, run: str, failed_at: datetime) -> bool:
        of_dialect = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        row = of_dialect(alert_runs).values(run_id=run, failed_at=as_text(failed_at))
        return bool(connection.execute(row.on_conflict_do_nothing()).rowcount)

    @staticmethod
    def _open(connection: Connection) -> list[OpenCause]:
        rows = connection.execute(
            select(alert_causes).where(alert_causes.c.is_open == 1).order_by(alert_causes.c.id)
        ).all()
        return [_cause(row) for row in rows]

    @staticmethod
    def _remember(
        connection: Connection,
        before: OpenCause | None,
        seen: Sequence[Sighting[Any]],
        *,
        repeat: timedelta,
        now: datetime,
    ) -> bool:
        """Opens a cause, or adds to it what was seen now; True if it is to be told."""
        times = sum(one.run is not None for one in seen) or 1
        values: dict[str, Any] = {"title": seen[0].title, "last_seen": as_text(now)}
        missing = _together([before.missing if before else {}, *(one.missing for one in seen)])
        if before is None:
            connection.execute(
                insert(alert_causes).values(
                    **values,
                    key=seen[0].key,
                    kind=seen[0].kind,
                    is_open=1,
                    times=times,
                    first_seen=as_text(now),
                    told_at=as_text(now),
                    missing=missing,
                )
            )
            return True
        # A far later instant is of a clock that was ahead of this one.
        is_due = abs(now - before.told_at) >= repeat
        values |= {"told_at": as_text(now)} if is_due else {}
        values |= {"times": before.times + times, "missing": missing} if seen[0].run is not None else {}
        is_this = and_(alert_causes.c.key == before.key, alert_causes.c.is_open == 1)
        connection.execute(update(alert_causes).where(is_this).values(**values))
        return is_due

    @staticmethod
    def _close(connection: Connection, keys: Sequence[str], now: datetime) -> None:
        forgotten = alert_causes.c.last_seen < as_text(now - REMEMBERED)
        connection.execute(
            update(alert_causes)
            .where(alert_causes.c.is_open == 1, or_(alert_causes.c.key.in_(keys), forgotten))
            .values(is_open=0, closed_at=as_text(now))
        )

    @staticmethod
    def _forget(connection: Connection, now: datetime) -> None:
        """Drops what is of no use any more."""
        newest = connection.execute(select(func.max(alert_runs.c.failed_at))).scalar()
        if newest is not None:
            old = as_text(datetime.fromisoformat(newest) - REMEMBERED)
            connection.execute(delete(alert_runs).where(alert_runs.c.failed_at < old))
        old = as_text(now - REMEMBERED)
        connection.execute(delete(alert_causes).where(alert_causes.c.is_open == 0, alert_causes.c.closed_at < old))


def _cause(row: Row[Any]) -> OpenCause:
    first, last, told = (datetime.fromisoformat(text) for text in (row.first_seen, row.last_seen, row.told_at))
    return OpenCause(row.key, row.kind, row.title, row.times, first, last, told, json.loads(row.missing))


def _together(parts: Iterable[Missing]) -> str:
    """All that is missing, as text; of a day named twice the later position counts."""
    found: dict[str, dict[str, int]] = {}
    for part in parts:
        for table, days in part.items():
            of_table = found.setdefault(table, {})
            for day, after in days.items():
                of_table[day] = max(after, of_table.get(day, after))
    return json.dumps(found)
