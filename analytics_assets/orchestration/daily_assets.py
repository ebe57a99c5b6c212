"""A stream as Dagster sees it: one subsettable step that logs each day of each table as it lands.

The step logs a materialization for every selected table and day the moment that day stands in the lake, with a data version of its own,
and at the end fails naming the days that did not land. So exactly those are red, progress shows while the run works, and a kill loses at
most the day in hand. It yields no output: Dagster would mark all days of the run at once.
Keep vendors out of here (a source's `assets.py` gives the stream) and files too (`lake/load.py`).
Dagster concept: multi-assets, https://docs.dagster.io/guides/build/assets/defining-assets
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import dagster as dg
from dagster import DailyPartitionsDefinition

from analytics_assets.checks.finding import USUAL, Check, Limits
from analytics_assets.checks.landed import days_land, latest_day_landed
from analytics_assets.clock import Clock
from analytics_assets.errors import SourceError
from analytics_assets.http.meter import by_endpoint
from analytics_assets.lake.load import DayResult
from analytics_assets.lake.store import Landed
from analytics_assets.lake.stream import Stream
from analytics_assets.lake.table import Table
from analytics_assets.orchestration.asset_checks import check_specs, daily_look, evaluations
from analytics_assets.orchestration.asset_specs import asset_key, asset_spec, materialization
from analytics_assets.orchestration.charts.metadata import Pictures, pictured
from analytics_assets.orchestration.failures import failure, told
from analytics_assets.orchestration.partitions import run_days
from analytics_assets.orchestration.progress import Progress, say_spent
from analytics_assets.orchestration.run_context import Work, opened_landing

Opener = Callable[[Work], AbstractAsyncContextManager[Stream]]


@dataclass(frozen=True)
class DailyStep:
    """How a stream becomes assets.

    Attributes:
        name: Name of the step.
        account: Folder of the account; group and first part of the asset keys, and key of the resource.
        vendor: The vendor's name in lower case.
        raw: Where answers are kept as sent.
        typed: What is made from them.
        open: Opens the stream for a run.
        days_per_run: Days a run of a backfill takes at most.
        final_at: Instant from which a day can be asked for.
        deps: Assets of other streams that this one reads.
        checks: What its numbers are checked for, beside what any table is.
        limits: From where on checks warn.
        pictures: What is drawn of its tables.
    """

    name: str
    account: str
    vendor: str
    raw: Table | None
    typed: Sequence[Table]
    open: Opener
    days_per_run: int
    final_at: Callable[[date], datetime]
    deps: Sequence[dg.AssetKey] = ()
    checks: Sequence[Check] = ()
    limits: Limits = USUAL
    pictures: Sequence[Pictures] = ()

    def all_checks(self) -> list[Check]:
        """What each of its tables is checked for, and what is its own."""
        tables = [*([self.raw] if self.raw else []), *self.typed]
        of_any = [
            check
            for table in tables
            for check in (days_land(table), latest_day_landed(table, self.typed if table is self.raw else ()))
        ]
        return [*of_any, *self.checks]


def daily_assets(step: DailyStep, partitions: DailyPartitionsDefinition, clock: Clock) -> dg.AssetsDefinition:
    """The assets of a stream."""
    raw = (
        []
        if step.raw is None
        else [
            asset_spec(step.account, step.raw, vendor=step.vendor, stream=step.name, partitions=partitions, is_raw=True)
        ]
    )
    deps = [*step.deps, *(spec.key for spec in raw)]
    typed = [
        asset_spec(step.account, table, vendor=step.vendor, stream=step.name, partitions=partitions, deps=deps)
        for table in step.typed
    ]

    @dg.multi_asset(
        name=f"{step.account}__{step.name}",
        specs=[*raw, *typed],
        check_specs=check_specs(step.account, step.all_checks()),
        can_subset=True,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.multi_run(step.days_per_run),
        required_resource_keys={step.account, "lake"},
    )
    async def land(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]  # noqa: ANN202 - read as outputs
        if not context.selected_asset_keys:
            _, work = await asyncio.to_thread(opened_landing, context, step.account, clock)
            for evaluation in await _evaluated(context, step, work, partitions, clock, of_run=None):
                yield evaluation
            return
        days = run_days(context, partitions)
        async with aclosing(_land(context, step, days, partitions, clock)) as events:
            async for event in events:
                yield event

    return land


async def _land(
    context: dg.AssetExecutionContext,
    step: DailyStep,
    days: Sequence[date],
    partitions: DailyPartitionsDefinition,
    clock: Clock,
) -> AsyncGenerator[dg.AssetMaterialization | dg.AssetCheckResult, None]:
    # Databases and buckets are called in threads: requests and renewals of leases go on meanwhile.
    landing, work = await asyncio.to_thread(
        opened_landing, context, step.account, clock, days=len(days), loss_most=step.limits.loss_most
    )
    progress = Progress(len(days), work.caller.meter, clock, say=context.log.info)
    errors: dict[date, SourceError] = {}
    quarantined: dict[date, str] = {}
    seen: list[DayResult] = []
    number = 0
    try:
        # The days are let go before the stream they are read from is closed.
        async with (
            step.open(work) as opened,
            aclosing(landing.bring(_announced(context, opened), days)) as results,
        ):
            async for result in results:
                number += 1
                seen.append(result)
                for event in await _materializations(step, work, result, is_newest=number == len(days)):
                    yield event
                await asyncio.to_thread(progress.step, number, is_landed=result.error is None)
                if result.error is None:
                    continue
                errors[result.day] = result.error
                context.log.error("%s did not land (%d of %d): %s", result.day, number, len(days), result.error)
                if result.quarantine is not None:
                    quarantined[result.day] = result.quarantine
    except SourceError as error:
        # A day's own error comes as a result; this is the opening, such as a key that is not set, and holds for the days not tried.
        if number == len(days):
            raise
        errors |= dict.fromkeys(days[number:], error)
    for event in await _drawn_late(step, work, seen, days):
        yield event
    reasons = {day: told(error, quarantined.get(day)) for day, error in errors.items()}
    for evaluation in await _evaluated(context, step, work, partitions, clock, of_run=(days, reasons)):
        yield evaluation
    say_spent(work.caller.meter, context.log.info)
    if errors:
        what = f"{step.account}/{step.name}"
        raise failure(errors, of=len(days), what=what, quarantined=quarantined)


async def _materializations(
    step: DailyStep, work: Work, result: DayResult, *, is_newest: bool
) -> list[dg.AssetMaterialization]:
    """The events of a day that has landed: its raw one says what was spent, and the newest of the run have pictures."""
    shown = await _drawn(step, work, result) if is_newest else {}
    events = []
    for name, landed in result.tables.items():
        figures = {**result.figures.get(name, {}), **shown.get(name, {})}
        if step.raw is not None and name == step.raw.name:
            figures |= result.spent
        events.append(_materialized(step, result, name, landed, figures))
    return events


async def _drawn_late(
    step: DailyStep, work: Work, seen: Sequence[DayResult], days: Sequence[date]
) -> list[dg.AssetMaterialization]:
    """The events of the newest day that landed, once more and with pictures, where the last day did not; the data version is the same.

    That no later day lands is known at the end only, and no event waits for that: it would be lost with a run that is killed.
    """
    newest = next((result for result in reversed(seen) if result.tables), None)
    if newest is None or newest.day == days[-1]:
        return []
    return [
        _materialized(step, newest, name, newest.tables[name], {**newest.figures.get(name, {}), **shown})
        for name, shown in (await _drawn(step, work, newest)).items()
    ]


def _materialized(
    step: DailyStep, result: DayResult, name: str, landed: Landed, figures: Mapping[str, Any]
) -> dg.AssetMaterialization:
    key, day = asset_key(step.account, name), result.day.isoformat()
    return materialization(key, landed, figures, partition=day, requested_at=result.requested_at)


async def _drawn(step: DailyStep, work: Work, result: DayResult) -> dict[str, dict[str, dg.MetadataValue]]:
    """The pictures of the tables that the day has landed in, by table."""
    shown: dict[str, dict[str, dg.MetadataValue]] = {}
    for pictures in step.pictures:
        if (landed := result.tables.get(pictures.table)) is not None:
            # Aside, because a lease may have to be renewed meanwhile.
            shown[pictures.table] = await asyncio.to_thread(
                pictured, pictures, work.lake, result.day, is_sandbox=landed.footer.is_sandbox, log=work.log
            )
    return shown


def _announced(context: dg.AssetExecutionContext, stream: Stream) -> Stream:
    """The stream, with its plan in the run's log before the first request."""

    def announce(days: Sequence[date]) -> None:
        if days and (requests := stream.requests(days)):
            context.log.info("Plan: at least %s (days: %d).", by_endpoint(requests), len(days))
        stream.announce(days)

    return replace(stream, announce=announce)


async def _evaluated(
    context: dg.AssetExecutionContext,
    step: DailyStep,
    work: Work,
    partitions: DailyPartitionsDefinition,
    clock: Clock,
    *,
    of_run: tuple[Sequence[date], Mapping[date, str]] | None,
) -> list[dg.AssetCheckResult]:
    """The selected checks, over the days of a run with why some did not land, or over the last days of the lake."""

    def evaluate() -> list[dg.AssetCheckResult]:
        look = daily_look(
            context,
            work.lake,
            step.account,
            partitions,
            step.limits,
            resource=work.resource,
            final_at=step.final_at,
            now=clock(),
            of_run=of_run,
        )
        return list(evaluations(context, step.all_checks(), look))

    return await asyncio.to_thread(evaluate)
