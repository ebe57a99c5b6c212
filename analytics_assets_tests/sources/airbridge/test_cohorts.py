"""What is reached, what is masked, what is missing, and what the figures of a day say of it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from analytics_assets.errors import UnexpectedPayloadError
from analytics_assets_tests.sources.airbridge.days import columns, typed
from analytics_assets_tests.sources.airbridge.vendor import spec, sub_row

MASKED = {"value": 5, "isMasked": True}


def at(day: int, hour: int = 12) -> datetime:
    """An instant in March 2026, UTC."""
    return datetime(2026, 3, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "zone", "reached"),
    [
        (datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC), "UTC", 0),
        (datetime(2026, 3, 2, 0, 0, 0, tzinfo=UTC), "UTC", 1),
        (datetime(2026, 3, 3, 14, 59, 59, tzinfo=UTC), "Asia/Seoul", 2),
        (datetime(2026, 3, 3, 15, 0, 0, tzinfo=UTC), "Asia/Seoul", 3),
        (datetime(2026, 3, 3, 7, 59, 59, tzinfo=UTC), "America/Los_Angeles", 1),
        (datetime(2026, 3, 3, 8, 0, 0, tzinfo=UTC), "America/Los_Angeles", 2),
        (datetime(2026, 2, 1, tzinfo=UTC), "UTC", 0),
        (datetime(2027, 1, 1, tzinfo=UTC), "UTC", 3),
    ],
)
def test_an_interval_is_reached_when_its_day_is_over_in_the_zone_of_the_app(asked: datetime, zone: str, reached: int):
    """To the second, and whatever values were sent for the days after."""
    cohorts, _ = typed(sub_row("2026-03-01", 1, 2, 3), requested_at=asked, zone=zone)
    values = [Decimal(1), Decimal(2), Decimal(3)]
    assert columns(cohorts, "days_since_start", "value", "is_reached") == [
        (number, values[number] if number < reached else None, number < reached) for number in range(3)
    ]


@pytest.mark.parametrize(
    "padding",
    [(), (0,), (0, 0), (None, None), ({"value": None}, {}), (7, 7), ({"value": 0, "isMasked": True},)],
)
def test_what_is_not_reached_has_no_number_however_it_is_padded(padding: tuple[Any, ...]):
    """No page says how the list of a young cohort ends; zero, null, nothing and half a day's figure are the same."""
    cohorts, _ = typed(sub_row("2026-03-01", 4, *padding), requested_at=at(2))
    assert columns(cohorts, "days_since_start", "value", "is_masked", "is_reached") == [
        (0, Decimal(4), False, True),
        (1, None, False, False),
        (2, None, False, False),
    ]
    assert cohorts.figures["missing_values"] == 0


@pytest.mark.parametrize("absent", [None, {}, {"value": None}, {"isMasked": False}])
def test_a_reached_value_that_was_not_sent_is_missing_and_no_zero(absent: Any):
    """It is counted, and no sum is told that leaves it out."""
    cohorts, _ = typed(sub_row("2026-03-01", absent, 0, 2), sub_row("2026-03-01", 1, 1))
    assert columns(cohorts, "channel", "days_since_start", "value", "is_reached") == [
        ("a", 0, None, True),
        ("a", 1, Decimal(0), True),
        ("a", 2, Decimal(2), True),
        ("b", 0, Decimal(1), True),
        ("b", 1, Decimal(1), True),
        ("b", 2, None, True),
    ]
    assert cohorts.figures == {
        "groups": 2,
        "masked_share": 0.0,
        "missing_values": 2,
        "complete_through_interval": 2,
        "is_mature": True,
        "mature_since": "2026-03-04",
    }


def test_a_list_of_values_that_is_null_is_a_list_of_none():
    """The field itself must be there; the client refuses a sub-row without it."""
    cohorts, _ = typed(sub_row("2026-03-01") | {"values": None}, requested_at=at(2))
    assert columns(cohorts, "value", "is_reached") == [(None, True), (None, False), (None, False)]
    assert cohorts.figures["missing_values"] == 1


def test_a_masked_value_keeps_its_number_and_its_flag():
    """A masked null is not missing: the vendor says why it is not there. No sum is told that a masked number is in."""
    cohorts, totals = typed(
        sub_row(
            "2026-03-01", MASKED, {"value": None, "isMasked": True}, 7, cost=MASKED, revenue=3, users={"isMasked": True}
        )
    )
    assert columns(cohorts, "value", "is_masked") == [(Decimal(5), True), (None, True), (Decimal(7), False)]
    names = ("cost", "cost_is_masked", "revenue", "revenue_is_masked", "users", "users_is_masked", "currency")
    assert columns(totals, *names) == [(Decimal(5), True, Decimal(3), False, None, True, "EUR")]
    assert cohorts.figures == {
        "groups": 1,
        "masked_share": 0.6667,
        "missing_values": 0,
        "complete_through_interval": 2,
        "is_mature": True,
        "mature_since": "2026-03-04",
    }
    assert totals.figures == {"groups": 1, "revenue": 3.0}


@pytest.mark.parametrize(
    "total", [None, {}, {"totalCost": None, "totalRevenue": {}, "totalUniqueUsers": {"value": None}}]
)
def test_totals_that_were_not_sent_are_null(total: Any):
    """Null is not zero, and nothing is added up from it."""
    _, totals = typed(sub_row("2026-03-01", 1) | {"total": total})
    names = ("channel", "cost", "cost_is_masked", "revenue", "revenue_is_masked", "users", "users_is_masked")
    assert columns(totals, *names) == [("a", None, False, None, False, None, False)]
    assert totals.figures == {"groups": 1}


def test_sums_are_told_for_the_ages_that_are_reached():
    """Day 0, 7 and 30 over all groups; the unfinished day 30 is not told."""
    of = spec(intervals=30)
    young, _ = typed(
        sub_row("2026-03-01", *range(31)), sub_row("2026-03-01", *range(100, 131)), of=of, requested_at=at(31)
    )
    old, _ = typed(sub_row("2026-03-01", *range(31)), of=of, requested_at=at(31) + timedelta(days=1))
    assert {name: young.figures.get(name) for name in ("d0", "d7", "d30")} == {"d0": 100.0, "d7": 114.0, "d30": None}
    assert (young.figures["complete_through_interval"], young.figures["is_mature"]) == (29, False)
    assert {name: old.figures.get(name) for name in ("d0", "d7", "d30")} == {"d0": 0.0, "d7": 7.0, "d30": 30.0}
    assert (old.figures["complete_through_interval"], old.figures["is_mature"]) == (30, True)


def test_sums_without_masked_groups_have_a_name_of_their_own():
    """A series that mixed the two would rise and fall with what the vendor masks."""
    masked = sub_row("2026-03-01", MASKED, 6, 7, cost=MASKED, revenue=3, users=1)
    plain = sub_row("2026-03-01", 1, 2, 3, cost=10, revenue=4, users=2)
    cohorts, totals = typed(masked, plain)
    assert {name: held for name, held in cohorts.figures.items() if name.startswith("d0")} == {"d0_unmasked": 1.0}
    assert totals.figures == {"groups": 2, "cost_unmasked": 10.0, "revenue": 7.0, "users": 3}


@pytest.mark.parametrize("metric", ["app_roas", "app_arpu", "app_arppu"])
def test_ratios_are_not_added_up(metric: str):
    """The sum of the ROAS of two channels means nothing."""
    cohorts, _ = typed(sub_row("2026-03-01", 1, 1, 1), sub_row("2026-03-01", 2, 2, 2), of=spec(metric=metric))
    assert "d0" not in cohorts.figures


@pytest.mark.parametrize("metric", ["app_user_count", "app_event_count"])
def test_counts_are_whole_numbers_and_have_no_currency(metric: str):
    """`3.0` and `"3"` are three."""
    cohorts, _ = typed(sub_row("2026-03-01", 3.0, "3", 4), of=spec(metric=metric, aggregation="on-day"))
    rows = columns(cohorts, "value")
    assert (rows, cohorts.figures["d0"]) == ([(3,), (3,), (4,)], 3)
    assert cohorts.content.schema.names == ["date", "channel", "days_since_start", "value", "is_masked", "is_reached"]


@pytest.mark.parametrize(
    ("metric", "value", "said"),
    [
        ("app_user_count", 2.5, "revenue_cohorts: a number does not fit int64: 2.5 is not whole"),
        ("app_user_count", "NaN", "does not fit int64"),
        ("app_event_count", 2**63, "does not fit int64"),
        ("app_revenue", "NaN", "does not fit decimal128"),
        ("app_revenue", "1e40", "does not fit decimal128"),
        ("app_roas", "Infinity", "does not fit double: Infinity is no number"),
        ("app_roas", "NaN", "does not fit double"),
    ],
)
def test_a_number_that_is_none_or_fits_no_column_fails_the_day(metric: str, value: Any, said: str):
    """Nothing is cut off to make it fit."""
    with pytest.raises(UnexpectedPayloadError, match=said):
        typed(sub_row("2026-03-01", 1, 1, value, cost=1, revenue=1), of=spec(metric=metric))


def test_half_a_user_fails_the_day():
    """The totals have a count too."""
    with pytest.raises(UnexpectedPayloadError, match=r"revenue_cohort_totals, users: .*0.5 is not whole"):
        typed(sub_row("2026-03-01", 1, users=0.5))
