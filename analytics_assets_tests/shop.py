"""The hand-made vendor (`lake/vendor.py`) as an account under Dagster. Keep expectations in the tests."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import dagster as dg
from dagster import DailyPartitionsDefinition
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from analytics_assets.checks.check import Check
from analytics_assets.clock import Clock
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import DayFetcher
from analytics_assets.orchestration.asset_checks import checks_daily
from analytics_assets.orchestration.charts.metadata import Pictures
from analytics_assets.orchestration.daily_assets import daily_assets
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.orchestration.run_context import Work
from analytics_assets.orchestration.stream import AssetOptions, SourceStream
from analytics_assets.settings import secret
from analytics_assets_tests.lake.vendor import NOW, NUMBERS, RAW, SUMS, Vendor

PARTITIONS = DailyPartitionsDefinition(start_date="2026-03-01", end_date="2026-03-11")
TABLES = ("numbers_raw", "numbers", "sums")


def table_key(table: str) -> dg.AssetKey:
    """The asset of a table."""
    return dg.AssetKey(["shop", table])


def span(first: str, last: str) -> dict[str, str]:
    """The tags of a range run, days given as the end of their date."""
    return {
        "dagster/asset_partition_range_start": f"2026-03-{first}",
        "dagster/asset_partition_range_end": f"2026-03-{last}",
    }


@dataclass
class Shop:
    """One account: what its vendor does, and where its days are stored.

    Attributes:
        folder: Folder of the lake.
        instance: The Dagster instance its runs are kept in.
        vendor: What answers; a test may put another one in its place between two runs.
        variable: Environment variable of a key that opening needs, if any.
        works: What each run told when it opened the stream.
        charts: Charts of its tables.
        request_count: The least requests for some days, by endpoint.
        closing: Raised when the stream is closed, if anything.
        events: When the stream was opened and closed.
        clock: The present instant of its runs.
        partitions: Its days.
        checks: What its numbers are checked for, beside what any table is.
    """

    folder: Path
    instance: dg.DagsterInstance
    vendor: Vendor = field(default_factory=Vendor)
    variable: str = ""
    charts: Sequence[Pictures] = ()
    request_count: Callable[[Sequence[date]], Mapping[str, int]] = lambda _days: {}
    closing: Exception | None = None
    works: list[Work] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    clock: Clock = lambda: NOW
    partitions: DailyPartitionsDefinition = PARTITIONS
    checks: Sequence[Check] = ()

    @property
    def lake(self) -> Lake:
        """Where its days are stored."""
        return Lake(str(self.folder))

    def assets(self) -> dg.AssetsDefinition:
        """Its daily tables."""
        opened_stream = self.vendor.stream()

        @asynccontextmanager
        async def opened(work: Work) -> AsyncIterator[DayFetcher]:
            if self.variable:
                secret(self.variable, {})
            self.works.append(work)
            self.events.append("opened")
            yield self.vendor.stream().fetcher
            self.events.append("closed")
            if self.closing:
                raise self.closing

        stream = SourceStream(
            account="shop",
            name="numbers",
            raw=RAW,
            typed=(NUMBERS, SUMS),
            open=opened,
            transform=opened_stream.transform,
            request_hash=opened_stream.request_hash,
            final_at=opened_stream.final_at,
            ahead=opened_stream.ahead,
            request_count=self.request_count,
            deps=[dg.AssetKey(["other", "list"])],
            checks=self.checks,
            charts=self.charts,
        )
        return daily_assets(stream, AssetOptions("bento", self.partitions, days_per_run=12, clock=self.clock))

    def definitions(self) -> dg.Definitions:
        """The account, with all its tables as a job, and all its checks as `checks_daily`."""
        resources = {
            "shop": dg.ResourceDefinition.hardcoded_resource(self.vendor),
            "lake": LakeResource(root=str(self.folder), sandbox=False),
        }
        tables = dg.define_asset_job("shop_daily", selection=dg.AssetSelection.all())
        checks = checks_daily(dg.AssetSelection.all(), "0 0 * * *", is_on=False).job
        return dg.Definitions(
            assets=[self.assets()], jobs=[tables, checks], resources=resources, executor=dg.in_process_executor
        )

    def job(self, name: str = "shop_daily") -> dg.JobDefinition:
        """One of its jobs."""
        return self.definitions().resolve_job_def(name)

    def run(
        self, tags: dict[str, str], *, again: dg.DagsterRun | None = None, tables: Sequence[str] = ()
    ) -> dg.DagsterRun:
        """A run over the partitions the tags name, or another attempt of the run `again`; some tables or all."""
        job = self.job()
        selection = frozenset(map(table_key, tables)) or None
        if selection:
            job = job.get_subset(asset_selection=selection)
        run = self.instance.create_run_for_job(
            job_def=job,
            tags=tags,
            asset_selection=selection,
            parent_run_id=again.run_id if again else None,
            root_run_id=(again.root_run_id or again.run_id) if again else None,
        )
        execute_run(InMemoryJob(job), run, self.instance)
        finished = self.instance.get_run_by_id(run.run_id)
        assert finished is not None
        return finished

    def look(self) -> dg.ExecuteInProcessResult:
        """A run of all its checks alone."""
        return self.job("checks_daily").execute_in_process(instance=self.instance, raise_on_error=False)

    def verdicts(self, run_id: str) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
        """What a run evaluated, by table and check."""
        logs = self.instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        found = [log.dagster_event.asset_check_evaluation_data for log in logs if log.dagster_event]
        return {(one.asset_key.path[-1], one.check_name): one for one in found}

    def failure(self, run: dg.DagsterRun) -> dg.Failure | str | None:
        """What a run's step failed with, as its message."""
        for record in self.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
            assert record.dagster_event is not None
            data = record.dagster_event.step_failure_data
            return data.user_failure_data.description if data.user_failure_data else data.error_display_string
        return None

    def materializations(self, run: dg.DagsterRun) -> list[dg.AssetMaterialization]:
        """The events of a run, in the order they were logged."""
        logs = self.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        return [log.asset_materialization for log in logs if log.asset_materialization]

    def logged(self, run: dg.DagsterRun) -> dict[str, list[str]]:
        """Of each table the days a run logged, in order."""
        events = self.materializations(run)
        return {
            table: [str(event.partition)[-2:] for event in events if event.asset_key == table_key(table)]
            for table in TABLES
        }

    def statuses(self, table: str) -> dict[str, str]:
        """What the UI shows of each day that has a status."""
        found = self.instance.get_status_by_partition(table_key(table), PARTITIONS.get_partition_keys(), PARTITIONS)
        return {key[-2:]: status.name for key, status in (found or {}).items() if status}
