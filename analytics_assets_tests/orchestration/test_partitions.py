"""Which days there are, which of them are final, and which a schedule requests again."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster import DailyPartitionsDefinition

from analytics_assets.orchestration.partitions import (
    daily_partitions,
    exists_at,
    first_day,
    lookback,
    newest_final_day,
)
from analytics_assets.settings import settings
from analytics_assets.sources.airbridge.streams import App
from analytics_assets.sources.bento.streams import AdsSpec, WindowSpec
from analytics_assets.sources.statsig.streams import ValuesSpec

START = date(2026, 3, 1)
MINUTE = timedelta(minutes=1)

FinalAt = Callable[[date], datetime]


def after(hours: float, zone: str = "UTC") -> FinalAt:
    """Final that long after the day has ended in a zone."""

    def final_at(day: date) -> datetime:
        end = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))
        return end.astimezone(UTC) + timedelta(hours=hours)

    return final_at


MIDNIGHT = after(0)


def partitions(final_at: FinalAt = MIDNIGHT, start: date = START) -> DailyPartitionsDefinition:
    """The partitions of a start date."""
    return daily_partitions(start, final_at)


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def newest_key(found: DailyPartitionsDefinition, now: datetime) -> str | None:
    """The last key at an instant, as Dagster has it."""
    with dg.partition_loading_context(effective_dt=now):
        return found.get_last_partition_key()


ACCOUNTS: dict[str, FinalAt] = {
    "Bento": AdsSpec().final_at,
    "Bento in New York": AdsSpec(window=WindowSpec("America/New_York")).final_at,
    "Bento in New York, 30 hours": AdsSpec(window=WindowSpec("America/New_York"), final_after_hours=30).final_at,
    "Statsig": ValuesSpec().final_at,
    "Statsig, 54 hours": ValuesSpec(final_after_hours=54).final_at,
    "Airbridge in Seoul": App("shop", "Asia/Seoul", "KRW", 4).final_at,
    "Airbridge in Kolkata": App("shop", "Asia/Kolkata", "INR", 1.25).final_at,
    "Airbridge in Kiritimati": App("shop", "Pacific/Kiritimati", "USD", 0).final_at,
}


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize(
    "day",
    [
        date(2025, 6, 10),
        date(2025, 12, 31),
        # Clocks change in New York.
        date(2026, 3, 7),
        date(2026, 3, 8),
        date(2026, 10, 31),
        date(2026, 11, 1),
        date(2028, 2, 28),
        date(2028, 2, 29),
    ],
    ids=str,
)
def test_a_key_exists_from_the_minute_on_that_its_day_is_final(account: str, day: date) -> None:
    """In a zone with summer time up to an hour later in summer, and never earlier; no key is left out or comes twice."""
    final_at = ACCOUNTS[account]
    found = partitions(final_at, date(2025, 1, 1))
    exists = exists_at(day, found)
    late = exists - final_at(day)
    assert late == timedelta(0) or (
        "New_York" in account.replace(" ", "_") and timedelta(0) < late <= timedelta(hours=1)
    )
    assert newest_key(found, exists - MINUTE) == str(day - timedelta(days=1))
    assert newest_key(found, exists + MINUTE) == str(day)
    keys = found.get_partition_keys(current_time=exists)
    assert keys == [str(date(2025, 1, 1) + timedelta(number)) for number in range(len(keys))]
    assert keys[-1] == str(day)


@pytest.mark.parametrize("account", ACCOUNTS)
def test_every_key_of_two_years_can_be_requested(account: str) -> None:
    """Its day is final at the instant that it appears, and an hour before it is not."""
    final_at = ACCOUNTS[account]
    found = partitions(final_at, date(2025, 1, 1))
    for number in range(730):
        day = date(2025, 1, 1) + timedelta(number)
        assert final_at(day) <= exists_at(day, found) <= final_at(day) + timedelta(hours=1)


@pytest.mark.parametrize(
    ("start", "first"), [(None, "2026-03-01"), (date(2026, 3, 5), "2026-03-05"), (date(2026, 2, 1), "2026-03-01")]
)
def test_an_account_may_begin_later_but_not_earlier(start: date | None, first: str) -> None:
    """Its keys from then on are those that all accounts have."""
    of_account = partitions(start=first_day(settings({"ANALYTICS_START_DATE": str(START)}), start))
    keys = of_account.get_partition_keys(current_time=at("2026-03-09"))
    assert keys[0] == first
    assert keys == [key for key in partitions().get_partition_keys(current_time=at("2026-03-09")) if key >= first]


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
    assert newest_final_day(partitions(after(2)), after(2), at(now)) == newest


def test_hours_of_grace_make_the_newest_day_older() -> None:
    """A check misses a day only some hours after it could be requested."""
    assert newest_final_day(partitions(after(2)), after(50), at("2026-03-05T12:00:00")) == date(2026, 3, 2)


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
