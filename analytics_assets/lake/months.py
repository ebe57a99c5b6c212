"""Copies of months: the days of a typed table in one file each, beside the table and made from its day files, which stay the truth.

A copy is `<root>/_months/<account>/<table>/YYYY-MM.parquet`. Nothing that reads a table takes it for a day of it: it is in no folder of an
account, no name of an account begins with `_`, and it is not called `data.parquet`. Its days follow each other, oldest first. Small ones share
a row group, for it costs more than their rows: a copy of Bento's days was six times larger and took twice as long to read with one for each. A
large day has its own, so that a reader skips those it does not want. Its footer has what every footer of the lake has, and of each day which
file it was copied from: the data version, which tells what the file held, and the mark of the listing, which tells that it has been written
since. The mark decides, because the data version leaves out when a day was read, and costs no reading. Which months have a copy, and when it is
made anew, is `upkeep/months.py`.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from analytics_assets.lake.files import folder_name
from analytics_assets.lake.footer import Footer, encoded
from analytics_assets.lake.parquet import opened_for_days
from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import DATE, Table
from analytics_assets.spans import days_between

FOLDER = "_months"
# From how many rows on a row group takes no more days, and how many it has at most.
_FULL: Final = 2**16
_LARGEST: Final = 2**20
_COPY = re.compile(rf"{FOLDER}/([^/]+)/([^/]+)/(\d{{4}}-(?:0[1-9]|1[0-2]))\.parquet")


class CopiedDay(msgspec.Struct, frozen=True, omit_defaults=True):
    """A day as a copy has it.

    Attributes:
        version: Data version of its file.
        mark: What the listing said of its file before it was read.
        rows: Its rows, which follow those of the day before.
        lacking: Columns that were declared after its file was written, and are null here.
    """

    version: str
    mark: str
    rows: int
    lacking: list[str] = []


class CopyFooter(Footer, frozen=True, omit_defaults=True, kw_only=True):
    """What a copy says of itself; its `content_hash` is over days and their data versions.

    Attributes:
        days: The days it holds, oldest first.
    """

    days: dict[date, CopiedDay]


@dataclass(frozen=True)
class Day:
    """A day on its way into a copy.

    Attributes:
        day: The day.
        version: Data version of its file.
        mark: What the listing said of its file before it was read.
        content: Its rows, in the table's order, with the columns its file has.
    """

    day: date
    version: str
    mark: str
    content: pa.Table


class NoCopyError(Exception):
    """The file says nothing that a copy says."""


def month_of(day: date) -> date:
    """The month of a day, as its first day."""
    return day.replace(day=1)


def days_of(month: date) -> list[date]:
    """The days of a month, given its first one."""
    return days_between(month, month_of(month + timedelta(days=31)) - timedelta(days=1))


def copy_path(lake: Lake, account: str, table: str, month: date) -> str:
    """Where the copy of a month stands."""
    return f"{lake.root}/{FOLDER}/{folder_name(account)}/{folder_name(table)}/{month:%Y-%m}.parquet"


def copy_named(name: str) -> tuple[str, str, date] | None:
    """Account, table and month of the copy that has this path within the lake, or None."""
    found = _COPY.fullmatch(name)
    return (found[1], found[2], date.fromisoformat(f"{found[3]}-01")) if found else None


def copies(lake: Lake, account: str) -> dict[tuple[str, date], int]:
    """The copies that stand of an account, by table and month: the bytes of each."""
    root = f"{lake.root}/"
    listed = lake.files.listed(f"{root}{FOLDER}/{folder_name(account)}")
    found = ((copy_named(str(path).removeprefix(root)), one.size) for path, one in listed.items())
    return {(of[1], of[2]): size for of, size in found if of is not None}


def copy_schema(table: Table) -> pa.Schema:
    """The columns of a copy: those of the table, and null wherever a file may be older than the column."""
    always = {DATE, *table.key}
    return pa.schema(
        [field if field.name in always else field.with_nullable(nullable=True) for field in table.schema],
    )


def copy_footer(held: pq.ParquetFile) -> CopyFooter:
    """What a copy says of itself.

    Raises:
        NoCopyError: It says nothing that a copy says.
    """
    said = (held.metadata.metadata or {}).get(b"analytics_assets", b"")
    try:
        return msgspec.json.decode(said, type=CopyFooter)
    except msgspec.DecodeError as error:
        raise NoCopyError("its footer says nothing of a month") from error


def write_copy(
    lake: Lake, account: str, table: Table, month: date, days: Iterable[Day], *, is_sandbox: bool
) -> Mapping[date, CopiedDay]:
    """Puts the copy of a month in place, whole, from its days, oldest first; no more than a row group and a day are held here.

    Raises:
        LakeError: It cannot be written; what stood there stays, as it does where `days` raises.
    """
    schema, held = copy_schema(table), dict[date, CopiedDay]()
    path = copy_path(lake, account, table.name, month)
    with lake.files.written(path) as file, opened_for_days(file, schema) as writer:
        waiting = schema.empty_table()
        for day in days:
            lacking = [name for name in schema.names if name not in day.content.column_names]
            held[day.day] = CopiedDay(day.version, day.mark, day.content.num_rows, lacking)
            waiting = pa.concat_tables([waiting, _widened(day.content, schema)])
            if waiting.num_rows >= _FULL:
                writer.write_table(waiting, row_group_size=_LARGEST)
                waiting = schema.empty_table()
        if waiting.num_rows:
            writer.write_table(waiting, row_group_size=_LARGEST)
        footer = CopyFooter(content_hash=_versions_hash(held), is_sandbox=is_sandbox, days=held)
        writer.add_key_value_metadata(encoded(footer))
    return held


def _widened(content: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        content[field.name] if field.name in content.column_names else pa.nulls(content.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _versions_hash(held: Mapping[date, CopiedDay]) -> str:
    return hashlib.sha256("".join(f"{day}:{one.version};" for day, one in held.items()).encode()).hexdigest()
