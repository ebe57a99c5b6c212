"""Runs of adjacent days."""

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from analytics_assets.dates import hours_after, in_words, spans

DAYS = st.sets(st.dates(date(2024, 2, 20), date(2024, 3, 20)))


def test_adjacent_days_share_a_span_and_a_gap_ends_it() -> None:
    """Over the end of a leap February, whatever order they come in."""
    wanted = [date(2024, 3, 1), date(2024, 2, 28), date(2024, 3, 4), date(2024, 2, 29)]
    assert list(spans(wanted, longest=92)) == [
        [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)],
        [date(2024, 3, 4)],
    ]


@given(wanted=DAYS, longest=st.integers(1, 40))
def test_spans_hold_each_day_once_in_order_and_are_as_few_as_can_be(wanted: set[date], longest: int) -> None:
    """None is too long, each is without a gap, and two neighbours could not have been one."""
    found = list(spans(wanted, longest=longest))
    assert [day for span in found for day in span] == sorted(wanted)
    for span in found:
        assert 1 <= len(span) <= longest
        assert span[-1] - span[0] == timedelta(days=len(span) - 1)
    for before, after in pairwise(found):
        assert after[0] - before[-1] > timedelta(days=1) or len(before) == longest


def test_days_are_put_into_words() -> None:
    """One day by itself, more as a range, nothing as nothing."""
    march = [date(2026, 3, day) for day in (9, 1, 2, 3, 4, 11, 12)]
    assert in_words(march) == "2026-03-01 to 2026-03-04, 2026-03-09, 2026-03-11 to 2026-03-12"
    assert in_words([date(2026, 3, 9)]) == "2026-03-09"
    assert in_words([]) == ""


def test_a_day_is_final_some_hours_after_its_end_in_its_zone() -> None:
    """UTC by default, fixed offsets, and the day on which the clocks go forward ends an hour earlier."""
    day = date(2026, 3, 29)
    assert hours_after(day, 1.5) == datetime(2026, 3, 30, 1, 30, tzinfo=UTC)
    assert hours_after(day, 12, timezone(timedelta(hours=-8))) == datetime(2026, 3, 30, 20, tzinfo=UTC)
    assert hours_after(day, 1, ZoneInfo("Europe/Berlin")) == datetime(2026, 3, 29, 23, tzinfo=UTC)
    assert hours_after(day - timedelta(days=1), 1, ZoneInfo("Europe/Berlin")) == datetime(2026, 3, 29, 0, tzinfo=UTC)
