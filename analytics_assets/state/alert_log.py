"""The alert log: one row for each open issue and destination, until the issue is over.

One more row, without a destination, is the position: the failed runs that were taken in. It is written in one transaction with their issues, so
a run counts once even where two daemons tick at once or a tick fails. A row keeps its occurrences until a destination has taken them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, or_, select, update

from analytics_assets.state.database import alert_log, engine, schema_version
from analytics_assets.state.requests import as_text

# No pause before the next try is longer. A later instant was written by a clock that was ahead.
LONGEST_PAUSE = timedelta(hours=1)
# A sender that dies blocks its rows this long; longer than a tick of the sensor.
_CLAIMED = timedelta(seconds=90)
# An issue that was not seen for so long is dropped, such as the failure of a run without tables.
_KEPT = timedelta(days=30)
# Clocks of machines differ, so failed runs are read again from this long before the newest one.
_OVERLAP = timedelta(hours=1)
_MOST_OCCURRENCES = 100
_POSITION = ""

# Of each table and day ("" for a snapshot) that failed, the position in Dagster's history after which its materialization counts.
Missing = Mapping[str, Mapping[str, int]]


class IssueKind(StrEnum):
    """Kinds of issues."""

    FAILURE = "failure"  # a run failed
    TASK = "task"  # a report task is refused, or has failed often
    CHECK = "check"  # a check failed
    LATE = "late"  # a table lacks its newest final day


@dataclass(frozen=True)
class IssueKey:
    """What makes two occurrences the same issue.

    Attributes:
        account: The account.
        stream: The stream, report or table; empty where the error concerns the whole account.
        kind: Kind of the issue.
        error: Class of the error, name of the check, or state of the task.
    """

    account: str
    stream: str
    kind: IssueKind
    error: str


@dataclass(frozen=True)
class Occurrence:
    """One occurrence of an issue: a failed step, a failed check, a report task in trouble.

    Attributes:
        severity: `failure` or `warning`.
        about: The stream, report or table, such as `bento/ads`.
        headline: What is wrong with it, such as `3 of 7 days were not stored`.
        reasons: Why, a line each, with the vendor's words.
        next: What happens next, or what to do.
        path: Where to look, as a path of Dagster's UI.
        tables: The affected tables, where `about` is none.
    """

    severity: str
    about: str
    headline: str
    reasons: tuple[str, ...]
    next: str
    path: str
    tables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Detection:
    """An occurrence of an issue in one tick.

    Attributes:
        key: The issue.
        occurrence: What was seen.
        run: The failed run it was seen in, which counts once; None for a state that is read in each tick.
        missing: The tables and days that have to be stored until the issue is over.
    """

    key: IssueKey
    occurrence: Occurrence
    run: str | None = None
    missing: Missing = field(default_factory=dict)


@dataclass(frozen=True)
class OpenIssue:
    """A row: an open issue of one destination.

    Attributes:
        occurrences: Those that the destination has not taken yet.
        missing: The tables and days that have to be stored until it is over.
        times: How many failed steps were counted.
        sent_at: Instant of the last message that arrived.
        tries: Messages tried since then.
        next_try_at: No message is tried before.
        delivery_error: Why the last message did not arrive.
    """

    id: int
    destination: str
    key: IssueKey
    occurrences: tuple[Occurrence, ...]
    missing: Missing
    times: int
    first_seen: datetime
    last_seen: datetime
    sent_at: datetime | None = None
    tries: int = 0
    next_try_at: datetime | None = None
    delivery_error: str | None = None

    @property
    def group(self) -> tuple[str, ...]:
        """Issues of one group share a message: a check of several tables, report tasks of an account, its late tables."""
        key = self.key
        part = {IssueKind.FAILURE: (key.stream, key.error), IssueKind.LATE: ()}.get(key.kind, (key.error,))
        return key.account, key.kind, str(self.sent_at is None), *part

    def is_due(self, now: datetime, repeat: timedelta) -> bool:
        """True if it is to be sent now: for the first time, or again after `repeat`."""
        is_waiting = self.next_try_at is not None and now < self.next_try_at <= now + LONGEST_PAUSE
        # A far later instant was written by a clock that was ahead.
        is_repeat_due = self.sent_at is None or abs(now - self.sent_at) >= repeat
        return bool(self.occurrences) and is_repeat_due and not is_waiting


class AlertLog:
    """The alert log of one state database."""

    def __init__(self, url: str) -> None:
        """Opens the table at a SQLAlchemy URL and creates it if it is missing."""
        self._engine = engine(url)

    def position(self, *, now: datetime) -> tuple[datetime, set[str]]:
        """The instant from which failed runs may be new, and the runs since then that were taken in; the first call of all starts at `now`."""
        with self._writing() as connection:
            since, row = self._position(connection, now)
            return since, set(row.occurrences)

    def open_issues(self) -> list[OpenIssue]:
        """All open issues of all destinations, oldest first."""
        with self._engine.connect().execution_options(is_reading=True) as connection:
            return self._open(connection)

    def record(
        self,
        detections: Sequence[Detection],
        *,
        runs: Mapping[str, datetime],
        over: Collection[OpenIssue],
        kinds: Collection[IssueKind],
        destinations: Collection[str],
        now: datetime,
    ) -> int:
        """Writes what one tick has seen; returns how many issues are new.

        Args:
            detections: The occurrences.
            runs: The failed runs that were read, with the instant each failed; what another process has taken in meanwhile is skipped.
            over: Issues that are over; one that has changed since it was read stays.
            kinds: Rows of other kinds are dropped.
            destinations: Each gets a row for each issue; rows of other destinations are dropped.
            now: The present instant.
        """
        with self._writing() as connection:
            new_runs = self._take_in(connection, runs, now)
            self._delete(connection, over, kinds=kinds, destinations=destinations, now=now)
            open_issues = {(issue.destination, issue.key): issue for issue in self._open(connection)}
            by_key: dict[IssueKey, list[Detection]] = {}
            for detection in detections:
                if detection.run is None or detection.run in new_runs:
                    by_key.setdefault(detection.key, []).append(detection)
            known = {key for _, key in open_issues}
            for destination in destinations:
                for key, seen in by_key.items():
                    self._write(connection, destination, open_issues.get((destination, key)), seen, now)
            return len(by_key.keys() - known)

    def claim(self, destination: str, *, repeat: timedelta, now: datetime) -> list[OpenIssue]:
        """The issues of the next message to a destination, for the caller alone; none if nothing is due.

        Issues that were tried less often go first, so that a message that is refused holds up no other.
        """
        with self._writing() as connection:
            due = [issue for issue in self._open(connection, destination) if issue.is_due(now, repeat)]
            if not due:
                return []
            first = min(due, key=lambda issue: (issue.tries, issue.id))
            claimed = [issue for issue in due if issue.group == first.group]
            self._set(connection, claimed, tries=first.tries + 1, next_try_at=as_text(now + _CLAIMED))
            return claimed

    def sent(self, issues: Sequence[OpenIssue], *, now: datetime) -> None:
        """Writes that the destination has taken the message of some claimed issues."""
        with self._writing() as connection:
            self._set(connection, issues, sent_at=as_text(now), tries=0, next_try_at=None, delivery_error=None)
            for issue in issues:
                # What came in while the message was on its way is kept for the next.
                is_same = and_(alert_log.c.id == issue.id, alert_log.c.times == issue.times)
                connection.execute(update(alert_log).where(is_same).values(occurrences=[]))

    def failed(self, issues: Sequence[OpenIssue], delivery_error: str, *, next_try_at: datetime) -> None:
        """Writes why the message of some claimed issues did not arrive, and when to try again."""
        with self._writing() as connection:
            self._set(connection, issues, delivery_error=delivery_error, next_try_at=as_text(next_try_at))

    def undelivered(self) -> dict[str, str]:
        """The destinations that have not taken a message: how many issues wait, and the reason."""
        reasons: dict[str, list[str]] = {}
        for issue in self.open_issues():
            if issue.delivery_error is not None:
                reasons.setdefault(issue.destination, []).append(issue.delivery_error)
        return {name: f"{len(of_name)} undelivered; {of_name[-1]}" for name, of_name in reasons.items()}

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction, one at a time: SQLite's holds the write lock already, Postgres needs a row to wait for."""
        with self._engine.begin() as connection:
            connection.execute(select(schema_version).with_for_update())
            yield connection

    @staticmethod
    def _position(connection: Connection, now: datetime) -> tuple[datetime, Row[Any]]:
        """The instant from which failed runs may be new, and the row of the position, which is created if it is missing."""
        of_position = select(alert_log).where(alert_log.c.destination == _POSITION)
        row = connection.execute(of_position).first()
        if row is None:
            key = {"destination": _POSITION, "account": "", "stream": "", "kind": IssueKind.FAILURE.value, "error": ""}
            instants = {"first_seen": as_text(now), "last_seen": as_text(now)}
            connection.execute(insert(alert_log).values(**key, **instants, occurrences={}, missing={}))
            row = connection.execute(of_position).one()
        began, newest = datetime.fromisoformat(row.first_seen), datetime.fromisoformat(row.last_seen)
        return max(began, min(newest, now) - _OVERLAP), row

    def _take_in(self, connection: Connection, runs: Mapping[str, datetime], now: datetime) -> set[str]:
        """Moves the position on; returns the runs that are new."""
        since, row = self._position(connection, now)
        # What is older was taken in by a process that has moved the position on meanwhile.
        new = {run: str(as_text(at)) for run, at in runs.items() if run not in row.occurrences and at >= since}
        if new:
            is_position = alert_log.c.destination == _POSITION
            newest = max(row.last_seen, *new.values())
            connection.execute(update(alert_log).where(is_position).values(last_seen=newest))
            since, _ = self._position(connection, now)
            known = {run: at for run, at in {**row.occurrences, **new}.items() if at >= str(as_text(since))}
            connection.execute(update(alert_log).where(is_position).values(occurrences=known))
        return set(new)

    @staticmethod
    def _open(connection: Connection, destination: str | None = None) -> list[OpenIssue]:
        is_chosen = (
            alert_log.c.destination != _POSITION if destination is None else alert_log.c.destination == destination
        )
        rows = connection.execute(select(alert_log).where(is_chosen).order_by(alert_log.c.id))
        return [_open_issue(row) for row in rows]

    @staticmethod
    def _delete(
        connection: Connection,
        over: Collection[OpenIssue],
        *,
        kinds: Collection[IssueKind],
        destinations: Collection[str],
        now: datetime,
    ) -> None:
        is_old = or_(alert_log.c.destination.not_in(destinations), alert_log.c.last_seen < as_text(now - _KEPT))
        is_unwanted = alert_log.c.kind.not_in([kind.value for kind in kinds])
        is_dropped = or_(is_unwanted, and_(alert_log.c.destination != _POSITION, is_old))
        connection.execute(delete(alert_log).where(is_dropped))
        for issue in over:
            is_unchanged = and_(alert_log.c.id == issue.id, alert_log.c.last_seen == as_text(issue.last_seen))
            connection.execute(delete(alert_log).where(is_unchanged))

    @staticmethod
    def _write(
        connection: Connection, destination: str, before: OpenIssue | None, seen: Sequence[Detection], now: datetime
    ) -> None:
        """Opens an issue, or adds to it what was seen now."""
        steps = sum(detection.run is not None for detection in seen)
        earlier = before.occurrences if before and steps else ()
        occurrences = [*earlier, *(detection.occurrence for detection in seen)][-_MOST_OCCURRENCES:]
        values: dict[str, Any] = {
            "occurrences": [asdict(occurrence) for occurrence in occurrences],
            "missing": _merged([before.missing if before else {}, *(one.missing for one in seen)]),
            "times": (before.times if before else 0) + steps,
            "last_seen": as_text(now),
        }
        if before:
            connection.execute(update(alert_log).where(alert_log.c.id == before.id).values(**values))
        else:
            key = {**asdict(seen[0].key), "kind": seen[0].key.kind.value, "destination": destination}
            connection.execute(insert(alert_log).values(**key, **values, first_seen=as_text(now)))

    @staticmethod
    def _set(connection: Connection, issues: Sequence[OpenIssue], **values: Any) -> None:
        ids = [issue.id for issue in issues]
        connection.execute(update(alert_log).where(alert_log.c.id.in_(ids)).values(**values))


def _open_issue(row: Row[Any]) -> OpenIssue:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented way to a row as a mapping
    for name in ("first_seen", "last_seen", "sent_at", "next_try_at"):
        values[name] = datetime.fromisoformat(values[name]) if values[name] else None
    key = IssueKey(values.pop("account"), values.pop("stream"), IssueKind(values.pop("kind")), values.pop("error"))
    occurrences = tuple(
        Occurrence(**{**stored, "reasons": tuple(stored["reasons"]), "tables": tuple(stored["tables"])})
        for stored in values.pop("occurrences")
    )
    return OpenIssue(key=key, occurrences=occurrences, **values)


def _merged(parts: Iterable[Missing]) -> dict[str, dict[str, int]]:
    """All that is missing; of a day named twice the later position counts."""
    merged: dict[str, dict[str, int]] = {}
    for table, days in (pair for part in parts for pair in part.items()):
        of_table = merged.setdefault(table, {})
        of_table |= {day: max(after, of_table.get(day, after)) for day, after in days.items()}
    return merged
