"""By how much another reading moved the values of a day."""

from typing import Any

import pytest

from analytics_assets.sources.statsig.moves import values_moved
from analytics_assets.sources.statsig.tables import EVENT_METRICS, METRIC_VALUES
from analytics_assets_tests.sources.statsig.test_transform import value_row


def moved(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of two readings."""
    return values_moved(METRIC_VALUES, METRIC_VALUES.rows(before), METRIC_VALUES.rows(after))


def loads(number: float | None, unit: str = "overall") -> dict[str, Any]:
    """A row of one metric."""
    return value_row("Page Loads", "event_count", unit, number)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            [loads(200), loads(200, "userID"), value_row("Rate", "ratio", "overall", 0.5)],
            [loads(210), loads(190, "userID"), value_row("Rate", "ratio", "overall", 0.4)],
            {"metrics_moved": 2, "largest_move_percent": -20.0, "largest_move_metric": "Rate ratio"},
        ),
        # Of a metric that moves in several units the largest move counts.
        (
            [loads(200), loads(200, "userID")],
            [loads(100), loads(201, "userID")],
            {"metrics_moved": 1, "largest_move_percent": -50.0, "largest_move_metric": "Page Loads event_count"},
        ),
        # A fall of a negative number, and a number that comes out of nothing.
        (
            [value_row("Net", "sum", "overall", -4), loads(0)],
            [value_row("Net", "sum", "overall", -5), loads(7)],
            {"metrics_moved": 2, "largest_move_percent": -25.0, "largest_move_metric": "Net sum"},
        ),
        ([loads(None)], [loads(7)], {"metrics_moved": 1}),
        ([loads(7)], [loads(None)], {"metrics_moved": 1}),
        # Rows that come and go are counted as such, beside this.
        ([loads(7)], [loads(7, "userID")], {"metrics_moved": 0}),
        ([{**loads(7), "input_rows": 3}], [{**loads(7), "input_rows": 4}], {"metrics_moved": 0}),
    ],
)
def test_the_largest_move_is_told_in_percent_and_by_name(
    before: list[dict[str, Any]], after: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    """Values have units of their own; what was zero or unknown has no percent."""
    assert moved(before, after) == expected


def test_definitions_tell_no_move() -> None:
    """They have no value."""
    assert values_moved(EVENT_METRICS, EVENT_METRICS.rows([]), EVENT_METRICS.rows([])) == {}
