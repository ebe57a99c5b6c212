"""What must stand in lake, ledger and Dagster after a soak, counted from the world, and what does not. How it came about is in `soak.py`."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from analytics_assets.orchestration.partitions import daily_partitions, end_of_utc_day
from analytics_assets.sandbox.world import World
from analytics_assets.settings import settings
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.integration.conftest import Place
from analytics_assets_tests.integration.oracle_airbridge import AirbridgeTruth
from analytics_assets_tests.integration.oracle_bento import BentoTruth
from analytics_assets_tests.integration.oracle_statsig import StatsigTruth
from analytics_assets_tests.integration.running import SEOUL_APP, Wishes, days_from, in_order, rows

Rows = list[dict[str, Any]]
_USERS = "app_user_count"
_READ_AT = timedelta(hours=9, minutes=30)


def broken_promises(
    place: Place,
    instance: dg.DagsterInstance,
    world: World,
    wishes: Wishes,
    *,
    first: date,
    days: int,
    now: datetime,
    cohorts_at: datetime,
) -> list[str]:
    """What does not stand as it must, in words; `first` is the newest day that the first schedule could ask for.

    Cohorts are as they were at `cohorts_at`, when the last schedule requested them, and all else as it is now.
    """
    asked = {
        account: days_from(first - timedelta(days=back - 1), days + back - 1)
        for account, back in wishes.lookback_days.items()
    }
    found = [
        words
        for table, expected in _expected(world, wishes, asked, first=first, now=now, cohorts_at=cohorts_at).items()
        for words in _differing(table, rows(place.lake, *table.split("/")), expected)
    ]
    for report in wishes.reports:
        found += [f"airbridge/{report.name} has restatements"] if _restated(place, report.name) else []
        found += _red(instance, dg.AssetKey(["airbridge", f"{report.name}_cohorts"]), asked["airbridge"])
    still = Ledger(place.state).open_requests("airbridge")
    return [*found, *(f"request {one.id} of {one.report} is open: {one.state}" for one in still)]


def _expected(
    world: World,
    wishes: Wishes,
    asked: Mapping[str, Sequence[date]],
    *,
    first: date,
    now: datetime,
    cohorts_at: datetime,
) -> dict[str, Rows]:
    """All rows of the daily typed tables, by `account/table`."""
    bento = BentoTruth(world, now).ads(asked["bento"], wishes.ads.dimensions, wishes.ads.revenue_modes)
    tables = {f"bento/{name}": held for name, held in bento.items()}
    tables["statsig/metric_values"] = StatsigTruth(world, now).values(asked["statsig"])
    # A day is observed in the morning after it; those before the first reading are rebuilt from that.
    tables["statsig/event_metrics"] = [
        row
        for day in asked["statsig"]
        for row in StatsigTruth(world, _read_after(max(day, first), now)).definitions([day])
    ]
    for report in wishes.reports:
        truth = AirbridgeTruth(world, ZoneInfo(SEOUL_APP.zone), cohorts_at, report.intervals)
        metric = "users" if report.metric == _USERS else "revenue"
        tables[f"airbridge/{report.name}_cohorts"] = truth.cohorts(asked["airbridge"], metric)
    return tables


def _read_after(day: date, now: datetime) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=now.tzinfo) + timedelta(days=1) + _READ_AT


def _differing(table: str, found: Rows, expected: Rows) -> Iterator[str]:
    """The days that are missing, that nobody requested, and that hold other rows than they must, a row twice included."""
    stand, wanted = _by_day(found), _by_day(expected)
    for words, days in (
        ("is missing", wanted.keys() - stand.keys()),
        ("was never requested", stand.keys() - wanted.keys()),
        ("is not the truth", {day for day in stand.keys() & wanted.keys() if stand[day] != wanted[day]}),
    ):
        if days:
            yield f"{table}: {len(days)} days, from {min(days)} to {max(days)}: {words}"


def _by_day(found: Rows) -> dict[date, Rows]:
    days: dict[date, Rows] = {}
    for row in found:
        days.setdefault(row["date"], []).append(row)
    return {day: in_order(of_day) for day, of_day in days.items()}


def _restated(place: Place, report: str) -> bool:
    return bool(rows(place.lake, "airbridge", f"{report}_restatements"))


def _red(instance: dg.DagsterInstance, key: dg.AssetKey, days: Sequence[date]) -> list[str]:
    """Days that Dagster does not show as they are: landed."""
    partitions = daily_partitions(settings().start_date, end_of_utc_day)
    statuses = instance.get_status_by_partition(key, [str(day) for day in days], partitions) or {}
    shown = {name: status.value if status else "MISSING" for name, status in statuses.items()}
    wrong = sorted(name for name, status in shown.items() if status != "MATERIALIZED")
    return [f"{key.to_user_string()}: Dagster shows {len(wrong)} days as {shown[wrong[0]]}"] if wrong else []
