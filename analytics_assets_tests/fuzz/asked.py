"""What the trials ask for: the package's clients over a wire, and its stream factories, each opened for one trial.

What is to come of it is in `scenes.py`.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import count
from tempfile import TemporaryDirectory
from typing import Any

from analytics_assets.clock import Clock
from analytics_assets.http.destination import Destination
from analytics_assets.http.retries import RetryPolicy
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import DayFetcher
from analytics_assets.orchestration.stream import SourceStream
from analytics_assets.sandbox import credentials
from analytics_assets.sources.airbridge.client import AirbridgeClient, AirbridgeCredentials, airbridge_session
from analytics_assets.sources.airbridge.report_loader import Waiting
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.source import catalog_stream, report_stream
from analytics_assets.sources.airbridge.streams import App
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy
from analytics_assets.sources.bento.client import BentoClient, BentoCredentials, bento_session
from analytics_assets.sources.bento.source import ads_stream, audience_stream, reports_stream
from analytics_assets.sources.bento.streams import AdsSpec, AudienceSpec, ReportsSpec
from analytics_assets.sources.statsig.client import StatsigClient, StatsigCredentials, statsig_session
from analytics_assets.sources.statsig.source import definitions_stream, listing_stream, values_stream
from analytics_assets.sources.statsig.streams import ListingSpec, ValuesSpec, end_of_day
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.fuzz.wire import Wire
from analytics_assets_tests.opened import work

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
_POLICY = TaskPolicy(first_poll_s=0, longest_poll_s=0)


def _destination(wire: Wire, path: str) -> Destination:
    return Destination(f"http://sandbox{path}", wire)


@asynccontextmanager
async def _bento(wire: Wire) -> AsyncIterator[BentoClient]:
    keys = BentoCredentials(
        credentials.BENTO_PUBLISHABLE_KEY, credentials.BENTO_SECRET_KEY, credentials.BENTO_SITE_UUID
    )
    where = _destination(wire, "/bento/api/v1")
    async with bento_session(
        credentials=keys, destination=where, clock=lambda: NOW, rate_limiter=wire.rate_limiter, retries=ONCE
    ) as session:
        yield BentoClient(session)


@asynccontextmanager
async def _statsig(wire: Wire) -> AsyncIterator[StatsigClient]:
    keys, where = StatsigCredentials(credentials.STATSIG_CONSOLE_KEY), _destination(wire, "/statsig/console/v1")
    async with statsig_session(
        credentials=keys, destination=where, clock=lambda: NOW, rate_limiter=wire.rate_limiter, retries=ONCE
    ) as session:
        yield StatsigClient(session)


@asynccontextmanager
async def _airbridge(wire: Wire) -> AsyncIterator[AirbridgeClient]:
    keys, where = AirbridgeCredentials(credentials.AIRBRIDGE_API_TOKEN), _destination(wire, "/airbridge")
    async with airbridge_session(
        credentials=keys, destination=where, clock=lambda: NOW, rate_limiter=wire.rate_limiter, retries=ONCE
    ) as session:
        yield AirbridgeClient(session, "shop")


@dataclass(frozen=True)
class Trial:
    """A stream under trial, opened, and the days to load."""

    stream: SourceStream
    fetcher: DayFetcher
    days: Sequence[date]


@asynccontextmanager
async def _run(
    client: Any, lake: Lake, stream: SourceStream, clock: Clock = lambda: NOW, **fields: Any
) -> AsyncIterator[Callable[[Sequence[date]], Trial]]:
    """Opens a stream for a run."""
    async with stream.open(work(client, lake, clock, **fields)) as fetcher:
        yield lambda days: Trial(stream, fetcher, days)


async def ads(account: str, wire: Wire, lake: Lake) -> AsyncIterator[Trial]:
    """Attribution of a day, four questions."""
    async with _bento(wire) as client, _run(client, lake, ads_stream(account, ADS)) as trial:
        yield trial([DAY])


async def audience(account: str, wire: Wire, lake: Lake) -> AsyncIterator[Trial]:
    """Counts of the site and a segment."""
    stream = audience_stream(account, AudienceSpec(tuple(SEGMENTS)))
    async with _bento(wire) as client, _run(client, lake, stream) as trial:
        yield trial([TODAY])


async def report_points(account: str, wire: Wire, lake: Lake) -> AsyncIterator[Trial]:
    """A report of points, and one of a number in the old wrapping."""
    stream = reports_stream(account, ReportsSpec(tuple(REPORTS)))
    async with _bento(wire) as client, _run(client, lake, stream) as trial:
        yield trial([TODAY])


async def values(account: str, wire: Wire, lake: Lake) -> AsyncIterator[Trial]:
    """The values of a day, page by page."""
    async with _statsig(wire) as client, _run(client, lake, values_stream(account, ValuesSpec())) as trial:
        yield trial([VALUES_DAY])


async def definitions(account: str, wire: Wire, lake: Lake) -> AsyncIterator[Trial]:
    """A walk over the definitions, and the day made from it."""
    listing = listing_stream(account, ListingSpec())
    seen_on = listing.day_of(NOW)
    async with _statsig(wire) as client, _run(client, lake, listing) as trial:
        yield trial([seen_on])
        derived = definitions_stream(account, ListingSpec(), final_at=end_of_day)
        yield Trial(derived, DayFetcher(), [seen_on - timedelta(days=1)])


async def catalog(account: str, wire: Wire, lake: Lake) -> AsyncIterator[Trial]:
    """The three lists of metadata."""
    async with _airbridge(wire) as client, _run(client, lake, catalog_stream(account, APP)) as trial:
        yield trial([TODAY])


@dataclass(frozen=True)
class Report:
    """A report under trial, its ledger in memory, shared by all trials."""

    spec: ReportSpec

    @cached_property
    def _ledger(self) -> Ledger:
        return Ledger(LEDGER)

    async def streams(self, account: str, wire: Wire, lake: Lake) -> AsyncIterator[Trial]:
        """The report's stream; its clock moves with every look at it, so that waiting costs no time."""
        ticks = count()
        stream = report_stream(account, APP, self.spec, Waiting(3, 92, 2, _POLICY))

        def clock() -> datetime:
            return NOW + timedelta(seconds=next(ticks) / 5)

        fields: dict[str, Any] = {"ledger": self._ledger, "owner": account}
        async with _airbridge(wire) as client, _run(client, lake, stream, clock, **fields) as trial:
            yield trial(DAYS)
