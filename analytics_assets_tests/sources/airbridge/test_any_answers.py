"""Whatever the vendor answers, and in whatever order: the sensor and the runs it requests bring a request to its end.

Sensor, reader, decisions and ledger are production's; vendor and clock are simulated.
"""

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics_assets.errors import AccessRefusedError, BlockedError, Evidence, PermanentError, TransientError
from analytics_assets.lake.store import Lake
from analytics_assets.sources.airbridge.polling import PolledAccount, poll
from analytics_assets.sources.airbridge.report_loader import ReportReader, Waiting
from analytics_assets.sources.airbridge.report_spec import spec_hash
from analytics_assets.sources.airbridge.task_decisions import PollResult, TaskPolicy
from analytics_assets.state.database import engine
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.sources.airbridge.vendor import page, report, spec

START = datetime(2026, 3, 5, 12, tzinfo=UTC)
DAYS = [date(2026, 3, 1), date(2026, 3, 2)]
POLICY = TaskPolicy(
    first_poll_s=2, longest_poll_s=15, deadline_s=120, first_pause_s=30, longest_pause_s=120, loud_from=3
)
TICK_S, MOST_TICKS = 15, 1000
WORDS = st.sampled_from([seen for seen in PollResult if seen not in {PollResult.OVERDUE, PollResult.UNSEEN}])


@dataclass
class AnyVendor:
    """Answers post and look with the words given, and well once there are none left; remembers when it was asked what.

    The first `unread` times that somebody reads a finished report, its pages do not fit together.
    """

    words: list[PollResult]
    unread: int = 0
    now: datetime = START
    posts: list[datetime] = field(default_factory=list)
    looks: list[tuple[str, datetime, PollResult]] = field(default_factory=list)
    collected: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def open(self, *, clock: Any, origin: Any = None, retries: Any = None) -> AsyncIterator["AnyVendor"]:
        """The vendor is its own client."""
        yield self

    async def refuse_without_cost(self, spec: Any) -> None:
        """Revenue is not made of cost."""

    async def request_report(self, body: Any) -> Any:
        """Takes a task, or does not."""
        word = self.words.pop(0) if self.words else PollResult.PENDING
        self.posts.append(self.now)
        _raise(word)
        return SimpleNamespace(task_id=f"t-{len(self.posts)}")

    async def report_state(self, task_id: str) -> Any:
        """What a task is at."""
        word = self.words.pop(0) if self.words else PollResult.SUCCESS
        self.looks.append((task_id, self.now, word))
        if word is PollResult.FORGOTTEN:
            raise PermanentError("HTTP 404", evidence=Evidence("GET /task", status=404))
        _raise(word)
        return SimpleNamespace(status=word, words=None)

    async def report_pages(self, task_id: str, size: int, *, take: Any, memory_bytes: int) -> Any:
        """A report without rows."""
        self.unread -= 1
        if self.unread >= 0:
            raise TransientError("the pages do not fit together")
        self.collected.append(task_id)
        return [take(page(report([])))]


def _raise(word: PollResult) -> None:
    if word is PollResult.REFUSED:
        raise AccessRefusedError("HTTP 401")
    if word is PollResult.BLOCKED:
        raise BlockedError("HTTP 403 (an HTML page)")
    if word in {PollResult.TROUBLE, PollResult.UNPOSTED}:
        raise TransientError("HTTP 503", evidence=Evidence("/query", status=503))
    if word is PollResult.UNREAD:
        raise TransientError("no complete answer")


async def run(vendor: AnyVendor, ledger: Ledger, lake: Lake, days: list[date], only: list[int]) -> None:
    """What a run does with its days: what it cannot bring it leaves."""
    waiting = Waiting(0, 92, 100, POLICY)
    reader = ReportReader(
        "shop",
        spec(),
        vendor,  # type: ignore[arg-type] - it has the three calls that a reader makes
        ledger=ledger,
        lake=lake,
        waiting=waiting,
        clock=lambda: vendor.now,
        owner=f"run-{vendor.now}",
        log=logging.getLogger("test"),
        only=only,
        zone="UTC",
    )
    reader.announce(days)
    for day in days:
        try:
            await reader.fetch(day)
        except (TransientError, PermanentError):
            continue
        reader.mark_stored(day)
    await reader.close()


def live(vendor: AnyVendor, ledger: Ledger, lake: Lake) -> str:
    """A person requests the days; then the sensor ticks until the request is closed or refused. Returns its last state."""
    account = PolledAccount("shop", {"revenue": spec_hash(spec())}, POLICY, 92)
    asyncio.run(run(vendor, ledger, lake, DAYS, []))
    for _ in range(MOST_TICKS):
        [request] = ledger.all_requests("shop", "revenue")
        if not request.is_open or request.state == PollResult.REFUSED:
            return request.state
        vendor.now += timedelta(seconds=TICK_S)
        _, runs = poll(account, vendor, ledger, busy=(), clock=lambda: vendor.now)  # type: ignore[arg-type] - opens like a resource
        for _, days, requests in runs:
            asyncio.run(run(vendor, ledger, lake, days, [request.id for request in requests]))
    raise AssertionError(f"after {MOST_TICKS} ticks the request is {request.state}")


@pytest.mark.proof(1)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(words=st.lists(WORDS, max_size=12), unread=st.integers(0, 20))
def test_from_any_answers_a_request_ends_landed_or_paused_by_a_refusal(words: list[PollResult], unread: int) -> None:
    """Never looked at faster or posted more often than allowed, and never collected twice."""
    vendor = AnyVendor(list(words), unread)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/state.db"
        ledger = Ledger(url)
        ended = live(vendor, ledger, Lake(f"{folder}/lake"))
        [request] = ledger.all_requests("shop", "revenue")
        engine(url).dispose()
        engine.cache_clear()

    assert ended in {"STORED", PollResult.REFUSED}
    assert (ended == PollResult.REFUSED) <= (
        PollResult.REFUSED in words or words.count(PollResult.UNREAD) >= POLICY.most_unread
    )
    assert len(vendor.collected) == (ended == "STORED")
    assert request.attempts == len(vendor.posts)
    assert request.spec_hash == spec_hash(spec())
    # After n tasks the next is requested no sooner than the n-th pause.
    for number, (earlier, later) in enumerate(pairwise(vendor.posts)):
        assert (later - earlier).total_seconds() >= min(POLICY.longest_pause_s, POLICY.first_pause_s * 2**number)
    # A task is looked at again after the pause; only a finished one is looked at once more by the run that reads it.
    for (task, at, word), (other, again, _) in pairwise(vendor.looks):
        if task == other and word is not PollResult.SUCCESS:
            assert (again - at).total_seconds() >= POLICY.first_poll_s
