"""Statsig's streams and snapshots as Dagster assets.

Keep requests and rows out of here (`streams.py`, `transform.py`) and what is pulled too (`component.py`).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import dagster as dg
from dagster import DailyPartitionsDefinition

from analytics_assets.catalogue import asset_key
from analytics_assets.clock import Clock
from analytics_assets.daily import DailyStep, Work, daily_assets
from analytics_assets.lake.snapshot import Snapshot
from analytics_assets.lake.stream import Stream
from analytics_assets.pictures.metadata import Pictures
from analytics_assets.snapshots import SnapshotStep, snapshot_assets
from analytics_assets.sources.statsig.observations import definitions_stream
from analytics_assets.sources.statsig.pictures import value_pictures
from analytics_assets.sources.statsig.streams import (
    ListingSpec,
    ValuesSpec,
    listing_snapshot,
    values_stream,
)
from analytics_assets.sources.statsig.tables import EVENT_METRICS, LISTING_RAW, METRIC_VALUES, VALUES_RAW


def values_assets(
    account: str, spec: ValuesSpec, partitions: DailyPartitionsDefinition, *, days_per_run: int, clock: Clock
) -> dg.AssetsDefinition:
    """The daily tables of `/metrics/values`."""

    @asynccontextmanager
    async def opened(work: Work) -> AsyncIterator[Stream]:
        async with work.resource.open(clock=clock, caller=work.caller) as client:
            yield values_stream(account, spec, client, clock)

    step = DailyStep(
        "values",
        account,
        "statsig",
        VALUES_RAW,
        (METRIC_VALUES,),
        opened,
        days_per_run,
        pictures=[Pictures(METRIC_VALUES.name, partial(value_pictures, account))],
    )
    return daily_assets(step, partitions, clock)


def definitions_assets(
    account: str, spec: ListingSpec, partitions: DailyPartitionsDefinition, *, days_per_run: int, clock: Clock
) -> dg.AssetsDefinition:
    """The daily table of definitions, made from the readings of `listing_raw` without a request."""

    @asynccontextmanager
    async def opened(work: Work) -> AsyncIterator[Stream]:
        yield definitions_stream(account, spec, work.lake)

    deps = [asset_key(account, LISTING_RAW.name)]
    step = DailyStep("definitions", account, "statsig", None, (EVENT_METRICS,), opened, days_per_run, deps)
    return daily_assets(step, partitions, clock)


def listing_assets(account: str, spec: ListingSpec, *, clock: Clock) -> dg.AssetsDefinition:
    """The snapshot of all definitions."""

    @asynccontextmanager
    async def opened(work: Work) -> AsyncIterator[Snapshot]:
        async with work.resource.open(clock=clock, caller=work.caller) as client:
            yield listing_snapshot(account, spec, client)

    return snapshot_assets(SnapshotStep("listing", account, "statsig", LISTING_RAW, (), opened), clock)
