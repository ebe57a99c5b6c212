"""A report reader with a vendor that a test holds up, and a clock that a test moves. No assertions here."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from analytics_assets.errors import SourceError
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import DayFetcher
from analytics_assets.sources.airbridge.client import AirbridgeClient
from analytics_assets.sources.airbridge.report_loader import ReportReader, Waiting
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.sources.airbridge.vendor import page, report, spec

START = datetime(2026, 3, 5, 12, tzinfo=UTC)
DAYS = [date(2026, 3, 1), date(2026, 3, 2)]
# A step that takes longer than this hangs.
BOUND_S = 20.0


@dataclass
class HeldVendor:
    """Answers each request once the test lets it: `post` and `look` are open unless a test closes them.

    Attributes:
        post: Set while POST requests are answered.
        look: Set while requests for a task's status are answered.
        asked: Set when a POST has arrived.
        posts: Days of each POST.
        looks: Task of each request for a status.
        arrived: The same, one for each request, for a test to wait for.
        status: What a task is at.
        session: What counts its requests, where a test needs it.
        before_post: Called in place of the catalogue that a reader consults before a POST.
    """

    post: asyncio.Event = field(default_factory=asyncio.Event)
    look: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    posts: list[tuple[str, str]] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)
    arrived: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)
    status: str = "SUCCESS"
    session: Any = None
    before_post: Any = None

    def __post_init__(self) -> None:
        """All requests are answered at first."""
        self.post.set()
        self.look.set()

    async def refuse_without_cost(self, _spec: Any) -> None:
        """Every report can be requested."""
        if self.before_post is not None:
            self.before_post()

    async def request_report(self, body: Any) -> Any:
        """Takes a task."""
        self.posts.append((body["from"], body["to"]))
        self.asked.set()
        number = len(self.posts)
        await self.post.wait()
        return SimpleNamespace(task_id=f"t-{number}")

    async def report_state(self, task_id: str) -> Any:
        """What a task is at."""
        self.looks.append(task_id)
        self.arrived.put_nowait(task_id)
        await self.look.wait()
        return SimpleNamespace(status=self.status, words=None)

    async def report_pages(self, _task_id: str, _size: int, *, take: Any, memory_bytes: int) -> Any:
        """A report without rows."""
        return [take(page(report([])))]


@dataclass
class Time:
    """A clock that stands still until the test moves it, and the sleeps that rest on it."""

    now: datetime = START
    _sleepers: list[tuple[datetime, "asyncio.Future[None]"]] = field(default_factory=list)
    _slept: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self) -> datetime:
        """The present instant."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Returns when the test has moved the clock so far."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + timedelta(seconds=seconds), woken))
        self._slept.set()
        await woken

    async def sleepers(self, count: int) -> None:
        """Waits until so many sleep."""
        async with asyncio.timeout(BOUND_S):
            while len(self._sleepers) < count:
                self._slept.clear()
                await self._slept.wait()

    async def wake(self) -> None:
        """Moves the clock to the next instant at which one wakes."""
        first = min(self._sleepers, key=lambda one: one[0])
        self.now = max(self.now, first[0])
        self._sleepers.remove(first)
        first[1].set_result(None)

    async def pass_seconds(self, seconds: float) -> None:
        """Moves the clock; each sleeper that wakes on the way is waited for until it sleeps again."""
        until = self.now + timedelta(seconds=seconds)
        while due := [one for one in self._sleepers if one[0] <= until]:
            count, first = len(self._sleepers), min(due, key=lambda one: one[0])
            self.now = max(self.now, first[0])
            self._sleepers.remove(first)
            first[1].set_result(None)
            await self.sleepers(count)
        self.now = until


def reader_of(
    vendor: HeldVendor,
    folder: Path,
    *,
    ledger: Ledger,
    clock: Any,
    owner: str = "run-1",
    wait_s: float = 0,
    longest: int = 92,
    only: Collection[int] = (),
    log: logging.Logger | None = None,
    **more: Any,
) -> ReportReader:
    """The reader of a run on a lake and a ledger of the test's own."""
    return ReportReader(
        "shop",
        spec(),
        cast("AirbridgeClient", vendor),
        ledger=ledger,
        lake=Lake(str(folder / "lake")),
        waiting=Waiting(wait_s, longest, 100, TaskPolicy()),
        clock=clock,
        owner=owner,
        log=log or logging.getLogger("test"),
        only=only,
        zone="UTC",
        **more,
    )


async def outcome(reader: ReportReader | DayFetcher, days: Sequence[date]) -> list[str]:
    """What becomes of each day: `read`, or the class of its error."""

    async def of_day(day: date) -> str:
        try:
            await reader.fetch(day)
        except SourceError as error:
            return type(error).__name__
        return "read"

    async with asyncio.timeout(BOUND_S):
        return [await of_day(day) for day in days]
