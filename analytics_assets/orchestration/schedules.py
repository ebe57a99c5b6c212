"""From an account's daily assets to its job and schedule, and the one job of all snapshots.

A schedule requests its lookback as one range run: recent days still change, and one run of many days is far cheaper than many runs. Days just
before it that are red, or were left out, are requested again too, or they would stay so. Where the lake tells which days change, it requests
these. It ends with the newest day that is both a partition and final where the vendor counts. Schedules run by default in live mode only.
Dagster concept: schedules, https://docs.dagster.io/guides/automate/schedules
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import dagster as dg
from dagster import DailyPartitionsDefinition

from analytics_assets.dates import days_between, spans
from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.partitions import lookback, newest_final_day

# A day that fails for good is requested so many times more, and not for ever.
REACH_DAYS: Final = 7


@dataclass(frozen=True)
class Changing:
    """Assets whose days are requested while they change, and not a fixed number of days.

    Attributes:
        assets: The assets.
        first: The first day to request, given the lake and the newest final day; None where nothing changes.
    """

    assets: Sequence[dg.AssetKey]
    first: Callable[[Lake, date], date | None]


@dataclass(frozen=True)
class DailyLoad:
    """When an account's days are requested.

    Attributes:
        cron: Cron line, in UTC.
        lookback_days: Days requested, the newest final one included.
        final_at: Instant from which a day is final in all streams of the account.
        changing: Where the lake says which days change, what to request; `lookback_days` is for the first load then.
    """

    cron: str
    lookback_days: int
    final_at: Callable[[date], datetime]
    changing: Sequence[Changing] = ()


def daily_load(
    account: str,
    assets: Sequence[dg.AssetsDefinition],
    load: DailyLoad,
    partitions: DailyPartitionsDefinition,
    *,
    is_on: bool,
) -> dg.ScheduleDefinition:
    """The schedule of an account's daily assets, which requests the lookback; its `job` loads any day or range."""
    job = dg.define_asset_job(
        f"{account}_daily",
        selection=dg.AssetSelection.assets(*assets),
        description=f"All daily tables of {account}. Launch it for a day or a range; the schedule requests {load.lookback_days} days.",
        executor_def=dg.in_process_executor,
    )

    @dg.schedule(
        name=f"{account}_daily",
        job=job,
        cron_schedule=load.cron,
        execution_timezone="UTC",
        description=(
            f"Requests the days of {account} that still change, a report's as one run; in a first load for {load.lookback_days} days."
            if load.changing
            else f"Requests the last {load.lookback_days} final days of {account}, which still change, as one run, and again for those of the "
            f"{REACH_DAYS} days before them that failed or are missing."
        ),
        required_resource_keys={"lake"} if load.changing else set(),
        default_status=_status(is_on=is_on),
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.SkipReason | list[dg.RunRequest]:
        now = context.scheduled_execution_time.astimezone(UTC)
        newest = newest_final_day(partitions, load.final_at, now)
        if newest is None:
            return dg.SkipReason(f"No day from {partitions.start:%Y-%m-%d} on is final yet.")
        tick = f"{account}:{now:%Y-%m-%dT%H:%MZ}"
        start = partitions.start.date()
        if not load.changing:
            oldest = lookback(newest, load.lookback_days, start=start)
            keys = [key for asset in assets for key in asset.keys]
            # A tick that is tried out, as the demo does it, has no instance, and so no history.
            again = left_behind(context.instance, keys, partitions, before=oldest) if context.instance_ref else set()
            days = [*again, *days_between(oldest, newest)]
            return [_range_run(tick, span[0], span[-1], None) for span in spans(days, longest=len(days))]
        lake: Lake = context.resources.lake.open()
        assets_by_day: dict[date, list[dg.AssetKey]] = {}
        for changing in load.changing:
            first = changing.first(lake, newest)
            if first is not None:
                assets_by_day.setdefault(max(first, start), []).extend(changing.assets)
        if not assets_by_day:
            return dg.SkipReason(f"Nothing of {account} changes any more.")
        return [_range_run(tick, first, newest, keys) for first, keys in sorted(assets_by_day.items())]

    return schedule


def left_behind(
    instance: dg.DagsterInstance,
    keys: Sequence[dg.AssetKey],
    partitions: DailyPartitionsDefinition,
    *,
    before: date,
) -> set[date]:
    """Of the last days before one, those that are red in a table, or missing after its first that was ever requested.

    What Dagster shows counts, and not the lake: a day that failed when it was read again still stands there, as it was.
    """
    behind: set[date] = set()
    days = days_between(partitions.start.date(), before - timedelta(days=1))
    names = [str(day) for day in days]
    for key in keys:
        shown = instance.get_status_by_partition(key, names, partitions) or {}
        first = next((number for number, name in enumerate(names) if shown.get(name) is not None), len(names))
        recent = days[max(first, len(days) - REACH_DAYS) :]
        behind |= {day for day in recent if shown.get(str(day)) in {dg.AssetPartitionStatus.FAILED, None}}
    return behind


def _range_run(tick: str, first: date, newest: date, keys: Sequence[dg.AssetKey] | None) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"{tick}:{first}",
        asset_selection=keys,
        tags={
            "dagster/asset_partition_range_start": first.isoformat(),
            "dagster/asset_partition_range_end": newest.isoformat(),
        },
    )


def snapshots(selection: dg.AssetSelection, cron: str, *, is_on: bool) -> dg.ScheduleDefinition:
    """The schedule that takes all snapshots of all accounts once a day, with its job.

    One reading in each of Statsig's days (08:00 to 08:00 UTC) is what makes its definitions observed and not rebuilt.
    """
    job = dg.define_asset_job(
        "snapshots",
        selection=selection,
        description="Everything the vendors tell only as it stands now: audience counts, reports, definitions, catalogue, open tasks.",
        executor_def=dg.in_process_executor,
    )
    return once_a_day(job, cron, "Takes one reading a day of what has no history.", is_on=is_on)


def once_a_day(job: Any, cron: str, description: str, *, is_on: bool) -> dg.ScheduleDefinition:
    """The schedule of a job that all accounts share, by its name, in UTC.

    Args:
        job: What `dg.job` or `dg.define_asset_job` makes; Dagster exports no class for the latter.
        cron: Cron line.
        description: What the schedule does.
        is_on: True if it runs unless someone switches it off.
    """
    return dg.ScheduleDefinition(
        name=job.name,
        job=job,
        cron_schedule=cron,
        execution_timezone="UTC",
        description=description,
        default_status=_status(is_on=is_on),
    )


def _status(*, is_on: bool) -> dg.DefaultScheduleStatus:
    return dg.DefaultScheduleStatus.RUNNING if is_on else dg.DefaultScheduleStatus.STOPPED
