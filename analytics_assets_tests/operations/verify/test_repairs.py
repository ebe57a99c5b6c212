"""Which loads repair what is wrong; that they do is in `integration/test_lake_repaired.py`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg
import msgspec
import pytest

from analytics_assets.lake.parquet import parquet
from analytics_assets.operations.verify.repairs import Repair, days_before_start, record_files, repairs
from analytics_assets.operations.verify.verification import ProblemKind
from analytics_assets_tests.lake.vendor import RAW as RAW_TABLE
from analytics_assets_tests.lake.vendor import Vendor, days
from analytics_assets_tests.operations.verify.scene import (
    SHOP_TABLES,
    file,
    names,
    problem_rows,
    scope,
    steps,
    verify,
    with_origin,
)
from analytics_assets_tests.shop import Shop, span, table_key

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
FIRST, SECOND, THIRD = days(3)


def loads(shop: Shop, **changes: object) -> Sequence[str]:
    """The loads that repair what a look finds, without the name of the command."""
    result = verify(shop, **changes)
    prefix = "analytics-assets load shop --from 2026-03-"
    return [
        problem.command.removeprefix(prefix)
        for problem in repairs(scope(shop, **changes), steps(shop), result.problems)
    ]


def test_raw_that_is_not_whole_is_requested_and_the_rest_made_of_it(shop: Shop) -> None:
    """The raw table for its day; of the other days only the tables that are wrong."""
    file(shop, "numbers_raw", FIRST).write_bytes(b"PAR1")
    file(shop, "numbers", FIRST).unlink()
    file(shop, "numbers", SECOND).unlink()
    file(shop, "sums", THIRD).write_bytes(file(shop, "sums", FIRST).read_bytes())
    assert loads(shop) == [
        "01 --to 2026-03-01 --tables numbers_raw",
        "02 --to 2026-03-02 --tables numbers",
        "03 --to 2026-03-03 --tables sums",
    ]


def test_adjacent_days_are_one_load_and_others_their_own(shop: Shop) -> None:
    """Of the same tables."""
    for day in (FIRST, SECOND):
        for table in ("numbers", "sums"):
            file(shop, table, day).unlink()
    file(shop, "sums", THIRD).unlink()
    assert loads(shop) == ["01 --to 2026-03-02 --tables numbers,sums", "03 --to 2026-03-03 --tables sums"]


def test_a_raw_day_without_a_file_has_expired_where_its_typed_days_are_stored(shop: Shop) -> None:
    """It is counted and nothing is wrong; where one typed day is missing as well, both are."""
    tables = with_origin()
    for day in (FIRST, SECOND):
        file(shop, "numbers_raw", day).unlink()
    file(shop, "sums", SECOND).unlink()
    result = verify(shop, tables=tables)
    assert result.expired == {("shop", "numbers_raw"): [FIRST]}
    assert problem_rows(result) == [("numbers_raw", "02", "missing"), ("sums", "02", "missing")]
    assert loads(shop, tables=tables) == ["02 --to 2026-03-02 --tables numbers_raw"]


def test_a_typed_day_of_another_raw_day_is_never_recorded(shop: Shop) -> None:
    """As after a writer that slept: Dagster may even show that file. It is made again without a request."""
    tables = with_origin()
    stale = file(shop, "sums", SECOND).read_bytes()
    shop.vendor = Vendor({SECOND: ["7"]}, requested_at=datetime(2026, 4, 2, tzinfo=UTC))
    shop.run(span("02", "02"))
    file(shop, "sums", SECOND).write_bytes(stale)
    result = verify(shop, tables=tables)
    assert problem_rows(result) == [("sums", "02", "of another raw day")]
    assert list(record_files(scope(shop, tables=tables), result.problems)) == []
    assert loads(shop, tables=tables) == ["02 --to 2026-03-02 --tables sums"]
    shop.vendor = Vendor()
    shop.run(span("02", "02"), tables=["sums"])
    assert (shop.vendor.asked, verify(shop, tables=tables).problems) == ([], [])


def test_a_file_of_another_table_is_damaged(shop: Shop) -> None:
    """Though it is whole, its columns fit and Dagster's record agrees."""
    file(shop, "numbers", THIRD).write_bytes(file(shop, "numbers", SECOND).read_bytes())
    [wrong] = verify(shop).problems
    assert (wrong.kind, wrong.description) == (ProblemKind.DAMAGED, "it is the file of shop/numbers 2026-03-02")


def test_a_file_of_the_other_mode_needs_the_option(shop: Shop) -> None:
    """In the day's command alone."""
    sums = SHOP_TABLES["shop", "sums"]
    for day in (FIRST, SECOND):
        file(shop, "sums", day).unlink()
    shop.lake.store_day("shop", sums, SECOND, sums.rows([]), is_sandbox=True)
    assert loads(shop) == [
        "01 --to 2026-03-01 --tables sums",
        "02 --to 2026-03-02 --tables sums --replace-other-mode",
    ]


def test_a_snapshot_is_repaired_by_no_load(shop: Shop) -> None:
    """Its vendor keeps no history."""
    file(shop, "sums", THIRD).write_bytes(b"PAR1")
    daily = frozenset(names(["numbers_raw", "numbers"]))
    result = verify(shop, daily=daily, selected=names(["sums"]))
    of_daily = [replace(step, typed=["numbers"]) for step in steps(shop)]
    damaged = [problem for problem in result.problems if problem.kind is ProblemKind.DAMAGED]
    assert len(damaged) == 1
    assert repairs(scope(shop, daily=daily), of_daily, result.problems) == []
    assert damaged[0].remedy.startswith("the vendor keeps no history of it, so only a back-up has that day.")


def test_a_day_before_the_first_of_its_account_is_not_loaded(shop: Shop) -> None:
    """As after ANALYTICS_START_DATE or `start_date` was moved."""
    day = days(1)[0].replace(month=2)
    event = dg.AssetMaterialization(table_key("numbers"), partition=day.isoformat(), tags={"dagster/data_version": "1"})
    shop.instance.report_runless_asset_event(event)
    result = verify(shop)
    assert problem_rows(result) == [("numbers", "01", "missing")]
    assert days_before_start(steps(shop), result.problems) == [day]
    assert loads(shop) == []


def test_what_only_grows_is_told_to_be_lost(shop: Shop) -> None:
    """Before it is loaded again."""
    tables = {**SHOP_TABLES, ("shop", "sums"): replace(SHOP_TABLES["shop", "sums"], only_grows=True)}
    file(shop, "sums", SECOND).unlink()
    [lost] = verify(shop, tables=tables, selected=names(["sums"])).problems
    assert lost.remedy.endswith(
        "load the day again, but without the rows that earlier loads added, which no later load has"
    )


@pytest.mark.parametrize("table", ["numbers", "sums"])
@pytest.mark.parametrize("raw", ["gone", "damaged", "emptied"])
def test_typed_days_whose_raw_has_no_rows_are_requested(shop: Shop, table: str, raw: str) -> None:
    """There is nothing to make them from; whichever tables were looked at."""
    path = file(shop, "numbers_raw", SECOND)
    stored = shop.lake.stored_day("shop", "numbers_raw", SECOND)
    assert stored is not None
    path.unlink()
    if raw == "damaged":
        path.write_bytes(b"PAR1")
    elif raw == "emptied":
        footer = msgspec.structs.replace(stored.footer, emptied_at=NOW)
        content = parquet(RAW_TABLE.schema.empty_table(), {b"analytics_assets": msgspec.json.encode(footer)})
        path.write_bytes(content.to_pybytes())
        assert verify(shop).problems == []
    file(shop, table, SECOND).unlink()
    assert loads(shop, selected=names([table])) == ["02 --to 2026-03-02 --tables numbers_raw"]


def test_a_load_repairs_its_own_days_and_tables() -> None:
    """As shown with each finding."""
    repair = Repair("shop", FIRST, SECOND, ["numbers_raw"])
    assert repair.command == "analytics-assets load shop --from 2026-03-01 --to 2026-03-02 --tables numbers_raw"
