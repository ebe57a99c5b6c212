"""Which days are missed, and since when."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa

from analytics_assets.checks.check import CheckResult
from analytics_assets.checks.completeness import days_stored, latest_day_stored, snapshot_stored
from analytics_assets.lake.table import Column, Table
from analytics_assets_tests.checks.planted import ACCOUNT, DAY, Planted, back, failures
from analytics_assets_tests.lake.vendor import NUMBERS

ROW = {"part": 0, "number": 1}


def test_a_gap_between_landed_days_warns_and_the_newest_days_are_an_error(planted: Planted) -> None:
    """Each with the instant from which its span could be stored."""
    for day in back(6, 3):
        planted.store_day(NUMBERS, ROW, day=day)
    found = failures(planted.found(latest_day_stored(NUMBERS)))
    gap, end = (("missing; could be stored since 2026-02-%d 02:00 UTC" % day) for day in (25, 28))  # noqa: UP031
    assert found == {
        **dict.fromkeys(back(5, 4), ("warning", gap)),
        **dict.fromkeys(back(2, 1, 0), ("error", end)),
    }


def test_days_before_the_first_that_landed_were_never_wanted(planted: Planted) -> None:
    """One day of years stands, and nothing is missing."""
    planted.store_day(NUMBERS, ROW)
    assert planted.found(latest_day_stored(NUMBERS)) == {DAY: CheckResult()}


def test_days_before_a_first_day_that_was_moved_later_are_missed_no_more(planted: Planted) -> None:
    """Nobody can request them, so nobody is told to; what stands of them stays, and days from then on are missed as before."""
    planted.store_day(NUMBERS, ROW, day=DAY - timedelta(days=6))
    found = planted.found(latest_day_stored(NUMBERS), begins=DAY - timedelta(days=1))
    words = "missing; could be stored since 2026-03-01 02:00 UTC"
    assert failures(found) == dict.fromkeys(back(1, 0), ("error", words))


def test_a_raw_day_has_expired_where_all_tables_made_from_it_have_the_day(planted: Planted) -> None:
    """A raw file that is gone is missed where one of them is missing too."""
    raw, *made = (replace(NUMBERS, name=name) for name in ("numbers_raw", "numbers", "others"))
    for table in (raw, *made):
        planted.store_day(table, ROW, day=DAY - timedelta(days=2))
        planted.store_day(table, ROW, day=DAY)
    for table in made:
        planted.store_day(table, ROW, day=DAY - timedelta(days=1))
    assert failures(planted.found(latest_day_stored(raw, made))) == {}
    Path(planted.lake.path(ACCOUNT, "others", DAY - timedelta(days=1))).unlink()
    assert set(failures(planted.found(latest_day_stored(raw, made)))) == {DAY - timedelta(days=1)}


def test_a_table_without_any_day_misses_none(planted: Planted) -> None:
    """Nobody has requested one yet."""
    for check in (latest_day_stored(NUMBERS), snapshot_stored(NUMBERS), days_stored(NUMBERS)):
        assert planted.found(check) == {}


def test_nothing_is_missed_before_it_can_stand(planted: Planted) -> None:
    """No day is final yet, or only the one that stands, or an older one."""
    planted.store_day(NUMBERS, ROW)
    for newest in (None, DAY, DAY - timedelta(days=1)):
        assert failures(planted.found(latest_day_stored(NUMBERS), newest=newest)) == {}


def test_a_day_that_did_not_land_is_told_with_its_reason_whatever_stands(planted: Planted) -> None:
    """Its older content stands, and is not looked at again."""
    planted.store_day(NUMBERS, ROW)
    found = planted.found(days_stored(NUMBERS), errors=lambda _table: {DAY: "HTTP 500"})
    assert found == {DAY: CheckResult("HTTP 500", "error")}


def test_a_file_that_no_longer_fits_its_table_is_told(planted: Planted) -> None:
    """A column that may not be null was declared later; a run that has just found its days valid does not look again."""
    planted.store_day(NUMBERS, ROW)
    wider = Table(
        "numbers", "As before.", [*NUMBERS.columns, Column("unit", pa.string(), "Of the number.")], NUMBERS.key
    )
    words = "numbers: column unit has no value in 1 of 1 rows."
    assert planted.found(days_stored(wider)) == {DAY: CheckResult(words, "error")}
    assert planted.found(days_stored(wider), is_run=True) == {DAY: CheckResult(numbers={"rows": 1})}


def test_a_snapshot_misses_the_days_after_its_last_reading(planted: Planted) -> None:
    """And none while the newest day is not over."""
    planted.store_day(NUMBERS, ROW, day=back(3)[0])
    lost = ("error", "no reading was taken, and none can be taken any more")
    assert failures(planted.found(snapshot_stored(NUMBERS))) == dict.fromkeys(back(2, 1, 0), lost)
    assert failures(planted.found(snapshot_stored(NUMBERS), newest=back(3)[0])) == {}
