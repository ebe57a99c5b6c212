"""Definitions have no history: a reading made in time stays, and one walk serves all past days. Over a real socket."""

import shutil
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from analytics_assets.lake.store import Lake
from analytics_assets.sandbox.options import Options
from analytics_assets.sources.statsig.source import definitions_stream, listing_stream
from analytics_assets.sources.statsig.streams import ListingSpec, end_of_day
from analytics_assets.sources.statsig.tables import EVENT_METRICS
from analytics_assets_tests.contract.clients import NOW, clients
from analytics_assets_tests.contract.readings import land, ticking
from analytics_assets_tests.contract.server import SandboxServer, sandbox_server
from analytics_assets_tests.opened import work

DAY = date(2026, 7, 10)
WALK = {"statsig GET /metrics/list": 1, "statsig GET /events/{eventName}/metrics": 10}


async def walk(server: SandboxServer, lake: Lake, now: datetime) -> None:
    """One reading of the definitions."""
    server.set_clock(now)
    clock = ticking(now)
    async with clients(server.url, clock=clock, only="statsig") as to:
        stream = listing_stream("statsig", ListingSpec())
        async with stream.open(work(to.statsig, lake, clock)) as fetcher:
            results = await land(lake, stream, [stream.day_of(now)], clock, fetcher, attempt_group=str(now))
        assert [result.error for result in results] == [None]


async def define(lake: Lake, days: Sequence[date], now: datetime) -> list[dict[str, Any]]:
    """The days of definitions, made anew, as rows."""
    stream = definitions_stream("statsig", ListingSpec(), final_at=end_of_day)
    assert [result.error for result in await land(lake, stream, days, ticking(now), attempt_group=str(now))] == [
        None
    ] * len(days)
    return list(lake.read("statsig", EVENT_METRICS, days).to_pylist())


def stored(lake: Lake) -> bytes:
    """The file of the day."""
    return Path(lake.path("statsig", EVENT_METRICS.name, DAY)).read_bytes()


async def test_a_listing_read_in_time_is_never_replaced_by_a_reconstruction(tmp_path: Path):
    """Read on the next day, and again after 4 and 40 days, at last without the reading itself: the file is the same, byte for byte."""
    lake = Lake(str(tmp_path / "lake"))
    with sandbox_server(Options(now=lambda: NOW)) as server:
        times = [datetime.combine(DAY + timedelta(days=after), time(20), UTC) for after in (1, 4, 40)]
        await walk(server, lake, times[0])
        first = await define(lake, [DAY], times[0])
        written = stored(lake)
        for now in times[1:]:
            await walk(server, lake, now)
            later = await define(lake, [DAY + timedelta(days=3)], now)
            assert await define(lake, [DAY], now) == first
            assert stored(lake) == written
    in_time = Path(lake.path("statsig", "listing_raw", DAY + timedelta(days=1)))
    shutil.rmtree(in_time.parent)
    assert await define(lake, [DAY], times[2]) == first
    assert stored(lake) == written
    assert {(row["is_reconstructed"], row["observed_at"].date()) for row in first} == {(False, date(2026, 7, 11))}
    # The later readings do know more.
    assert {row["metric_id"] for row in later} - {row["metric_id"] for row in first} == {"cart_size::mean"}


async def test_sixty_past_days_of_definitions_cost_one_walk(tmp_path: Path):
    """Every day is rebuilt from the one reading; making them again asks nothing."""
    lake = Lake(str(tmp_path / "lake"))
    days = [date(2026, 5, 1) + timedelta(days=number) for number in range(60)]
    with sandbox_server(Options(now=lambda: NOW)) as server:
        await walk(server, lake, NOW)
        rows = await define(lake, days, NOW)
        await define(lake, days, NOW + timedelta(hours=1))
        assert server.counts() == WALK
    assert {(row["date"], row["is_reconstructed"]) for row in rows} == {(day, True) for day in days}
    # A funnel of 12 May is in no day before it.
    assert min(row["date"] for row in rows if row["metric_name"] == "view_to_signup") == date(2026, 5, 12)
