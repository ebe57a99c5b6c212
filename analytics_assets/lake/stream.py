"""A stream: what one account requests for a day, its raw table, and the typed tables made from it.

This is the part that loading needs; `orchestration/stream.py` adds what Dagster shows. A stream is declared once and has no client: a run opens
it and gets a `DayFetcher`.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from analytics_assets.http.response import Response
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Lake
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
        requested_at: Instant the new reading was requested.
        before_at: Instant the one before was requested, where that is known.
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
        table: The history; its days are stored with those of the other table.
        of: Name of the other table.
        grown: The history with what the change adds, and figures of the change for the other table's day. Called again with an equal
            change, as after a crash, it adds nothing.
    """

    table: Table
    of: str
    grown: Callable[[Change], tuple[pa.Table, Mapping[str, Any]]]


async def _fetch_nothing(day: date) -> RawDay:
    raise AssertionError(f"{day} is requested of a stream that sends no requests")


@dataclass(frozen=True)
class DayFetcher:
    """Fetches the days of a stream in one run. Without arguments, it is the one of a stream that derives its days from the lake.

    Attributes:
        fetch: Requests one day from the vendor. Several days are fetched at once.
        announce: Called once, before the first `fetch`, with the days to fetch, oldest first.
        on_stored: Called when a fetched day is stored; in another thread, because requests need not wait for a disk.
    """

    fetch: Callable[[date], Awaitable[RawDay]] = _fetch_nothing
    announce: Callable[[Sequence[date]], None] = lambda _days: None
    on_stored: Callable[[date], None] = lambda _day: None


Transform = Callable[[date, pa.Table | None], Mapping[str, Typed]]
TransformResponses = Callable[[date, Sequence[Response[Any]]], Mapping[str, Typed]]


@dataclass(frozen=True)
class Stream:
    """One stream of one account.

    Attributes:
        account: Folder of the lake and first part of the asset keys.
        raw: Table of the responses as sent; None where the typed tables are made from other tables of the lake.
        typed: Tables made from it.
        transform: A raw day to its typed tables, by name. The same day gives the same rows. Called in another thread, for one day at a time,
            while the day before it is stored, and again where the day changed in the lake meanwhile.
        transform_responses: The same from the decoded responses of a day just fetched; None where `transform` decodes the rows.
        derive: For a stream without a raw table: the same of a day alone, from the lake. Called once a load.
        request_hash: Hash of what a day is requested with; a raw day with another hash is the response to another request. Empty where `raw`
            is itself the table that people read.
        final_at: Instant from which the vendor no longer counts into a day; before it, the day is refused. None for a snapshot: something
            without history, of which a day keeps the last observation made on it.
        ahead: Days fetched at once.
        history: Table of what later loads changed.
        limits: Names of what the vendor says it has left out of a raw day, such as data older than it keeps. A raw day never replaces one
            that has fewer of them.
        remarks: What the vendor says of a raw day beside its rows, such as warnings. A raw day with other remarks is stored again although its
            rows are equal.
    """

    account: str
    raw: Table | None
    typed: Sequence[Table] = ()
    transform: Transform = lambda _day, _raw: {}
    transform_responses: TransformResponses | None = None
    derive: Callable[[Lake], Callable[[date], Mapping[str, Typed]]] | None = None
    request_hash: Callable[[date], str] = lambda _day: ""
    final_at: Callable[[date], datetime] | None = None
    ahead: int = 4
    history: History | None = None
    limits: Callable[[pa.Table], Collection[str]] = lambda _content: ()
    remarks: Callable[[pa.Table], Any] = lambda _content: None

    @property
    def is_snapshot(self) -> bool:
        """True if the vendor has no past days of it."""
        return self.final_at is None

    @property
    def tables(self) -> list[Table]:
        """Its tables, the raw one first."""
        history = [self.history.table] if self.history else []
        return [*([self.raw] if self.raw else []), *self.typed, *history]

    def of_lake(self, lake: Lake) -> "Stream":
        """The stream for one load: one that is derived from `lake` gets its `transform`."""
        if self.derive is None:
            return self
        derived = self.derive(lake)
        return replace(self, derive=None, transform=lambda day, _raw: derived(day))
