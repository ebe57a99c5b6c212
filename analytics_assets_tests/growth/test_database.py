"""The database of views: what a reader in another process finds in it, also while it is replaced."""

import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from analytics_assets.growth.database import View, database_of, lake_views, script_of
from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import MONEY, Column, Origin, Table

RAW = Table("orders_raw", "Responses as sent.", [Column("date", pa.date32(), "Day.")])
ORDERS = Table(
    "orders",
    "Orders of a customer's day.",
    [
        Column("date", pa.date32(), "Day of the order."),
        Column("amount", MONEY, "Price of the order.", nullable=True, unit="major units"),
        Column("tags", pa.list_(pa.string()), "Tags.", nullable=True),
    ],
    origin=Origin(RAW, "body"),
)
TABLES_OF_ALL = {("shop-1", "orders"): ORDERS, ("shop-1", "orders_raw"): RAW}
DAY = date(2026, 3, 1)
READER = """
import sys
import duckdb

while True:
    with duckdb.connect(sys.argv[1], read_only=True) as connection:
        views = connection.execute("select view_name from duckdb_views() where not internal and comment is not null").fetchall()
        columns = connection.execute("select count(*) from duckdb_columns() where not internal and comment is null").fetchone()
        counts = [connection.execute(f'select count(*) from "shop-1"."{name}"').fetchone()[0] for (name,) in views]
    print(len(views), *columns, *counts, flush=True)
"""


def test_each_table_is_a_view_with_its_descriptions(tmp_path: Path) -> None:
    """Raw responses are left out: other tables hold them typed."""
    lake = Lake(str(tmp_path / "lake"))
    lake.store_day("shop-1", ORDERS, DAY, ORDERS.rows([{"date": DAY, "amount": Decimal("1.5"), "tags": ["a"]}]))

    reader = opened(tmp_path, lake_views(TABLES_OF_ALL), str(tmp_path / "lake"))

    assert reader.sql('select * from "shop-1".orders').fetchall() == [(DAY, Decimal("1.500000"), ["a"])]
    assert reader.sql("select schema_name, view_name, comment from duckdb_views() where not internal").fetchall() == [
        ("shop-1", "orders", "Orders of a customer's day.")
    ]
    assert reader.sql("select column_name, data_type, comment from duckdb_columns() where not internal").fetchall() == [
        ("date", "DATE", "Day of the order."),
        ("amount", "DECIMAL(18,6)", "Price of the order. Unit: major units."),
        ("tags", "VARCHAR[]", "Tags."),
    ]


def test_a_table_without_files_fails_until_a_day_is_stored(tmp_path: Path) -> None:
    """DuckDB names the files that are missing; the view itself is there."""
    lake = Lake(str(tmp_path / "lake"))
    reader = opened(tmp_path, lake_views(TABLES_OF_ALL), str(tmp_path / "lake"))

    with pytest.raises(duckdb.IOException, match="No files found"):
        reader.sql('select count(*) from "shop-1".orders')

    lake.store_day("shop-1", ORDERS, DAY, ORDERS.rows([{"date": DAY}]))
    assert reader.sql('select count(*), sum(amount) from "shop-1".orders').fetchall() == [(1, None)]


def test_a_column_that_no_file_has_is_null(tmp_path: Path) -> None:
    """As after an update, until the next load."""
    lake = Lake(str(tmp_path / "lake"))
    earlier = Table("orders", "", ORDERS.columns[:1])
    lake.store_day("shop-1", earlier, DAY, earlier.rows([{"date": DAY}]))

    reader = opened(tmp_path, lake_views(TABLES_OF_ALL), str(tmp_path / "lake"))

    assert reader.sql('select * from "shop-1".orders').fetchall() == [(DAY, None, None)]


def test_views_follow_a_lake_mounted_elsewhere(tmp_path: Path) -> None:
    """By the setting; a session can name a third place."""
    lake = Lake(str(tmp_path / "lake"))
    lake.store_day("shop-1", ORDERS, DAY, ORDERS.rows([{"date": DAY}]))
    reader = opened(tmp_path, lake_views(TABLES_OF_ALL), f"{tmp_path}/it's mounted")

    (tmp_path / "lake").rename(tmp_path / "it's mounted")
    assert reader.sql('select count(*) from "shop-1".orders').fetchall() == [(1,)]

    (tmp_path / "it's mounted").rename(tmp_path / "third")
    reader.execute(f"set variable lake = '{tmp_path}/third'")
    assert reader.sql('select count(*) from "shop-1".orders').fetchall() == [(1,)]


def test_the_script_makes_the_same_views(tmp_path: Path) -> None:
    """For a bucket, or a database that exists already."""
    lake = Lake(str(tmp_path / "lake"))
    lake.store_day("shop-1", ORDERS, DAY, ORDERS.rows([{"date": DAY}]))
    views = lake_views(TABLES_OF_ALL)
    columns = "select schema_name, table_name, column_name, data_type, comment from duckdb_columns() where not internal"

    with duckdb.connect() as connection:
        connection.execute(script_of(views, str(tmp_path / "lake")))
        from_script = connection.sql(columns).fetchall()

    assert from_script == opened(tmp_path, views, str(tmp_path / "lake")).sql(columns).fetchall()


def test_a_connected_reader_sees_new_days_after_a_replacement(tmp_path: Path) -> None:
    """It keeps the file that it opened, and the views of that read the lake."""
    lake = Lake(str(tmp_path / "lake"))
    reader = opened(tmp_path, lake_views(TABLES_OF_ALL), lake.root)
    (tmp_path / "next").write_bytes(database_of([], lake.root))
    (tmp_path / "next").replace(tmp_path / "growth.duckdb")

    for number in (1, 2):
        day = DAY + timedelta(days=number)
        lake.store_day("shop-1", ORDERS, day, ORDERS.rows([{"date": day}]))
        assert reader.sql('select count(*) from "shop-1".orders').fetchall() == [(number,)]


def test_tools_with_an_older_duckdb_can_open_it(tmp_path: Path) -> None:
    """DuckDB 2 writes a file by default that DuckDB 1 refuses."""
    reader = opened(tmp_path, lake_views(TABLES_OF_ALL), "/mnt/lake")

    [[tags]] = reader.sql("select tags from duckdb_databases() where database_name = 'growth'").fetchall()
    assert tags["storage_version"] == "v1.0.0+"


def test_a_reader_sees_whole_databases_only(tmp_path: Path) -> None:
    """Another process opens it, lists views with comments and counts rows, while it is replaced a hundred times."""
    lake = Lake(str(tmp_path / "lake"))
    refunds = replace(ORDERS, name="refunds")
    for table in (ORDERS, refunds):
        lake.store_day("shop-1", table, DAY, table.rows([{"date": DAY}]))
    tables = {**TABLES_OF_ALL, ("shop-1", "refunds"): refunds}
    contents = [database_of(lake_views(views), lake.root) for views in (TABLES_OF_ALL, tables)]
    path = f"{lake.root}/_growth/growth.duckdb"
    lake.files.put(path, contents[0])
    command = [sys.executable, "-c", READER, path]
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stderr is not None
        for number in range(100):
            lake.files.put(path, contents[number % 2])
            if number % 4 == 0:
                lines.append(reader.stdout.readline())
        reader.terminate()
        errors = reader.stderr.read()
    assert errors == ""
    assert set(lines) <= {"1 0 1\n", "2 0 1 1\n"}
    assert [file.name for file in Path(path).parent.iterdir()] == ["growth.duckdb"]


def opened(folder: Path, views: list[View], lake: str) -> duckdb.DuckDBPyConnection:
    """A reader's connection to the database of these views."""
    path = folder / "growth.duckdb"
    path.write_bytes(database_of(views, lake))
    return duckdb.connect(str(path), read_only=True)
