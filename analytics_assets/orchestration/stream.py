"""A stream as a source declares it: what loading needs, and what Dagster shows, plans and checks of it.

A source's `source.py` lists its streams. Assets, checks, plan and table list follow from them (`source_component.py`).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
from dagster import DailyPartitionsDefinition

from analytics_assets.checks.check import USUAL, Check, Limits
from analytics_assets.checks.completeness import days_stored, latest_day_stored, snapshot_stored
from analytics_assets.clock import Clock, utc_now
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.stream import DayFetcher, Stream
from analytics_assets.orchestration.backfill_guard import BackfillGuard
from analytics_assets.orchestration.charts.metadata import Pictures
from analytics_assets.orchestration.run_context import Work

Opener = Callable[[Work], AbstractAsyncContextManager[DayFetcher]]


def with_client(fetch: Callable[[Any, Work], Callable[[date], Awaitable[RawDay]]]) -> Opener:
    """Opens the account's client for a run; `fetch` gets it once a run and returns what fetches a day."""

    @asynccontextmanager
    async def opened(work: Work) -> AsyncIterator[DayFetcher]:
        async with work.resource.open(clock=work.clock, origin=work.origin) as client:
            yield DayFetcher(fetch(client, work))

    return opened


@asynccontextmanager
async def _open_nothing(_work: Work) -> AsyncIterator[DayFetcher]:
    yield DayFetcher()


def utc_day(moment: datetime) -> date:
    """The UTC day of an instant."""
    return moment.astimezone(UTC).date()


@dataclass(frozen=True, kw_only=True)
class SourceStream(Stream):
    """A stream of an account under Dagster.

    Attributes:
        name: Name of the stream, such as `ads`.
        open: Opens it for a run.
        day_of: For a snapshot, the calendar day that an observation belongs to, where the vendor counts.
        request_count: The least requests for some days, by endpoint; pages and polls can add to them unless `is_exact`.
        is_exact: True if neither pages nor polls can add to the requests.
        sends_requests: False for a stream of the lake or of the state database; a plan leaves it out.
        deps: Assets of other streams that this one reads.
        checks: Checks of its own, beside those that every table has.
        check_days: Days that its daily checks cover at least.
        charts: Charts of its tables.
    """

    name: str
    open: Opener = _open_nothing
    day_of: Callable[[datetime], date] = utc_day
    request_count: Callable[[Sequence[date]], Mapping[str, int]] = lambda _days: {}
    is_exact: bool = False
    sends_requests: bool = True
    deps: Sequence[dg.AssetKey] = ()
    checks: Sequence[Check] = ()
    check_days: int = 1
    charts: Sequence[Pictures] = ()

    def all_checks(self) -> list[Check]:
        """Checks that every table has, and its own."""
        if self.is_snapshot:
            of_any = [check(table) for table in self.tables for check in (days_stored, snapshot_stored)]
        else:
            typed = [table for table in self.tables if table is not self.raw]
            of_any = [
                check
                for table in self.tables
                for check in (days_stored(table), latest_day_stored(table, typed if table is self.raw else ()))
            ]
        return [*of_any, *self.checks]


@dataclass(frozen=True)
class AssetOptions:
    """What the assets of all streams of an account have in common.

    Attributes:
        vendor: Name of the vendor in lower case.
        partitions: Days of the daily tables.
        days_per_run: Days a run of a backfill takes at most.
        limits: From where on checks warn.
        clock: The present instant.
        deps: What the first tables of each stream with past days depend on.
        guard: Refuses large backfills that are not confirmed.
    """

    vendor: str
    partitions: DailyPartitionsDefinition
    days_per_run: int
    limits: Limits = USUAL
    clock: Clock = utc_now
    deps: Sequence[dg.AssetDep] = ()
    guard: BackfillGuard | None = None
