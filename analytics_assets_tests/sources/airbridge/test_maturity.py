"""Which days a schedule asks for, by what stands in the lake and when that was read."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from analytics_assets.lake.store import Lake
from analytics_assets.sources.airbridge.maturity import GRACE_DAYS, first_changing
from analytics_assets.sources.airbridge.request import spec_hash
from analytics_assets.sources.airbridge.streams import App
from analytics_assets.sources.airbridge.tables import cohorts_table, report_raw_table
from analytics_assets_tests.sources.airbridge.vendor import spec

SEOUL = App("myapp", "Asia/Seoul", "USD", 4.0)
THREE = spec(intervals=3)
NEWEST = date(2026, 3, 31)


def first(tmp_path: Path, read: Mapping[int, datetime], *, asked: str = spec_hash(THREE)) -> date | None:
    """What is asked for where these days of March stand, each read at an instant."""
    lake = Lake(str(tmp_path))
    for number, at in read.items():
        for table, by in ((report_raw_table(THREE), asked), (cohorts_table(THREE), "")):
            lake.land("shop", table, date(2026, 3, number), table.schema.empty_table(), asked=by, requested_at=at)
    return first_changing(lake, "shop", SEOUL, THREE, newest=NEWEST, lookback_days=9)


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


def test_a_day_that_is_missing_in_between_is_asked_for(tmp_path: Path) -> None:
    """A file removed by hand comes back with the next schedule."""
    read = {number: after(number, 9) for number in range(2, 32)}
    del read[9]
    assert first(tmp_path, read) == date(2026, 3, 9)


def test_what_lies_before_all_that_stands_was_never_wanted(tmp_path: Path) -> None:
    """The day after a first load asks for no more than it."""
    assert first(tmp_path, {30: after(30, 1)}) == date(2026, 3, 30)


def test_days_of_another_specification_are_asked_for_again(tmp_path: Path) -> None:
    """However old they are, within the days of grace."""
    assert first(tmp_path, {number: after(number, 9) for number in range(5, 32)}, asked="other") == date(2026, 3, 5)


def test_nothing_is_looked_at_beyond_the_days_of_grace(tmp_path: Path) -> None:
    """An old day that never matured is left to a person; one within is not."""
    oldest = NEWEST - timedelta(days=3 + GRACE_DAYS)
    lake = Lake(str(tmp_path))
    for day in (oldest - timedelta(days=1), *(NEWEST - timedelta(days=number) for number in range(3 + GRACE_DAYS))):
        for table, by in ((report_raw_table(THREE), spec_hash(THREE)), (cohorts_table(THREE), "")):
            at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=0 if day < oldest else 9)
            lake.land("shop", table, day, table.schema.empty_table(), asked=by, requested_at=at)
    assert first_changing(lake, "shop", SEOUL, THREE, newest=NEWEST, lookback_days=9) is None
