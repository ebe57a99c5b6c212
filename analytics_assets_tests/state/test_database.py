"""Opening the state database: new, known, from the future, and with a URL that cannot be used."""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, inspect, select, text, update
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateIndex

from analytics_assets.errors import PermanentError, TransientError
from analytics_assets.state.database import (
    VERSION,
    engine,
    requests,
    schema_version,
)
from analytics_assets.state.report_ledger import Ledger
from analytics_assets.state.requests import as_text
from analytics_assets_tests.production.parts import Postgres

ROW = {
    "account": "shop",
    "report": "revenue",
    "spec_hash": "a",
    "first_day": "2026-03-01",
    "last_day": "2026-03-02",
    "state": "INTENT",
    "is_open": 1,
    "attempts": 0,
    "store_runs": 0,
    "opened_at": "2026-03-03T00:00:00.000000+00:00",
}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database that is not there yet, in a folder that is not there either."""
    return f"sqlite:///{tmp_path}/not/there/state.db"


def test_a_new_database_has_its_folder_tables_and_version(url: str, tmp_path: Path) -> None:
    """Nobody has to make anything by hand."""
    made = engine(url)
    assert (tmp_path / "not/there/state.db").is_file()
    assert sorted(inspect(made).get_table_names()) == [
        "alert_log",
        "budget_pauses",
        "budget_queue",
        "budget_requests",
        "confirmations",
        "lake",
        "report_days",
        "report_requests",
        "report_states",
        "salt",
        "schema_version",
    ]
    with made.connect() as connection:
        assert connection.execute(select(schema_version)).all() == [(VERSION,)]


def test_opening_again_keeps_what_is_there(url: str) -> None:
    """Another process finds the rows and makes nothing anew."""
    with engine(url).begin() as connection:
        connection.execute(insert(requests).values(**ROW))
    engine.cache_clear()
    with engine(url).connect() as connection:
        assert connection.execute(select(requests.c.account)).all() == [("shop",)]
        assert connection.execute(select(schema_version)).all() == [(VERSION,)]


def test_one_process_has_one_engine_for_a_url(url: str) -> None:
    """Connections are shared by all ledgers of a process."""
    assert engine(url) is engine(url)


def test_readers_and_a_writer_work_side_by_side(url: str) -> None:
    """The file is in WAL mode, waits half a minute for a lock and loses nothing that was committed."""
    with engine(url).connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "busy_timeout", "synchronous")
        }
    assert pragmas == {"journal_mode": "wal", "busy_timeout": 30000, "synchronous": 2}
    with engine(url).begin() as writer:
        writer.execute(insert(requests).values(**ROW))
        with engine(url).connect().execution_options(is_reading=True) as reader:
            assert reader.execute(select(requests.c.id)).all() == []


def test_a_second_open_request_for_the_same_days_is_refused_by_the_database(url: str) -> None:
    """Whatever a program believes; once the first is closed there may be another."""
    made = engine(url)
    with made.begin() as connection:
        connection.execute(insert(requests).values(**ROW))
    with pytest.raises(IntegrityError), made.begin() as connection:
        connection.execute(insert(requests).values(**ROW))
    with made.begin() as connection:
        connection.execute(update(requests).values(is_open=0))
        connection.execute(insert(requests).values(**ROW))
        connection.execute(insert(requests).values(**{**ROW, "is_open": 0}))
        assert connection.execute(select(requests.c.is_open).order_by(requests.c.id)).all() == [(0,), (1,), (0,)]


@pytest.mark.parametrize("other", [{"account": "b"}, {"report": "b"}, {"spec_hash": "b"}, {"last_day": "2026-03-03"}])
def test_another_request_may_be_open_beside_it(url: str, other: dict[str, str]) -> None:
    """Of another account, report or specification, or for other days."""
    with engine(url).begin() as connection:
        connection.execute(insert(requests).values(**ROW))
        connection.execute(insert(requests).values(**{**ROW, **other}))
        assert len(connection.execute(select(requests.c.id)).all()) == 2


def test_postgres_would_refuse_a_second_open_request_too() -> None:
    """The index is partial there as well, or closed requests would block new ones."""
    [index] = requests.indexes
    made = " ".join(str(CreateIndex(index).compile(dialect=PGDialect())).split())  # type: ignore[no-untyped-call]  # SQLAlchemy's dialects carry no types
    assert made == (
        "CREATE UNIQUE INDEX one_open_request ON report_requests (account, report, spec_hash, first_day, last_day) "
        "WHERE is_open = 1"
    )


@pytest.mark.parametrize(
    ("version", "remedy"),
    [
        (VERSION + 1, "Update analytics_assets."),
        (
            VERSION - 1,
            "Remove it, or set ANALYTICS_STATE to a new one: open report tasks are then requested again, and rate limits and alerts begin anew.",
        ),
    ],
    ids=["newer", "older"],
)
def test_a_database_of_another_version_is_refused_and_left_as_it_is(url: str, version: int, remedy: str) -> None:
    """Neither a table nor a row is added to it."""
    path = Path(url.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as other:
        other.executescript(
            f"create table schema_version (version integer primary key); insert into schema_version values ({version});"
        )
    with pytest.raises(PermanentError) as refused:
        engine(url)
    assert str(refused.value) == f"The state database has schema {version}, this package knows {VERSION}. {remedy}"
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("select name from sqlite_master where type = 'table'").fetchall() == [("schema_version",)]
        assert other.execute("select version from schema_version").fetchall() == [(version,)]


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ("data/state.db", "ArgumentError"),
        ("nosuch://me:hunter2@host/db", "NoSuchModuleError"),
        ("postgresql+asyncpg_missing://me:hunter2@host/db", "NoSuchModuleError"),
        ("sqlite:////dev/null/state.db", "FileExistsError"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_without_its_password(wrong: str, kind: str) -> None:
    """The message names the variable and how to write it."""
    with pytest.raises(PermanentError) as refused:
        engine(wrong)
    assert str(refused.value) == (
        f"ANALYTICS_STATE cannot be used ({kind}). Write it as sqlite:///data/state.db or "
        "postgresql+psycopg2://user:password@host/database, with the extra [postgres] installed."
    )


def test_instants_are_kept_in_utc_and_sort_as_text() -> None:
    """Whatever zone they came in, with and without a fraction of a second."""
    seoul = datetime.fromisoformat("2026-03-01T08:59:59.5+09:00")
    assert as_text(seoul) == "2026-02-28T23:59:59.500000+00:00"
    assert as_text(datetime(2026, 3, 1, tzinfo=UTC)) == "2026-03-01T00:00:00.000000+00:00"
    assert as_text(None) is None


def test_a_process_that_opens_a_new_database_while_another_does_waits_for_it(url: str) -> None:
    """SQLite refuses the switch to its log at once while another connection writes in the older way."""
    path = Path(url.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE begun (x)")
        with pytest.raises(sqlite3.OperationalError, match="locked"), closing(sqlite3.connect(path)) as refused:
            refused.execute("PRAGMA journal_mode = WAL")
        release = threading.Timer(0.3, other.execute, ["COMMIT"])
        release.start()
        assert Ledger(url).open_requests("shop") == []
        release.join()


def test_a_database_that_stops_is_told_in_our_words_and_used_again_when_it_is_back(server: Postgres) -> None:
    """No traceback of the driver, no statement, no password; nothing has to be started anew."""
    ledger = Ledger(server.database())
    ledger.join_or_open("shop", "revenue", "a", [date(2026, 3, 1)], longest=92, now=datetime(2026, 3, 2, tzinfo=UTC))
    server.stop()
    try:
        with pytest.raises(TransientError) as gone:
            ledger.open_requests("shop")
    finally:
        server.start()
    assert str(gone.value) == (
        f'The state database of ANALYTICS_STATE does not work (connection to server at "127.0.0.1", port {server.port} failed: Connection '
        "refused). Report tasks and budgets are kept there: see that it runs, can be reached and has space."
    )
    assert [request.first_day for request in ledger.open_requests("shop")] == [date(2026, 3, 1)]
