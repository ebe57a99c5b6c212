"""Days as users get them: by schedule, again, from raw alone, without keys, and from two processes at once."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.clock import utc_now
from analytics_assets.definitions import defs
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.sandbox.options import Options
from analytics_assets.settings import settings
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.hand_world import DAYS, NOW, hand_world
from analytics_assets_tests.integration.jobs import shipped
from analytics_assets_tests.integration.running import (
    Wishes,
    days_from,
    days_landed,
    definitions_at,
    failure_words,
    range_tags,
    report,
    run,
)
from analytics_assets_tests.integration.server import POST_REPORT, sandbox_server

DAILY = {
    "bento": ("ads_raw", "ads_attribution", "ads_totals", "ads_chart"),
    "statsig": ("values_raw", "metric_values", "event_metrics"),
    "airbridge": (
        *("revenue_raw", "revenue_cohorts", "revenue_cohort_totals"),
        *("users_raw", "users_cohorts", "users_cohort_totals"),
    ),
}
SNAPSHOTS = {"bento": ("audience_counts", "report_points")}
JOBS = ("snapshots", "bento_daily", "statsig_daily", "airbridge_daily")
WISHES = Wishes(
    reports=(
        report("revenue", "app_revenue", "cumulative", intervals=2),
        report("users", "app_user_count", "unique-cumulative", intervals=2),
    )
)


@pytest.fixture
def memory() -> Iterator[dg.DagsterInstance]:
    """An instance for runs whose history nobody reads afterwards."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def _lookbacks(now: datetime) -> dict[str, list[date]]:
    """The days each shipped schedule requests: until the newest that is over in UTC, where days become partitions, and final."""
    day = timedelta(days=1)
    newest = {
        # An hour after the day's end.
        "bento": (8, (now - timedelta(hours=1)).date() - day),
        # 20:00 UTC of the next day.
        "statsig": (4, (now - timedelta(hours=20)).date() - day),
        # 19:00 UTC of the day itself, which is then not over yet.
        "airbridge": (32, now.date() - day),
    }
    return {account: days_from(last - day * (count - 1), count) for account, (count, last) in newest.items()}


def test_what_the_schedules_ask_for_lands_their_lookback(
    point: Callable[[str], Place], memory: dg.DagsterInstance
) -> None:
    """Run requests as the schedules make them, executed as they are: every daily table has exactly its lookback, and the ledger is done."""
    now = utc_now()
    with sandbox_server(Options(task_seconds=0)) as sandbox:
        place = point(sandbox.url)
        schedules = {schedule.name: schedule for schedule in shipped().schedules or ()}
        for name in JOBS:
            schedule = schedules[name]
            assert isinstance(schedule, dg.ScheduleDefinition)
            context = dg.build_schedule_context(
                memory, scheduled_execution_time=now, resources={"lake": LakeResource()}
            )
            tick = schedule.evaluate_tick(context)
            [request] = tick.run_requests or ()
            result = run(shipped(), schedule.job_name, memory, request.tags)
            assert result.success, failure_words(result)

    expected = {f"{account}/{table}": _lookbacks(now)[account] for account in DAILY for table in DAILY[account]}
    assert {name: days_landed(place.lake, *name.split("/")) for name in expected} == expected
    assert Ledger(settings().state).open_requests("airbridge") == []


def _typed_files(place: Place) -> dict[str, bytes]:
    """Every typed file of daily tables and snapshots by its path; the catalogue and the ledger's table are readings kept as they came."""
    files = [
        file
        for tables in (DAILY, SNAPSHOTS)
        for account, names in tables.items()
        for name in names
        if not name.endswith("_raw")
        for file in (place.lake / account / name).glob("dt=*/data.parquet")
    ]
    return {str(file.relative_to(place.lake)): file.read_bytes() for file in files}


def test_typed_tables_alone_are_made_from_raw_without_a_request(
    point: Callable[[str], Place], memory: dg.DagsterInstance
) -> None:
    """After all typed days are deleted, a selection without raw brings the same bytes back and asks the vendors nothing."""
    with sandbox_server(Options(now=lambda: NOW, task_seconds=0), hand_world()) as sandbox:
        place = point(sandbox.url)
        definitions = definitions_at(lambda: NOW, WISHES)
        for job in JOBS:
            assert run(definitions, job, memory, {} if job == "snapshots" else range_tags(DAYS)).success
        before = _typed_files(place)
        daily = [name for name in before if name.split("/")[1] in {one for names in DAILY.values() for one in names}]
        for name in daily:
            (place.lake / name).unlink()
        sandbox.forget()
        for account, tables in DAILY.items():
            typed = [f"{account}/{table}" for table in tables if not table.endswith("_raw")]
            result = run(definitions, f"{account}_daily", memory, range_tags(DAYS), typed)
            assert result.success, failure_words(result)

        assert len(daily) == 3 * 9
        assert _typed_files(place) == before
        assert sandbox.counts() == {}


@pytest.mark.parametrize(
    ("account", "missing"),
    [
        ("bento", "variables BENTO_PUBLISHABLE_KEY, BENTO_SECRET_KEY, BENTO_SITE_UUID are"),
        ("statsig", "variable STATSIG_CONSOLE_KEY is"),
        ("airbridge", "variable AIRBRIDGE_API_TOKEN is"),
    ],
)
def test_live_mode_without_keys_loads_and_names_the_variables_when_it_runs(
    account: str,
    missing: str,
    point: Callable[[str], Place],
    memory: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is asked of the vendor and nothing is stored; the words say which variables are missing."""
    place = point("http://127.0.0.1:9")
    monkeypatch.setenv("ANALYTICS_MODE", "live")
    raw = {"bento": "ads_raw", "statsig": "values_raw", "airbridge": "revenue_raw"}[account]

    result = run(defs(), f"{account}_daily", memory, range_tags([date(2025, 6, 10)]), [f"{account}/{raw}"])

    assert not result.success
    assert f"2025-06-10: The environment {missing} not set." in failure_words(result)
    assert not place.lake.exists()


def test_two_processes_at_once_share_one_report_task(point: Callable[[str], Place]) -> None:
    """Two runs of the same days begin together: the ledger joins the second to the first's task, and both succeed."""
    days = days_from(date(2025, 6, 1), 5)
    with sandbox_server(Options(task_seconds=1.0)) as sandbox:
        place = point(sandbox.url)
        command = [sys.executable, "-m", "analytics_assets_tests.integration.one_run", str(days[0]), str(days[-1])]
        processes = [
            subprocess.Popen(
                command,
                cwd=Path(__file__).parents[2],
                env={**os.environ, **place.environment},  # noqa: TID251 - a process needs a path to its interpreter
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        try:
            for process in processes:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
            for process in processes:
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
            ended = [(*process.communicate(timeout=60), process.returncode) for process in processes]
        finally:
            for process in processes:
                process.kill()

        assert [code for _, _, code in ended] == [0, 0], ended
        assert sandbox.counts()[POST_REPORT] == 1
    assert days_landed(place.lake, "airbridge", "revenue_cohorts") == days
    [request] = Ledger(place.state).all_requests("airbridge", "revenue")
    assert (request.state, request.attempts, request.days_left) == ("STORED", 1, ())
    assert request.opened_at.tzinfo == UTC
