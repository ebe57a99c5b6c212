"""What the check of restatements says of a mature cohort before and after its `settle_days`."""

from datetime import timedelta
from pathlib import Path

import msgspec

from analytics_assets.orchestration.lake_binding import StateConfirmations
from analytics_assets_tests.checks.cases import RAW, SETTLED, read_days, restated
from analytics_assets_tests.checks.planted import ACCOUNT, DAY, Planted


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


def test_a_correction_ends_with_the_next_request_that_changes_nothing(planted: Planted, tmp_path: Path) -> None:
    """That request left the files as they were; it is recorded in the state database."""
    check = read_days(restated(was_mature=True))
    assert check(planted)[DAY].level == "warning"
    stored = planted.lake.stored_day(ACCOUNT, RAW.name, DAY)
    assert stored is not None
    planted.lake.confirmations = confirmations = StateConfirmations(planted.lake.files, f"sqlite:///{tmp_path}/s.db")
    later = msgspec.structs.replace(stored.footer, requested_at=SETTLED + timedelta(hours=1))
    confirmations.write(ACCOUNT, RAW.name, DAY, later)
    assert check(planted)[DAY].level == "fine"
