"""Airbridge's reports and snapshots as Dagster assets.

Keep requests and rows out of here (`streams.py`, `transform.py`) and what is pulled too (`source.py`).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from functools import partial

import dagster as dg
from dagster import DailyPartitionsDefinition

from analytics_assets.checks.finding import USUAL, Limits
from analytics_assets.clock import Clock
from analytics_assets.lake.store import Lake
from analytics_assets.lake.stream import Snapshot, Stream
from analytics_assets.orchestration.asset_specs import asset_key
from analytics_assets.orchestration.charts.metadata import Pictures
from analytics_assets.orchestration.daily_assets import DailyStep, daily_assets
from analytics_assets.orchestration.run_context import Work
from analytics_assets.orchestration.schedules import Changing
from analytics_assets.orchestration.snapshot_assets import SnapshotStep, snapshot_assets
from analytics_assets.sources.airbridge.charts import has_pictures, report_pictures
from analytics_assets.sources.airbridge.checks import MASKED_SHARE, catalog_checks, report_checks
from analytics_assets.sources.airbridge.maturity import first_changing
from analytics_assets.sources.airbridge.report_loader import Waiting
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.restatements import restatements_table
from analytics_assets.sources.airbridge.snapshot_tables import CATALOG, tasks_table
from analytics_assets.sources.airbridge.snapshots import catalog_snapshot, tasks_snapshot
from analytics_assets.sources.airbridge.streams import App, report_stream
from analytics_assets.sources.airbridge.tables import (
    cohort_totals_table,
    cohorts_table,
    daily_tables,
    report_raw_table,
)
from analytics_assets.sources.airbridge.task_decisions import requests_of


def report_assets(
    account: str,
    app: App,
    spec: ReportSpec,
    waiting: Waiting,
    partitions: DailyPartitionsDefinition,
    *,
    days_per_run: int,
    clock: Clock,
    limits: Limits = USUAL,
    masked_share: float = MASKED_SHARE,
) -> dg.AssetsDefinition:
    """The daily tables of a report."""

    @asynccontextmanager
    async def opened(work: Work) -> AsyncIterator[Stream]:
        async with (
            work.resource.open(clock=clock, caller=work.caller) as client,
            report_stream(
                account,
                app,
                spec,
                client,
                ledger=await asyncio.to_thread(work.resource.ledger),
                lake=work.lake,
                waiting=waiting,
                clock=clock,
                owner=work.owner,
                log=work.log,
                only=requests_of(work.tags),
                accepts_totals=work.accepts_by_tag,
            ) as stream,
        ):
            yield stream

    read = partial(report_pictures, account, spec, app=app.name, currency=app.currency)
    step = DailyStep(
        name=spec.name,
        account=account,
        vendor="airbridge",
        raw=report_raw_table(spec),
        typed=(cohorts_table(spec), cohort_totals_table(spec), restatements_table(spec)),
        open=opened,
        days_per_run=days_per_run,
        final_at=app.final_at,
        checks=report_checks(account, spec, limits, masked_share=masked_share),
        # Checks cover a cohort until it is settled.
        limits=replace(limits, days=max(limits.days, spec.intervals + spec.settle_days + 1)),
        pictures=[Pictures(cohorts_table(spec).name, read)] if has_pictures(spec) else [],
    )
    return daily_assets(step, partitions, clock)


def changing_days(account: str, app: App, spec: ReportSpec, lookback_days: int) -> Changing:
    """The days of a report that its schedule asks for: every cohort that is not settled, and no other."""
    keys = [asset_key(account, table.name) for table in (*daily_tables(spec), restatements_table(spec))]

    def first(lake: Lake, newest: date) -> date | None:
        return first_changing(lake, account, app, spec, newest=newest, lookback_days=lookback_days)

    return Changing(keys, first)


def catalog_assets(account: str, app: App, *, clock: Clock, limits: Limits = USUAL) -> dg.AssetsDefinition:
    """The snapshot of what reports may name."""

    @asynccontextmanager
    async def opened(work: Work) -> AsyncIterator[Snapshot]:
        async with work.resource.open(clock=clock, caller=work.caller) as client:
            yield catalog_snapshot(account, app, client)

    step = SnapshotStep("catalog", account, "airbridge", CATALOG, (), opened, app.day_of, catalog_checks(), limits)
    return snapshot_assets(step, clock)


def tasks_assets(
    account: str, app: App, spec: ReportSpec, *, clock: Clock, limits: Limits = USUAL
) -> dg.AssetsDefinition:
    """The ledger's requests of a report, as a table."""

    @asynccontextmanager
    async def opened(work: Work) -> AsyncIterator[Snapshot]:
        yield tasks_snapshot(account, app, spec, await asyncio.to_thread(work.resource.ledger), clock)

    name = f"{spec.name}_tasks"
    step = SnapshotStep(name, account, "airbridge", tasks_table(spec), (), opened, app.day_of, (), limits)
    return snapshot_assets(step, clock)
