"""What a schedule requests at an instant."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

import analytics_assets
from analytics_assets.errors import TransientError
from analytics_assets.lake.store import Lake
from analytics_assets.operations.shared import Shared
from analytics_assets.orchestration.asset_checks import newest_due_day
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.orchestration.partitions import daily_partitions, newest_final_day
from analytics_assets.orchestration.schedules import Changing, DailyLoad, daily_load, snapshots
from analytics_assets_tests.shop import PARTITIONS, Shop, span

DAILY, SNAPSHOTS = {dg.AssetKey(["shop", "numbers"])}, {dg.AssetKey(["a", "counts"]), dg.AssetKey(["b", "counts"])}


def final_at(day: date) -> datetime:
    """Two hours after the UTC day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1, hours=2)


def built(*, lookback_days: int = 3, is_on: bool = False) -> dg.Definitions:
    """One account with a job and schedule, from the first of March on, and snapshots of two others."""
    partitions = daily_partitions(date(2026, 3, 1), final_at)

    @dg.multi_asset(specs=[dg.AssetSpec(key, tags={"reading": "daily"}) for key in DAILY], partitions_def=partitions)
    def numbers() -> Iterator[dg.MaterializeResult[None]]:
        """A daily table."""
        yield from ()

    @dg.multi_asset(specs=[dg.AssetSpec(key, tags={"reading": "snapshot"}) for key in sorted(SNAPSHOTS)])
    def counts() -> Iterator[dg.MaterializeResult[None]]:
        """Readings of what has no history."""
        yield from ()

    load = DailyLoad("30 4 * * *", lookback_days, final_at)
    schedules = [
        daily_load("shop", [numbers], load, partitions, is_on=is_on),
        snapshots(dg.AssetSelection.assets(*SNAPSHOTS), "30 9 * * *", is_on=is_on),
    ]
    return dg.Definitions(assets=[numbers, counts], jobs=[schedule.job for schedule in schedules], schedules=schedules)


def tick(now: str, name: str = "shop_daily", **given: Any) -> dg.RunRequest | str:
    """What the schedule requests at an instant in UTC, or why it requests nothing."""
    repository = built(**given).get_repository_def()
    with dg.build_schedule_context(
        scheduled_execution_time=datetime.fromisoformat(now).replace(tzinfo=UTC), repository_def=repository
    ) as context:
        data = repository.get_schedule_def(name).evaluate_tick(context)
    if data.skip_message is not None:
        return data.skip_message
    assert data.run_requests is not None
    [request] = data.run_requests
    return request


def asked(now: str, **given: Any) -> tuple[str, str]:
    """First and last day of the range requested."""
    request = tick(now, **given)
    assert isinstance(request, dg.RunRequest)
    tags = request.tags
    return tags["dagster/asset_partition_range_start"], tags["dagster/asset_partition_range_end"]


def test_the_lookback_is_asked_for_as_one_range_run() -> None:
    """It ends with the newest final day; each tick has a key of its own, or a failed day would never be requested again."""
    request = tick("2026-03-10T04:30")
    assert isinstance(request, dg.RunRequest)
    assert (request.run_key, request.partition_key) == ("shop:2026-03-10T04:30Z:2026-03-07", None)
    assert {name: value for name, value in request.tags.items() if "partition" in name} == {
        "dagster/asset_partition_range_start": "2026-03-07",
        "dagster/asset_partition_range_end": "2026-03-09",
    }


@pytest.mark.parametrize(
    ("now", "days"),
    [
        ("2026-03-10T01:59", ("2026-03-06", "2026-03-08")),
        ("2026-03-10T02:00", ("2026-03-07", "2026-03-09")),
        ("2026-03-03T04:30", ("2026-03-01", "2026-03-02")),
        ("2026-03-02T02:00", ("2026-03-01", "2026-03-01")),
    ],
)
def test_only_final_days_from_the_start_date_on_are_asked_for(now: str, days: tuple[str, str]) -> None:
    """A tick before the day is final takes the day before; the lookback is cut at the first day."""
    assert asked(now) == days


def test_before_the_first_day_is_final_the_tick_is_skipped_in_words() -> None:
    """No run of no days."""
    assert tick("2026-03-02T01:59") == "No day from 2026-03-01 on is final yet."


@pytest.mark.parametrize(
    ("is_on", "status"), [(True, dg.DefaultScheduleStatus.RUNNING), (False, dg.DefaultScheduleStatus.STOPPED)]
)
def test_settings_say_whether_schedules_run_by_default(is_on: bool, status: dg.DefaultScheduleStatus) -> None:
    """In UTC, whatever zone the partitions are in."""
    schedules = built(is_on=is_on).get_repository_def().schedule_defs
    assert {
        (schedule.name, schedule.cron_schedule, schedule.execution_timezone, schedule.default_status)
        for schedule in schedules
    } == {("shop_daily", "30 4 * * *", "UTC", status), ("snapshots", "30 9 * * *", "UTC", status)}


def test_each_job_takes_its_own_kind_of_table() -> None:
    """The daily job the account's, the snapshot job those of all accounts."""
    repository = built().get_repository_def()
    jobs = {
        name: set(repository.get_job(name).asset_layer.executable_asset_keys) for name in ("shop_daily", "snapshots")
    }
    assert jobs == {"shop_daily": DAILY, "snapshots": SNAPSHOTS}


def test_the_snapshot_schedule_asks_for_one_reading() -> None:
    """Of everything, without partition."""
    request = tick("2026-03-10T09:30", "snapshots")
    assert isinstance(request, dg.RunRequest)
    assert (request.partition_key, [name for name in request.tags if "partition" in name]) == (None, [])


def changing_tick(tmp_path: Path, *firsts: date | None) -> list[tuple[str | None, str, list[str]]] | str | None:
    """What a schedule requests whose reports change from these days on: run key, first day, tables; or why nothing."""
    partitions = daily_partitions(date(2026, 3, 1), final_at)
    keys = [dg.AssetKey(["shop", f"report{number}"]) for number in range(len(firsts))]

    @dg.multi_asset(specs=[dg.AssetSpec(key) for key in keys], partitions_def=partitions, can_subset=True)
    def reports() -> Iterator[dg.MaterializeResult[None]]:
        """A table a report."""
        yield from ()

    seen: list[date] = []

    def told(day: date | None) -> Callable[[Lake, date], date | None]:
        def first(lake: Lake, newest: date) -> date | None:
            seen.append(newest)
            assert lake.root == str(tmp_path)
            return day

        return first

    changing = [Changing([key], told(day)) for key, day in zip(keys, firsts, strict=True)]
    schedule = daily_load("shop", [reports], DailyLoad("30 4 * * *", 5, final_at, changing), partitions, is_on=False)
    definitions = dg.Definitions(
        assets=[reports],
        jobs=[schedule.job],
        schedules=[schedule],
        resources={"lake": LakeResource(root=str(tmp_path))},
    )
    repository = definitions.get_repository_def()
    with dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 3, 10, 4, 30, tzinfo=UTC),
        repository_def=repository,
        resources={"lake": LakeResource(root=str(tmp_path))},
    ) as context:
        data = repository.get_schedule_def("shop_daily").evaluate_tick(context)
    assert set(seen) == {date(2026, 3, 9)}
    if data.skip_message is not None:
        return data.skip_message
    return [
        (
            request.run_key,
            request.tags["dagster/asset_partition_range_start"],
            sorted(key.path[-1] for key in request.asset_selection or ()),
        )
        for request in data.run_requests or ()
    ]


def test_a_schedule_asks_for_the_days_that_change_one_run_for_reports_of_one_range(tmp_path: Path) -> None:
    """Reports of other intervals have a run of their own; one that does not change has none; nothing begins before all tables."""
    assert changing_tick(tmp_path, date(2026, 3, 7), date(2026, 3, 5), date(2026, 3, 7), None, date(2026, 2, 1)) == [
        ("shop:2026-03-10T04:30Z:2026-03-01", "2026-03-01", ["report4"]),
        ("shop:2026-03-10T04:30Z:2026-03-05", "2026-03-05", ["report1"]),
        ("shop:2026-03-10T04:30Z:2026-03-07", "2026-03-07", ["report0", "report2"]),
    ]


def test_a_schedule_says_that_nothing_changes_any_more(tmp_path: Path) -> None:
    """A green tick without a run has to say why."""
    assert changing_tick(tmp_path, None) == "Nothing of shop changes any more."


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """An account whose runs are kept in SQLite files, as a schedule reads them."""
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        yield Shop(tmp_path / "lake", instance)


def nightly(shop: Shop, lookback_days: int = 2) -> list[tuple[str, str]]:
    """First and last day of each range that the shop's schedule requests on the eleventh of March."""
    load = DailyLoad("30 4 * * *", lookback_days, final_at)
    schedule = daily_load("shop", [shop.assets()], load, PARTITIONS, is_on=False)
    with dg.build_schedule_context(
        shop.instance, scheduled_execution_time=datetime(2026, 3, 11, 4, 30, tzinfo=UTC)
    ) as context:
        requests = schedule.evaluate_tick(context).run_requests or ()
    assert len({request.run_key for request in requests}) == len(requests)
    return [
        tuple(request.tags[f"dagster/asset_partition_range_{end}"][-2:] for end in ("start", "end"))
        for request in requests
    ]


def fails(shop: Shop, *days: int) -> None:
    """Has the vendor answer no more for these days, and for all others."""
    shop.vendor.answers = {date(2026, 3, day): TransientError("Vendor: HTTP 503.") for day in days}


def test_days_before_the_lookback_that_are_red_or_left_out_are_asked_for_again_until_they_are_green(shop: Shop) -> None:
    """Those alone, of a week; one that failed when it was read again is red too, though it stands, and adjacent days are one run."""
    shop.run(span("02", "04"))
    fails(shop, 1, 3, 7)
    shop.run(span("01", "03"))
    shop.run(span("06", "08"))
    assert shop.statuses("numbers") == {
        **dict.fromkeys(("01", "03", "07"), "FAILED"),
        **dict.fromkeys(("02", "04", "06", "08"), "MATERIALIZED"),
    }
    assert nightly(shop, lookback_days=3) == [("01", "01"), ("03", "03"), ("05", "05"), ("07", "10")]
    assert nightly(shop) == [("03", "03"), ("05", "05"), ("07", "07"), ("09", "10")]
    fails(shop)
    shop.vendor.asked.clear()
    for first, last in nightly(shop):
        shop.run(span(first, last))
    assert shop.vendor.asked == [date(2026, 3, day) for day in (3, 5, 7, 9, 10)]
    assert nightly(shop) == [("09", "10")]


def test_days_that_nobody_ever_wanted_and_days_under_way_are_left_alone(shop: Shop) -> None:
    """Before the first day that was requested, and where a run is to begin."""
    assert nightly(shop) == [("09", "10")]
    shop.run(span("05", "05"))
    assert nightly(shop) == [("06", "10")]
    shop.instance.create_run_for_job(job_def=shop.job(), tags=span("06", "07"))
    assert nightly(shop) == [("08", "10")]


# Dagster warns of itself where it loads a folder.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("account", ["airbridge", "bento", "statsig"])
def test_the_shipped_checks_miss_no_day_that_the_shipped_schedule_cannot_have_asked_for(account: str) -> None:
    """A check that counted from the end of a day alone would fail every morning."""
    project = dg.ComponentTree.for_project(Path(analytics_assets.__file__).parent)
    component: Any = project.load_component(account)
    checks_cron = project.load_component("shared", Shared).checks_cron
    vendor, cron = component.diagnostics().account, component.schedule.cron
    partitions = component.partitions(account)
    for number in range(60):
        checked_at = _at(checks_cron, date(2026, 1, 1) + timedelta(days=7 * number))
        ticks = [_at(cron, checked_at.date() - timedelta(days=back)) for back in (0, 1)]
        asked = newest_final_day(partitions, vendor.final_at, max(tick for tick in ticks if tick < checked_at))
        due = newest_due_day(partitions, vendor.final_at, vendor.limits, checked_at)
        assert asked is not None
        assert due is not None
        # Nor is it missed much later than it could be.
        assert asked - timedelta(days=1) <= due <= asked


def _at(cron: str, day: date) -> datetime:
    """When a cron line of once a day ticks on a day."""
    minute, hour, *rest = cron.split()
    assert rest == ["*"] * 3
    return datetime.combine(day, time(int(hour), int(minute)), UTC)
