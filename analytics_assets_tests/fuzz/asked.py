"""What the trials ask for: the package's clients over a wire, and its stream factories, each opened for one trial.

What is to come of it is in `scenes.py`.
"""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import count
from tempfile import TemporaryDirectory

from analytics_assets.http.destination import Destination
from analytics_assets.http.retries import RetryPolicy
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import Snapshot, Stream
from analytics_assets.sandbox import credentials
from analytics_assets.sources.airbridge.client import AirbridgeClient, AirbridgeCredentials, airbridge_session
from analytics_assets.sources.airbridge.report_loader import Waiting
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.snapshots import catalog_snapshot
from analytics_assets.sources.airbridge.streams import App, report_stream
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy
from analytics_assets.sources.bento.client import BentoClient, BentoCredentials, bento_session
from analytics_assets.sources.bento.streams import (
    AdsSpec,
    AudienceSpec,
    ReportsSpec,
    ads_stream,
    audience_snapshot,
    reports_snapshot,
)
from analytics_assets.sources.statsig.client import StatsigClient, StatsigCredentials, statsig_session
from analytics_assets.sources.statsig.observations import definitions_stream
from analytics_assets.sources.statsig.streams import ListingSpec, ValuesSpec, listing_snapshot, values_stream
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.fuzz.wire import Wire

NOW = datetime(2025, 3, 5, 22, 0, tzinfo=UTC)
ONCE = RetryPolicy(attempts=1)
# Days land beside the event loop, in threads, and each of those would have a memory of its own.
_FOLDER = TemporaryDirectory(prefix="fuzz")
LEDGER = f"sqlite:///{_FOLDER.name}/state.db"
DAY = date(2025, 3, 3)
DAYS = [date(2025, 3, 2), date(2025, 3, 3), date(2025, 3, 4)]
TODAY = NOW.date()
ADS = AdsSpec(dimensions=("source", "campaign"), revenue_modes=("all_revenue", "first_revenue"))
ASKED = [(one, mode) for one in ADS.dimensions for mode in ADS.revenue_modes]
SEGMENTS, REPORTS = ["vip"], ["signups", "counter_wrapped"]
VALUES_DAY = date(2025, 3, 4)
APP = App("shop", "Asia/Seoul", "USD", 4.0)
_POLICY = TaskPolicy(first_look_s=0, longest_look_s=0)


def _destination(wire: Wire, path: str) -> Destination:
    return Destination(f"http://sandbox{path}", wire)


@asynccontextmanager
async def _bento(wire: Wire) -> AsyncIterator[BentoClient]:
    keys = BentoCredentials(
        credentials.BENTO_PUBLISHABLE_KEY, credentials.BENTO_SECRET_KEY, credentials.BENTO_SITE_UUID
    )
    where = _destination(wire, "/bento/api/v1")
    async with bento_session(
        credentials=keys, destination=where, clock=lambda: NOW, gate=wire.gate, retries=ONCE
    ) as session:
        yield BentoClient(session)


@asynccontextmanager
async def _statsig(wire: Wire) -> AsyncIterator[StatsigClient]:
    keys, where = StatsigCredentials(credentials.STATSIG_CONSOLE_KEY), _destination(wire, "/statsig/console/v1")
    async with statsig_session(
        credentials=keys, destination=where, clock=lambda: NOW, gate=wire.gate, retries=ONCE
    ) as session:
        yield StatsigClient(session)


@asynccontextmanager
async def _airbridge(wire: Wire) -> AsyncIterator[AirbridgeClient]:
    keys, where = AirbridgeCredentials(credentials.AIRBRIDGE_API_TOKEN), _destination(wire, "/airbridge")
    async with airbridge_session(
        credentials=keys, destination=where, clock=lambda: NOW, gate=wire.gate, retries=ONCE
    ) as session:
        yield AirbridgeClient(session, "shop")


def _as_stream(snapshot: Snapshot) -> Stream:
    """A snapshot as the stream of one day that its assets make of it."""
    return Stream(
        account=snapshot.account,
        raw=snapshot.raw,
        typed=snapshot.typed,
        asked=lambda _day: snapshot.raw.name,
        fetch=snapshot.fetch,
        transform=lambda day, raw: {} if raw is None else snapshot.transform(day, raw),
        final_at=lambda _day: datetime.min.replace(tzinfo=UTC),
    )


async def ads(account: str, wire: Wire, _lake: Lake) -> AsyncIterator[tuple[Stream, Sequence[date]]]:
    """Attribution of a day, four questions."""
    async with _bento(wire) as client:
        yield ads_stream(account, ADS, client), [DAY]


async def audience(account: str, wire: Wire, _lake: Lake) -> AsyncIterator[tuple[Stream, Sequence[date]]]:
    """Counts of the site and a segment."""
    async with _bento(wire) as client:
        yield _as_stream(audience_snapshot(account, AudienceSpec(tuple(SEGMENTS)), client)), [TODAY]


async def report_points(account: str, wire: Wire, _lake: Lake) -> AsyncIterator[tuple[Stream, Sequence[date]]]:
    """A report of points, and one of a number in the old wrapping."""
    async with _bento(wire) as client:
        yield _as_stream(reports_snapshot(account, ReportsSpec(tuple(REPORTS)), client)), [TODAY]


async def values(account: str, wire: Wire, lake: Lake) -> AsyncIterator[tuple[Stream, Sequence[date]]]:
    """The values of a day, page by page."""
    async with _statsig(wire) as client:
        yield values_stream(account, ValuesSpec(), client, lambda: NOW, lake), [VALUES_DAY]


async def definitions(account: str, wire: Wire, lake: Lake) -> AsyncIterator[tuple[Stream, Sequence[date]]]:
    """A walk over the definitions, and the day made from it."""
    async with _statsig(wire) as client:
        listing = listing_snapshot(account, ListingSpec(), client, lake)
        seen_on = listing.day_of(NOW)
        yield _as_stream(listing), [seen_on]
        yield definitions_stream(account, ListingSpec(), lake), [seen_on - timedelta(days=1)]


async def catalog(account: str, wire: Wire, _lake: Lake) -> AsyncIterator[tuple[Stream, Sequence[date]]]:
    """The three lists of metadata."""
    async with _airbridge(wire) as client:
        yield _as_stream(catalog_snapshot(account, APP, client)), [TODAY]


@dataclass(frozen=True)
class Report:
    """A report under trial, its ledger in memory, shared by all trials."""

    spec: ReportSpec

    @cached_property
    def _ledger(self) -> Ledger:
        return Ledger(LEDGER)

    async def streams(self, account: str, wire: Wire, lake: Lake) -> AsyncIterator[tuple[Stream, Sequence[date]]]:
        """The report's stream; its clock moves with every look at it, so that waiting costs no time."""
        ticks = count()
        async with (
            _airbridge(wire) as client,
            report_stream(
                account,
                APP,
                self.spec,
                client,
                ledger=self._ledger,
                lake=lake,
                waiting=Waiting(3, 92, 2, _POLICY),
                clock=lambda: NOW + timedelta(seconds=next(ticks) / 5),
                owner=account,
                log=logging.getLogger(__name__),
            ) as stream,
        ):
            yield stream, DAYS
