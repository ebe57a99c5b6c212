"""How a run opens a declared stream."""

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.run_context import Work
from analytics_assets.orchestration.stream import SourceStream, with_client
from analytics_assets_tests.lake.vendor import NOW, RAW, Vendor, days
from analytics_assets_tests.opened import work


async def test_a_run_opens_one_client_and_what_fetches_days_is_made_of_it_once(tmp_path: Path) -> None:
    """What a source remembers between days, such as stored totals, is so kept for the run."""
    vendor, made = Vendor(), list[tuple[Any, Work]]()

    def fetch(client: Vendor, run: Work) -> Callable[[date], Awaitable[RawDay]]:
        made.append((client, run))
        return client.fetch

    stream = SourceStream(account="shop", name="numbers", raw=RAW, open=with_client(fetch))
    run = work(vendor, Lake(str(tmp_path)), lambda: NOW)
    async with stream.open(run) as fetcher:
        for day in days(3):
            await fetcher.fetch(day)
    assert (made, vendor.asked) == ([(vendor, run)], days(3))


async def test_a_stream_that_is_never_opened_for_requests_refuses_to_fetch(tmp_path: Path) -> None:
    """A day without a response is never taken for a day without rows."""
    stream = SourceStream(account="shop", name="derived", raw=None)
    async with stream.open(work(None, Lake(str(tmp_path)), lambda: NOW)) as fetcher:
        with pytest.raises(AssertionError, match="2026-03-01 is requested of a stream that sends no requests"):
            await fetcher.fetch(days(1)[0])
