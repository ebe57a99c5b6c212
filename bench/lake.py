"""This project without runs of Dagster: its clients, streams and lake as production has them, driven by `DayLoader.load`.

The environment says where the lake, the state and the server are, as in production. Runs of Dagster are in `orchestrated.py`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from analytics_assets.clock import utc_now
from analytics_assets.http.destination import sandbox
from analytics_assets.lake.load import DayLoader
from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.run_context import Work
from analytics_assets.orchestration.stream import SourceStream
from analytics_assets.sandbox import credentials
from analytics_assets.sources.airbridge.client import AirbridgeClient, AirbridgeCredentials, airbridge_session
from analytics_assets.sources.airbridge.source import report_stream
from analytics_assets.sources.bento.client import BentoClient, BentoCredentials, bento_session
from analytics_assets.sources.bento.source import ads_stream
from analytics_assets.sources.statsig.client import StatsigClient, StatsigCredentials, statsig_session
from analytics_assets.sources.statsig.source import definitions_stream, listing_stream
from analytics_assets.sources.statsig.streams import ListingSpec, end_of_day
from analytics_assets.state.report_ledger import Ledger
from bench.works import AIRBRIDGE, APP, BENTO, STATSIG, WAITING, Sizes


def run(work: str, sizes: Sizes, url: str, folder: Path) -> int:
    """Does a work; returns the rows of the typed tables."""
    return asyncio.run(_run(work, sizes, url, folder))


async def _run(work: str, sizes: Sizes, url: str, folder: Path) -> int:
    lake = Lake(str(folder / "lake"))
    if work == STATSIG:
        spec = ListingSpec(events=tuple(sizes.event_names()))
        listing = listing_stream("statsig", spec)
        async with _statsig(url) as client:
            await _bring(lake, listing, [listing.day_of(utc_now())], client)
        definitions = definitions_stream("statsig", spec, final_at=end_of_day)
        return await _bring(lake, definitions, [sizes.metric_day()])
    if work == BENTO:
        async with _bento(url) as asking:
            return await _bring(lake, ads_stream("bento", sizes.ads()), sizes.bento_days(), asking)
    assert work == AIRBRIDGE
    report = report_stream("airbridge", APP, sizes.report(), WAITING)
    async with _airbridge(url) as app:
        return await _bring(lake, report, sizes.cohort_days(), app, Ledger(f"sqlite:///{folder}/state.db"))


@dataclass(frozen=True)
class _Account:
    """A resource that opens one client, and its ledger of report requests."""

    client: Any
    reports: Ledger | None

    @asynccontextmanager
    async def open(self, **_: Any) -> AsyncIterator[Any]:
        yield self.client

    def ledger(self) -> Ledger | None:
        return self.reports


async def _bring(
    lake: Lake, stream: SourceStream, days: Sequence[date], client: Any = None, ledger: Ledger | None = None
) -> int:
    """Loads all tables of the days; returns the rows of the typed ones.

    Raises:
        SourceError: A day was not stored.
    """
    names = [table.name for table in ([stream.raw] if stream.raw else []) + list(stream.typed)]
    landing = DayLoader(lake, names, "bench", utc_now, is_sandbox=True)
    work = Work(_Account(client, ledger), lake, "bench", "bench", logging.getLogger(__name__), {}, clock=utc_now)
    rows = 0
    async with stream.open(work) as fetcher, aclosing(landing.load(stream, days, fetcher)) as results:
        async for result in results:
            if result.error is not None:
                raise result.error
            rows += sum(result.tables[table.name].rows for table in stream.typed)
    return rows


@asynccontextmanager
async def _statsig(url: str) -> AsyncIterator[StatsigClient]:
    where = sandbox("statsig", "/console/v1", url)
    keys = StatsigCredentials(credentials.STATSIG_CONSOLE_KEY)
    async with statsig_session(credentials=keys, destination=where, clock=utc_now) as session:
        yield StatsigClient(session)


@asynccontextmanager
async def _bento(url: str) -> AsyncIterator[BentoClient]:
    where = sandbox("bento", "/api/v1", url)
    keys = BentoCredentials(
        credentials.BENTO_PUBLISHABLE_KEY, credentials.BENTO_SECRET_KEY, credentials.BENTO_SITE_UUID
    )
    async with bento_session(credentials=keys, destination=where, clock=utc_now) as session:
        yield BentoClient(session)


@asynccontextmanager
async def _airbridge(url: str) -> AsyncIterator[AirbridgeClient]:
    where = sandbox("airbridge", "", url)
    keys = AirbridgeCredentials(credentials.AIRBRIDGE_API_TOKEN)
    async with airbridge_session(credentials=keys, destination=where, clock=utc_now) as session:
        yield AirbridgeClient(session, APP.name)
