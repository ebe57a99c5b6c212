"""Days that are damaged or missing: put away, asked for again, and well when that has run."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import msgspec
import pyarrow as pa
import pytest
from dagster._core.execution.backfill import BulkActionStatus

from analytics_assets.errors import LakeError
from analytics_assets.lake.parquet import parquet
from analytics_assets.lake.table import Origin
from analytics_assets.verification.files import Inventory
from analytics_assets.verification.looking import Kind, Looked, Wrong
from analytics_assets.verification.mending import Asking, ask, askings, put_off, recorded, under_way
from analytics_assets_tests.lake.vendor import RAW as RAW_TABLE
from analytics_assets_tests.lake.vendor import Vendor, days
from analytics_assets_tests.shop import Shop, span, table_key
from analytics_assets_tests.verification.scene import SHOP_TABLES, file, graph, look, names, place, told

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
FIRST, SECOND, THIRD = days(3)
RAW, NUMBERS, SUMS = (table_key(table) for table in ("numbers_raw", "numbers", "sums"))


def test_raw_that_is_not_whole_is_asked_for_and_the_rest_is_made_of_what_stands(shop: Shop) -> None:
    """The vendor is asked for exactly the days whose raw is gone, and then the lake is well."""
    file(shop, "numbers_raw", FIRST).write_bytes(b"PAR1")
    file(shop, "numbers", FIRST).unlink()
    file(shop, "numbers", SECOND).unlink()
    file(shop, "sums", THIRD).write_bytes(file(shop, "sums", FIRST).read_bytes())
    found = look(shop)
    wanted = askings(place(shop), graph(shop), found, ())
    kept = [Path(path) for asking in wanted for path in ask(place(shop), graph(shop), asking, now=NOW)[1]]
    folder = Path(shop.lake.root) / "_quarantine/shop"
    assert kept == [
        folder / "20260310-120000-numbers_raw-2026-03-01.parquet",
        folder / "20260310-120000-sums-2026-03-03.parquet",
    ]
    assert [path.read_bytes() for path in kept] == [b"PAR1", file(shop, "sums", FIRST).read_bytes()]
    raw, numbers_of_first, numbers, sums = found.wrong
    assert wanted == [
        Asking("shop/numbers", [NUMBERS, RAW, SUMS], [FIRST], asks_vendor=True, mends=[raw, numbers_of_first]),
        Asking("shop/numbers", [NUMBERS, SUMS], [SECOND, THIRD], asks_vendor=False, mends=[numbers, sums]),
    ]
    shop.vendor = Vendor()
    for asking in wanted:
        first, last = (f"{day:%d}" for day in (asking.days[0], asking.days[-1]))
        tables = [key.path[-1] for key in asking.keys]
        # What the daemon does with the backfill that is asked for below.
        shop.run({**span(first, last), "dagster/backfill": asking.title}, tables=tables)
    assert (shop.vendor.asked, look(shop).wrong) == ([FIRST], [])


def test_a_day_that_was_stored_since_is_not_put_away(shop: Shop) -> None:
    """It was damaged when it was read; another run has replaced the file by now."""
    whole = file(shop, "sums", THIRD).read_bytes()
    file(shop, "sums", THIRD).write_bytes(b"PAR1")
    [asking] = askings(place(shop), graph(shop), look(shop), ())
    file(shop, "sums", THIRD).write_bytes(whole)
    assert ask(place(shop), graph(shop), asking, now=NOW)[1] == []
    assert file(shop, "sums", THIRD).read_bytes() == whole


def test_a_typed_day_of_another_raw_day_is_found_and_made_again_without_a_request(shop: Shop) -> None:
    """As after a writer that slept: Dagster may even be told that file, and it is never blessed."""
    tables = {name: replace(table, origin=Origin(RAW_TABLE, "body")) for name, table in SHOP_TABLES.items()}
    stale = file(shop, "sums", SECOND).read_bytes()
    shop.vendor = Vendor({SECOND: ["7"]}, requested_at=datetime(2026, 4, 2, tzinfo=UTC))
    shop.run(span("02", "02"))
    file(shop, "sums", SECOND).write_bytes(stale)
    found = look(shop, tables=tables)
    assert told(found) == [("sums", "02", "of another raw day")]
    assert list(recorded(place(shop, tables=tables), found.wrong)) == []
    [asking] = askings(place(shop, tables=tables), graph(shop), found, ())
    assert (asking.days, asking.asks_vendor) == ([SECOND], False)
    assert ask(place(shop, tables=tables), graph(shop), asking, now=NOW)[1] == []
    shop.vendor = Vendor()
    shop.run(span("02", "02"), tables=["numbers", "sums"])
    assert (shop.vendor.asked, look(shop, tables=tables).wrong) == ([], [])


def test_a_file_of_another_table_is_damaged(shop: Shop) -> None:
    """Though it is whole, its columns fit and Dagster's record agrees."""
    file(shop, "numbers", THIRD).write_bytes(file(shop, "numbers", SECOND).read_bytes())
    [wrong] = look(shop).wrong
    assert (wrong.kind, wrong.words) == (Kind.DAMAGED, "it is the file of shop/numbers 2026-03-02")


def test_a_backfill_is_left_to_the_daemon_as_the_ui_would_leave_it(shop: Shop) -> None:
    """Requested, with a title, for exactly these tables and days."""
    asking = Asking("shop/numbers", [NUMBERS, SUMS], [FIRST, THIRD], asks_vendor=False)
    number, _ = ask(place(shop), graph(shop), asking, now=NOW)
    [made] = shop.instance.get_backfills()
    assert (made.backfill_id, made.status, made.title, dict(made.tags)) == (
        number,
        BulkActionStatus.REQUESTED,
        "shop/numbers made again after lake verify",
        {"analytics/asked_by": "lake verify"},
    )
    target = made.get_asset_backfill_data(graph(shop)).target_subset
    held = {key: set(subset.get_partition_keys()) for key, subset in target.partitions_subsets_by_asset_key.items()}
    assert held == {key: {"2026-03-01", "2026-03-03"} for key in (NUMBERS, SUMS)}


def test_what_a_backfill_asks_for_already_is_not_asked_for_twice(shop: Shop) -> None:
    """Until it has ended; a command given twice costs nothing, and a day of another table is asked for."""
    file(shop, "numbers", FIRST).unlink()
    [asking] = askings(place(shop), graph(shop), look(shop), ())
    ask(place(shop), graph(shop), asking, now=NOW)
    busy = under_way(shop.instance, graph(shop))
    assert {(key.path[-1], name) for key, name in busy} == {("numbers", "2026-03-01"), ("sums", "2026-03-01")}
    file(shop, "numbers", SECOND).unlink()
    found = look(shop)
    assert [put_off(graph(shop), one, busy) for one in found.wrong] == [
        "a backfill that has not ended asks for it",
        None,
    ]
    assert [list(one.days) for one in askings(place(shop), graph(shop), found, busy)] == [[SECOND]]
    [made] = shop.instance.get_backfills()
    shop.instance.update_backfill(made.with_status(BulkActionStatus.COMPLETED_SUCCESS))
    assert under_way(shop.instance, graph(shop)) == set()


def test_a_snapshot_is_read_anew_since_no_vendor_tells_a_past_day(shop: Shop) -> None:
    """One reading, without partitions."""

    @dg.multi_asset(name="shop__list", specs=[dg.AssetSpec(["shop", "list"]), dg.AssetSpec(["shop", "entries"])])
    def listing():
        """A snapshot."""

    graph_of = dg.Definitions(assets=[listing]).resolve_asset_graph()
    found = Looked([Wrong("shop", "list", FIRST, Kind.MISSING, "", "")], Inventory({}))
    keys = [dg.AssetKey(["shop", "entries"]), dg.AssetKey(["shop", "list"])]
    [asking] = askings(place(shop), graph_of, found, ())
    assert asking == Asking("shop/list", keys, (), asks_vendor=True, mends=found.wrong)
    ask(place(shop), graph_of, asking, now=NOW)
    [made] = shop.instance.get_backfills()
    assert made.title == "shop/list read anew after lake verify"
    assert made.get_asset_backfill_data(graph_of).target_subset.non_partitioned_asset_keys == set(keys)
    assert askings(place(shop), graph_of, found, under_way(shop.instance, graph_of)) == []


def test_a_file_that_cannot_be_moved_leaves_everything_as_it_was(shop: Shop) -> None:
    """No backfill runs into the damaged file."""
    file(shop, "numbers", FIRST).write_bytes(b"PAR1")
    [asking] = askings(place(shop), graph(shop), look(shop), ())
    Path(shop.lake.root, "_quarantine").write_text("in the way")
    with pytest.raises(LakeError, match=r"numbers/dt=2026-03-01/data\.parquet cannot be moved"):
        ask(place(shop), graph(shop), asking, now=NOW)
    assert (file(shop, "numbers", FIRST).read_bytes(), list(shop.instance.get_backfills())) == (b"PAR1", [])


def test_a_day_that_is_no_partition_is_not_asked_for(shop: Shop) -> None:
    """One from before the first day of its account, as after ANALYTICS_START_DATE or `start_date` was moved."""
    day = days(1)[0].replace(month=2)
    event = dg.AssetMaterialization(NUMBERS, partition=day.isoformat(), tags={"dagster/data_version": "1"})
    shop.instance.report_runless_asset_event(event)
    found = look(shop)
    assert told(found) == [("numbers", "01", "missing")]
    [reason] = [put_off(graph(shop), one, ()) for one in found.wrong]
    assert (
        reason
        == "it is before the first day of its account. Set `start_date` in its YAML, or ANALYTICS_START_DATE, to an earlier day first"
    )
    assert askings(place(shop), graph(shop), found, ()) == []


def test_what_only_grows_is_told_to_be_lost(shop: Shop) -> None:
    """Before it is asked for again."""
    tables = {**SHOP_TABLES, ("shop", "sums"): replace(SHOP_TABLES["shop", "sums"], only_grows=True)}
    file(shop, "sums", SECOND).unlink()
    [lost] = look(shop, tables=tables, chosen=names(["sums"])).wrong
    assert lost.remedy.endswith("asks for the day again, empty: what earlier readings had added is in no later one")


@pytest.mark.parametrize("table", ["numbers", "sums"])
def test_typed_days_whose_raw_is_gone_are_asked_for_whole(shop: Shop, table: str) -> None:
    """There is nothing to make them from; whichever tables were looked at."""
    file(shop, "numbers_raw", SECOND).unlink()
    file(shop, table, SECOND).unlink()
    found = look(shop, chosen=names([table]))
    assert askings(place(shop), graph(shop), found, ()) == [
        Asking("shop/numbers", [NUMBERS, RAW, SUMS], [SECOND], asks_vendor=True, mends=found.wrong)
    ]


def test_typed_days_whose_raw_was_emptied_are_asked_for_whole(shop: Shop) -> None:
    """The file of a raw day whose time was over stands without rows, and is well; there is nothing to make a typed day from."""
    path = shop.lake.path("shop", "numbers_raw", SECOND)
    standing = shop.lake.landed("shop", "numbers_raw", SECOND)
    assert standing is not None
    footer = msgspec.structs.replace(standing.footer, emptied_at=NOW)
    said = {b"analytics_assets": msgspec.json.encode(footer)}
    shop.lake.files.promote(path, parquet(RAW_TABLE.schema.empty_table(), said))
    assert look(shop).wrong == []
    file(shop, "sums", SECOND).unlink()
    found = look(shop)
    assert askings(place(shop), graph(shop), found, ()) == [
        Asking("shop/numbers", [NUMBERS, RAW, SUMS], [SECOND], asks_vendor=True, mends=found.wrong)
    ]
    content = shop.lake.read("shop", RAW_TABLE, [FIRST])
    shop.lake.files.promote(
        path, parquet(content.set_column(0, "date", pa.array([SECOND])).cast(RAW_TABLE.schema), said)
    )
    assert told(look(shop, chosen=names(["numbers_raw"]))) == [("numbers_raw", "02", "damaged")]
