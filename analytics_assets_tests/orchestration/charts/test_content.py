"""Which days a picture shows, and which names."""

from datetime import date, timedelta

import pytest

from analytics_assets.orchestration.charts.content import days_to, foremost

LAST = date(2026, 3, 31)


@pytest.mark.parametrize(
    ("standing", "shown"),
    [
        ([], 7),
        ([0], 7),
        ([6], 7),
        ([7], 8),
        ([3, 9, 27], 28),
        ([28, 40], 7),
        ([28, 12], 13),
    ],
)
def test_a_picture_begins_with_the_first_day_of_its_window_that_stands(standing: list[int], shown: int) -> None:
    """Days before it were never wanted; a week is shown at least, gaps within are kept, and it ends with the last day."""
    days = days_to(LAST, 28, stored={LAST - timedelta(days=back) for back in standing})
    assert days == [LAST - timedelta(days=back) for back in range(shown - 1, -1, -1)]


def test_the_heaviest_names_stand_alone_and_the_rest_together() -> None:
    """Equal ones by name."""
    weights = {**{f"n{number}": 1.0 for number in range(8)}, "heavy": 2.0}
    assert foremost(weights) == (["heavy", *(f"n{number}" for number in range(7))], ["n7"])
