"""A snapshot as Dagster sees it: an unpartitioned step that files what it reads under the day of the observation.

Vendors give these counts and lists without history, so a past day cannot be requested; the last reading of a day stands.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import dagster as dg

from analytics_assets.errors import SourceError
from analytics_assets.orchestration.asset_checks import check_specs, evaluated
from analytics_assets.orchestration.asset_specs import asset_key, asset_spec, materialization
from analytics_assets.orchestration.failures import failure, told
from analytics_assets.orchestration.progress import say_spent
from analytics_assets.orchestration.run_context import open_loader
from analytics_assets.orchestration.stream import AssetOptions, SourceStream


def snapshot_assets(stream: SourceStream, options: AssetOptions) -> dg.AssetsDefinition:
    """The assets of a snapshot."""
    raw, *typed = stream.tables
    first = asset_spec(stream.account, raw, vendor=options.vendor, stream=stream.name, is_raw=bool(typed))
    others = [
        asset_spec(stream.account, table, vendor=options.vendor, stream=stream.name, deps=[first.key])
        for table in typed
    ]

    @dg.multi_asset(
        name=f"{stream.account}__{stream.name}",
        specs=[first, *others],
        check_specs=check_specs(stream.account, stream.all_checks()),
        can_subset=True,
        required_resource_keys={stream.account, "lake"},
    )
    async def read(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]  # noqa: ANN202 - read as outputs
        if not context.selected_asset_keys:
            _, work = await asyncio.to_thread(open_loader, context, stream.account, options.clock)
            for evaluation in await evaluated(context, stream, options, work, of_run=None):
                yield evaluation
            return
        async with aclosing(_read(context, stream, options)) as events:
            async for event in events:
                yield event

    return read


async def _read(
    context: dg.AssetExecutionContext, stream: SourceStream, options: AssetOptions
) -> AsyncGenerator[dg.AssetMaterialization | dg.AssetCheckResult, None]:
    loader, work = await asyncio.to_thread(
        open_loader, context, stream.account, options.clock, days=1, loss_most=options.limits.loss_most
    )
    what = f"{stream.account}/{stream.name}"
    try:
        async with stream.open(work) as fetcher:
            day = stream.day_of(options.clock())
            async for result in loader.load(stream, [day], fetcher):
                if result.error is not None:
                    quarantined = {} if result.quarantine is None else {day: result.quarantine}
                    reasons = {day: told(result.error, result.quarantine)}
                    for evaluation in await evaluated(context, stream, options, work, of_run=([day], reasons)):
                        yield evaluation
                    raise failure({day: result.error}, count=1, what=what, quarantined=quarantined)
                for name, stored in result.tables.items():
                    figures = {"observed_on": day.isoformat(), **result.figures.get(name, {})}
                    if stream.raw is not None and name == stream.raw.name:
                        figures |= result.spent
                    key, asked_at = asset_key(stream.account, name), result.requested_at
                    yield materialization(key, stored, figures, partition=None, requested_at=asked_at)
    except SourceError as error:
        # Only the opening raises: a key that is not set, an address that is refused.
        today = stream.day_of(options.clock())
        for evaluation in await evaluated(context, stream, options, work, of_run=([today], {today: str(error)})):
            yield evaluation
        raise failure({today: error}, count=1, what=what, quarantined={}) from error
    finally:
        say_spent(work.origin.meter, context.log.info)
    for evaluation in await evaluated(context, stream, options, work, of_run=([day], {})):
        yield evaluation
