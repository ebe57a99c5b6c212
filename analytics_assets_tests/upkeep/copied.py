"""A table whose months are copied, and what is asked of its copies. Keep expectations in the tests."""

import re
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from analytics_assets.lake.months import copy_path
from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import Table
from analytics_assets.upkeep.months import Copied, keep_copies
from analytics_assets_tests.lake.sample import TABLE, land, row

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
FIRST, SECOND, THIRD = (MARCH + timedelta(days=number) for number in range(3))
_PAGE = Path(__file__).parents[2] / "docs" / "lake.md"


def page_query(lake: Lake, account: str, table: str) -> str:
    """What the page says to read a table by: a view of the table's name over copies and days."""
    [query] = re.findall(r"```sql\n(-- [^`]*_months[^`]*)```", _PAGE.read_text())
    placed = query.replace("data/live", lake.root).replace("bento/ads_totals", f"{account}/{table}")
    return str(placed.replace("view ads_totals", f"view {table}"))


def put(lake: Lake, day: date, table: Table = TABLE, **changes: object) -> None:
    """Lands a day of two rows."""
    given = {name: value for name, value in row(date=day, **changes).items() if name in table.schema.names}
    land(lake, given, {**given, "campaign": "winter"}, day=day, table=table)


def keep(lake: Lake, table: Table = TABLE, *, last: date = MARCH, is_sandbox: bool = False) -> Copied:
    """Brings the copies up to date, of months up to one."""
    return keep_copies(
        lake,
        {("airbridge", table.name): table},
        is_wanted=lambda month: month <= last,
        is_sandbox=is_sandbox,
        say=lambda _words: None,
    )


def counts(done: Copied) -> tuple[int, int, int]:
    """Copies made, left and removed."""
    return done.written, done.equal, done.removed


def copied(lake: Lake, month: date = MARCH) -> pa.Table:
    """The rows of a copy."""
    with lake.files.opened(copy_path(lake, "airbridge", TABLE.name, month)) as file:
        return pq.ParquetFile(file, page_checksum_verification=True).read()


def follows(lake: Lake, table: Table = TABLE) -> bool:
    """Whether the copy of March is what the files of its days are, row for row."""
    days = [day for day in lake.days("airbridge", table.name) if day < APRIL]
    return bool(copied(lake).to_pylist() == lake.read("airbridge", table, days).to_pylist())
