"""A snapshot as Dagster sees it: an unpartitioned step that files what it reads under the day of the observation.

Vendors give these counts and lists without history, so a past day cannot be asked for; the last reading of a day stands.
Keep vendors out of here (a source's `assets.py` gives the snapshot) and days that can be asked for too (`orchestration/daily_assets.py`).
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime

import dagster as dg

from analytics_assets.checks.finding import USUAL, Check, Limits
from analytics_assets.checks.landed import days_land, reading_taken
from analytics_assets.clock import Clock
from analytics_assets.errors import SourceError
from analytics_assets.lake.stream import Snapshot, Stream
from analytics_assets.lake.table import Table
from analytics_assets.orchestration.asset_checks import check_specs, evaluations, snapshot_look
from analytics_assets.orchestration.asset_specs import asset_key, asset_spec, materialization
from analytics_assets.orchestration.failures import failure, told
from analytics_assets.orchestration.progress import say_spent
from analytics_assets.orchestration.run_context import Work, opened_landing


@dataclass(frozen=True)
class SnapshotStep:
    """How a snapshot becomes assets.

    Attributes:
        name: Name of the step.
        account: Folder of the account; group and first part of the asset keys, and key of the resource.
        vendor: The vendor's name in lower case.
        raw: Where answers are kept as sent, or the one table where it holds them itself.
        typed: What is made from them.
        open: Opens the snapshot for a run.
        day_of: The calendar day an observation belongs to, as in the snapshot itself.
        checks: What its numbers are checked for, beside what any table is.
        limits: From where on checks warn.
    """

    name: str
    account: str
    vendor: str
    raw: Table
    typed: Sequence[Table]
    open: Callable[[Work], AbstractAsyncContextManager[Snapshot]]
    day_of: Callable[[datetime], date]
    checks: Sequence[Check] = ()
    limits: Limits = USUAL

    def all_checks(self) -> list[Check]:
        """What each of its tables is checked for, and what is its own."""
        of_any = [check(table) for table in (self.raw, *self.typed) for check in (days_land, reading_taken)]
        return [*of_any, *self.checks]


def snapshot_assets(step: SnapshotStep, clock: Clock) -> dg.AssetsDefinition:
    """The assets of a snapshot."""
    first = asset_spec(step.account, step.raw, vendor=step.vendor, stream=step.name, is_raw=bool(step.typed))
    typed = [
        asset_spec(step.account, table, vendor=step.vendor, stream=step.name, deps=[first.key]) for table in step.typed
    ]

    @dg.multi_asset(
        name=f"{step.account}__{step.name}",
        specs=[first, *typed],
        check_specs=check_specs(step.account, step.all_checks()),
        can_subset=True,
        required_resource_keys={step.account, "lake"},
    )
    async def read(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]  # noqa: ANN202 - read as outputs
        if not context.selected_asset_keys:
            _, work = await asyncio.to_thread(opened_landing, context, step.account, clock)
            for evaluation in await _evaluated(context, step, work, clock, of_run=None):
                yield evaluation
            return
        async with aclosing(_read(context, step, clock)) as events:
            async for event in events:
                yield event

    return read


async def _read(
    context: dg.AssetExecutionContext, step: SnapshotStep, clock: Clock
) -> AsyncGenerator[dg.AssetMaterialization | dg.AssetCheckResult, None]:
    landing, work = await asyncio.to_thread(
        opened_landing, context, step.account, clock, days=1, loss_most=step.limits.loss_most
    )
    what = f"{step.account}/{step.name}"
    try:
        async with step.open(work) as snapshot:
            day = snapshot.day_of(clock())
            async for result in landing.bring(_as_stream(step, snapshot), [day]):
                if result.error is not None:
                    kept = {} if result.quarantine is None else {day: result.quarantine}
                    reasons = {day: told(result.error, result.quarantine)}
                    for evaluation in await _evaluated(context, step, work, clock, of_run=(day, reasons)):
                        yield evaluation
                    raise failure({day: result.error}, of=1, what=what, quarantined=kept)
                for name, landed in result.tables.items():
                    figures = {"observed_on": day.isoformat(), **result.figures.get(name, {})}
                    if name == step.raw.name:
                        figures |= result.spent
                    key, asked_at = asset_key(step.account, name), result.requested_at
                    yield materialization(key, landed, figures, partition=None, requested_at=asked_at)
    except SourceError as error:
        # Only the opening raises: a key that is not set, an address that is refused.
        today = step.day_of(clock())
        for evaluation in await _evaluated(context, step, work, clock, of_run=(today, {today: str(error)})):
            yield evaluation
        raise failure({today: error}, of=1, what=what, quarantined={}) from error
    finally:
        say_spent(work.caller.meter, context.log.info)
    for evaluation in await _evaluated(context, step, work, clock, of_run=(day, {})):
        yield evaluation


async def _evaluated(
    context: dg.AssetExecutionContext,
    step: SnapshotStep,
    work: Work,
    clock: Clock,
    *,
    of_run: tuple[date, Mapping[date, str]] | None,
) -> list[dg.AssetCheckResult]:
    """The checks, of the run's own day with what became of it, or of the last days."""

    def evaluate() -> list[dg.AssetCheckResult]:
        look = snapshot_look(
            work.lake,
            step.account,
            step.limits,
            resource=work.resource,
            day_of=step.day_of,
            now=clock(),
            of_run=of_run,
        )
        return list(evaluations(context, step.all_checks(), look))

    return await asyncio.to_thread(evaluate)


def _as_stream(step: SnapshotStep, snapshot: Snapshot) -> Stream:
    """A snapshot lands like a stream of one day that is always final."""
    return Stream(
        account=step.account,
        raw=snapshot.raw,
        typed=snapshot.typed,
        asked=lambda _day: step.name if snapshot.typed else "",
        fetch=snapshot.fetch,
        transform=lambda day, raw: {} if raw is None else snapshot.transform(day, raw),
        final_at=lambda _day: datetime.min.replace(tzinfo=UTC),
        is_snapshot=True,
    )
