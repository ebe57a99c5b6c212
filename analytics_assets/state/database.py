"""Opens the state database, and creates its tables in a new one.

SQLite by default, in WAL mode with a long busy time-out, because runs, the sensor and the daemon write from processes of their own.
"""

import secrets
import sqlite3
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import stamina
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError, SQLAlchemyError

from analytics_assets.clock import Clock, utc_now
from analytics_assets.errors import PermanentError, TransientError

VERSION = 8
# Any number, as long as nothing else in the database locks the same.
_LOCK = 4_107_350
# Less than a lease lasts, and more than a slow connection takes.
_MOST_SKEW = timedelta(seconds=60)
_TOO_OLD = "Remove it, or set ANALYTICS_STATE to a new one: open report tasks are then requested again, and rate limits and alerts begin anew."

metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

# Instants are ISO 8601 text in UTC: they sort as text, and SQLite and Postgres give back exactly what was put in.
requests = Table(
    "report_requests",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("account", String(200), nullable=False),
    Column("report", String(200), nullable=False),
    Column("spec_hash", String(64), nullable=False),
    Column("first_day", String(10), nullable=False),
    Column("last_day", String(10), nullable=False),
    Column("state", String(40), nullable=False),
    Column("is_open", Integer, nullable=False),
    Column("task_id", Text),
    Column("attempts", Integer, nullable=False),
    Column("store_runs", Integer, nullable=False),
    Column("opened_at", String(40), nullable=False),
    Column("posted_at", String(40)),
    Column("polled_at", String(40)),
    Column("next_poll_at", String(40)),
    Column("closed_at", String(40)),
    Column("reason", Text),
    Column("lease_owner", String(200)),
    Column("lease_until", String(40)),
    Column("key_mark", String(64)),
    Column("error", String(200)),
    Column("issue", Text),
)
Index(
    "one_open_request",
    requests.c.account,
    requests.c.report,
    requests.c.spec_hash,
    requests.c.first_day,
    requests.c.last_day,
    unique=True,
    sqlite_where=text("is_open = 1"),
    postgresql_where=text("is_open = 1"),
)

days = Table(
    "report_days",
    metadata,
    Column("request_id", Integer, primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("stored_at", String(40)),
)

states = Table(
    "report_states",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("request_id", Integer, nullable=False, index=True),
    Column("task_id", Text),
    Column("state", String(40), nullable=False),
    Column("polled_at", String(40), nullable=False),
    Column("reason", Text),
)

# The budget counts in milliseconds since 1970: windows are reckoned with, not read.
budget_pauses = Table(
    "budget_pauses",
    metadata,
    Column("key", String(400), primary_key=True),
    Column("paused_until", BigInteger, nullable=False),
    Column("paused_at", BigInteger),
    Column("reason", Text),
)

budget_requests = Table(
    "budget_requests",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(400), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("at", BigInteger, nullable=False),
)
Index("budget_requests_at", budget_requests.c.key, budget_requests.c.at)

budget_queue = Table(
    "budget_queue",
    metadata,
    Column("key", String(400), primary_key=True),
    Column("waiter", String(40), primary_key=True),
    Column("until", BigInteger, nullable=False),
)

# One row at most: the lake that all of the database is about, and where it was when it became known.
lakes = Table("lake", metadata, Column("lake", String(64), primary_key=True), Column("address", Text, nullable=False))

# One row a raw day that a later response confirmed; see `confirmations.py`.
confirmations = Table(
    "confirmations",
    metadata,
    Column("lake", String(64), primary_key=True),
    Column("account", String(200), primary_key=True),
    Column("raw_table", String(200), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("content_hash", String(64), nullable=False),
    Column("request_hash", String(64), nullable=False),
    Column("is_sandbox", Integer, nullable=False),
    Column("requested_at", String(40), nullable=False),
    Column("attempt_group", String(200), nullable=False),
)

salts = Table("salt", metadata, Column("salt", String(64), primary_key=True))

# One row for each open issue and destination; see `alert_log.py`.
alert_log = Table(
    "alert_log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("destination", String(200), nullable=False),
    Column("account", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("error", Text, nullable=False),
    Column("occurrences", JSON, nullable=False),
    Column("missing", JSON, nullable=False),
    Column("times", Integer, nullable=False, default=0),
    Column("first_seen", String(40), nullable=False),
    Column("last_seen", String(40), nullable=False),
    Column("sent_at", String(40)),
    Column("tries", Integer, nullable=False, default=0),
    Column("next_try_at", String(40)),
    Column("delivery_error", Text),
)
Index(
    "one_open_issue",
    alert_log.c.destination,
    alert_log.c.account,
    alert_log.c.stream,
    alert_log.c.kind,
    alert_log.c.error,
    unique=True,
)


@lru_cache(maxsize=8)
def engine(url: str, clock: Clock = utc_now) -> Engine:
    """The engine of a database, its tables made if it is new; one per process and URL.

    Args:
        url: An SQLAlchemy URL.
        clock: The present instant, as this machine has it.

    Raises:
        PermanentError: The URL cannot be used, the database was written by another version of this package, or its clock is another one.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        made = create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, ImportError, OSError) as error:
        # The URL may hold a password, so it is not repeated.
        raise PermanentError(
            f"ANALYTICS_STATE cannot be used ({type(error).__name__}).",
            remedy="Write it as sqlite:///data/state.db or "
            "postgresql+psycopg2://user:password@host/database, with the extra [postgres] installed.",
        ) from None
    if parsed.get_backend_name() == "sqlite":
        event.listen(made, "connect", _prepare)
        event.listen(made, "begin", _begin)
    try:
        _create_tables(made, clock)
    except SQLAlchemyError as error:
        made.dispose()
        raise PermanentError(
            f"The state database of ANALYTICS_STATE cannot be used ({type(error).__name__}).",
            remedy="Check that it is a database of this project and can be reached.",
        ) from None
    event.listen(made, "handle_error", _in_our_words, retval=True)
    return made


def _in_our_words(context: ExceptionContext) -> Exception | None:
    """A database that is gone, locked or full says so as one of our errors: it may come back, and no statement of ours is at fault."""
    # A pooled connection that is found dead is replaced; whether a new one can be made is told then.
    if context.is_pre_ping or not isinstance(context.sqlalchemy_exception, OperationalError | InterfaceError):
        return None
    reason = str(context.original_exception).strip().partition("\n")[0]
    return TransientError(
        f"The state database of ANALYTICS_STATE does not work ({reason}).",
        remedy="Report tasks and budgets are kept there: see that it runs, can be reached and has space.",
    )


def _create_tables(made: Engine, clock: Clock) -> None:
    """Creates the tables of a new database; refuses one of another version before anything is changed.

    Raises:
        PermanentError: The database has another version, or its clock is another one.
    """
    with made.begin() as connection:
        if connection.dialect.name == "postgresql":
            _compare_clocks(connection, clock())
            # Two processes that find an empty database would both make its tables; SQLite's transaction has the lock already.
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        is_known = inspect(connection).has_table(schema_version.name)
        version = connection.execute(select(schema_version.c.version)).scalar() if is_known else None
        if version is not None and version != VERSION:
            made.dispose()
            raise PermanentError(
                f"The state database has schema {version}, this package knows {VERSION}.",
                remedy="Update analytics_assets." if version > VERSION else _TOO_OLD,
            )
        metadata.create_all(connection)
        if version is None:
            connection.execute(insert(schema_version).values(version=VERSION))
        if connection.execute(select(salts)).first() is None:
            connection.execute(insert(salts).values(salt=secrets.token_hex(16)))


def _compare_clocks(connection: Connection, here: datetime) -> None:
    """Refuses a machine whose clock is not the database's: it would break leases, and forget what others have spent of a budget."""
    ahead = here - connection.execute(select(func.clock_timestamp())).scalar_one()
    if abs(ahead) > _MOST_SKEW:
        seconds, way = abs(round(ahead.total_seconds())), "ahead of" if ahead > timedelta(0) else "behind"
        raise PermanentError(
            f"The clock of this machine is {seconds} s {way} that of the state database.",
            remedy="Report tasks, budgets and the ends of days are reckoned with it: set both by NTP, then start again.",
        )


def _prepare(connection: Any, _record: Any) -> None:
    """Hands transactions to SQLAlchemy and lets readers and a writer work side by side."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout = 30000")
    # Where another process is opening the same new file, this one statement fails at once instead of waiting.
    for attempt in stamina.retry_context(
        on=sqlite3.OperationalError, attempts=None, timeout=30.0, wait_initial=0.02, wait_max=0.5, wait_jitter=0.02
    ):
        with attempt:
            cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _begin(connection: Any) -> None:
    """Takes the write lock at once, unless only reading: two processes that read before they write then wait instead of failing."""
    is_reading = connection.get_execution_options().get("is_reading", False)
    connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")
