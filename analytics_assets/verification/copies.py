"""Whether the copy of a month is whole to its last byte, and is what the files of its days are now.

The rows of each day have to hash to the data version of the file they were copied from, and that has to be the one that stands. Keep Dagster
out of here, and remedies too (`looking.py`).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq

from analytics_assets.errors import PermanentError
from analytics_assets.lake.content import content_hash
from analytics_assets.lake.months import CopiedDay, NoCopyError, copy_footer, copy_path, copy_schema, month_of
from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import Table
from analytics_assets.spans import in_words
from analytics_assets.verification.files import DamagedError, body_of, unreadable


class StaleError(Exception):
    """A copy is whole and not what its day files are; says in which way."""


def examine_copy(
    lake: Lake, account: str, table: Table, month: date, marks: Mapping[date, str], *, is_sandbox: bool
) -> None:
    """Reads the copy of a month to its end, one row group after the other; one that has gone meanwhile is well.

    Args:
        lake: The lake.
        account: The table's account.
        table: What is copied.
        month: The first day of the month.
        marks: `Lake.marks` of the table. Only of files that have other marks than when they were copied are footers read.
        is_sandbox: Whether the lake's numbers are invented.

    Raises:
        DamagedError: It is not what its footer says.
        StaleError: Files of its days have landed, come or gone since it was made, or its table has other columns now.
        LakeError: The lake cannot be read.
    """
    body = body_of(lake, copy_path(lake, account, table.name, month))
    if body is None:
        return
    try:
        held = pq.ParquetFile(pa.BufferReader(body), page_checksum_verification=True)
        footer = copy_footer(held)
        if not held.schema_arrow.equals(copy_schema(table)):
            raise StaleError("its columns are not those its table declares by now")
        _examine_rows(held, table, footer.days)
    except NoCopyError as error:
        raise DamagedError(str(error)) from error
    except (pa.ArrowException, OSError, ValueError) as error:
        raise unreadable(error) from error
    if footer.is_sandbox != is_sandbox:
        raise StaleError(f"it was made from {'sandbox' if footer.is_sandbox else 'live'} numbers")
    standing = {day: mark for day, mark in marks.items() if month_of(day) == month}
    both = standing.keys() & footer.days.keys()
    written = {day for day in both if standing[day] != footer.days[day].mark}
    anew = {day for day in written if not _stands(lake, account, table, day, footer.days[day])}
    if differing := anew | (standing.keys() ^ footer.days.keys()):
        raise StaleError(f"it is not what the files of {in_words(differing)} are by now")


def _examine_rows(held: pq.ParquetFile, table: Table, days: Mapping[date, CopiedDay]) -> None:
    groups, rest = iter(range(held.num_row_groups)), held.schema_arrow.empty_table()
    for day, one in days.items():
        while rest.num_rows < one.rows and (number := next(groups, None)) is not None:
            rest = pa.concat_tables([rest, held.read_row_group(number)])
        own = replace(table, columns=[column for column in table.columns if column.name not in one.lacking])
        if content_hash(own, rest.slice(0, one.rows)) != one.version:
            raise DamagedError(f"its rows of {day} are not what its footer says")
        rest = rest.slice(one.rows)
    if rest.num_rows or next(groups, None) is not None:
        raise DamagedError("it has more rows than its footer says")


def _stands(lake: Lake, account: str, table: Table, day: date, copied: CopiedDay) -> bool:
    """Whether the file a day was copied from stands; one that is damaged is told by itself, and its copy is what had landed."""
    try:
        landed = lake.landed(account, table.name, day)
    except PermanentError:
        return True
    return landed is not None and landed.footer.content_hash == copied.version
