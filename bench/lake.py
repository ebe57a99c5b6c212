"""This project without Dagster: its clients, streams and lake as production has them, driven by `Landing.bring`.

The environment says where the lake, the state and the server are, as in production. Keep Dagster out of here (`orchestrated.py`).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from analytics_assets.clock import utc_now
from analytics_assets.http.destination import sandbox
from analytics_assets.lake.load import Landing
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import Stream
from analytics_assets.sandbox import credentials
from analytics_assets.sources.airbridge.client import AirbridgeClient, AirbridgeCredentials, airbridge_session
from analytics_assets.sources.airbridge.streams import report_stream
from analytics_assets.sources.bento.client import BentoClient, BentoCredentials, bento_session
from analytics_assets.sources.bento.streams import ads_stream
from analytics_assets.sources.statsig.client import StatsigClient, StatsigCredentials, statsig_session
from analytics_assets.sources.statsig.observations import definitions_stream
from analytics_assets.sources.statsig.streams import ListingSpec, day_of, listing_snapshot
from analytics_assets.state.report_ledger import Ledger
from bench.works import AIRBRIDGE, APP, BENTO, STATSIG, WAITING, Sizes


def run(work: str, sizes: Sizes, url: str, folder: Path) -> int:
    """Does a work; returns the rows of the typed tables."""
    return asyncio.run(_run(work, sizes, url, folder))


async def _run(work: str, sizes: Sizes, url: str, folder: Path) -> int:
    lake = Lake(str(folder / "lake"))
    if work == STATSIG:
        spec = ListingSpec(events=tuple(sizes.event_names()))
        async with _statsig(url) as client:
            await _bring(lake, _observation(spec, client, lake), [day_of(utc_now(), spec.day_utc_offset_hours)])
        return await _bring(lake, definitions_stream("statsig", spec, lake), [sizes.metric_day()])
    if work == BENTO:
        async with _bento(url) as asking:
            return await _bring(lake, ads_stream("bento", sizes.ads(), asking), sizes.bento_days())
    assert work == AIRBRIDGE
    async with _airbridge(url) as app, _reports(app, sizes, lake, folder) as stream:
        return await _bring(lake, stream, sizes.cohort_days())


async def _bring(lake: Lake, stream: Stream, days: Sequence[date]) -> int:
    """Lands all tables of the days; returns the rows of the typed ones.

    Raises:
        SourceError: A day did not land.
    """
    names = [table.name for table in ([stream.raw] if stream.raw else []) + list(stream.typed)]
    landing = Landing(lake, names, "bench", utc_now, is_sandbox=True)
    rows = 0
    async with aclosing(landing.bring(stream, days)) as results:
        async for result in results:
            if result.error is not None:
                raise result.error
            rows += sum(result.tables[table.name].rows for table in stream.typed)
    return rows


def _observation(spec: ListingSpec, client: StatsigClient, lake: Lake) -> Stream:
    """The snapshot of the definitions, landed like a stream of one day that is always final."""
    snapshot = listing_snapshot("statsig", spec, client, lake)
    return Stream(
        account=snapshot.account,
        raw=snapshot.raw,
        typed=(),
        asked=lambda _day: "",
        fetch=snapshot.fetch,
        transform=lambda _day, _raw: {},
        final_at=lambda _day: datetime.min.replace(tzinfo=UTC),
    )


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


@asynccontextmanager
async def _reports(client: AirbridgeClient, sizes: Sizes, lake: Lake, folder: Path) -> AsyncIterator[Stream]:
    async with report_stream(
        "airbridge",
        APP,
        sizes.report(),
        client,
        ledger=Ledger(f"sqlite:///{folder}/state.db"),
        lake=lake,
        waiting=WAITING,
        clock=utc_now,
        owner="bench",
        log=logging.getLogger(__name__),
    ) as stream:
        yield stream
