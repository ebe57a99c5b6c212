"""What a stream is: one thing asked of a vendor a day, kept raw, and the typed tables made from it. A snapshot has no past days.

A source describes its streams with this; `load.py` brings their days in and `orchestration/daily_assets.py` shows them to Dagster. Nothing vendor-specific here.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.table import Table


@dataclass(frozen=True)
class Typed:
    """One typed table of one day, not validated yet.

    Attributes:
        content: Its rows.
        figures: Numbers of the day worth plotting and notes worth reading, by name, as plain values.
    """

    content: pa.Table
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """Two readings of a day that stands, of the same question: what a `History` is made from.

    Attributes:
        before: What stood in the table.
        after: What stands now.
        kept: What the history of the day held before.
        raw: The raw rows of the new reading.
        requested_at: Instant the new reading was asked for.
        before_at: Instant the one before was asked for, where that is known.
    """

    before: pa.Table
    after: pa.Table
    kept: pa.Table
    raw: pa.Table | None
    requested_at: datetime | None
    before_at: datetime | None = None


@dataclass(frozen=True)
class History:
    """A table of a stream that only grows: what later readings of a day changed in another table of it.

    Attributes:
        table: The history; its days land with those of the other table.
        of: Name of the other table.
        grown: The history with what the change adds, and figures of the change for the other table's day. Called again with an equal
            change, as after a crash, it adds nothing.
    """

    table: Table
    of: str
    grown: Callable[[Change], tuple[pa.Table, Mapping[str, Any]]]


@dataclass(frozen=True)
class Stream:
    """One stream of one account.

    Attributes:
        account: Folder of the lake and first part of the asset keys.
        raw: Where answers are kept as sent; None where the typed tables are made from other tables of the lake.
        typed: What is made from them.
        asked: Hash of what a day is asked with; a raw day with another hash is not an answer to it.
        fetch: Reads one day from the vendor; days are read several at once.
        transform: A raw day to its typed tables, by name; without a raw table it is given None. The same day gives the same rows. Called in
            another thread, for one day at a time, while the day before it lands, and again where the day changed in the lake meanwhile.
        final_at: Instant from which the vendor no longer counts into a day; before it, the day is refused.
        ahead: Days read at once.
        announce: Told once, before the first `fetch`, which days will be fetched, oldest first.
        landed: Told when a fetched day stands in the lake; in another thread, because requests need not wait for a disk.
        requests: The least requests that `fetch` sends for some days, by endpoint; pages and looks can be more.
        history: Keeps what later readings changed, where that is kept.
        limits: Names of what the vendor says it has left out of a raw day, such as data older than it keeps. A raw day never replaces one
            that has fewer of them.
        remarks: What the vendor says of a raw day beside its rows, such as warnings. A raw day with other remarks is stored again although its
            rows are equal.
        is_snapshot: True if a day is the last observation made on it, so that every table is stored anew with each observation.
    """

    account: str
    raw: Table | None
    typed: Sequence[Table]
    asked: Callable[[date], str]
    fetch: Callable[[date], Awaitable[RawDay]]
    transform: Callable[[date, pa.Table | None], Mapping[str, Typed]]
    final_at: Callable[[date], datetime]
    ahead: int = 4
    announce: Callable[[Sequence[date]], None] = lambda _days: None
    landed: Callable[[date], None] = lambda _day: None
    requests: Callable[[Sequence[date]], Mapping[str, int]] = lambda _days: {}
    history: History | None = None
    limits: Callable[[pa.Table], Collection[str]] = lambda _content: ()
    remarks: Callable[[pa.Table], Any] = lambda _content: None
    is_snapshot: bool = False


@dataclass(frozen=True)
class Snapshot:
    """One snapshot of one account: something of which the vendor keeps no history, read once per run and filed under the day of the observation.

    The last reading of a day stays; a day without one stays empty.

    Attributes:
        account: Folder of the lake and first part of the asset keys.
        raw: Where answers are kept as sent.
        typed: What is made from them; may be empty.
        day_of: The calendar day an observation made at an instant belongs to, in the zone the vendor counts days.
        fetch: Reads what stands now, to be filed under the given day of observation.
        transform: A raw day to its typed tables, by name. Pure: the same raw day gives the same rows.
    """

    account: str
    raw: Table
    typed: Sequence[Table]
    day_of: Callable[[datetime], date]
    fetch: Callable[[date], Awaitable[RawDay]]
    transform: Callable[[date, pa.Table], Mapping[str, Typed]]
