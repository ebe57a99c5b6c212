"""The lake that the state database belongs to: report tasks that were stored are of no use to another one."""

from pathlib import Path

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from analytics_assets.state.database import engine, lakes, schema_version


def known_lake(url: str) -> tuple[str, str] | None:
    """Identity and last known address of the lake; None where none is known. A database that is not there yet is not created."""
    if not is_there(url):
        return None
    with engine(url).connect().execution_options(is_reading=True) as connection:
        row = connection.execute(select(lakes.c.lake, lakes.c.address)).first()
    return None if row is None else (row.lake, row.address)


def remember_lake(url: str, lake: str, address: str, *, is_accepted: bool = False) -> None:
    """Keeps the lake that the database belongs to; one that is known already stays, unless a person has accepted another."""
    with engine(url).begin() as connection:
        # One writer at a time: SQLite's transaction holds the write lock already, Postgres needs a row to wait for.
        connection.execute(select(schema_version).with_for_update())
        if is_accepted:
            connection.execute(delete(lakes))
        if connection.execute(select(lakes)).first() is None:
            connection.execute(insert(lakes).values(lake=lake, address=address))


def is_there(url: str) -> bool:
    """True if the database exists, as far as that can be seen without creating it."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return True
    return parsed.get_backend_name() != "sqlite" or not parsed.database or Path(parsed.database).exists()
