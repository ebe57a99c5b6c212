"""Bento's streams and snapshots as Dagster assets.

Keep requests and rows out of here (`streams.py`, `transform.py`) and what is pulled too (`source.py`).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import dagster as dg
from dagster import DailyPartitionsDefinition

from analytics_assets.checks.finding import USUAL, Limits
from analytics_assets.clock import Clock
from analytics_assets.lake.stream import Snapshot, Stream
from analytics_assets.orchestration.charts.metadata import Pictures
from analytics_assets.orchestration.daily_assets import DailyStep, daily_assets
from analytics_assets.orchestration.run_context import Work
from analytics_assets.orchestration.snapshot_assets import SnapshotStep, snapshot_assets
from analytics_assets.sources.bento.charts import ads_pictures
from analytics_assets.sources.bento.checks import ads_checks, audience_checks, reports_checks
from analytics_assets.sources.bento.streams import (
    AdsSpec,
    AudienceSpec,
    ReportsSpec,
    ads_stream,
    audience_snapshot,
    reports_snapshot,
    utc_day,
)
from analytics_assets.sources.bento.tables import (
    ADS_ATTRIBUTION,
    ADS_CHART,
    ADS_RAW,
    ADS_TOTALS,
    AUDIENCE_COUNTS,
    AUDIENCE_RAW,
    REPORT_POINTS,
    REPORTS_RAW,
)


def ads_assets(
    account: str,
    spec: AdsSpec,
    partitions: DailyPartitionsDefinition,
    *,
    days_per_run: int,
    clock: Clock,
    limits: Limits = USUAL,
    truncated_share: float = 0.0,
) -> dg.AssetsDefinition:
    """The daily tables of `/stats/ads`."""

    @asynccontextmanager
    async def opened(work: Work) -> AsyncIterator[Stream]:
        async with work.resource.open(clock=clock, caller=work.caller) as client:
            yield ads_stream(account, spec, client)

    read = partial(ads_pictures, account, dimension=spec.dimensions[0], mode=spec.revenue_modes[0], value=spec.value)
    step = DailyStep(
        name="ads",
        account=account,
        vendor="bento",
        raw=ADS_RAW,
        typed=(ADS_ATTRIBUTION, ADS_TOTALS, ADS_CHART),
        open=opened,
        days_per_run=days_per_run,
        final_at=spec.final_at,
        checks=ads_checks(spec, limits, truncated_share=truncated_share),
        limits=limits,
        pictures=[Pictures(ADS_ATTRIBUTION.name, read)],
    )
    return daily_assets(step, partitions, clock)


def audience_assets(account: str, spec: AudienceSpec, *, clock: Clock, limits: Limits = USUAL) -> dg.AssetsDefinition:
    """The snapshot of `/stats/site` and `/stats/segment`."""

    @asynccontextmanager
    async def opened(work: Work) -> AsyncIterator[Snapshot]:
        async with work.resource.open(clock=clock, caller=work.caller) as client:
            yield audience_snapshot(account, spec, client)

    step = SnapshotStep(
        "audience", account, "bento", AUDIENCE_RAW, (AUDIENCE_COUNTS,), opened, utc_day, audience_checks(), limits
    )
    return snapshot_assets(step, clock)


def reports_assets(account: str, spec: ReportsSpec, *, clock: Clock, limits: Limits = USUAL) -> dg.AssetsDefinition:
    """The snapshot of `/stats/report`."""

    @asynccontextmanager
    async def opened(work: Work) -> AsyncIterator[Snapshot]:
        async with work.resource.open(clock=clock, caller=work.caller) as client:
            yield reports_snapshot(account, spec, client)

    step = SnapshotStep(
        "reports", account, "bento", REPORTS_RAW, (REPORT_POINTS,), opened, utc_day, reports_checks(), limits
    )
    return snapshot_assets(step, clock)
