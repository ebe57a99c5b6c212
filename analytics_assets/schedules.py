"""From an account's daily assets to its job and schedule, and the one job of all snapshots.

A schedule asks for its lookback as one range run: recent days still change, and one run of many days is far cheaper than many runs. Where the
lake tells which days change, it asks for these. It ends with the newest day that is both a partition and final where the vendor counts. Schedules run by default in live mode only.
Dagster concept: schedules, https://docs.dagster.io/guides/automate/schedules
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import dagster as dg
from dagster import DailyPartitionsDefinition
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from analytics_assets.lake.store import Lake
from analytics_assets.partitions import SNAPSHOT_TAG, lookback, newest_final_day


@dataclass(frozen=True)
class Changing:
    """Assets whose days are asked for while they change, and not a fixed number of days.

    Attributes:
        assets: The assets.
        first: The first day to ask for, given the lake and the newest final day; None where nothing changes.
    """

    assets: Sequence[dg.AssetKey]
    first: Callable[[Lake, date], date | None]


@dataclass(frozen=True)
class DailyLoad:
    """When an account's days are asked for.

    Attributes:
        cron: Cron line, in UTC.
        lookback_days: Days asked for, the newest final one included.
        final_at: Instant from which a day is final in all streams of the account.
        changing: Where the lake says which days change, what to ask for; `lookback_days` is for the first load then.
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
) -> tuple[UnresolvedAssetJobDefinition, dg.ScheduleDefinition]:
    """The job of an account's daily assets and the schedule that asks for its lookback."""
    job = dg.define_asset_job(
        f"{account}_daily",
        selection=dg.AssetSelection.assets(*assets),
        description=f"All daily tables of {account}. Launch it for a day or a range; the schedule asks for {load.lookback_days} days.",
    )

    @dg.schedule(
        name=f"{account}_daily",
        job=job,
        cron_schedule=load.cron,
        execution_timezone="UTC",
        description=(
            f"Asks for the days of {account} that still change, a report's as one run; in a first load for {load.lookback_days} days."
            if load.changing
            else f"Asks for the last {load.lookback_days} final days of {account}, as one run; they still change for that long."
        ),
        required_resource_keys={"lake"} if load.changing else set(),
        default_status=_status(is_on=is_on),
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason | list[dg.RunRequest]:
        now = context.scheduled_execution_time.astimezone(UTC)
        newest = newest_final_day(partitions, load.final_at, now)
        if newest is None:
            return dg.SkipReason(f"No day from {partitions.start:%Y-%m-%d} on is final yet.")
        run_key = f"{account}:{now:%Y-%m-%dT%H:%MZ}"
        start = partitions.start.date()
        if not load.changing:
            return _range_run(run_key, lookback(newest, load.lookback_days, start=start), newest, None)
        lake: Lake = context.resources.lake.open()
        wanted: dict[date, list[dg.AssetKey]] = {}
        for changing in load.changing:
            first = changing.first(lake, newest)
            if first is not None:
                wanted.setdefault(max(first, start), []).extend(changing.assets)
        if not wanted:
            return dg.SkipReason(f"Nothing of {account} changes any more.")
        return [_range_run(f"{run_key}:{first}", first, newest, keys) for first, keys in sorted(wanted.items())]

    return job, schedule


def _range_run(run_key: str, first: date, newest: date, keys: Sequence[dg.AssetKey] | None) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=run_key,
        asset_selection=keys,
        tags={
            "dagster/asset_partition_range_start": first.isoformat(),
            "dagster/asset_partition_range_end": newest.isoformat(),
        },
    )


def snapshots(cron: str, *, is_on: bool) -> tuple[UnresolvedAssetJobDefinition, dg.ScheduleDefinition]:
    """The job of all snapshots of all accounts, and the schedule that takes them once a day.

    One reading in each of Statsig's days (08:00 to 08:00 UTC) is what makes its definitions observed and not rebuilt.
    """
    job = dg.define_asset_job(
        "snapshots",
        selection=dg.AssetSelection.tag(*SNAPSHOT_TAG),
        description="Everything the vendors tell only as it stands now: audience counts, reports, definitions, catalogue, open tasks.",
    )
    return job, once_a_day(job, cron, "Takes one reading a day of what has no history.", is_on=is_on)


def once_a_day(
    job: dg.JobDefinition | UnresolvedAssetJobDefinition, cron: str, description: str, *, is_on: bool
) -> dg.ScheduleDefinition:
    """The schedule of a job that all accounts share, by its name, in UTC."""
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
