"""Under each way in which the simulated Bento can read dates: a wrong guess lands nothing, and once calibrated the tables hold the truth.

All over real sockets. The three days have a change of clocks in New York among them; the truth is counted person by person, in the zone.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from analytics_assets.errors import PermanentError, UnexpectedPayloadError
from analytics_assets.http.destination import sandbox
from analytics_assets.lake.load import DayLoader, DayResult
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import DayFetcher
from analytics_assets.sandbox.credentials import BENTO_PUBLISHABLE_KEY, BENTO_SECRET_KEY, BENTO_SITE_UUID
from analytics_assets.sandbox.options import Options
from analytics_assets.sandbox.world import SeededWorld
from analytics_assets.sources.bento.calibration import LONGEST, calibrate
from analytics_assets.sources.bento.client import BentoClient, BentoCredentials, bento_session
from analytics_assets.sources.bento.source import ads_stream
from analytics_assets.sources.bento.streams import AdsSpec, WindowSpec, fetch_ads
from analytics_assets_tests.fixed_world import FixedWorld
from analytics_assets_tests.integration.oracle_bento import BentoTruth
from analytics_assets_tests.integration.running import in_order
from analytics_assets_tests.integration.server import Sandbox, sandbox_server

NOW = datetime(2025, 3, 18, 15, tzinfo=UTC)
DAYS = [date(2025, 3, 8), date(2025, 3, 9), date(2025, 3, 10)]
BUSY = date(2025, 3, 12)
DIMENSIONS, MODES = ("source", "campaign"), ("all_revenue", "subscriptions")
TABLES = ("ads_raw", "ads_attribution", "ads_totals", "ads_chart")
CREDENTIALS = BentoCredentials(BENTO_PUBLISHABLE_KEY, BENTO_SECRET_KEY, BENTO_SITE_UUID)
SPELLING = {"midnight": "iso", "noon": "iso_time", "words": "words"}

Interpretation = tuple[str, str, str, str]
INTERPRETATIONS: list[Interpretation] = [
    *product(
        ("UTC", "America/New_York", "Asia/Kolkata", "Australia/Sydney"),
        ("exclusive", "inclusive"),
        ("midnight", "noon", "words"),
        ("hourly",),
    ),
    ("America/New_York", "exclusive", "midnight", "daily"),
    ("America/New_York", "inclusive", "noon", "daily"),
    ("Asia/Kolkata", "exclusive", "noon", "daily"),
]
RIGHT_BY_DEFAULT = ("UTC", "exclusive", "midnight", "hourly")
# One point a day that lies within the day of UTC: nothing contradicts the guess, and nothing proves it.
UNPROVED_BY_DEFAULT = ("America/New_York", "exclusive", "midnight", "daily")


@pytest.fixture(scope="module")
def world() -> FixedWorld:
    """Everybody a seed brings in the fifteen months before now: no day that is asked about is quiet."""
    seeded, last = SeededWorld(7), NOW.date()
    return FixedWorld(person for back in range(450) for person in seeded.people(last - timedelta(days=back)))


@pytest.fixture(scope="module", params=INTERPRETATIONS, ids="-".join)
def interpretation(request: pytest.FixtureRequest) -> Interpretation:
    """Zone, end, what dates mean, and the length of a chart's point."""
    chosen: Interpretation = request.param
    return chosen


@pytest.fixture(scope="module")
def vendor(interpretation: Interpretation, world: FixedWorld) -> Iterator[Sandbox]:
    """A server that reads dates in that way."""
    zone, end, dates, buckets = interpretation
    options = Options(now=lambda: NOW, bento_zone=zone, bento_end=end, bento_dates=dates, bento_buckets=buckets)  # type: ignore[arg-type]
    with sandbox_server(options, world) as server:
        yield server


@asynccontextmanager
async def opened(vendor: Sandbox) -> AsyncIterator[BentoClient]:
    """A client of the server, which forgets what it was asked before."""
    vendor.forget()
    destination = sandbox("bento", "/api/v1", vendor.url)
    async with bento_session(credentials=CREDENTIALS, destination=destination, clock=lambda: NOW) as session:
        yield BentoClient(session)


async def brought(vendor: Sandbox, window: WindowSpec, folder: Path) -> tuple[Lake, list[DayResult]]:
    """What became of the three days, requested with a window."""
    lake = Lake(str(folder))
    spec = AdsSpec(dimensions=DIMENSIONS, revenue_modes=MODES, window=window)
    async with opened(vendor) as client:
        stream = ads_stream("shop", spec)
        landing = DayLoader(lake, TABLES, "one", lambda: NOW, is_sandbox=True)
        async with aclosing(landing.load(stream, DAYS, DayFetcher(partial(fetch_ads, client, spec)))) as results:
            return lake, [result async for result in results]


async def test_a_wrong_guess_fails_every_day_and_lands_nothing(interpretation, vendor, tmp_path):
    """Each reading contradicts the window that a fresh YAML has, but one for which it is right and one whose chart is too coarse to tell."""
    lake, results = await brought(vendor, WindowSpec(), tmp_path)
    stands = interpretation in {RIGHT_BY_DEFAULT, UNPROVED_BY_DEFAULT}
    failed = PermanentError if interpretation[2] == "words" else UnexpectedPayloadError
    assert [type(result.error) for result in results] == [type(None) if stands else failed] * 3
    assert {name: lake.days("shop", name) for name in TABLES} == dict.fromkeys(TABLES, DAYS if stands else [])
    marks = [figures.get("window_unverified") for result in results for figures in result.figures.values()]
    mark = True if interpretation == UNPROVED_BY_DEFAULT else None
    assert marks == [mark] * (len(TABLES) * len(DAYS) if stands else 0)


async def test_calibration_finds_how_dates_are_read_and_the_tables_then_hold_the_truth(
    interpretation, vendor, world, tmp_path
):
    """Zone, end and spelling come out of a handful of requests; with them every row of three days is as counted in the zone."""
    zone, end, dates, buckets = interpretation
    async with opened(vendor) as client:
        finding = await calibrate(client, day=BUSY, clock=lambda: NOW)
    assert finding.window == WindowSpec(zone, end, SPELLING[dates]), finding
    assert vendor.counts() == {"bento GET /stats/ads": len(finding.seen)}
    assert len(finding.seen) <= LONGEST

    lake, results = await brought(vendor, finding.window, tmp_path)
    assert [result.error for result in results] == [None] * 3
    assert not any("window_unverified" in figures for result in results for figures in result.figures.values())
    truth = BentoTruth(world, NOW, ZoneInfo(zone), is_daily=buckets == "daily").ads(DAYS, DIMENSIONS, MODES)
    tables = {table.name: table for table in ads_stream("shop", AdsSpec()).typed}
    for name, wanted in truth.items():
        held = lake.read("shop", tables[name], DAYS).to_pylist()
        assert in_order(held) == in_order(wanted), name


def test_the_zones_of_this_table_are_of_each_kind():
    """One without offset, one with half an hour, and one on each half of the globe that changes its clocks."""
    offsets = {
        zone: {ZoneInfo(zone).utcoffset(datetime(2025, month, 1, tzinfo=UTC).replace(tzinfo=None)) for month in (1, 7)}
        for zone, *_ in INTERPRETATIONS
    }
    hours = {zone: sorted(offset.total_seconds() / 3600 for offset in held) for zone, held in offsets.items()}
    assert hours == {
        "UTC": [0],
        "America/New_York": [-5, -4],
        "Asia/Kolkata": [5.5],
        "Australia/Sydney": [10, 11],
    }
