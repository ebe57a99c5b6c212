"""The ledger of report requests: what was asked of an asynchronous report, how far it is, and who is at it.

A request covers a range of days of one report. Its row exists before the vendor is asked (an intent), so that a crash loses at most the
task in hand; an open request is unique, so that two processes cannot ask for the same; it stays open until each of its days is stored.
A closed request changes no more; what is still heard of its task goes into its history only.
What a state means and what to do next is pure code (`sources/airbridge/task_decisions.py`); this module only remembers.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Engine, and_, delete, func, insert, or_, select, update

from analytics_assets.dates import spans
from analytics_assets.errors import SourceError
from analytics_assets.state.database import days as days_table
from analytics_assets.state.database import engine, requests, salts, schema_version, states
from analytics_assets.state.leases import Leases
from analytics_assets.state.requests import INTENT, REMOVED, STORED, SUPERSEDED, Request, as_text, from_row

_CHANGED = "The definition of the report was changed; its days are requested with the new one."


class Ledger(Leases):
    """Report requests of all accounts, in one database."""

    def __init__(self, url: str, secret: str = "") -> None:
        """Opens the ledger at a SQLAlchemy URL and makes its tables if they are missing.

        `secret` is the key in use, where one is set; it is never written, only a salted mark of it.
        """
        self._engine, self._secret = engine(url), secret
        self._open_transaction: Connection | None = None

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """States and landings remembered within are one transaction, and one wait for the disk. Other processes wait that long."""
        with self._engine.begin() as connection:
            self._open_transaction = connection
            try:
                yield
            finally:
                self._open_transaction = None

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if self._open_transaction is not None:
            yield self._open_transaction
            return
        with self._engine.begin() as connection:
            yield connection

    def join_or_open(
        self, account: str, report: str, spec_hash: str, wanted: Sequence[date], *, longest: int, now: datetime
    ) -> list[Request]:
        """The open requests that cover the wanted days; what none covers becomes new intents of at most `longest` days.

        Adjacent days share a request. Two processes that ask at once get the same requests.
        """
        with self._engine.begin() as connection:
            # One opener at a time: SQLite's transaction holds the write lock already, Postgres needs a row to wait for.
            connection.execute(select(schema_version).with_for_update())
            standing = self._select(
                connection,
                requests.c.is_open == 1,
                requests.c.account == account,
                requests.c.report == report,
                requests.c.spec_hash == spec_hash,
            )
            joined = [request for request in standing if set(request.days_left) & set(wanted)]
            uncovered = set(wanted).difference(*(request.days_left for request in joined))
            opened = [
                self._open(connection, span, now, account=account, report=report, spec_hash=spec_hash)
                for span in spans(uncovered, longest=longest)
            ]
            return sorted(
                [*joined, *self._select(connection, requests.c.id.in_(opened))], key=lambda request: request.first_day
            )

    def open_requests(self, account: str | None, report: str | None = None) -> list[Request]:
        """The open requests of an account or of one of its reports, or with None of all accounts; oldest day first."""
        return self._read(
            requests.c.is_open == 1,
            *([] if account is None else [requests.c.account == account]),
            *([] if report is None else [requests.c.report == report]),
        )

    def all_requests(self, account: str, report: str) -> list[Request]:
        """Every request of a report, open or closed, oldest day first."""
        return self._read(requests.c.account == account, requests.c.report == report)

    def get(self, request_id: int) -> Request:
        """One request as it is now."""
        return self._read(requests.c.id == request_id)[0]

    def days_left(self, request_ids: Collection[int]) -> set[date]:
        """The days of some requests that are not stored; one that was deleted has none."""
        return {day for request in self._read(requests.c.id.in_(request_ids)) for day in request.days_left}

    def begin_attempt(self, request_id: int, *, now: datetime, owner: str | None = None) -> bool:
        """Remembers that a task is about to be posted; called before the request is sent.

        Returns False, and remembers nothing, if `owner` is given and no longer holds the lease: another process may post by now.
        """
        with self._writing() as connection:
            present = connection.execute(
                select(requests.c.lease_owner).where(requests.c.id == request_id).with_for_update()
            ).scalar_one()
            if owner is not None and present != owner:
                return False
            self._record(
                connection,
                request_id,
                INTENT,
                now,
                task_id=None,
                attempts=requests.c.attempts + 1,
                store_runs=0,
                posted_at=as_text(now),
                next_poll_at=None,
                reason=None,
            )
        return True

    def posted(self, request_id: int, task_id: str, *, now: datetime) -> None:
        """Remembers the vendor's id of the task just posted."""
        with self._writing() as connection:
            self._record(connection, request_id, "POSTED", now, task_id=task_id)

    def saw(
        self,
        request_id: int,
        state: str,
        *,
        task_id: str | None,
        now: datetime,
        next_poll_at: datetime | None = None,
        reason: str | None = None,
        error: SourceError | None = None,
        is_refusal: bool = False,
        issue: str | None = None,
    ) -> bool:
        """Remembers a state, when it was seen, why, and when to look again; of a refusal also a mark of the key, of an error its class.

        `issue` says what happens next, where people are alerted to the state.

        What was seen of the task `task_id` says nothing of a later one: where the request has another by now, nothing is remembered.
        Returns whether the request is open and still has this task.
        """
        mark = self._mark if is_refusal and self._secret else None
        with self._writing() as connection:
            present = connection.execute(
                select(requests.c.task_id, requests.c.is_open).where(requests.c.id == request_id).with_for_update()
            ).one()
            if present.is_open and present.task_id != task_id:
                return False
            values = {"reason": reason, "next_poll_at": as_text(next_poll_at), "key_mark": mark}
            error_class = type(error).__name__ if error else None
            self._record(connection, request_id, state, now, **values, error=error_class, issue=issue)
            return bool(present.is_open)

    def count_since(self, request_id: int, state: str, since: str) -> int:
        """How often a request was in `state` after it was last in `since`."""
        of_request = states.c.request_id == request_id
        last = select(func.coalesce(func.max(states.c.id), 0)).where(of_request, states.c.state == since)
        counted = select(func.count()).where(of_request, states.c.state == state, states.c.id > last.scalar_subquery())
        with self._engine.connect().execution_options(is_reading=True) as connection:
            return connection.execute(counted).scalar_one()

    def has_new_key(self, request: Request) -> bool:
        """True if the key in use is another than the one a request was refused with."""
        return bool(self._secret and request.key_mark) and request.key_mark != self._mark

    @cached_property
    def _mark(self) -> str:
        return key_mark(self._engine, self._secret)

    def record_store_run(self, request_id: int, *, now: datetime, next_poll_at: datetime) -> None:
        """Remembers that a run was requested, so that no second one is before `next_poll_at`."""
        with self._writing() as connection:
            connection.execute(
                update(requests)
                .where(requests.c.id == request_id)
                .values(
                    store_runs=requests.c.store_runs + 1, next_poll_at=as_text(next_poll_at), polled_at=as_text(now)
                )
            )

    def mark_stored(self, request_id: int, day: date, *, now: datetime) -> None:
        """Remembers that a day of a request stands in the lake, and closes the request with its last day."""
        with self._engine.begin() as connection:
            # Two processes that store the last days at once must not each see the other's as missing.
            connection.execute(select(requests.c.id).where(requests.c.id == request_id).with_for_update())
            connection.execute(
                update(days_table)
                .where(days_table.c.request_id == request_id, days_table.c.day == day.isoformat())
                .values(stored_at=as_text(now))
            )
            left = connection.execute(
                select(days_table.c.day).where(days_table.c.request_id == request_id, days_table.c.stored_at.is_(None))
            ).first()
            if left is None:
                self._close(connection, request_id, STORED, now)

    def supersede(self, account: str, report: str, *, but: str, now: datetime) -> int:
        """Closes open requests made for another specification of the report than `but`; returns how many."""
        with self._engine.begin() as connection:
            stale = self._select(
                connection,
                requests.c.is_open == 1,
                requests.c.account == account,
                requests.c.report == report,
                requests.c.spec_hash != but,
            )
            for request in stale:
                self._close(connection, request.id, SUPERSEDED, now, _CHANGED)
            return len(stale)

    def close_removed(self, request_id: int, reason: str, *, now: datetime) -> None:
        """Closes a request whose report is no longer configured; its days stay as they are."""
        is_free = or_(requests.c.lease_until.is_(None), requests.c.lease_until < as_text(now))
        with self._engine.begin() as connection:
            # A run that has read another YAML may have leased it meanwhile.
            if self._select(connection, requests.c.id == request_id, is_free):
                self._close(connection, request_id, REMOVED, now, reason)

    def removed(self, account: str, *, since: datetime) -> list[Request]:
        """The requests of an account that `close_removed` has closed since an instant, oldest day first."""
        return self._read(
            requests.c.account == account, requests.c.state == REMOVED, requests.c.closed_at >= as_text(since)
        )

    def history(self, request_id: int) -> list[tuple[str, datetime, str | None]]:
        """States seen of a request, with instant and reason, oldest first."""
        with self._engine.connect().execution_options(is_reading=True) as connection:
            rows = connection.execute(select(states).where(states.c.request_id == request_id).order_by(states.c.id))
            return [(row.state, datetime.fromisoformat(row.polled_at), row.reason) for row in rows]

    def _open(self, connection: Connection, span: Sequence[date], now: datetime, **identity: str) -> int:
        made = connection.execute(
            insert(requests).values(
                **identity,
                first_day=span[0].isoformat(),
                last_day=span[-1].isoformat(),
                state=INTENT,
                is_open=1,
                attempts=0,
                store_runs=0,
                opened_at=as_text(now),
            )
        )
        assert made.inserted_primary_key is not None
        request_id = int(made.inserted_primary_key[0])
        connection.execute(insert(days_table), [{"request_id": request_id, "day": day.isoformat()} for day in span])
        return request_id

    def _record(self, connection: Connection, request_id: int, state: str, now: datetime, **values: Any) -> None:
        """Writes a state and its history; a state seen again only renews the instant."""
        before = connection.execute(
            select(requests.c.state, requests.c.task_id).where(requests.c.id == request_id)
        ).one()
        task_id = values.get("task_id", before.task_id)
        connection.execute(
            update(requests)
            .where(requests.c.id == request_id, requests.c.is_open == 1)
            .values(**{"issue": None, "state": state, "polled_at": as_text(now), **values})
        )
        if (before.state, before.task_id) != (state, task_id) or state == INTENT:
            connection.execute(
                insert(states).values(
                    request_id=request_id,
                    task_id=task_id,
                    state=state,
                    polled_at=as_text(now),
                    reason=values.get("reason"),
                )
            )

    def _close(
        self, connection: Connection, request_id: int, state: str, now: datetime, reason: str | None = None
    ) -> None:
        closing = {"state": state, "is_open": 0, "closed_at": as_text(now), "polled_at": as_text(now)}
        closed = connection.execute(
            update(requests)
            .where(requests.c.id == request_id, requests.c.is_open == 1)
            .values(**closing, lease_owner=None, lease_until=None, **({"reason": reason} if reason else {}))
        )
        if closed.rowcount:
            connection.execute(
                insert(states).values(request_id=request_id, state=state, polled_at=as_text(now), reason=reason)
            )

    def _read(self, *conditions: Any) -> list[Request]:
        with self._engine.connect().execution_options(is_reading=True) as connection:
            return self._select(connection, *conditions)

    def _select(self, connection: Connection, *conditions: Any) -> list[Request]:
        rows = connection.execute(
            select(requests).where(and_(*conditions)).order_by(requests.c.first_day, requests.c.id)
        ).all()
        left: dict[int, list[date]] = {row.id: [] for row in rows}
        missing = select(days_table).where(days_table.c.request_id.in_(list(left)), days_table.c.stored_at.is_(None))
        for day in connection.execute(missing.order_by(days_table.c.day)):
            left[day.request_id].append(date.fromisoformat(day.day))
        return [from_row(row, left[row.id]) for row in rows]


def delete_stored(url: str, *, before: datetime) -> int:
    """Deletes the requests that were stored whole, or whose report was removed, before an instant, with their days and states; returns how many.

    A superseded request stays: a re-executed run needs the days that it did not store. The newest request stays, so that no number is given
    twice.
    """
    with engine(url).begin() as connection:
        newest = connection.execute(select(func.max(requests.c.id))).scalar()
        is_over = requests.c.state.in_([STORED, REMOVED])
        is_old = and_(is_over, requests.c.closed_at < as_text(before), requests.c.id != newest)
        numbers = list(connection.execute(select(requests.c.id).where(is_old)).scalars())
        for table, number in (
            (days_table, days_table.c.request_id),
            (states, states.c.request_id),
            (requests, requests.c.id),
        ):
            connection.execute(delete(table).where(number.in_(numbers)))
        return len(numbers)


def key_mark(database: Engine, secret: str) -> str:
    """A key as 32 digits, salted with what the database holds."""
    with database.connect().execution_options(is_reading=True) as connection:
        salt = connection.execute(select(salts.c.salt)).scalars().first() or ""
    return hashlib.scrypt(secret.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=16).hex()
