"""Which days a schedule requests, by what stands in the lake and when that was read."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from analytics_assets.dates import days_between
from analytics_assets.errors import PermanentError
from analytics_assets.lake.store import Lake
from analytics_assets.sources.airbridge.client import QUERY
from analytics_assets.sources.airbridge.maturity import GRACE_DAYS, first_changing
from analytics_assets.sources.airbridge.report_loader import Waiting
from analytics_assets.sources.airbridge.report_spec import ReportSpec, spec_hash
from analytics_assets.sources.airbridge.streams import App
from analytics_assets.sources.airbridge.tables import cohorts_table, report_raw_table
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy
from analytics_assets_tests.sources.airbridge.vendor import spec

SEOUL = App("myapp", "Asia/Seoul", "USD", 4.0)
THREE = spec(intervals=3, settle_days=0)
SETTLING = spec(intervals=3, settle_days=2)
NEWEST = date(2026, 3, 31)


def first(
    tmp_path: Path, read: Mapping[int, datetime], *, asked: str = spec_hash(THREE), of: ReportSpec = THREE
) -> date | None:
    """What is requested where these days of March stand, each read at an instant."""
    lake = Lake(str(tmp_path))
    for number, at in read.items():
        for table, by in ((report_raw_table(THREE), asked), (cohorts_table(THREE), "")):
            lake.store_day(
                "shop", table, date(2026, 3, number), table.schema.empty_table(), request_hash=by, requested_at=at
            )
    return first_changing(lake, "shop", SEOUL, of, newest=NEWEST, lookback_days=9)


def after(number: int, days: int, hour: int = 12) -> datetime:
    """An instant so many UTC days after a day of March."""
    return datetime(2026, 3, number, hour, tzinfo=UTC) + timedelta(days=days)


def test_a_first_load_asks_for_the_lookback(tmp_path: Path) -> None:
    """Nothing stands, so nothing says how far back anybody wants to look."""
    assert first(tmp_path, {}) == date(2026, 3, 23)


def test_every_cohort_that_changes_is_asked_for_and_no_mature_one(tmp_path: Path) -> None:
    """Read daily: what was read when the last interval was over is done. Intervals 0 to 3 are four days, the newest of them new."""
    daily = {number: after(min(number, 26), 4) if number < 27 else after(30, 0, 20) for number in range(1, 31)}
    assert first(tmp_path, daily) == date(2026, 3, 28)


@pytest.mark.parametrize(("hour", "expected"), [(14, date(2026, 3, 25)), (15, None)])
def test_a_cohort_is_mature_when_its_last_day_was_over_in_the_apps_zone(
    tmp_path: Path, hour: int, expected: date | None
) -> None:
    """15:00 UTC is midnight in Seoul."""
    read = {number: after(number, 4) for number in range(24, 32)}
    assert first(tmp_path, {**read, 25: after(25, 3, hour)}) == expected


def test_a_cohort_is_requested_until_its_settle_days_are_over(tmp_path: Path) -> None:
    """Read daily: three intervals and two days after them, so the newest six cohorts are requested."""
    daily = {number: after(min(number, 24), 6) if number < 25 else after(30, 0, 20) for number in range(1, 31)}
    assert first(tmp_path, daily, of=SETTLING) == date(2026, 3, 26)
    assert first(tmp_path, daily) == date(2026, 3, 28)


@pytest.mark.parametrize(("hour", "expected"), [(14, date(2026, 3, 25)), (15, None)])
def test_a_cohort_is_settled_when_the_last_of_its_settle_days_was_over(
    tmp_path: Path, hour: int, expected: date | None
) -> None:
    """The app's midnight counts here too."""
    read = {number: after(number, 6) for number in range(22, 32)}
    assert first(tmp_path, {**read, 25: after(25, 5, hour)}, of=SETTLING) == expected


def test_days_mature_but_not_settled_are_requested_within_the_days_of_grace(tmp_path: Path) -> None:
    """So a lake that was written without settle days catches up in one reading."""
    assert first(tmp_path, {number: after(number, 4) for number in range(1, 32)}, of=SETTLING) == date(2026, 3, 1)


def test_a_span_of_more_than_92_days_takes_a_second_task(tmp_path: Path) -> None:
    """90 intervals, three days to settle, and the newest cohort."""
    of, lake = spec(intervals=90), Lake(str(tmp_path))
    for day in days_between(NEWEST - timedelta(days=120), NEWEST - timedelta(days=1)):
        requested_at = min(datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + timedelta(days=94), after(31, 0))
        for table, by in ((report_raw_table(of), spec_hash(of)), (cohorts_table(of), "")):
            lake.store_day("shop", table, day, table.schema.empty_table(), request_hash=by, requested_at=requested_at)
    oldest = first_changing(lake, "shop", SEOUL, of, newest=NEWEST, lookback_days=9)
    assert oldest == NEWEST - timedelta(days=93)
    requests = Waiting(360, 92, 100, TaskPolicy()).request_count(days_between(oldest, NEWEST))
    assert requests[f"POST {QUERY}"] == 2


def test_settle_days_are_no_part_of_the_request() -> None:
    """A changed number leaves stored days what they are."""
    assert spec_hash(SETTLING) == spec_hash(THREE)


@pytest.mark.parametrize("days", [-1, 93])
def test_settle_days_out_of_range_are_refused(days: int) -> None:
    """The message names the bounds."""
    with pytest.raises(PermanentError, match=r"settle_days: .* is not within 0 to 92 days"):
        spec(settle_days=days)


def test_a_day_that_is_missing_in_between_is_asked_for(tmp_path: Path) -> None:
    """A file removed by hand comes back with the next schedule."""
    read = {number: after(number, 9) for number in range(2, 32)}
    del read[9]
    assert first(tmp_path, read) == date(2026, 3, 9)


def test_what_lies_before_all_that_stands_was_never_wanted(tmp_path: Path) -> None:
    """The day after a first load requests no more than it."""
    assert first(tmp_path, {30: after(30, 1)}) == date(2026, 3, 30)


def test_days_of_another_specification_are_asked_for_again(tmp_path: Path) -> None:
    """However old they are, within the days of grace."""
    assert first(tmp_path, {number: after(number, 9) for number in range(5, 32)}, asked="other") == date(2026, 3, 5)


def test_nothing_is_looked_at_beyond_the_days_of_grace(tmp_path: Path) -> None:
    """An old day that never settled is left to a person; one within is not."""
    oldest = NEWEST - timedelta(days=3 + GRACE_DAYS)
    lake = Lake(str(tmp_path))
    for day in (oldest - timedelta(days=1), *(NEWEST - timedelta(days=number) for number in range(3 + GRACE_DAYS))):
        for table, by in ((report_raw_table(THREE), spec_hash(THREE)), (cohorts_table(THREE), "")):
            at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=0 if day < oldest else 9)
            lake.store_day("shop", table, day, table.schema.empty_table(), request_hash=by, requested_at=at)
    assert first_changing(lake, "shop", SEOUL, THREE, newest=NEWEST, lookback_days=9) is None
