"""What the state database went through, in the order of its transactions: places taken in a window, and doors closed.

Triggers write it down, so that nothing is missed and nothing is in between. SQLite only; no assertions here.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from analytics_assets.state.database import engine

_NOW: Final = "cast(round((julianday('now') - 2440587.5) * 86400000) as integer)"
_NOTED: Final = f"""
create table noted (number integer primary key, what text, of text, at integer, noted_at integer);
create trigger noted_place after insert on budget_requests
    begin insert into noted (what, of, at, noted_at) values ('place', new.key, new.at, {_NOW}); end;
create trigger noted_door after update on budget_pauses
    begin insert into noted (what, of, at, noted_at) values ('door', new.key, new.paused_until, {_NOW}); end;
"""


@dataclass(frozen=True)
class Noted:
    """A place taken, or a door closed.

    Attributes:
        number: Place in the order of all.
        is_door: True if a door was closed.
        of: Key of the account.
        at: Of a place when it was taken, of a door when it opens again; milliseconds since 1970.
        noted_at: When this was written, likewise.
    """

    number: int
    is_door: bool
    of: str
    at: int
    noted_at: int


def watch(state: str) -> None:
    """Begins to write down."""
    engine(state)
    with _open(state) as database:
        database.executescript(_NOTED)


def noted(state: str) -> list[Noted]:
    """What has been written down, oldest first."""
    with _open(state) as database:
        rows = database.execute("select number, what = 'door', of, at, noted_at from noted order by number").fetchall()
    return [Noted(number, bool(is_door), of, at, noted_at) for number, is_door, of, at, noted_at in rows]


@contextmanager
def _open(state: str) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(Path(state.removeprefix("sqlite:///")), timeout=30)
    try:
        yield database
        database.commit()
    finally:
        database.close()
