"""A request belongs to one process at a time: whoever posts, polls and reads it holds its lease, however long a step takes."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from analytics_assets.errors import TransientError
from analytics_assets.http.meter import Meter
from analytics_assets.lake.store import Lake
from analytics_assets.sources.airbridge.report_loader import Waiting
from analytics_assets.sources.airbridge.report_spec import spec_hash
from analytics_assets.sources.airbridge.request_leases import LEASE_S, RENEW_S
from analytics_assets.sources.airbridge.source import report_stream
from analytics_assets.sources.airbridge.streams import App
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy
from analytics_assets.state.database import engine
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.opened import work
from analytics_assets_tests.sources.airbridge.reading import BOUND_S, DAYS, START, HeldVendor, Time, outcome, reader_of
from analytics_assets_tests.sources.airbridge.vendor import spec


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A state database of the test's own."""
    url = f"sqlite:///{tmp_path}/state.db"
    yield url
    engine(url).dispose()
    engine.cache_clear()


class DownLog(logging.Filter):
    """A log whose database is down."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Fails for warnings."""
        if record.levelno >= logging.WARNING:
            raise RuntimeError(record.getMessage())
        return True


async def test_one_run_started_twice_posts_one_task(url: str, tmp_path: Path) -> None:
    """Two daemons can start one run; the second process finds the request leased and leaves its days to the sensor."""
    vendor, ledger = HeldVendor(), Ledger(url)
    vendor.post.clear()
    first, second = (reader_of(vendor, tmp_path, ledger=ledger, clock=lambda: START, owner="run-1") for _ in range(2))
    first.announce(DAYS)
    async with asyncio.timeout(BOUND_S):
        await vendor.asked.wait()
    second.announce(DAYS)

    assert await outcome(second, DAYS) == ["AwaitedError"] * 2

    vendor.post.set()
    await second.close()
    assert await outcome(first, DAYS) == ["AwaitedError"] * 2
    await first.close()
    assert len(vendor.posts) == 1


async def test_the_lease_outlives_a_long_post(url: str, tmp_path: Path) -> None:
    """A POST can wait ten minutes for its turn; at no moment of it can another process take the request."""
    vendor, ledger, time = HeldVendor(), Ledger(url), Time()
    vendor.post.clear()
    reader = reader_of(vendor, tmp_path, ledger=ledger, clock=time, sleep=time.sleep)
    reader.announce(DAYS)
    async with asyncio.timeout(BOUND_S):
        await vendor.asked.wait()
    await time.sleepers(1)
    for _ in range(60):
        await time.pass_seconds(10)
        assert not ledger.lease(1, "another", seconds=120, now=time.now)

    vendor.post.set()
    assert await outcome(reader, DAYS) == ["AwaitedError"] * 2
    await reader.close()


async def test_the_lease_is_kept_while_days_are_stored(url: str, tmp_path: Path) -> None:
    """A report of many days can take minutes to store; the lease ends with the run."""
    vendor, ledger, time = HeldVendor(), Ledger(url), Time()
    posted(ledger, DAYS)
    reader = reader_of(vendor, tmp_path, ledger=ledger, clock=time, sleep=time.sleep)
    reader.announce(DAYS)
    assert await outcome(reader, DAYS) == ["read"] * 2
    reader.mark_stored(DAYS[0])
    await time.sleepers(1)
    await time.pass_seconds(600)
    assert [request.lease_until and request.lease_until > time.now for request in ledger.open_requests("shop")] == [
        True
    ]

    await reader.close()

    assert ledger.lease(2, "another", seconds=120, now=time.now)


async def test_a_run_that_ends_leaves_its_requests_to_others(url: str, tmp_path: Path) -> None:
    """Also where its days were read and never stored, as when the run is cancelled."""
    vendor, ledger = HeldVendor(session=SimpleNamespace(meter=Meter())), Ledger(url)
    posted(ledger, DAYS)
    stream = report_stream("shop", App("shop", "UTC", "USD", 4.0), spec(), Waiting(0, 92, 100, TaskPolicy()))
    async with stream.open(work(vendor, Lake(str(tmp_path / "lake")), lambda: START, ledger=ledger)) as fetcher:
        fetcher.announce(DAYS)
        assert await outcome(fetcher, DAYS) == ["read"] * 2
        assert not ledger.lease(1, "another", seconds=120, now=START)
    assert ledger.lease(1, "another", seconds=120, now=START)


async def test_a_killed_process_blocks_its_run_for_one_lease(url: str, tmp_path: Path) -> None:
    """A new process of the same run waits until the lease has ended, then polls the same task."""
    vendor, ledger, time = HeldVendor(status="RUNNING"), Ledger(url), Time()
    killed = reader_of(vendor, tmp_path, ledger=ledger, clock=time, sleep=time.sleep, wait_s=360)
    killed.announce(DAYS)
    # The killed process sleeps between two polls, and its lease is renewed no more.
    await time.sleepers(2)
    looks = []
    for seconds in (60, 59, 2):
        time.now += timedelta(seconds=seconds)
        again = reader_of(vendor, tmp_path, ledger=ledger, clock=time)
        again.announce(DAYS)
        assert await outcome(again, DAYS) == ["AwaitedError"] * 2
        await again.close()
        looks.append(list(vendor.looks))
    assert (looks, len(vendor.posts)) == ([[], [], ["t-1"]], 1)
    await killed.close()


async def test_a_process_that_slept_beyond_its_lease_posts_no_second_task(url: str, tmp_path: Path) -> None:
    """A machine can sleep between the lease and the POST; another process has posted when it wakes."""
    vendor, ledger, time = HeldVendor(), Ledger(url), Time()

    def sleep_on_the_way() -> None:
        time.now += timedelta(seconds=199)
        assert ledger.lease(1, "another", seconds=120, now=time.now)
        ledger.begin_attempt(1, now=time.now, owner="another")
        ledger.posted(1, "task-of-another", now=time.now)

    vendor.before_post = sleep_on_the_way
    reader = reader_of(vendor, tmp_path, ledger=ledger, clock=time)
    reader.announce(DAYS)

    assert await outcome(reader, DAYS) == ["AwaitedError"] * 2

    assert (vendor.posts, ledger.get(1).task_id, ledger.get(1).attempts) == ([], "task-of-another", 1)
    await reader.close()
    assert ledger.get(1).lease_owner == "another"


async def test_a_run_that_stops_waiting_gives_its_request_back_at_once(url: str, tmp_path: Path) -> None:
    """The sensor continues while the run still works at its other days."""
    vendor, ledger = HeldVendor(status="RUNNING"), Ledger(url)
    reader = reader_of(vendor, tmp_path, ledger=ledger, clock=lambda: START)
    reader.announce(DAYS)
    assert await outcome(reader, DAYS) == ["AwaitedError"] * 2

    assert ledger.get(1).lease_owner is None
    await reader.close()


class BrokenLedger(Ledger):
    """A ledger whose database fails some renewals."""

    failures = 0
    failed_posts = 0

    def posted(self, *args: Any, **more: Any) -> None:
        """As the ledger's, or an error."""
        if self.failed_posts:
            self.failed_posts -= 1
            raise TransientError("database is locked")
        super().posted(*args, **more)

    def lease_all(self, *args: Any, **more: Any) -> set[int]:
        """As the ledger's, or an error."""
        if self.failures:
            self.failures -= 1
            raise TransientError("database is locked")
        return super().lease_all(*args, **more)


async def test_a_renewal_that_fails_is_repeated_before_the_lease_ends(url: str, tmp_path: Path) -> None:
    """The database may be away for a moment; the request stays with its process."""
    vendor, ledger, time = HeldVendor(), BrokenLedger(url), Time()
    vendor.post.clear()
    reader = reader_of(vendor, tmp_path, ledger=ledger, clock=time, sleep=time.sleep)
    reader.announce(DAYS)
    async with asyncio.timeout(BOUND_S):
        await vendor.asked.wait()
    await time.sleepers(1)
    ledger.failures = 3
    for _ in range(30):
        await time.pass_seconds(10)
        assert not Ledger(url).lease(1, "another", seconds=120, now=time.now)
    assert not ledger.failures
    await reader.close()


async def test_a_renewal_goes_on_where_the_log_cannot_be_written(url: str, tmp_path: Path) -> None:
    """Dagster's database is down together with the state database, and both are back before the lease ends."""
    vendor, ledger, time = HeldVendor(), BrokenLedger(url), Time()
    vendor.post.clear()
    log = logging.getLogger("down")
    log.addFilter(DownLog())
    reader = reader_of(vendor, tmp_path, ledger=ledger, clock=time, sleep=time.sleep, log=log)
    reader.announce(DAYS)
    async with asyncio.timeout(BOUND_S):
        await vendor.asked.wait()
    await time.sleepers(1)
    ledger.failures = 1
    await time.pass_seconds(RENEW_S + 10)
    lease_until = ledger.get(1).lease_until
    assert lease_until is not None
    assert lease_until > START + timedelta(seconds=LEASE_S)
    await reader.close()


async def test_a_task_id_is_written_once_the_database_is_back(url: str, tmp_path: Path) -> None:
    """The vendor has begun the task, so the next process polls it and posts no second one."""
    vendor, ledger, time = HeldVendor(), BrokenLedger(url), Time()
    ledger.failed_posts = 2
    reader = reader_of(vendor, tmp_path, ledger=ledger, clock=time, sleep=time.sleep)
    reader.announce(DAYS)
    outcomes = asyncio.ensure_future(outcome(reader, DAYS))
    # The renewal of the lease sleeps too.
    for _ in range(2):
        await time.sleepers(2)
        await time.wake()

    assert (await outcomes, ledger.get(1).task_id, len(vendor.posts)) == (["AwaitedError"] * 2, "t-1", 1)
    await reader.close()


async def test_a_task_without_its_instant_is_an_error_of_its_days(url: str, tmp_path: Path) -> None:
    """A row that another program changed costs its days an error in words, and no crash."""
    vendor, ledger = HeldVendor(), Ledger(url)
    [request] = ledger.join_or_open("shop", "revenue", spec_hash(spec()), DAYS, longest=92, now=START)
    ledger.posted(request.id, "t-1", now=START)
    reader = reader_of(vendor, tmp_path, ledger=ledger, clock=lambda: START)
    reader.announce(DAYS)

    assert await outcome(reader, DAYS) == ["TransientError"] * 2

    await reader.close()


class SlowLedger(Ledger):
    """A ledger whose note of what was seen of one task waits until the test lets it."""

    def __init__(self, url: str, slow: str) -> None:
        """The task that waits."""
        super().__init__(url)
        self._slow, self.slow_posted = slow, False
        self.has_begun, self.may_end, self.has_ended = threading.Event(), threading.Event(), threading.Event()

    def saw(self, request_id: int, state: str, *, task_id: str | None, **more: Any) -> bool:
        """As the ledger's, late."""
        self._wait(task_id)
        return super().saw(request_id, state, task_id=task_id, **more)

    def posted(self, request_id: int, task_id: str, **more: Any) -> None:
        """As the ledger's, late where a test wants it."""
        if self.slow_posted:
            self._wait(task_id)
        super().posted(request_id, task_id, **more)

    def _wait(self, task_id: str | None) -> None:
        if task_id == self._slow:
            self.has_begun.set()
            self.may_end.wait(BOUND_S / 4)
            self.has_ended.set()


def posted(ledger: Ledger, days: list[date]) -> list[int]:
    """Requests of one day each whose tasks are t-1, t-2 and so on."""
    requests = ledger.join_or_open("shop", "revenue", spec_hash(spec()), days, longest=1, now=START)
    for number, request in enumerate(requests, start=1):
        ledger.begin_attempt(request.id, now=START)
        ledger.posted(request.id, f"t-{number}", now=START)
    return [request.id for request in requests]


async def test_a_slow_state_database_holds_up_no_request_in_flight(url: str, tmp_path: Path) -> None:
    """While one write waits for the database, the vendor's response to another request is received and its report read."""
    vendor, ledger = HeldVendor(), SlowLedger(url, "t-1")
    posted(ledger, DAYS)
    reader = reader_of(vendor, tmp_path, ledger=ledger, clock=lambda: START, longest=1)
    reader.announce(DAYS)
    async with asyncio.timeout(BOUND_S):
        await asyncio.to_thread(ledger.has_begun.wait, BOUND_S)

    assert await outcome(reader, [DAYS[1]]) == ["read"]
    assert not ledger.has_ended.is_set()

    ledger.may_end.set()
    assert await outcome(reader, [DAYS[0]]) == ["read"]
    await reader.close()


async def test_a_slow_state_database_holds_up_no_renewal(url: str, tmp_path: Path) -> None:
    """While one write waits, the leases of all requests of the process are renewed."""
    vendor, ledger, time = HeldVendor(), SlowLedger(url, "t-1"), Time()
    vendor.look.clear()
    numbers = posted(ledger, DAYS)
    reader = reader_of(vendor, tmp_path, ledger=ledger, clock=time, sleep=time.sleep, longest=1)
    reader.announce(DAYS)
    async with asyncio.timeout(BOUND_S):
        for _ in DAYS:
            await vendor.arrived.get()
        vendor.look.set()
        await asyncio.to_thread(ledger.has_begun.wait, BOUND_S)
    await time.sleepers(1)

    await time.pass_seconds(600)

    assert not ledger.has_ended.is_set()
    assert all((ledger.get(number).lease_until or START) > time.now for number in numbers)
    ledger.may_end.set()
    await reader.close()


class SlowLog(logging.Handler):
    """A log whose lines are each written once the event loop has turned."""

    def __init__(self) -> None:
        """Knows the running loop."""
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self.written: list[tuple[str, bool]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Notes the first words of a line and whether the loop turned."""
        turned = threading.Event()
        self._loop.call_soon_threadsafe(turned.set)
        self.written.append((" ".join(record.getMessage().split()[:3]), turned.wait(BOUND_S / 4)))


async def test_a_slow_log_holds_up_no_request_in_flight(url: str, tmp_path: Path) -> None:
    """A line of a run is a statement to Dagster's database, which can be slow or locked too."""
    vendor, ledger, time = HeldVendor(), BrokenLedger(url), Time()
    log, slow = logging.getLogger("slow"), SlowLog()
    log.setLevel(logging.INFO)
    log.addHandler(slow)
    reader = reader_of(vendor, tmp_path, ledger=ledger, clock=time, sleep=time.sleep, wait_s=60, log=log)
    reader.announce(DAYS)
    outcomes = asyncio.ensure_future(outcome(reader, DAYS))
    # The first poll and the renewal of the lease wait.
    await time.sleepers(2)
    await time.wake()
    assert await outcomes == ["read"] * 2
    ledger.failures = 1
    await time.wake()
    await time.sleepers(1)

    assert slow.written == [("Asked Airbridge for", True), ("Airbridge task t-1", True), ("The leases of", True)]
    await reader.close()
    log.removeHandler(slow)


async def test_a_task_id_is_kept_even_if_the_run_is_cancelled_while_it_is_written(url: str, tmp_path: Path) -> None:
    """The vendor has begun the task: the next process polls it, and posts no second one."""
    vendor, ledger = HeldVendor(), SlowLedger(url, "t-1")
    ledger.slow_posted = True
    reader = reader_of(vendor, tmp_path, ledger=ledger, clock=lambda: START)
    reader.announce(DAYS)
    async with asyncio.timeout(BOUND_S):
        await asyncio.to_thread(ledger.has_begun.wait, BOUND_S)
    closing = asyncio.ensure_future(reader.close())
    await asyncio.sleep(0)
    ledger.may_end.set()
    await closing
    assert (ledger.get(1).task_id, ledger.get(1).lease_owner) == ("t-1", None)


async def test_a_clock_that_is_set_back_does_not_make_a_run_wait_longer(url: str, tmp_path: Path) -> None:
    """By an hour, a minute into the wait of two: the days are left to the sensor two minutes later."""
    time, slept = Time(), 0.0

    async def sleep(seconds: float) -> None:
        nonlocal slept
        if seconds >= RENEW_S:
            await asyncio.Event().wait()
        before, slept = slept, slept + seconds
        time.now += timedelta(seconds=seconds)
        if before < 60 <= slept:
            time.now -= timedelta(hours=1)
        await asyncio.sleep(0)

    reader = reader_of(HeldVendor(status="RUNNING"), tmp_path, ledger=Ledger(url), clock=time, sleep=sleep, wait_s=120)
    reader.announce(DAYS)
    assert await outcome(reader, DAYS) == ["AwaitedError"] * 2
    await reader.close()
    assert 180 <= slept < 200
