"""Which days there are, which of them are final, and which a schedule asks for again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from dagster import DailyPartitionsDefinition

from analytics_assets.orchestration.partitions import daily_partitions, lookback, newest_final_day
from analytics_assets.settings import settings

START = date(2026, 3, 1)


def partitions(timezone: str = "UTC", start: date = START) -> DailyPartitionsDefinition:
    """The partitions of a start date and zone."""
    return daily_partitions(replace(settings({}), timezone=timezone, start_date=start))


def after(hours: float) -> Callable[[date], datetime]:
    """Final that long after the UTC day has ended."""
    return lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1, hours=hours)


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_keys_are_calendar_days_from_the_start_date_in_the_settings_zone() -> None:
    """A day is a key when it is over there."""
    seoul = partitions("Asia/Seoul")
    assert seoul.get_partition_keys(current_time=at("2026-03-03T14:59:59")) == ["2026-03-01", "2026-03-02"]
    assert seoul.get_partition_keys(current_time=at("2026-03-03T15:00:00"))[-1] == "2026-03-03"
    assert (seoul.timezone, seoul.start.date()) == ("Asia/Seoul", START)


@pytest.mark.parametrize(
    ("start", "first"), [(None, "2026-03-01"), (date(2026, 3, 5), "2026-03-05"), (date(2026, 2, 1), "2026-03-01")]
)
def test_an_account_may_begin_later_but_not_earlier(start: date | None, first: str) -> None:
    """Its keys from then on are those that all accounts have."""
    of_all = partitions()
    of_account = daily_partitions(replace(settings({}), start_date=START), start)
    keys = of_account.get_partition_keys(current_time=at("2026-03-09"))
    assert keys[0] == first
    assert keys == [key for key in of_all.get_partition_keys(current_time=at("2026-03-09")) if key >= first]


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        ("2026-03-01T23:59:59", None),
        ("2026-03-02T00:00:00", None),
        ("2026-03-02T01:59:59", None),
        ("2026-03-02T02:00:00", date(2026, 3, 1)),
        ("2026-03-05T01:59:59", date(2026, 3, 3)),
        ("2026-03-05T02:00:00", date(2026, 3, 4)),
    ],
)
def test_the_newest_day_is_over_and_final(now: str, newest: date | None) -> None:
    """At the instant itself it is; before the first one there is none."""
    assert newest_final_day(partitions(), after(2), at(now)) == newest


@pytest.mark.parametrize(
    ("zone", "hours", "now", "newest"),
    [
        # The day ends at 15:00 UTC of the same day in Seoul and is a key long before it is final.
        ("Asia/Seoul", 2, "2026-03-04T23:00:00", date(2026, 3, 3)),
        ("Asia/Seoul", 2, "2026-03-05T02:00:00", date(2026, 3, 4)),
        # The day ends at 10:00 UTC of the next day in Honolulu; it was final before it is a key.
        ("Pacific/Honolulu", 2, "2026-03-05T09:59:59", date(2026, 3, 3)),
        ("Pacific/Honolulu", 2, "2026-03-05T10:00:00", date(2026, 3, 4)),
        # A vendor that needs days.
        ("UTC", 50, "2026-03-05T12:00:00", date(2026, 3, 2)),
    ],
)
def test_the_later_of_key_and_final_decides(zone: str, hours: float, now: str, newest: date) -> None:
    """Whichever of the two the zones put later."""
    assert newest_final_day(partitions(zone), after(hours), at(now)) == newest


def test_a_day_in_the_year_of_a_clock_change_is_one_key() -> None:
    """The hour that Berlin skips makes the day shorter, not two of them."""
    berlin = partitions("Europe/Berlin", date(2026, 3, 28))
    keys = berlin.get_partition_keys(current_time=at("2026-03-30T22:00:00"))
    assert keys == ["2026-03-28", "2026-03-29", "2026-03-30"]
    assert newest_final_day(berlin, after(-24), at("2026-03-29T21:59:59")) == date(2026, 3, 28)
    assert newest_final_day(berlin, after(-24), at("2026-03-29T22:00:00")) == date(2026, 3, 29)


def test_a_vendor_whose_days_never_become_final_has_no_newest_day() -> None:
    """The search ends with the first day."""
    never = datetime.max.replace(tzinfo=UTC)
    asked: list[date] = []

    def final_at(day: date) -> datetime:
        asked.append(day)
        return never

    assert newest_final_day(partitions(), final_at, at("2026-03-05T12:00:00")) is None
    assert asked == [date(2026, 3, day) for day in (4, 3, 2, 1)]


def test_a_start_in_the_future_has_no_newest_day() -> None:
    """Nothing is over yet."""
    assert newest_final_day(partitions(start=date(2026, 4, 1)), after(0), at("2026-03-05T12:00:00")) is None


@pytest.mark.parametrize(
    ("days", "first"), [(1, date(2026, 3, 5)), (3, date(2026, 3, 3)), (5, START), (6, START), (400, START)]
)
def test_the_lookback_ends_with_the_newest_day_and_never_begins_before_the_first(days: int, first: date) -> None:
    """The newest day counts as one of them."""
    assert lookback(date(2026, 3, 5), days, start=START) == first
