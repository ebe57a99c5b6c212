"""Bringing days in leaves the event loop to others, and comes to an end."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.errors import Evidence, UnexpectedPayloadError
from analytics_assets.lake.store import Lake
from analytics_assets_tests.lake.vendor import START, Vendor, brought, days

BOUND_S = 20.0


class Slow:
    """A call that waits until the event loop lets it: it sees whether the loop goes on meanwhile."""

    def __init__(self, call: Callable[..., Any]) -> None:
        """The call."""
        self._call = call
        self.has_begun, self.may_end, self.was_let = threading.Event(), threading.Event(), False

    def __call__(self, *args: Any, **more: Any) -> Any:
        """As the call, late the first time."""
        if not self.has_begun.is_set():
            self.has_begun.set()
            self.was_let = self.may_end.wait(BOUND_S / 4)
        return self._call(*args, **more)


@pytest.mark.parametrize("of", ["stored_day", "files.check_writable", "quarantine.keep"])
async def test_a_slow_bucket_leaves_the_loop_to_requests_in_flight(disk: Lake, of: str) -> None:
    """While days are planned, the lake is probed, or a refused response is kept, another task on the loop goes on."""
    place, _, name = of.rpartition(".")
    owner = getattr(disk, place) if place else disk
    slow = Slow(getattr(owner, name))
    setattr(owner, name, slow)
    refused = UnexpectedPayloadError("not as documented", evidence=Evidence("GET /numbers", status=200, body="{"))
    vendor = Vendor({START: refused})

    async def other() -> None:
        await asyncio.to_thread(slow.has_begun.wait, BOUND_S)
        slow.may_end.set()

    async with asyncio.timeout(BOUND_S):
        results, _ = await asyncio.gather(brought(disk, vendor.stream(), days(2)), other())

    assert slow.was_let
    assert [result.error is None for result in results] == [False, True]


async def test_every_day_comes_to_an_end_however_few_are_read_at_once(tmp_path: Path) -> None:
    """A day that is stored, and one that fails, makes place for the next."""
    lake, bad = Lake(str(tmp_path)), {START: UnexpectedPayloadError("not as documented")}
    with suppress(TimeoutError):
        results: list[Any] = []
        async with asyncio.timeout(BOUND_S):
            results = await brought(lake, Vendor(dict[date, Any](bad)).stream(ahead=1), days(6))
    assert [result.error is None for result in results] == [False, *[True] * 5]
