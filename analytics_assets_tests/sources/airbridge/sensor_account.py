"""An Airbridge account whose sensor a test drives: a fake vendor, a real ledger, a clock that stands still. No assertions here."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.sources.airbridge.report_loader import Waiting
from analytics_assets.sources.airbridge.report_spec import spec_hash
from analytics_assets.sources.airbridge.source import AirbridgeResource, report_stream
from analytics_assets.sources.airbridge.streams import App
from analytics_assets.sources.airbridge.task_decisions import REQUESTS_TAG, PollResult, TaskPolicy
from analytics_assets.sources.airbridge.task_sensor import report_sensor
from analytics_assets.state.report_ledger import Ledger
from analytics_assets.state.requests import Request
from analytics_assets_tests.opened import assets_of
from analytics_assets_tests.sources.airbridge.vendor import spec

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
DAY = date(2026, 3, 1)
POLICY = TaskPolicy(
    first_poll_s=2,
    longest_poll_s=10,
    deadline_s=900,
    first_pause_s=30,
    longest_pause_s=3600,
    loud_from=3,
    max_store_runs=6,
)
REVENUE, USERS = spec(), spec(name="users", metric="app_user_count")
FIRST, LAST = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"

# What a task is at, or what polling it raises.
Says = PollResult | Exception


@dataclass
class Vendor:
    """The resource of the account, and its client: answers as told and notes what was polled.

    Attributes:
        url: The state database.
        says: What each task is at; a task that is not named is PENDING.
        meanwhile: Called while the first task is polled.
        closed: Raised when a client is opened.
        key: The key in use.
        polled: Tasks polled.
    """

    url: str
    says: dict[str, Says] = field(default_factory=dict)
    meanwhile: Callable[[Ledger], None] | None = None
    closed: Exception | None = None
    key: str = "key"
    polled: list[str] = field(default_factory=list)

    def ledger(self) -> Ledger:
        """As the resource's."""
        return Ledger(self.url, self.key)

    @asynccontextmanager
    async def open(self, *, clock: Any, origin: Any, retries: Any) -> AsyncIterator["Vendor"]:
        """As the resource's."""
        del clock, origin
        if self.closed is not None:
            raise self.closed
        yield self

    async def report_state(self, task_id: str) -> Any:
        """As the client's."""
        self.polled.append(task_id)
        if self.meanwhile is not None:
            self.meanwhile(self.ledger())
            self.meanwhile = None
        said = self.says.get(task_id, PollResult.PENDING)
        if isinstance(said, Exception):
            raise said
        return SimpleNamespace(status=said, words="too large" if said is PollResult.FAILURE else None)


def days(count: int) -> list[date]:
    """The first days of March."""
    return [DAY + timedelta(days=number) for number in range(count)]


def opened(ledger: Ledger, count: int = 1, *, of: Any = REVENUE, hashed: str | None = None) -> Request:
    """An open request of the first days, opened an hour ago."""
    hour_ago = NOW - timedelta(hours=1)
    [request] = ledger.join_or_open("shop", of.name, hashed or spec_hash(of), days(count), longest=92, now=hour_ago)
    return request


def task(
    ledger: Ledger,
    state: str = "POSTED",
    *,
    age_s: float = 60,
    attempts: int = 1,
    due_in_s: float = -1,
    runs: int = 0,
    **more: Any,
) -> Request:
    """A request whose last task was posted some seconds ago, is at a state, and may be polled again in some seconds."""
    request, posted_at = opened(ledger, **more), NOW - timedelta(seconds=age_s)
    for _ in range(attempts):
        ledger.begin_attempt(request.id, now=posted_at)
    ledger.posted(request.id, f"t-{request.id}", now=posted_at)
    due = NOW + timedelta(seconds=due_in_s)
    if state != "POSTED":
        ledger.saw(request.id, state, task_id=f"t-{request.id}", now=posted_at, next_poll_at=due, reason="a reason")
    for _ in range(runs):
        ledger.record_store_run(request.id, now=posted_at, next_poll_at=due)
    return ledger.get(request.id)


def refused(ledger: Ledger) -> None:
    """A request that was refused with the key `key`."""
    request = task(ledger)
    ledger.saw(
        request.id,
        PollResult.REFUSED,
        task_id=request.task_id,
        now=NOW,
        next_poll_at=NOW,
        reason="HTTP 401.",
        is_refusal=True,
    )


def leased(ledger: Ledger, state: str, until_s: float) -> None:
    """A request in a state, whose lease a run holds until then."""
    request = task(ledger, state)
    ledger.lease(request.id, "run", seconds=60, now=NOW + timedelta(seconds=until_s - 60))


def posted_anew(ledger: Ledger) -> None:
    """What a person's run does while the sensor polls."""
    ledger.begin_attempt(1, now=NOW)
    ledger.posted(1, "t-2", now=NOW)


def without_task(ledger: Ledger) -> None:
    """A row whose task id is lost."""
    request = task(ledger)
    ledger.begin_attempt(request.id, now=NOW)
    ledger.saw(request.id, "RUNNING", task_id=None, now=NOW, next_poll_at=NOW)


@cache
def repository() -> dg.RepositoryDefinition:
    """The tables of both reports, as Dagster loads them."""
    partitions = dg.DailyPartitionsDefinition(start_date="2026-01-01", end_date="2026-06-01")
    app, waiting = App("shop", "UTC", "USD", 4.0), Waiting(0, 92, 100, POLICY)
    streams = [report_stream("shop", app, one, waiting) for one in (REVENUE, USERS)]
    assets = assets_of("airbridge", streams, lambda: NOW, days_per_run=7, partitions=partitions)
    resources = {"shop": AirbridgeResource(app_name="shop"), "lake": LakeResource()}
    return dg.Definitions(assets=assets, resources=resources).get_repository_def()


@dataclass
class Account:
    """The account `shop` with its sensor."""

    vendor: Vendor
    instance: dg.DagsterInstance
    output: pytest.CaptureFixture[str]

    @property
    def ledger(self) -> Ledger:
        """The ledger."""
        return self.vendor.ledger()

    def tick(
        self, *, reports: Any = (REVENUE, USERS), first_day: date = date.min
    ) -> tuple[list[tuple[int, int, str]], str, list[Any]]:
        """One evaluation: the runs it launches, what it says, the checks it evaluates."""
        sensor = report_sensor(
            "shop", reports, policy=POLICY, days_per_run=7, interval_s=15, clock=lambda: NOW, first_day=first_day
        )
        self.output.readouterr()
        with dg.build_sensor_context(
            instance=self.instance, resources={"shop": self.vendor, "lake": LakeResource()}, repository_def=repository()
        ) as context:
            tick = sensor.evaluate_tick(context)
        runs = [
            (date.fromisoformat(one.tags[FIRST]).day, date.fromisoformat(one.tags[LAST]).day, one.tags[REQUESTS_TAG])
            for one in tick.run_requests or []
        ]
        said = self.output.readouterr().err.partition("Open report requests: ")[2].strip()
        return runs, said, list(tick.asset_events)
