"""What the check of restatements says of a mature cohort before and after its `settle_days`."""

from datetime import timedelta

from analytics_assets_tests.checks.cases import SETTLED, read_days, restated
from analytics_assets_tests.checks.planted import DAY, Planted


def test_a_late_correction_within_the_settle_days_is_information(planted: Planted) -> None:
    """The last scheduled reading of the cohort may still change it."""
    found = read_days(restated(was_mature=True), at=SETTLED - timedelta(seconds=1))(planted)[DAY]
    assert (found.level, found.words) == ("information", "1 values of a mature cohort moved within its settle_days")
    assert found.numbers == {"restated_values": 1, "mature_values_moved": 1, "values_fell": 0}


def test_a_cumulative_value_that_falls_is_a_warning_within_the_settle_days(planted: Planted) -> None:
    """A sum of what happened does not fall at any age."""
    found = read_days(restated(was_mature=True, to=0), at=SETTLED - timedelta(seconds=1))(planted)[DAY]
    assert found.level == "warning"
    assert found.words == (
        "1 values of a mature cohort moved within its settle_days, 1 cumulative values are lower than they were"
    )


def test_growth_of_a_young_cohort_says_nothing(planted: Planted) -> None:
    """Whenever it was requested."""
    assert read_days(restated(was_mature=False))(planted)[DAY].level == "fine"
