"""A stream as Dagster sees it: one subsettable step that logs each day of each table as it is stored.

The step logs a materialization for every selected table and day the moment that day stands in the lake, with a data version of its own,
and at the end fails naming the days that were not stored. So exactly those are red, progress shows while the run works, and a kill loses at
most the day in hand. It yields no output: Dagster would mark all days of the run at once.
Dagster concept: multi-assets, https://docs.dagster.io/guides/build/assets/defining-assets
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import date
from typing import Any

import dagster as dg

from analytics_assets.errors import SourceError
from analytics_assets.http.meter import by_endpoint
from analytics_assets.lake.load import DayResult
from analytics_assets.lake.store import StoredDay
from analytics_assets.lake.stream import DayFetcher
from analytics_assets.orchestration.asset_checks import check_specs, evaluated
from analytics_assets.orchestration.asset_specs import asset_key, asset_spec, materialization
from analytics_assets.orchestration.charts.metadata import pictured
from analytics_assets.orchestration.failures import failure, told
from analytics_assets.orchestration.partitions import run_days
from analytics_assets.orchestration.progress import Progress, say_spent
from analytics_assets.orchestration.run_context import Work, open_loader
from analytics_assets.orchestration.stream import AssetOptions, SourceStream


def daily_assets(stream: SourceStream, options: AssetOptions) -> dg.AssetsDefinition:
    """The assets of a stream with past days."""
    deps: list[dg.AssetKey | dg.AssetDep] = [*([] if stream.raw else options.deps), *stream.deps]
    specs = []
    for table in stream.tables:
        spec = asset_spec(
            stream.account,
            table,
            vendor=options.vendor,
            stream=stream.name,
            partitions=options.partitions,
            deps=options.deps if table is stream.raw else deps,
            is_raw=table is stream.raw,
        )
        specs.append(spec)
        if table is stream.raw:
            deps.append(spec.key)

    @dg.multi_asset(
        name=f"{stream.account}__{stream.name}",
        specs=specs,
        check_specs=check_specs(stream.account, stream.all_checks()),
        can_subset=True,
        partitions_def=options.partitions,
        backfill_policy=dg.BackfillPolicy.multi_run(options.days_per_run),
        required_resource_keys={stream.account, "lake"},
    )
    async def load_days(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]  # noqa: ANN202 - read as outputs
        if not context.selected_asset_keys:
            _, work = await asyncio.to_thread(open_loader, context, stream.account, options.clock)
            for evaluation in await evaluated(context, stream, options, work, of_run=None):
                yield evaluation
            return
        days = run_days(context, options.partitions)
        if options.guard is not None and stream.raw is not None:
            raw = asset_key(stream.account, stream.raw.name)
            # Typed tables alone need no request.
            if raw in context.selected_asset_keys:
                await asyncio.to_thread(options.guard.check, context, raw, days)
        async with aclosing(_land(context, stream, options, days)) as events:
            async for event in events:
                yield event

    return load_days


async def _land(
    context: dg.AssetExecutionContext, stream: SourceStream, options: AssetOptions, days: Sequence[date]
) -> AsyncGenerator[dg.AssetMaterialization | dg.AssetCheckResult, None]:
    # Databases and buckets are called in threads: requests and renewals of leases go on meanwhile.
    loader, work = await asyncio.to_thread(
        open_loader, context, stream.account, options.clock, days=len(days), loss_most=options.limits.loss_most
    )
    progress = Progress(len(days), work.origin.meter, options.clock, say=context.log.info)
    errors: dict[date, SourceError] = {}
    quarantined: dict[date, str] = {}
    stored: list[DayResult] = []
    number = 0
    try:
        # The days are let go before the stream they are read from is closed.
        async with (
            stream.open(work) as fetcher,
            aclosing(loader.load(stream, days, _announced(context, stream, fetcher))) as results,
        ):
            async for result in results:
                number += 1
                stored.append(result)
                for event in await _materializations(stream, work, result, is_newest=number == len(days)):
                    yield event
                await asyncio.to_thread(progress.step, number, is_stored=result.error is None)
                if result.error is None:
                    continue
                errors[result.day] = result.error
                context.log.error("%s was not stored (%d of %d): %s", result.day, number, len(days), result.error)
                if result.quarantine is not None:
                    quarantined[result.day] = result.quarantine
    except SourceError as error:
        # A day's own error comes as a result; this is the opening, such as a key that is not set, and holds for the days not tried.
        if number == len(days):
            raise
        errors |= dict.fromkeys(days[number:], error)
    for event in await _drawn_late(stream, work, stored, days):
        yield event
    reasons = {day: told(error, quarantined.get(day)) for day, error in errors.items()}
    for evaluation in await evaluated(context, stream, options, work, of_run=(days, reasons)):
        yield evaluation
    say_spent(work.origin.meter, context.log.info)
    if errors:
        what = f"{stream.account}/{stream.name}"
        raise failure(errors, count=len(days), what=what, quarantined=quarantined)


async def _materializations(
    stream: SourceStream, work: Work, result: DayResult, *, is_newest: bool
) -> list[dg.AssetMaterialization]:
    """The events of a day that is stored: its raw one says what was spent, and the newest of the run have pictures."""
    shown = await _drawn(stream, work, result) if is_newest else {}
    events = []
    for name, stored in result.tables.items():
        figures = {**result.figures.get(name, {}), **shown.get(name, {})}
        if stream.raw is not None and name == stream.raw.name:
            figures |= result.spent
        events.append(_materialized(stream, result, name, stored, figures))
    return events


async def _drawn_late(
    stream: SourceStream, work: Work, results: Sequence[DayResult], days: Sequence[date]
) -> list[dg.AssetMaterialization]:
    """The events of the newest day that was stored, once more and with pictures, where the last day did not; the data version is the same.

    That no later day is stored is known at the end only, and no event waits for that: it would be lost with a run that is killed.
    """
    newest = next((result for result in reversed(results) if result.tables), None)
    if newest is None or newest.day == days[-1]:
        return []
    return [
        _materialized(stream, newest, name, newest.tables[name], {**newest.figures.get(name, {}), **shown})
        for name, shown in (await _drawn(stream, work, newest)).items()
    ]


def _materialized(
    stream: SourceStream, result: DayResult, name: str, stored: StoredDay, figures: Mapping[str, Any]
) -> dg.AssetMaterialization:
    key, day = asset_key(stream.account, name), result.day.isoformat()
    return materialization(key, stored, figures, partition=day, requested_at=result.requested_at)


async def _drawn(stream: SourceStream, work: Work, result: DayResult) -> dict[str, dict[str, dg.MetadataValue]]:
    """The pictures of the tables that the day is stored in, by table."""
    shown: dict[str, dict[str, dg.MetadataValue]] = {}
    for pictures in stream.charts:
        if (stored := result.tables.get(pictures.table)) is not None:
            # Aside, because a lease may have to be renewed meanwhile.
            shown[pictures.table] = await asyncio.to_thread(
                pictured, pictures, work.lake, result.day, is_sandbox=stored.footer.is_sandbox, log=work.log
            )
    return shown


def _announced(context: dg.AssetExecutionContext, stream: SourceStream, fetcher: DayFetcher) -> DayFetcher:
    """The fetcher, with its plan in the run's log before the first request."""

    def announce(days: Sequence[date]) -> None:
        if days and (requests := stream.request_count(days)):
            context.log.info("Plan: at least %s (days: %d).", by_endpoint(requests), len(days))
        fetcher.announce(days)

    return replace(fetcher, announce=announce)
