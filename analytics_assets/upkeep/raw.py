"""Answers kept as sent go when their time is over, where what was made from them stands.

The file of such a day stays, without rows: it says what was asked and when, how much it held and that it is gone. So nothing that goes by
the lake takes the day for a missing one: no schedule asks for it again, no check misses it, a mature cohort stays mature, and the square stays green,
for nothing has failed. A square wiped to "missing", which Dagster's open-source storages cannot do for one day anyway, would invite everybody to ask
for it again. What tells it instead is the newest materialization of the day, by a line of its metadata, and a typed table that is to be
made again by itself is refused in one sentence (`landing.py`).
Readings that nothing is made from in the same step, such as Statsig's definitions, are history and stay. Keep Dagster out of here
(`housekeeping.py` knows which tables are raw, and which days are red).
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa

from analytics_assets.errors import SourceError
from analytics_assets.lake.store import Lake


@dataclass(frozen=True)
class Raw:
    """A raw table.

    Attributes:
        account: Its account.
        table: Its name.
        made: The tables made from it, each as account and name.
    """

    account: str
    table: str
    made: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class OldDay:
    """A raw day whose time is over.

    Attributes:
        raw: The table.
        day: The day.
        rows: Rows it held.
        size: Bytes of its file.
        reason: Why it stays although its time is over, or None where it goes.
    """

    raw: Raw
    day: date
    rows: int
    size: int
    reason: str | None = None


def due(
    lake: Lake, raw: Raw, *, before: datetime, busy: Callable[[Sequence[date]], Collection[date]]
) -> Iterator[OldDay]:
    """The days of a raw table that were asked for before an instant and not emptied yet, each with why it has to stay, if it has.

    Args:
        lake: The lake.
        raw: The table.
        before: The instant.
        busy: Of some days those that something still works at, or that are red.
    """
    if not raw.made:
        return
    found = []
    # The day is over before it is asked for, so a younger one cannot be due.
    for day in (day for day in lake.days(raw.account, raw.table) if day < before.date()):
        standing = lake.usable(raw.account, raw.table, day)
        if standing is None or standing.footer.emptied_at or standing.footer.requested_at is None:
            continue
        if standing.footer.requested_at < before:
            found.append(OldDay(raw, day, standing.rows, standing.size))
    needed = busy([one.day for one in found]) if found else ()
    for one in found:
        yield _judged(lake, one, is_busy=one.day in needed)


def _judged(lake: Lake, one: OldDay, *, is_busy: bool) -> OldDay:
    reason = "the day is red, or something works at it" if is_busy else _unreadable(lake, one.raw, one.day)
    return one if reason is None else OldDay(one.raw, one.day, one.rows, one.size, reason)


def _unreadable(lake: Lake, raw: Raw, day: date) -> str | None:
    """The first table made from a raw day that does not stand or cannot be read, in words."""
    for account, table in raw.made:
        try:
            if lake.landed(account, table, day) is None or lake.held(account, table, day) is None:
                return f"{account}/{table} does not stand"
        except (SourceError, pa.ArrowException, OSError) as error:
            return f"{account}/{table} cannot be read ({type(error).__name__})"
    return None
