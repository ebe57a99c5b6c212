"""Four hundred open report tasks at a vendor that takes 30 ms a response: one tick of the sensor."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from analytics_assets.sandbox.options import Options
from analytics_assets.sources.airbridge.report_spec import body, spec_hash
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.driven import TASK_S, Driven, driven
from analytics_assets_tests.integration.hand_world import hand_world
from analytics_assets_tests.integration.running import FIRST, LAST, days_from, report
from analytics_assets_tests.integration.server import READ_REPORT

# It keeps to the second what a vendor counts by the second, so nothing may run beside it.
pytestmark = pytest.mark.alone

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SPANS = [days_from(date(2024, 1, 1) + timedelta(days=82 * number), 80) for number in range(5)]
DAYS = [day for span in SPANS for day in span]
LONGEST_S = 5.0


async def posted(account: Driven) -> None:
    """Opens a request a day and requests its task."""
    ledger, slots = account.ledger, asyncio.Semaphore(16)
    tasks: dict[int, str] = {}
    requests = ledger.join_or_open("airbridge", "revenue", spec_hash(account.report), DAYS, longest=1, now=NOW)
    async with account.resource.open(clock=lambda: account.now) as client:

        async def post(number: int, day: date) -> None:
            async with slots:
                handle = await client.request_report(body(account.report, day, day))
            tasks[number] = handle.task_id

        await asyncio.gather(*(post(one.id, one.first_day) for one in requests))
    with ledger.at_once():
        for number, task_id in tasks.items():
            ledger.begin_attempt(number, now=NOW)
            ledger.posted(number, task_id, now=NOW)


def test_four_hundred_ready_tasks_are_seen_in_one_tick_and_become_as_few_runs_as_there_are_gaps(
    point: Callable[[str], Place], instance: dg.DagsterInstance
) -> None:
    """A tick is cut at a minute; five ranges with gaps between them are five runs, and each task is looked at once."""
    spec = report("revenue", "app_revenue", "cumulative", intervals=2)
    # The world on paper costs the vendor, which is in this process too, no time.
    options, world = Options(latency_s=0.03, task_seconds=TASK_S), hand_world()
    with driven(NOW, point, instance, report=spec, options=options, world=world) as account:
        asyncio.run(posted(account))
        account.definitions()
        account.pass_seconds(TASK_S)
        began = time.monotonic()
        requests, _, _ = account.tick()
        took = time.monotonic() - began
        counts = account.sandbox.counts()
    assert [(one.tags[FIRST], one.tags[LAST]) for one in requests] == [(str(span[0]), str(span[-1])) for span in SPANS]
    assert counts[READ_REPORT] == len(DAYS)
    assert took < LONGEST_S, took
