"""The daily partitions of an account, and the days a schedule requests again.

One partition is one calendar day as the vendor names it. Its key exists from the instant on which the vendor's day is final, so that each
square can turn green. The first day is a setting, or a later one that an account names. A snapshot has no past days and no partitions; a tag
tells the two kinds apart.
Dagster concept: partitioned assets, https://docs.dagster.io/guides/build/partitions-and-backfills
"""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import dagster as dg
from dagster import DailyPartitionsDefinition

from analytics_assets.dates import days_between, hours_after
from analytics_assets.settings import Settings

SNAPSHOT_TAG = ("reading", "snapshot")
DAILY_TAG = ("reading", "daily")
# Names the stream of a table.
STREAM_TAG = "stream"
_YEAR: Final = timedelta(days=365)


def daily_partitions(first: date, final_at: Callable[[date], datetime]) -> DailyPartitionsDefinition:
    """One partition a day from the first day on; a day's key exists from the instant on which the day is final.

    The instant is kept as a time of day in UTC, the latest of a year. Where clocks change, keys therefore come up to an hour late in summer,
    and never early. In the vendor's zone, Dagster's keys would come early or twice on the nights of a change.

    Args:
        first: The first day.
        final_at: Instant from which a day can be requested.
    """
    midnights = [(day, datetime.combine(day, time(), UTC)) for day in days_between(first, first + _YEAR)]
    minutes = math.ceil(max(final_at(day) - midnight for day, midnight in midnights) / timedelta(minutes=1))
    days, minutes = divmod(minutes, 24 * 60)
    return DailyPartitionsDefinition(
        start_date=first.isoformat(),
        timezone="UTC",
        hour_offset=minutes // 60,
        minute_offset=minutes % 60,
        # With none, a key exists a day after its own midnight.
        end_offset=1 - days,
    )


def end_of_utc_day(day: date) -> datetime:
    """When a day is over in UTC."""
    return hours_after(day, 0, UTC)


def first_day(settings: Settings, start: date | None) -> date:
    """The first day of an account's daily tables: its own, or that of the settings where that is later or the only one."""
    return settings.start_date if start is None else max(start, settings.start_date)


def account_start(text: str, settings: Settings) -> date:
    """The first day that an account names.

    Raises:
        ValueError: It is not a date, or is before the first day of the settings.
    """
    earliest = settings.start_date
    try:
        start = date.fromisoformat(text)
    except ValueError:
        start = date.min
    if start.isoformat() != text:
        raise ValueError(f"{text!r} is not a date. Write it as 2026-03-01.")
    if start < earliest:
        raise ValueError(
            f"{start} is before ANALYTICS_START_DATE, {earliest}. Use that day or a later one, or set ANALYTICS_START_DATE to an earlier day."
        )
    return start


def exists_at(day: date, partitions: DailyPartitionsDefinition) -> datetime:
    """Instant from which a day is a partition."""
    begins = datetime.combine(day, time(), UTC) + timedelta(
        hours=partitions.hour_offset, minutes=partitions.minute_offset
    )
    return begins + timedelta(days=1 - partitions.end_offset)


def run_days(context: dg.AssetExecutionContext, partitions: DailyPartitionsDefinition) -> Sequence[date]:
    """The days a run is for, oldest first.

    Raises:
        dg.Failure: A day of the range is no partition, or there is none in it. Dagster itself would end with an assertion, or green.
    """
    tags = context.run.tags
    first = tags.get("dagster/asset_partition_range_start") or tags.get("dagster/partition")
    end = tags.get("dagster/asset_partition_range_end") or tags.get("dagster/partition")
    if first is not None and end is not None:
        _refuse_outside(first, end, partitions)
    return [date.fromisoformat(key) for key in context.partition_keys]


def newest_final_day(
    partitions: DailyPartitionsDefinition, final_at: Callable[[date], datetime], now: datetime
) -> date | None:
    """The newest day that is a partition and final where the vendor counts, or None."""
    with dg.partition_loading_context(effective_dt=now):
        key = partitions.get_last_partition_key()
    if key is None:
        return None
    day, start = date.fromisoformat(key), partitions.start.date()
    while day >= start and final_at(day) > now:
        day -= timedelta(days=1)
    return day if day >= start else None


def lookback(newest: date, days: int, *, start: date) -> date:
    """The first of the `days` days that end with `newest`, never before `start`."""
    return max(start, newest - timedelta(days=days - 1))


def _refuse_outside(first: str, end: str, partitions: DailyPartitionsDefinition) -> None:
    last, start = partitions.get_last_partition_key(), partitions.start.date().isoformat()
    if first > end:
        raise dg.Failure(f"The range begins on {first} and ends before that, on {end}.", allow_retries=False)
    if first < start:
        raise dg.Failure(
            f"The range begins on {first}, before the first day of this account, {start}. Choose a later day. The first day is the account's "
            "`start_date` in its YAML, or else ANALYTICS_START_DATE.",
            allow_retries=False,
        )
    if last is None or end > last:
        exists = exists_at(date.fromisoformat(end), partitions)
        raise dg.Failure(
            f"The range ends on {end}, which is final from {exists:%Y-%m-%d %H:%M} UTC on; the last final day is {last}. Choose an earlier "
            "end, or launch it after that.",
            allow_retries=False,
        )
