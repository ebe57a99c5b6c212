"""Confirmations of raw days in the state database: one row a day of a lake, and the latest request of its content."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from analytics_assets.state.confirmations import Confirmation, ConfirmationLog

DAYS = [date(2026, 3, number) for number in (1, 2, 3)]
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
FIRST = Confirmation("content", "request", False, NOON, "run-1")


def test_a_row_is_of_one_day_of_one_table_of_one_lake(url: str) -> None:
    """Others find nothing there."""
    log = ConfirmationLog(url, "lake-1")
    log.write("shop", "numbers_raw", DAYS[1], FIRST)
    assert log.read("shop", "numbers_raw", DAYS) == {DAYS[1]: FIRST}
    assert log.read("shop", "numbers_raw", [DAYS[0]]) == log.read("shop", "numbers_raw", []) == {}
    assert log.read("shop", "other_raw", DAYS) == log.read("other", "numbers_raw", DAYS) == {}
    assert ConfirmationLog(url, "lake-2").read("shop", "numbers_raw", DAYS) == {}


def test_an_earlier_request_of_the_same_content_changes_nothing(url: str) -> None:
    """Two processes may confirm one day, and the slower one last."""
    log = ConfirmationLog(url, "lake-1")
    later = replace(FIRST, requested_at=NOON + timedelta(hours=1), attempt_group="run-2")
    for confirmation in (FIRST, later, FIRST):
        log.write("shop", "numbers_raw", DAYS[0], confirmation)
    assert log.read("shop", "numbers_raw", DAYS) == {DAYS[0]: later}


def test_other_content_takes_the_row_whatever_its_instant(url: str) -> None:
    """A row that a wrong clock dated in the future must not keep a day unconfirmed for ever."""
    log = ConfirmationLog(url, "lake-1")
    future = replace(FIRST, requested_at=NOON + timedelta(days=365))
    for other in ({"content_hash": "new"}, {"request_hash": "new"}, {"is_sandbox": True}):
        log.write("shop", "numbers_raw", DAYS[0], future)
        changed = replace(FIRST, **other)
        log.write("shop", "numbers_raw", DAYS[0], changed)
        assert log.read("shop", "numbers_raw", DAYS) == {DAYS[0]: changed}
