"""Whole streams of each vendor read from the sandbox server into a lake, and what came of them. No assertions here."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from analytics_assets.clock import Clock
from analytics_assets.errors import SourceError
from analytics_assets.lake.content import content_hash
from analytics_assets.lake.load import DayLoader, DayResult
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import DayFetcher, Stream, Typed
from analytics_assets.lake.table import Table
from analytics_assets.orchestration.stream import SourceStream
from analytics_assets.sources.airbridge.report_loader import Waiting
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.source import catalog_stream, report_stream
from analytics_assets.sources.airbridge.streams import App
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy
from analytics_assets.sources.bento.source import ads_stream, audience_stream, reports_stream
from analytics_assets.sources.bento.streams import AdsSpec, AudienceSpec, ReportsSpec
from analytics_assets.sources.statsig.source import definitions_stream, listing_stream, values_stream
from analytics_assets.sources.statsig.streams import ListingSpec, ValuesSpec, end_of_day
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.contract.clients import NOW, Clients, clients
from analytics_assets_tests.contract.operations import REPORT
from analytics_assets_tests.contract.server import SandboxServer
from analytics_assets_tests.opened import work

APP = App("shop", "Asia/Seoul", "USD", 4.0)
ROAS = replace(REPORT, name="roas", metric="app_roas", intervals=1)
# Two processes of different runs never agree on these.
_RANDOM = {"task_id"}


@dataclass(frozen=True)
class Wish:
    """What is read of a vendor.

    Attributes:
        days: The days of its daily streams.
        ads: Which of Bento's attribution.
        segments: Segments of Bento.
        reports: Reports of Bento.
        revenue: Airbridge's reports.
        listing: Statsig's definitions.
    """

    days: Sequence[date]
    ads: AdsSpec = field(default_factory=AdsSpec)
    segments: tuple[str, ...] = ()
    reports: tuple[str, ...] = ("report_signups",)
    revenue: tuple[ReportSpec, ...] = (REPORT, ROAS)
    listing: ListingSpec = field(default_factory=ListingSpec)


@dataclass(frozen=True)
class Read:
    """What one stream came to.

    Attributes:
        kind: Class of the first day's error, or `rows`.
        requests: Requests the server counted.
        message: The first day's message; empty for rows.
        is_quarantined: True if a response is kept aside.
        rows: Rows of each typed table, all days, in the table's order.
        hashes: Data version of each typed table and day.
        figures: Figures and notes by table and day.
        derived: Data version and figures of each typed table and day, derived again from the stored raw day.
    """

    kind: str
    requests: int
    message: str
    is_quarantined: bool
    rows: dict[str, list[dict[str, Any]]]
    hashes: dict[tuple[str, date], str]
    figures: dict[tuple[str, date], dict[str, Any]]
    derived: dict[tuple[str, date], tuple[str, dict[str, Any]]]


@asynccontextmanager
async def streams(
    to: Clients, vendor: str, wish: Wish, lake: Lake, *, clock: Clock, now: datetime
) -> AsyncIterator[list[tuple[SourceStream, DayFetcher, Sequence[date]]]]:
    """The streams of a vendor, each opened and with the days to read, in the order in which they are to be read."""
    ledger = None
    if vendor == "bento":
        declared = [
            ads_stream("bento", wish.ads),
            audience_stream("bento", AudienceSpec(wish.segments)),
            reports_stream("bento", ReportsSpec(wish.reports)),
        ]
    elif vendor == "statsig":
        declared = [
            values_stream("statsig", ValuesSpec()),
            listing_stream("statsig", wish.listing),
            definitions_stream("statsig", wish.listing, final_at=end_of_day),
        ]
    else:
        ledger = Ledger(f"sqlite:///{Path(lake.root).parent}/state.db")
        # Reports are ready at once; the seconds are for a machine that is busy, and for the form that never is ready.
        waiting = Waiting(8.0, 92, 4, TaskPolicy(first_poll_s=0.05, longest_poll_s=0.5))
        declared = [
            *(report_stream("airbridge", APP, spec, waiting) for spec in wish.revenue),
            catalog_stream("airbridge", APP),
        ]
    run = work(getattr(to, vendor), lake, clock, ledger=ledger)
    async with AsyncExitStack() as stack:
        yield [
            (
                stream,
                await stack.enter_async_context(stream.open(run)),
                [stream.day_of(now)] if stream.is_snapshot else wish.days,
            )
            for stream in declared
        ]


def ticking(now: datetime) -> Clock:
    """A clock that shows `now` and goes on."""
    start = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - start)


async def land(
    lake: Lake,
    stream: Stream,
    days: Sequence[date],
    clock: Clock,
    fetcher: DayFetcher | None = None,
    *,
    attempt_group: str = "run",
) -> list[DayResult]:
    """Lands days as production does; every table but a history is selected."""
    names = {table.name for table in (stream.raw, *stream.typed) if table is not None}
    landing = DayLoader(lake, names, attempt_group, clock, is_sandbox=True)
    return [result async for result in landing.load(stream, days, fetcher or DayFetcher())]


async def read(server: SandboxServer, vendor: str, wish: Wish, folder: Path, *, now: datetime = NOW) -> dict[str, Read]:
    """Everything wished of a vendor, by name of the stream; the server's counts are begun anew for each."""
    lake, clock, found = Lake(str(folder / "lake")), ticking(now), {}
    async with (
        clients(server.url, clock=clock, only=vendor) as to,
        streams(to, vendor, wish, lake, clock=clock, now=now) as opened,
    ):
        before: dict[str, int] = server.counts()
        for stream, fetcher, days in opened:
            results = await land(lake, stream, days, clock, fetcher)
            after = server.counts()
            found[stream.name] = _read(lake, stream, results, sum(after.values()) - sum(before.values()))
            before = after
    return found


def _read(lake: Lake, stream: Stream, results: Sequence[DayResult], requests: int) -> Read:
    errors: list[SourceError] = [result.error for result in results if result.error is not None]
    # The catalogue and the task table hold what was sent themselves.
    tables = stream.typed or ([stream.raw] if stream.raw is not None and "body" not in stream.raw.schema.names else [])
    return Read(
        kind=type(errors[0]).__name__ if errors else "rows",
        requests=requests,
        message=str(errors[0]) if errors else "",
        is_quarantined=any(result.quarantine for result in results),
        rows={
            table.name: [_content(row, table.content_names) for row in lake.read(stream.account, table).to_pylist()]
            for table in tables
        },
        hashes={
            (table.name, result.day): result.tables[table.name].footer.content_hash
            for table in stream.typed
            for result in results
            if table.name in result.tables
        },
        figures={
            (name, result.day): _compared(figures) for result in results for name, figures in result.figures.items()
        },
        derived={
            (table.name, day): (_version(table, day, typed[table.name]), _compared(typed[table.name].figures))
            for day in [result.day for result in results if result.error is None and stream.raw is not None]
            for typed in [stream.transform(day, lake.read(stream.account, stream.raw, [day]))]
            for table in stream.typed
        },
    )


def _version(table: Table, day: date, typed: Typed) -> str:
    return content_hash(table, table.valid_day(typed.content, day).content)


def _compared(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if name not in _RANDOM}


def _content(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    # The text of an entry is as sent, so its form is what changes.
    return {name: row[name] for name in names if name != "entry"}


RowsOf = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
