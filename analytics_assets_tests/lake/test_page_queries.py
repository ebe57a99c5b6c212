"""The queries of docs/lake.md, run against a small lake: DuckDB, and one line each of other readers."""

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import Table
from analytics_assets_tests.lake.sample import TABLE, land, row

PAGE = (Path(__file__).parents[2] / "docs" / "lake.md").read_text()
READ, COPY = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
PYTHON, _ = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
LINES = dict(re.findall(r"^# (.*)\n(.*)$", PYTHON, re.MULTILINE))
DAYS = [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date(2027, 2, 1)]
# As it was before the last two columns were declared, and as a reader of files from before and after sees it.
EARLIER = replace(TABLE, columns=TABLE.columns[:-2])
NULLABLE = replace(TABLE, columns=[replace(column, nullable=True) for column in TABLE.columns])


def placed(query: str, lake: Lake) -> str:
    """A query of the page, for the table of the sample; a copy goes beside the lake."""
    query = query.replace("data/live/bento/ads_totals", f"{lake.root}/airbridge/revenue")
    query = query.replace("data/ads_totals_months", f"{lake.root}_months")
    assert "data/live" not in query
    assert "'data/" not in query
    return query


def copied(lake: Lake) -> dict[str, pa.Table]:
    """Runs the copy of the page; returns the files of its target folder."""
    with duckdb.connect() as connection:
        connection.execute(placed(COPY, lake))
    folder = Path(f"{lake.root}_months")
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): pq.ParquetFile(path).read() for path in found}


def load(lake: Lake, day: date, table: Table = TABLE, **changes: object) -> None:
    """Stores a day of two rows."""
    first = {name: value for name, value in row(date=day, **changes).items() if name in table.schema.names}
    land(lake, first, {**first, "campaign": "winter"}, day=day, table=table)


def ordered(rows: pa.Table) -> list[dict[str, object]]:
    """Rows in the order of their keys."""
    return rows.sort_by([("date", "ascending"), ("campaign", "ascending")]).to_pylist()


def test_the_query_of_the_page_reads_the_rows_of_the_lake(disk: Lake) -> None:
    """From the first day that it names, also a day that was stored before a column was declared."""
    load(disk, DAYS[1])
    load(disk, DAYS[2], EARLIER)
    load(disk, DAYS[3])
    with duckdb.connect() as connection:
        rows = connection.sql(placed(READ, disk)).to_arrow_table()
    assert ordered(rows) == ordered(disk.read("airbridge", NULLABLE, DAYS[2:]))


def test_the_copy_of_the_page_has_one_file_a_month_with_the_rows_of_the_lake(disk: Lake) -> None:
    """Run again after a restatement and after the last day of a month has gone, it has what the day files have then."""
    load(disk, DAYS[0], EARLIER)
    for day in DAYS[1:]:
        load(disk, day, clicks=day.toordinal())
    files = copied(disk)
    assert {name: table.num_rows for name, table in files.items()} == {
        "month=2026-02/data_0.parquet": 4,
        "month=2026-03/data_0.parquet": 4,
        "month=2027-02/data_0.parquet": 2,
    }
    assert [table.schema.names for table in files.values()] == [TABLE.schema.names] * 3
    assert ordered(pa.concat_tables(files.values())) == ordered(disk.read("airbridge", NULLABLE))

    load(disk, DAYS[1], clicks=8)
    disk.files.remove(disk.path("airbridge", "revenue", DAYS[-1]))
    files = copied(disk)
    assert list(files) == ["month=2026-02/data_0.parquet", "month=2026-03/data_0.parquet"]
    assert ordered(pa.concat_tables(files.values())) == ordered(disk.read("airbridge", NULLABLE))


def of_polars(line: str, days: Sequence[str]) -> pa.Table:
    """What the line of Polars reads."""
    return eval(line, {"pl": pytest.importorskip("polars"), "days": days}).to_arrow()


def of_pandas(line: str, days: Sequence[str]) -> pa.Table:
    """What the line of pandas reads."""
    return pa.Table.from_pandas(eval(line, {"pd": pd, "days": days}), preserve_index=False)


def of_pyarrow(line: str, days: Sequence[str]) -> pa.Table:
    """What the line of pyarrow reads."""
    return eval(line, {"pa": pa, "pq": pq, "days": days})


def of_spark(line: str, _days: Sequence[str]) -> pa.Table:
    """What the line of Spark reads, in UTC."""
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    builder = pytest.importorskip("pyspark.sql").SparkSession.builder.master("local[1]")
    spark = builder.config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    try:
        return eval(line, {"spark": spark}).toArrow()
    finally:
        spark.stop()


READERS: Mapping[str, Callable[[str, Sequence[str]], pa.Table]] = {
    "Polars": of_polars,
    "pandas": of_pandas,
    "pyarrow": of_pyarrow,
    "Spark": of_spark,
}
# Spark's client leaves sockets to be closed by the collector.
SPARK = pytest.param("Spark", marks=pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))


def test_the_page_has_a_line_for_each_reader() -> None:
    """None without a test."""
    assert list(LINES) == list(READERS)


@pytest.mark.parametrize("reader", [*list(READERS)[:-1], SPARK])
def test_the_line_of_a_reader_reads_days_of_different_columns(disk: Lake, reader: str) -> None:
    """The oldest day and the newest lack two columns that the one between has: they are null there, and nothing else changes."""
    load(disk, DAYS[1], EARLIER)
    load(disk, DAYS[2])
    load(disk, DAYS[3], EARLIER)
    days = sorted(str(path) for path in Path(disk.root).glob("airbridge/revenue/*/data.parquet"))
    rows = READERS[reader](placed(LINES[reader], disk), days)
    assert rows.schema.names == TABLE.schema.names
    assert ordered(rows) == ordered(disk.read("airbridge", NULLABLE))
