"""Several runs and the sensor keep to one budget against a vendor that refuses what is too much, over real sockets and processes.

Bento's hour is scaled to twenty seconds; what the vendor counts is what arrives.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from statistics import median

import dagster as dg
import pytest

from analytics_assets.clock import utc_now
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.sandbox.options import Options
from analytics_assets.sources.airbridge.source import AirbridgeResource
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.limited import Arrival, at_most, by_lot, limited_server
from analytics_assets_tests.integration.running import (
    SEOUL_APP,
    Wishes,
    days_from,
    days_landed,
    definitions_at,
    range_tags,
    run,
)
from analytics_assets_tests.integration.witness import noted, watch

# It keeps to the second what a vendor counts by the second, so nothing may run beside it.
pytestmark = pytest.mark.alone

LIMIT, WINDOW_S = 30, 20.0
BACKFILL, SCHEDULE = "dagster/backfill", "dagster/schedule_name"
YEAR, WEEK = days_from(date(2025, 6, 1), 60), days_from(date(2025, 9, 1), 14)
PATIENCE_S = 270.0
AFTER_S, AFTER_MS, ANSWER_MS, EARLY_MS = 2.0, 2000, 250, 50
BENTO = ("bento/ads_raw", "bento/ads_attribution", "bento/ads_totals", "bento/ads_chart")
# Of each vendor one of the tables made from what it answered.
EACH = {"bento": "ads_totals", "statsig": "metric_values", "airbridge": "revenue_cohorts"}
ALL = [*BENTO, "statsig/values_raw", "statsig/metric_values", "airbridge/revenue_raw", "airbridge/revenue_cohorts"]
TASKS_SOON = TaskPolicy(first_poll_s=0.1, first_pause_s=0.1)


@contextmanager
def started(
    tag: str, days: Sequence[date], requests: int, per_s: float, tables: Sequence[str] = BENTO
) -> "Iterator[subprocess.Popen[str]]":
    """A process that is ready to store these days; ended with the block."""
    command = [sys.executable, "-m", "analytics_assets_tests.integration.budgeted_run"]
    command += [tag, f"{days[0]}", f"{days[-1]}", f"{requests}", f"{per_s}", *tables]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=dict(os.environ),  # noqa: TID251 - the test has pointed it to its own lake and state
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def go(process: "subprocess.Popen[str]") -> None:
    """Lets a process begin."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def is_for(arrival: Arrival, days: Sequence[date]) -> bool:
    """True if a request to Bento requests one of the days."""
    return any(f"start_date={day}" in arrival.query for day in days)


def tick_until(stop: threading.Event, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
    """The sensor of Airbridge, looking again and again."""
    [sensor] = definitions.sensors or ()
    assert isinstance(sensor, dg.SensorDefinition)
    while not stop.wait(0.5):
        context = dg.build_sensor_context(
            instance=instance,
            repository_def=definitions.get_repository_def(),
            resources={"airbridge": AirbridgeResource(app_name=SEOUL_APP.name), "lake": LakeResource()},
        )
        sensor.evaluate_tick(context)


def test_a_backfill_a_scheduled_run_and_the_sensor_see_no_429_and_leave_no_place_empty(
    point: Callable[[str], Place], instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixty days of backfill have the window full when fourteen scheduled days come: those are served before it goes on."""
    monkeypatch.setenv("ANALYTICS_BUDGET", "on")
    with limited_server(at_most(LIMIT, WINDOW_S), Options(task_seconds=60)) as vendor:
        place = point(vendor.url)
        shared = definitions_at(utc_now, Wishes(wait_s=0, policy=TASKS_SOON))
        run(shared, "airbridge_daily", instance, range_tags(YEAR[:3]), ["airbridge/revenue_raw"])
        stop = threading.Event()
        sensor = threading.Thread(target=tick_until, args=(stop, shared, instance), daemon=True)
        with (
            started(BACKFILL, YEAR, LIMIT, WINDOW_S) as backfill,
            started(SCHEDULE, WEEK, LIMIT, WINDOW_S) as scheduled,
        ):
            sensor.start()
            go(backfill)
            until = time.monotonic() + PATIENCE_S
            while len(vendor.of("bento")) < LIMIT:
                assert time.monotonic() < until
                time.sleep(0.1)
            go(scheduled)
            ended = [process.wait(until - time.monotonic()) for process in (scheduled, backfill)]
        stop.set()
        sensor.join(30)
        arrivals = vendor.of("bento")
        polls = [one for one in vendor.of("airbridge") if "/query/" in one.path]
    assert ended == [0, 0]
    assert [one.status for one in vendor.arrivals if one.status] == []
    assert days_landed(place.lake, "bento", "ads_totals") == [*YEAR, *WEEK]
    assert polls
    # Two windows are over while there still is work.
    began = arrivals[0].at
    assert sum(one.at < began + 2 * WINDOW_S for one in arrivals) >= 0.9 * 2 * LIMIT
    served = [is_for(one, WEEK) for one in arrivals]
    assert served == [False] * LIMIT + [True] * len(WEEK) + [False] * (len(YEAR) - LIMIT)


def test_with_retry_after_in_three_calls_of_ten_everything_lands_and_nobody_sends_in_the_closed_time(
    point: Callable[[str], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every vendor tells one process to wait, and both do, to the end; only what had been let through before is still on its way.

    What the state database went through says which requests those are, so that no time is left out for them.
    """
    monkeypatch.setenv("ANALYTICS_BUDGET", "on")
    with limited_server(by_lot(0.3, AFTER_S, seed=7), Options(task_seconds=1)) as vendor:
        place = point(vendor.url)
        watch(place.state)
        with (
            started(BACKFILL, YEAR[:12], 1000, 1.0, ALL) as one,
            started(SCHEDULE, WEEK[:8], 1000, 1.0, ALL) as other,
        ):
            go(one)
            go(other)
            ended = [process.wait(PATIENCE_S) for process in (one, other)]
        arrivals = {name: vendor.of(name) for name in EACH}
    assert ended == [0, 0]
    stored = {name: days_landed(place.lake, name, table) for name, table in EACH.items()}
    assert stored == {name: [*YEAR[:12], *WEEK[:8]] for name in EACH}
    refused = {name: [one for one in of if one.status] for name, of in arrivals.items()}
    assert {name: len(of) >= 2 for name, of in refused.items()} == dict.fromkeys(EACH, True)
    events = noted(place.state)
    doors = {name: [one for one in events if one.is_door and name in one.of] for name in EACH}
    places = {name: [one for one in events if not one.is_door and name in one.of] for name in EACH}
    # Each request has a place of its own.
    assert {name: len(of) for name, of in places.items()} == {name: len(of) for name, of in arrivals.items()}
    # For each refusal the door stands closed to the end of its time by the vendor's clock, mostly at once; a process that is busy
    # with something else reads a response later.
    closed_after = {
        name: [min(door.noted_at for door in doors[name] if door.at >= one.ms + AFTER_MS) - one.ms for one in of]
        for name, of in refused.items()
    }
    assert {name: median(of) <= ANSWER_MS for name, of in closed_after.items()} == dict.fromkeys(EACH, True), (
        closed_after
    )
    # Nobody takes a place while it is closed: from the transaction that closed it to the end.
    taken = [
        f"{name} {door.at - one.at} ms before the end"
        for name in EACH
        for door in doors[name]
        for one in places[name]
        if one.number > door.number and one.at < door.at
    ]
    assert taken == []
    # So no more arrives before its end than had been let through.
    arrived = [
        f"{name}: {count} for {let_through} places, {door.at} ms"
        for name in EACH
        for door in doors[name]
        for let_through in [sum(one.number < door.number for one in places[name])]
        for count in [sum(one.ms < door.at - EARLY_MS for one in arrivals[name])]
        if count > let_through
    ]
    assert arrived == []
