"""Days that the vendors return unchanged an hour later: requested as before, and not one file of a daily table is written."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.sandbox.options import Options
from analytics_assets.settings import settings
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.hand_world import DAYS, NOW, hand_world
from analytics_assets_tests.integration.running import Wishes, definitions_at, failure_words, range_tags, report, run
from analytics_assets_tests.integration.server import POST_REPORT, sandbox_server

ACCOUNTS = ("bento", "statsig", "airbridge")
SNAPSHOTS = {
    *("bento/audience_raw", "bento/audience_counts", "bento/reports_raw", "bento/report_points"),
    *("statsig/listing_raw", "airbridge/catalog", "airbridge/revenue_tasks", "airbridge/users_tasks"),
}
REPORTS = (
    report("revenue", "app_revenue", "cumulative", intervals=2),
    report("users", "app_user_count", "unique-cumulative", intervals=2),
)
WISHES = Wishes(reports=REPORTS, lookback_days={"airbridge": 3})
RAW = ("bento/ads_raw", "statsig/values_raw", "airbridge/revenue_raw", "airbridge/users_raw")
HOUR = timedelta(hours=1)


class Scene:
    """A lake that is loaded at the instants of one clock."""

    def __init__(self, place: Place, instance: dg.DagsterInstance) -> None:
        self.place, self.instance, self.now = place, instance, NOW
        self.definitions = definitions_at(lambda: self.now, WISHES)

    def load(self, now: datetime, *jobs: str) -> dict[str, set[Any]]:
        """Loads all days; the requests' instants that Dagster shows of each raw table."""
        self.now = now
        shown: dict[str, set[Any]] = {}
        for job in jobs or ("snapshots", *(f"{account}_daily" for account in ACCOUNTS)):
            tags = {} if job == "snapshots" else range_tags(DAYS)
            result = run(self.definitions, job, self.instance, tags)
            assert result.success, failure_words(result)
            for event in result.get_asset_materialization_events():
                made = event.step_materialization_data.materialization
                if (name := "/".join(made.asset_key.path)) in RAW:
                    shown.setdefault(name, set()).add(made.metadata["requested_at"].value)
        return shown

    def files(self) -> dict[str, tuple[int, int, bytes]]:
        """Inode, instant of writing and bytes of every file of a day."""
        found = sorted(self.place.lake.glob("[!_]*/*/dt=*/data.parquet"))
        return {str(path.relative_to(self.place.lake)): known(path) for path in found}

    def requested(self) -> date | None:
        """The first day that the schedule of the reports requests at this instant."""
        [schedule] = [one for one in self.definitions.schedules or () if one.name == "airbridge_daily"]
        assert isinstance(schedule, dg.ScheduleDefinition)
        context = dg.build_schedule_context(
            self.instance, scheduled_execution_time=self.now, resources={"lake": LakeResource()}
        )
        firsts = {
            date.fromisoformat(request.tags["dagster/asset_partition_range_start"])
            for request in schedule.evaluate_tick(context).run_requests or ()
        }
        return min(firsts, default=None)


def known(path: Path) -> tuple[int, int, bytes]:
    """What a file that was written again would have otherwise."""
    about = path.stat()
    return about.st_ino, about.st_mtime_ns, path.read_bytes()


def table_of(file: str) -> str:
    """Account and table of a file."""
    return "/".join(file.split("/")[:2])


def test_nothing_is_written_where_nothing_changed(point: Callable[[str], Place], instance: dg.DagsterInstance) -> None:
    """As many requests as the first time, closed report tasks, and the instant of the request in Dagster; snapshots are observations."""
    with sandbox_server(Options(now=lambda: NOW, task_seconds=0), hand_world()) as sandbox:
        scene = Scene(point(sandbox.url), instance)
        scene.load(NOW)
        first_counts, first_files = sandbox.counts(), scene.files()
        sandbox.forget()
        shown = scene.load(NOW + HOUR)
        written = {table_of(file) for file, about in scene.files().items() if first_files.get(file) != about}

        assert (sandbox.counts(), first_counts[POST_REPORT]) == (first_counts, 2)
        assert written <= SNAPSHOTS
        assert {table_of(file) for file in first_files} - SNAPSHOTS >= {*RAW, "airbridge/revenue_restatements"}
        assert shown == {table: {(NOW + HOUR).timestamp()} for table in RAW}
        ledger = Ledger(settings().state)
        for spec in REPORTS:
            requests = ledger.all_requests("airbridge", spec.name)
            assert [(request.state, request.days_left) for request in requests] == [("STORED", ())] * 2


def test_a_schedule_requests_a_cohort_until_it_was_confirmed_after_its_settle_days(
    point: Callable[[str], Place], instance: dg.DagsterInstance
) -> None:
    """The files are those of the first day on which all intervals had been reached; then come the days that are missing."""
    with sandbox_server(Options(now=lambda: NOW + timedelta(days=20), task_seconds=0), hand_world()) as sandbox:
        scene = Scene(point(sandbox.url), instance)
        requested, files = [], []
        for days in (1, 2, 3, 4):
            scene.load(NOW + timedelta(days=days), "airbridge_daily")
            requested.append(scene.requested())
            files.append(scene.files())
        assert requested == [*DAYS, DAYS[-1] + timedelta(days=1)]
        assert files == files[:1] * 4
