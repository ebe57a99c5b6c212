"""What Dagster shows of a table and of a day that was stored."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.lake.footer import Footer
from analytics_assets.lake.store import StoredDay
from analytics_assets.lake.table import Origin, Table
from analytics_assets.orchestration.asset_specs import (
    AccountTables,
    asset_key,
    asset_spec,
    column_lineage,
    column_schema,
    materialization,
    placed,
)
from analytics_assets_tests.lake.vendor import NUMBERS, RAW, SUMS

DAILY = dg.DailyPartitionsDefinition(start_date="2026-03-01")
KEY = dg.AssetKey(["shop", "numbers"])


def test_an_asset_is_named_like_its_folder_in_the_lake() -> None:
    """Account, then table."""
    assert asset_key("shop", "numbers") == KEY


def test_a_daily_table_is_shown_in_full() -> None:
    """Description with the vendor's page, group, kinds, tags, columns and key."""
    spec = asset_spec(
        "shop", NUMBERS, vendor="bento", stream="ads", partitions=DAILY, deps=[asset_key("shop", "numbers_raw")]
    )
    assert spec == dg.AssetSpec(
        KEY,
        description="One row a number.\n\n[Bento's page](https://vendor.example/numbers)",
        group_name="shop",
        kinds={"bento", "parquet"},
        tags={"layer": "typed", "stream": "ads", "reading": "daily"},
        deps=[dg.AssetKey(["shop", "numbers_raw"])],
        partitions_def=DAILY,
        skippable=True,
        metadata={
            "dagster/column_schema": column_schema(NUMBERS),
            "dagster/table_name": "shop.numbers",
            "key": "part",
            "query": "",
        },
    )


def test_a_snapshot_without_key_and_page_is_shown_as_such() -> None:
    """No partitions, and a tag by which the job of all snapshots finds it."""
    spec = asset_spec("shop", SUMS, vendor="bento", stream="ads", is_raw=True)
    assert (spec.description, spec.tags["layer"], spec.tags["reading"]) == ("One row a day.", "raw", "snapshot")
    assert (spec.partitions_def, spec.metadata["key"]) == (None, "none")


def test_columns_are_shown_with_type_description_and_constraints() -> None:
    """Taken from the one declaration."""
    assert column_schema(RAW) == dg.TableSchema(
        columns=[
            dg.TableColumn("date", "date32[day]", "The day.", dg.TableColumnConstraints(nullable=False)),
            dg.TableColumn(
                "part", "int32", "Position.", dg.TableColumnConstraints(nullable=False, other=["part of the key"])
            ),
            dg.TableColumn("body", "string", "As sent.", dg.TableColumnConstraints(nullable=False)),
            dg.TableColumn(
                "requested_at",
                "timestamp[us, tz=UTC]",
                "Instant of the request.",
                dg.TableColumnConstraints(nullable=False),
            ),
        ]
    )


def made() -> Table:
    """A table made from another: a number of what was sent, the day as it was kept, and a column that is configuration."""
    day, part, number = NUMBERS.columns
    columns = (
        replace(day, made_from=("date",)),
        replace(part, unit="position", made_from=()),
        replace(number, unit="cents of currency"),
    )
    return replace(NUMBERS, columns=columns, origin=Origin(RAW, "body"))


def test_columns_say_their_unit_and_what_they_are_made_from() -> None:
    """In tags, which Dagster's pages show; and as lineage, for what draws it."""
    assert {column.name: column.tags for column in column_schema(made()).columns} == {
        "date": {"from": "numbers_raw.date"},
        "part": {"unit": "position"},
        "number": {"unit": "cents of currency", "from": "numbers_raw.body"},
    }
    raw = dg.AssetKey(["shop", "numbers_raw"])
    lineage = dg.TableColumnLineage(
        {"date": [dg.TableColumnDep(raw, "date")], "part": [], "number": [dg.TableColumnDep(raw, "body")]}
    )
    assert column_lineage("shop", made()) == lineage
    assert asset_spec("shop", made(), vendor="bento", stream="ads").metadata["dagster/column_lineage"] == lineage


CODE = Path(__file__).parents[2] / "analytics_assets/sources/bento"


def test_a_table_says_who_answers_for_it_where_its_files_are_and_how_to_read_them() -> None:
    """With links to its code on this machine."""
    spec = placed(
        asset_spec("shop", NUMBERS, vendor="bento", stream="ads"),
        AccountTables("/lake of o'neil", ["team:growth"], CODE),
    )
    assert (spec.owners, spec.metadata["dagster/uri"]) == (["team:growth"], "/lake of o'neil/shop/numbers")
    assert spec.metadata["query"] == dg.MetadataValue.md(
        "```sql\n"
        "with days as (\n"
        "  from read_parquet(\n"
        "    '/lake of o''neil/shop/numbers/*/data.parquet',\n"
        "    hive_partitioning = false, union_by_name = true)\n"
        ")\n"
        "from days where date = (select max(date) from days)\n"
        "limit 100;\n"
        "```"
    )
    links = spec.metadata["dagster/code_references"].code_references
    assert [(link.file_path, link.label) for link in links] == [
        (str(CODE / name), f"bento/{name}") for name in ("tables.py", "transform.py", "client.py")
    ]
    assert all(Path(link.file_path).is_file() for link in links)


def test_links_to_code_lead_to_the_repository_if_one_is_named() -> None:
    """Where the web server runs is no place a reader could open."""
    place = AccountTables("s3://bucket", [], CODE, "https://github.com/acme/growth/blob/main/")
    links = (
        placed(asset_spec("shop", NUMBERS, vendor="bento", stream="ads"), place)
        .metadata["dagster/code_references"]
        .code_references
    )
    assert [link.url for link in links] == [
        f"https://github.com/acme/growth/blob/main/analytics_assets/sources/bento/{name}#L1"
        for name in ("tables.py", "transform.py", "client.py")
    ]


def stored(**footer: Any) -> StoredDay:
    """A day that stands."""
    return StoredDay("/lake/data.parquet", 7, 99, Footer(content_hash="abc", **footer), is_changed=True)


def test_a_landed_day_is_an_event_with_its_own_data_version() -> None:
    """Real numbers, read at an instant, with figures of every kind."""
    figures = {"sum": 3, "share": 0.5, "window_unverified": True, "note": "x", "unknown_fields": ["b", "a"]}
    event = materialization(
        KEY,
        stored(requested_at=datetime(2026, 3, 1, tzinfo=UTC)),
        figures,
        partition="2026-03-02",
        requested_at=datetime(2026, 3, 3, 4, tzinfo=UTC),
    )
    assert event == dg.AssetMaterialization(
        KEY,
        partition="2026-03-02",
        metadata={
            "dagster/partition_row_count": 7,
            "bytes": 99,
            "path": dg.MetadataValue.path("/lake/data.parquet"),
            "content_changed": True,
            "requested_at": datetime(2026, 3, 3, 4, tzinfo=UTC).timestamp(),
            "sum": 3,
            "share": 0.5,
            "window_unverified": True,
            "note": "x",
            "unknown_fields": dg.MetadataValue.json(["b", "a"]),
        },
        tags={"dagster/data_version": "abc"},
    )


def test_invented_numbers_say_so_in_every_event() -> None:
    """A snapshot has no partition and counts its rows as a whole."""
    event = materialization(KEY, stored(is_sandbox=True), {}, partition=None, requested_at=None)
    assert (event.partition, event.metadata["dagster/row_count"]) == (None, dg.IntMetadataValue(7))
    assert event.metadata["sandbox"] == dg.TextMetadataValue("These numbers are invented.")
    assert "requested_at" not in event.metadata


@pytest.mark.parametrize("given", [{"b", "a", "c"}, ("a", "b", "c")])
def test_figures_that_hold_several_texts_are_shown_in_a_fixed_order(given: Any) -> None:
    """A set has none of its own, and two runs would differ."""
    event = materialization(KEY, stored(), {"names": given}, partition=None, requested_at=None)
    assert event.metadata["names"] == dg.MetadataValue.json(["a", "b", "c"])
