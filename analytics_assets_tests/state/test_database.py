"""Opening the state database: new, known, from the future, and with a URL that cannot be used."""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert, inspect, select, text, update
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateIndex

from analytics_assets.errors import PermanentError, TransientError
from analytics_assets.state.database import (
    VERSION,
    alert_log,
    budget_doors,
    engine,
    metadata,
    requests,
    salts,
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
    "landings": 0,
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
        "budget_doors",
        "budget_queue",
        "budget_spent",
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


def test_a_database_of_a_newer_package_is_refused_in_words(url: str) -> None:
    """Writing into a schema nobody here knows would damage it."""
    Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True)
    newer = create_engine(url)
    with newer.begin() as connection:
        metadata.create_all(connection)
        connection.execute(insert(schema_version).values(version=VERSION + 1))
    newer.dispose()
    with pytest.raises(PermanentError) as refused:
        engine(url)
    assert str(refused.value) == (
        f"The state database has schema {VERSION + 1}, this package knows {VERSION}. Update analytics_assets."
    )


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


V1 = """
CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY);
CREATE TABLE report_requests (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, account VARCHAR(200) NOT NULL, report VARCHAR(200) NOT NULL,
    spec_hash VARCHAR(64) NOT NULL, first_day VARCHAR(10) NOT NULL, last_day VARCHAR(10) NOT NULL, state VARCHAR(40) NOT NULL,
    is_open INTEGER NOT NULL, task_id TEXT, attempts INTEGER NOT NULL, landings INTEGER NOT NULL, opened_at VARCHAR(40) NOT NULL,
    posted_at VARCHAR(40), seen_at VARCHAR(40), next_look_at VARCHAR(40), closed_at VARCHAR(40), reason TEXT,
    lease_owner VARCHAR(200), lease_until VARCHAR(40)
);
CREATE UNIQUE INDEX one_open_request ON report_requests (account, report, spec_hash, first_day, last_day) WHERE is_open = 1;
CREATE TABLE report_days (request_id INTEGER NOT NULL, day VARCHAR(10) NOT NULL, landed_at VARCHAR(40), PRIMARY KEY (request_id, day));
CREATE TABLE report_states (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, request_id INTEGER NOT NULL, task_id TEXT, state VARCHAR(40) NOT NULL,
    seen_at VARCHAR(40) NOT NULL, reason TEXT
);
INSERT INTO schema_version VALUES (1);
INSERT INTO report_requests (account, report, spec_hash, first_day, last_day, state, is_open, attempts, landings, opened_at)
    VALUES ('shop', 'revenue', 'a', '2026-03-01', '2026-03-02', 'REFUSED', 1, 2, 1, '2026-03-03T00:00:00.000000+00:00');
INSERT INTO report_days VALUES (1, '2026-03-01', '2026-03-03T01:00:00.000000+00:00'), (1, '2026-03-02', NULL);
"""


def test_a_database_of_the_first_version_opens_with_its_rows(url: str) -> None:
    """Every version that was ever written is brought to the present one, column by column as a new one has it."""
    path = Path(url.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as first:
        first.executescript(V1)
    made = engine(url)
    [request] = Ledger(url).open_requests("shop")
    assert (request.state, request.attempts, request.landings, request.days_left, request.key_mark) == (
        "REFUSED",
        2,
        1,
        (date(2026, 3, 2),),
        None,
    )
    with made.connect() as connection:
        assert connection.execute(select(schema_version)).all() == [(VERSION,)]
        assert len(connection.execute(select(salts)).all()) == 1
    migrated, new = inspect(made), inspect(engine(url.replace("state.db", "new.db")))
    for table in metadata.tables:
        assert {column["name"] for column in migrated.get_columns(table)} == {c["name"] for c in new.get_columns(table)}
    engine.cache_clear()
    Ledger(url).saw(1, "PENDING", task_id=None, now=datetime(2026, 3, 4, tzinfo=UTC))
    assert Ledger(url).get(1).state == "PENDING"


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


V3 = """
DROP TABLE budget_doors;
CREATE TABLE budget_doors ("key" VARCHAR(400) NOT NULL PRIMARY KEY, closed_until BIGINT NOT NULL);
INSERT INTO budget_doors VALUES ('shop', 1772366430000);
DROP TABLE alert_log;
CREATE TABLE alert_causes (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL);
CREATE TABLE alert_runs (run_id VARCHAR(64) NOT NULL PRIMARY KEY);
UPDATE schema_version SET version = 3;
"""


def test_a_database_of_the_third_version_keeps_its_pause_and_gets_the_alert_log(url: str) -> None:
    """The fourth knows when the pause began and why; the fifth has one table of alerts."""
    engine(url).dispose()
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as third:
        third.executescript(V3)
    engine.cache_clear()
    with engine(url).connect() as connection:
        assert connection.execute(select(budget_doors)).all() == [("shop", 1772366430000, None, None)]
        assert connection.execute(select(schema_version)).all() == [(VERSION,)]
        assert connection.execute(select(alert_log)).all() == []
    assert [name for name in inspect(engine(url)).get_table_names() if "alert" in name] == ["alert_log"]


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
