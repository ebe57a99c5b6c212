"""Statsig's streams and snapshots as Dagster assets.

Keep requests and rows out of here (`streams.py`, `transform.py`) and what is pulled too (`source.py`).
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime
from functools import partial

import dagster as dg
from dagster import DailyPartitionsDefinition

from analytics_assets.checks.finding import USUAL, Limits
from analytics_assets.clock import Clock
from analytics_assets.lake.stream import Snapshot, Stream
from analytics_assets.orchestration.asset_specs import asset_key
from analytics_assets.orchestration.charts.metadata import Pictures
from analytics_assets.orchestration.daily_assets import DailyStep, daily_assets
from analytics_assets.orchestration.run_context import Work
from analytics_assets.orchestration.snapshot_assets import SnapshotStep, snapshot_assets
from analytics_assets.sources.statsig.charts import value_pictures
from analytics_assets.sources.statsig.checks import definitions_checks, listing_checks, values_checks
from analytics_assets.sources.statsig.observations import definitions_stream
from analytics_assets.sources.statsig.streams import (
    ListingSpec,
    ValuesSpec,
    day_of,
    listing_snapshot,
    values_stream,
)
from analytics_assets.sources.statsig.tables import EVENT_METRICS, LISTING_RAW, METRIC_VALUES, VALUES_RAW


def values_assets(
    account: str,
    spec: ValuesSpec,
    partitions: DailyPartitionsDefinition,
    *,
    days_per_run: int,
    clock: Clock,
    limits: Limits = USUAL,
) -> dg.AssetsDefinition:
    """The daily tables of `/metrics/values`."""

    @asynccontextmanager
    async def opened(work: Work) -> AsyncIterator[Stream]:
        async with work.resource.open(clock=clock, caller=work.caller) as client:
            yield values_stream(account, spec, client, clock, work.lake, accepts_totals=work.accepts_by_tag)

    step = DailyStep(
        name="values",
        account=account,
        vendor="statsig",
        raw=VALUES_RAW,
        typed=(METRIC_VALUES,),
        open=opened,
        days_per_run=days_per_run,
        final_at=spec.final_at,
        checks=values_checks(limits),
        limits=limits,
        pictures=[Pictures(METRIC_VALUES.name, partial(value_pictures, account))],
    )
    return daily_assets(step, partitions, clock)


def definitions_assets(
    account: str,
    spec: ListingSpec,
    partitions: DailyPartitionsDefinition,
    *,
    days_per_run: int,
    clock: Clock,
    final_at: Callable[[date], datetime] = ValuesSpec().final_at,  # noqa: B008 - a constant
    limits: Limits = USUAL,
) -> dg.AssetsDefinition:
    """The daily table of definitions, made from the readings of `listing_raw` without a request; it is missed when values are."""

    @asynccontextmanager
    async def opened(work: Work) -> AsyncIterator[Stream]:
        yield definitions_stream(account, spec, work.lake)

    step = DailyStep(
        name="definitions",
        account=account,
        vendor="statsig",
        raw=None,
        typed=(EVENT_METRICS,),
        open=opened,
        days_per_run=days_per_run,
        final_at=final_at,
        deps=[asset_key(account, LISTING_RAW.name)],
        checks=definitions_checks(limits),
        limits=limits,
    )
    return daily_assets(step, partitions, clock)


def listing_assets(account: str, spec: ListingSpec, *, clock: Clock, limits: Limits = USUAL) -> dg.AssetsDefinition:
    """The snapshot of all definitions."""

    @asynccontextmanager
    async def opened(work: Work) -> AsyncIterator[Snapshot]:
        async with work.resource.open(clock=clock, caller=work.caller) as client:
            yield listing_snapshot(account, spec, client, work.lake, accepts_totals=work.accepts_by_tag)

    def metric_day(moment: datetime) -> date:
        return day_of(moment, spec.day_utc_offset_hours)

    step = SnapshotStep("listing", account, "statsig", LISTING_RAW, (), opened, metric_day, listing_checks(), limits)
    return snapshot_assets(step, clock)
