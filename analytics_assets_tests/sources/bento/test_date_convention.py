"""What a reading says a window is, and which answers contradict it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics_assets.sources.bento.date_convention import (
    DAY,
    HOUR,
    DateConvention,
    Observation,
    Point,
    Question,
    bucket_of,
    fits,
    zones,
)

ASKED_AT = datetime(2026, 3, 20, 2, tzinfo=UTC)  # still the 19th in New York
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 3)


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """An instant of March 2026."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reading", "spelling", "window"),
    [
        (DateConvention("UTC", "exclusive", "midnight"), "iso", (at(1), at(3))),
        (DateConvention("UTC", "inclusive", "midnight"), "iso", (at(1), at(4))),
        (DateConvention("UTC", "exclusive", "noon"), "iso", (at(1, 12), at(3, 12))),
        (DateConvention("UTC", "inclusive", "noon"), "iso", (at(1, 12), at(4))),
        (DateConvention("UTC", "exclusive", "noon"), "iso_time", (at(1), at(3))),
        (DateConvention("America/New_York", "exclusive", "midnight"), "iso", (at(1, 5), at(3, 5))),
        (DateConvention("America/New_York", "exclusive", "midnight"), "words", (at(1, 5) - DAY, at(3, 5) - DAY)),
        (DateConvention("Asia/Kolkata", "inclusive", "noon"), "words", (at(1) - 5.5 * HOUR, at(4) - 5.5 * HOUR)),
    ],
)
def test_a_reading_turns_a_question_into_instants(reading, spelling, window):
    """Words count back from the day it is there; a time of day and words leave noon aside."""
    assert reading.window(Question(spelling, FIRST, LAST, ASKED_AT)) == window


def test_a_question_has_the_texts_that_are_sent():
    """Counted from the UTC day of the request."""
    assert [Question(spelling, FIRST, LAST, ASKED_AT).texts() for spelling in ("iso", "iso_time", "words")] == [
        ("2026-03-01", "2026-03-03"),
        ("2026-03-01 00:00", "2026-03-03 00:00"),
        ("19 days ago", "17 days ago"),
    ]


def test_zones_that_begin_all_days_at_the_same_instants_are_one():
    """A name most people know stands for them; a zone that differs on one day of the range is another."""
    winter = zones(date(2026, 1, 1), date(2026, 1, 2))
    year = zones(date(2025, 3, 1), date(2026, 3, 1))
    alike = {"America/New_York", "America/Toronto", "America/Lima"}
    assert alike <= set(winter["America/New_York"])
    assert alike & set(year["America/New_York"]) == {"America/New_York", "America/Toronto"}
    assert "Asia/Calcutta" in year["Asia/Kolkata"]
    assert len(winter) < len(year)


@pytest.mark.parametrize(
    ("hours", "bucket"),
    [
        ([0, 1, 2], HOUR),
        ([0, 24, 48], DAY),
        ([0, 24, 47, 95], DAY),
        ([0, 24], HOUR),
        ([0, 24, 52], HOUR),
        ([], HOUR),
    ],
)
def test_a_chart_is_daily_where_at_least_three_points_begin_whole_days_apart(hours, bucket):
    """Give or take the hour of a change of clocks; fewer points prove nothing."""
    assert bucket_of([Point(at(1) + hour * HOUR, 1, 1) for hour in hours]) == bucket


def test_too_few_points_are_as_long_as_those_of_another_answer():
    """A day's only point, where the map was daily."""
    assert bucket_of([Point(at(1), 1, 1)], DAY) == DAY


def hourly(first: date, last: date, start: datetime, counts: str, spelling="iso") -> Observation:
    """A response whose hours, from `start` on, have these signups; a dot is an hour left out."""
    points = [Point(start + number * HOUR, int(one), 0) for number, one in enumerate(counts) if one != "."]
    return Observation(Question(spelling, first, last, ASKED_AT), tuple(points), HOUR)


UTC_DAY = "1.2.3....4...5.......6.1"
NEXT_DAY = "2.......................".replace(".", "1")


@pytest.mark.parametrize(
    ("reading", "is_possible"),
    [
        (DateConvention("UTC", "exclusive", "midnight"), True),
        (DateConvention("UTC", "inclusive", "midnight"), False),
        (DateConvention("UTC", "exclusive", "noon"), False),
        (DateConvention("Europe/Berlin", "exclusive", "midnight"), False),
        (DateConvention("Atlantic/Azores", "exclusive", "midnight"), False),
        (DateConvention("Asia/Kolkata", "exclusive", "midnight"), False),
    ],
)
def test_only_the_true_reading_fits_a_day_and_the_two_days_it_lies_in(reading, is_possible):
    """A zone puts points outside, an end requests sums that are not there."""
    whole = hourly(date(2026, 3, 1), date(2026, 3, 3), at(1), UTC_DAY + NEXT_DAY)
    part = hourly(date(2026, 3, 1), date(2026, 3, 2), at(1), UTC_DAY)
    assert fits(reading, [whole, part]) == is_possible


def test_a_half_hour_is_told_by_where_the_hours_begin():
    """All points lie inside the day of both, but Tashkent's hours do not begin at half past."""
    seen = [hourly(date(2026, 3, 1), date(2026, 3, 2), at(1) - 5.5 * HOUR, "." * 8 + "11" + "." * 8)]
    readings = [DateConvention(zone, "exclusive", "midnight") for zone in ("Asia/Kolkata", "Asia/Tashkent")]
    assert [fits(reading, seen) for reading in readings] == [True, False]


def test_a_daily_point_is_a_midnight_of_the_zone():
    """Also in the zone whose window begins at noon, where it begins before the window does."""
    points = tuple(Point(at(day, 5), 20, 0) for day in (1, 2))
    seen = [Observation(Question("iso", date(2026, 3, 1), date(2026, 3, 3), ASKED_AT), points, DAY)]
    fitting = {
        (zone, means): fits(DateConvention(zone, "exclusive", means), seen)
        for zone in ("America/New_York", "America/Chicago", "UTC")
        for means in ("midnight", "noon")
    }
    assert fitting == {
        ("America/New_York", "midnight"): True,
        ("America/New_York", "noon"): True,
        ("America/Chicago", "midnight"): False,
        ("America/Chicago", "noon"): False,
        ("UTC", "midnight"): False,
        ("UTC", "noon"): False,
    }


@pytest.mark.parametrize(("signups", "is_possible"), [(50, False), (31, True), (9, True)])
def test_half_a_busy_day_is_not_all_of_it(signups, is_possible):
    """With a time of day the whole first day is counted; from noon on it would be less, unless it is too quiet to say."""

    def daily(spelling, *counts):
        points = tuple(Point(at(1) + number * DAY, count, 0) for number, count in enumerate(counts))
        return Observation(Question(spelling, date(2026, 3, 1), date(2026, 3, 2), ASKED_AT), points, DAY)

    full = 50 if signups > 9 else 9
    assert (
        fits(DateConvention("UTC", "exclusive", "noon"), [daily("iso_time", full), daily("iso", signups)])
        == is_possible
    )


def test_refunds_say_nothing_about_sums():
    """Money below zero makes a part larger than the whole."""
    points = (Point(at(1), 1, 500), Point(at(1, 1), 1, -900))
    whole = Observation(Question("iso", date(2026, 3, 1), date(2026, 3, 3), ASKED_AT), points, HOUR, "USD")
    part = Observation(Question("iso", date(2026, 3, 1), date(2026, 3, 2), ASKED_AT), points, HOUR, "USD")
    assert fits(DateConvention("UTC", "exclusive", "midnight"), [whole, part])


@pytest.mark.parametrize(
    ("currencies", "is_possible"),
    [(("USD", "USD"), False), (("USD", "EUR"), True), (("USD", None), True), ((None, None), True)],
)
def test_money_is_compared_within_one_currency_alone(currencies, is_possible):
    """The part has less money than the whole shows within it, and as many signups."""
    whole, part = (
        Observation(
            Question("iso", date(2026, 3, 1), date(2026, 3, last), ASKED_AT), (Point(at(1), 1, money),), HOUR, currency
        )
        for last, money, currency in zip((3, 2), (500, 400), currencies, strict=True)
    )
    assert fits(DateConvention("UTC", "exclusive", "midnight"), [whole, part]) == is_possible


def test_a_day_of_the_clock_change_has_its_own_length():
    """New York's 8 March 2026 ends at 04:00 UTC."""
    seen = [hourly(date(2026, 3, 8), date(2026, 3, 9), at(8, 5), "1" * 23)]
    longer = [hourly(date(2026, 3, 8), date(2026, 3, 9), at(8, 5), "1" * 24)]
    reading = DateConvention("America/New_York", "exclusive", "midnight")
    assert (fits(reading, seen), fits(reading, longer)) == (True, False)
    assert reading.window(seen[0].question)[1] - reading.window(seen[0].question)[0] == timedelta(hours=23)
