"""How tests run what production defines: definitions with a clock of their own, range runs, and what stands afterwards.

Lake files are read here with Parquet's own reader, so that a mistake in the package's reading cannot hide one in its writing.
No assertions here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq

from analytics_assets.clock import Clock
from analytics_assets.orchestration.asset_checks import checks_daily
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.orchestration.partitions import SNAPSHOT_TAG
from analytics_assets.orchestration.schedules import snapshots
from analytics_assets.orchestration.state_resource import BudgetSettings
from analytics_assets.sources.airbridge.report_loader import Waiting
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.source import (
    AirbridgeResource,
    catalog_stream,
    changing_days,
    report_stream,
    tasks_stream,
)
from analytics_assets.sources.airbridge.streams import App
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy
from analytics_assets.sources.airbridge.task_sensor import report_sensor
from analytics_assets.sources.bento.source import BentoResource, ads_stream, audience_stream, reports_stream
from analytics_assets.sources.bento.streams import AdsSpec, AudienceSpec, ReportsSpec
from analytics_assets.sources.statsig.source import StatsigResource, definitions_stream, listing_stream, values_stream
from analytics_assets.sources.statsig.streams import ListingSpec, ValuesSpec
from analytics_assets_tests.opened import account

SEOUL_APP = App("myapp", "Asia/Seoul", "USD", 4.0)
FIRST, LAST = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
DAYS_PER_RUN = 92


def report(name: str, metric: str, aggregation: str, *, intervals: int) -> ReportSpec:
    """A report by channel and campaign, of orders after installs."""
    return ReportSpec(
        name=name,
        group_by=("channel", "campaign"),
        metric=metric,
        aggregation=aggregation,
        start_events=("app_install",),
        return_events=("app_order_complete",),
        intervals=intervals,
    )


REVENUE = report("revenue", "app_revenue", "cumulative", intervals=30)


@dataclass(frozen=True)
class Wishes:
    """What the three accounts of a test pull, how report tasks are waited for, how far back schedules ask, by account, and what is spent."""

    ads: AdsSpec = field(default_factory=AdsSpec)
    audience: AudienceSpec = field(default_factory=AudienceSpec)
    bento_reports: ReportsSpec = field(default_factory=lambda: ReportsSpec(("signups",)))
    reports: tuple[ReportSpec, ...] = (REVENUE,)
    wait_s: float = 60.0
    policy: TaskPolicy = field(default_factory=lambda: TaskPolicy(first_poll_s=0.05, first_pause_s=0.1))
    budget: BudgetSettings | None = None
    lookback_days: Mapping[str, int] = field(default_factory=dict)


def definitions_at(clock: Clock, wishes: Wishes) -> dg.Definitions:
    """All three accounts as production puts them together, but with a clock of the test's."""
    spending = {} if wishes.budget is None else {"budget": wishes.budget}
    waiting = Waiting(wishes.wait_s, DAYS_PER_RUN, 100, wishes.policy)
    first_load = wishes.lookback_days.get("airbridge")
    sensor = report_sensor(
        "airbridge", wishes.reports, policy=wishes.policy, days_per_run=DAYS_PER_RUN, interval_s=1, clock=clock
    )
    accounts = {
        "bento": account(
            BentoResource(**spending),
            [
                ads_stream("bento", wishes.ads),
                audience_stream("bento", wishes.audience),
                reports_stream("bento", wishes.bento_reports),
            ],
            days_per_run=DAYS_PER_RUN,
            lookback_days=wishes.lookback_days.get("bento", 1),
        ),
        "statsig": account(
            StatsigResource(**spending),
            [
                values_stream("statsig", ValuesSpec()),
                definitions_stream("statsig", ListingSpec(), final_at=ValuesSpec().final_at),
                listing_stream("statsig", ListingSpec()),
            ],
            days_per_run=DAYS_PER_RUN,
            lookback_days=wishes.lookback_days.get("statsig", 1),
        ),
        "airbridge": account(
            AirbridgeResource(app_name=SEOUL_APP.name, **spending),
            [
                *(report_stream("airbridge", SEOUL_APP, spec, waiting) for spec in wishes.reports),
                catalog_stream("airbridge", SEOUL_APP),
                *(tasks_stream("airbridge", SEOUL_APP, spec) for spec in wishes.reports),
            ],
            days_per_run=DAYS_PER_RUN,
            lookback_days=first_load or 1,
            changing=[changing_days("airbridge", SEOUL_APP, spec, first_load) for spec in wishes.reports if first_load],
            sensors=[sensor],
        ),
    }
    schedules = [
        snapshots(dg.AssetSelection.tag(*SNAPSHOT_TAG), "0 0 * * *", is_on=False),
        checks_daily(dg.AssetSelection.all(), "0 0 * * *", is_on=False),
    ]
    shared = dg.Definitions(
        resources={"lake": LakeResource()},
        jobs=[schedule.job for schedule in schedules],
        schedules=schedules,
        executor=dg.in_process_executor,
    )
    return dg.Definitions.merge(*(one.definitions(name, clock) for name, one in accounts.items()), shared)


def run(
    definitions: dg.Definitions,
    job: str,
    instance: dg.DagsterInstance,
    tags: Mapping[str, str] | None = None,
    tables: Sequence[str] | None = None,
) -> dg.ExecuteInProcessResult:
    """Runs a job here and now; `tags` may be those of a run request, `tables` are `account/table`."""
    chosen = None if tables is None else [dg.AssetKey(one.split("/")) for one in tables]
    return definitions.resolve_job_def(job).execute_in_process(
        instance=instance, tags=dict(tags or {}), asset_selection=chosen, raise_on_error=False
    )


def range_tags(days: Sequence[date]) -> dict[str, str]:
    """The tags of a range run over adjacent days."""
    return {FIRST: days[0].isoformat(), LAST: days[-1].isoformat()}


def days_from(first: date, count: int) -> list[date]:
    """So many adjacent days."""
    return [first + timedelta(days=number) for number in range(count)]


def failure_words(result: dg.ExecuteInProcessResult) -> str:
    """What the failed steps say."""
    told = []
    for event in result.all_events:
        error = event.step_failure_data.error if event.is_step_failure else None
        while error is not None:
            told.append(error.message)
            error = error.cause
    return "\n".join(told)


def rows(root: Path, account: str, table: str) -> list[dict[str, Any]]:
    """All rows of a table, day by day in the order of the files."""
    files = sorted((root / account / table).glob("dt=*/data.parquet"))
    return [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]


def days_landed(root: Path, account: str, table: str) -> list[date]:
    """The days that stand."""
    files = sorted((root / account / table).glob("dt=*/data.parquet"))
    return [date.fromisoformat(file.parent.name.removeprefix("dt=")) for file in files]


def in_order(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows in an order of their own, whatever the order they came in, so that two lists of them can be compared."""
    return sorted((dict(row) for row in found), key=lambda row: [str(row[name]) for name in sorted(row)])
