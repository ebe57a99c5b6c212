"""Lists the files of a lake and examines each to its last byte.

Rows have to be a valid day of their table and to match the content hash of the footer. Columns declared later may be missing.
"""

import errno
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from analytics_assets.errors import LakeError, UnexpectedPayloadError
from analytics_assets.lake.content import content_hash
from analytics_assets.lake.disk import is_leftover
from analytics_assets.lake.footer import Footer, footer_of
from analytics_assets.lake.parquet_reader import earlier_columns
from analytics_assets.lake.store import Lake, StoredDay
from analytics_assets.lake.table import DATE, Column, Table

Name = tuple[str, str]

_DAY_FILE = re.compile(r"([^/]+)/([^/]+)/dt=(\d{4}-\d{2}-\d{2})/data\.parquet")
_QUARANTINE = "_quarantine/"


class DamagedError(Exception):
    """A file does not match its table or its footer; the message says how."""


class EarlierError(Exception):
    """A file is whole and was stored for an earlier definition of its table; the message says how.

    Attributes:
        stored: The file.
    """

    def __init__(self, difference: str, stored: StoredDay) -> None:
        super().__init__(f"stored for an earlier definition of this report: {difference}")
        self.stored = stored


class OutdatedError(Exception):
    """A file has columns as an earlier version of this program wrote them; the message names them."""


class ForeignError(Exception):
    """A file holds numbers of the other mode."""


@dataclass
class Inventory:
    """The files of a lake.

    Attributes:
        days: Stored days of each declared table, oldest first.
        strangers: Files of no declared table.
        leftovers: Temporary files of writers, killed or running.
        quarantined: Number of files in the quarantine.
    """

    days: Mapping[Name, Sequence[date]]
    strangers: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    quarantined: int = 0


def inventory(lake: Lake, declared: Mapping[Name, Table]) -> Inventory:
    """Lists a lake. Other names that begin with `_` belong to no account: the lake's identity, growth tables, monthly copies of earlier versions.

    Raises:
        LakeError: It cannot be listed.
    """
    days: dict[Name, list[date]] = {name: [] for name in declared}
    listing = Inventory(days)
    for path in sorted(lake.files.under(lake.root)):
        name = str(path).removeprefix(lake.root).lstrip("/")
        if name.startswith(_QUARANTINE):
            listing.quarantined += 1
        elif is_leftover(path.name):
            listing.leftovers.append(name)
        elif (day_of_table := _table_and_day(name, declared)) is not None:
            days[day_of_table[0]].append(day_of_table[1])
        elif not name.startswith("_"):
            listing.strangers.append(name)
    return listing


def examine_file(lake: Lake, account: str, table: Table, day: date, *, is_sandbox: bool) -> StoredDay | None:
    """The stored day, read to its end and right; None where there is no file.

    Raises:
        DamagedError: It does not match its table or footer.
        EarlierError: It was stored for an earlier definition of its table.
        OutdatedError: An earlier version of this program wrote its columns.
        ForeignError: It holds numbers of the other mode.
        LakeError: The lake cannot be read.
    """
    path = lake.path(account, table.name, day)
    body = _read_bytes(lake, path)
    if body is None:
        return None
    footer, content = _parse_file(body)
    if footer.table and (footer.account, footer.table, footer.day) != (account, table.name, day):
        other_day = f" {footer.day}" if footer.day != day else ""
        raise DamagedError(f"it is the file of {footer.account}/{footer.table}{other_day}")
    if footer.is_sandbox != is_sandbox:
        kind, expected = ("sandbox", "live") if footer.is_sandbox else ("live", "sandbox")
        raise ForeignError(f"it holds {kind} numbers, and ANALYTICS_MODE is {expected}")
    if columns := earlier_columns(content.schema):
        raise OutdatedError(f"an earlier version wrote its columns {', '.join(columns)}")
    stored = StoredDay(lake.files.named(path), content.num_rows, len(body), footer, is_changed=False)
    try:
        _check_content(table, day, content, footer)
    except DamagedError as error:
        if (difference := _column_difference(table, content)) and _matches_footer(table, day, content, footer):
            raise EarlierError(difference, stored) from error
        raise
    return stored


def _check_content(table: Table, day: date, content: pa.Table, footer: Footer) -> None:
    stored = _stored_table(table, content)
    valid = _valid_rows(stored, day, content)
    # An emptied day keeps the hash of its former rows in the footer.
    is_as_said = not valid.num_rows if footer.emptied_at else content_hash(stored, valid) == footer.content_hash
    if not is_as_said:
        raise DamagedError("its content does not match its footer: it was changed after it was stored")


def _column_difference(table: Table, content: pa.Table) -> str:
    """How the columns of a file differ from those of its table; empty where they do not."""
    stored, declared = content.schema, table.schema
    differences = {
        "no longer declared": [name for name in stored.names if name not in declared.names],
        "declared since": [name for name in declared.names if name not in stored.names],
        "of another type now": [
            name
            for name in stored.names
            if name in declared.names and stored.field(name).type != declared.field(name).type
        ],
    }
    parts = [f"{', '.join(names)} {verb}" for verb, names in differences.items() if names]
    if not parts and stored.names != declared.names:
        parts = ["its columns have another order now"]
    return "; ".join(parts)


def _matches_footer(table: Table, day: date, content: pa.Table, footer: Footer) -> bool:
    """True if the rows match the footer's hash over the file's own columns, whatever its table declares now."""
    if DATE not in content.schema.names or set(content[DATE].unique().to_pylist()) - {day}:
        return False
    if footer.emptied_at:
        return not content.num_rows
    declared = {column.name: column for column in table.columns}
    columns = [
        Column(
            field.name,
            _plain_type(field.type),
            "",
            is_observation=field.name in declared and declared[field.name].is_observation,
        )
        for field in content.schema
    ]
    return content_hash(replace(table, columns=columns), content) == footer.content_hash


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """The type with Arrow's name for list items; Parquet's name changes the content hash."""
    return pa.list_(kind.value_type) if pa.types.is_list(kind) else kind


def _read_bytes(lake: Lake, path: str) -> bytes | None:
    """The bytes of a file; None where there is none.

    Raises:
        DamagedError: The disk cannot give them.
        LakeError: The lake cannot be read.
    """
    try:
        with lake.files.opened(path) as file:
            return file.read()
    except FileNotFoundError:
        return None
    except LakeError as error:
        if getattr(error.__cause__, "errno", None) != errno.EIO:
            raise
        raise DamagedError(f"it cannot be read to its end ({error.__cause__})") from error


def _parse_file(body: bytes) -> tuple[Footer, pa.Table]:
    try:
        parquet_file = pq.ParquetFile(pa.BufferReader(body), page_checksum_verification=True)
        footer = footer_of(parquet_file.metadata)
        return footer, parquet_file.read()
    except (KeyError, msgspec.DecodeError) as error:
        raise DamagedError("it was not written by a lake: its footer names no day") from error
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DamagedError(f"it cannot be read to its end ({str(error).strip().rstrip('.')})") from error


def _stored_table(table: Table, content: pa.Table) -> Table:
    """The table as far as a file has its columns; columns declared later are null there.

    Raises:
        DamagedError: A column has another type or is not declared, or a key column is missing.
    """
    types = {column.name: column.type for column in table.columns}
    other = [name for name in content.schema.names if name in types and content.schema.field(name).type != types[name]]
    if other:
        mismatches = ", ".join(f"{name} is {content.schema.field(name).type} and not {types[name]}" for name in other)
        raise DamagedError(f"columns are of other types than its table declares: {mismatches}")
    if strange := [name for name in content.schema.names if name not in types]:
        raise DamagedError(f"columns are not declared by its table: {', '.join(strange)}")
    if lacking := [name for name in ("date", *table.key) if name not in content.schema.names]:
        raise DamagedError(f"key columns are missing: {', '.join(lacking)}")
    return replace(table, columns=[column for column in table.columns if column.name in content.schema.names])


def _valid_rows(table: Table, day: date, content: pa.Table) -> pa.Table:
    try:
        return table.validated(content.select(table.schema.names), day)
    except UnexpectedPayloadError as error:
        raise DamagedError(f"its rows are not valid: {error.message.removesuffix('.')}") from error


def _table_and_day(name: str, declared: Mapping[Name, Table]) -> tuple[Name, date] | None:
    match = _DAY_FILE.fullmatch(name)
    if match is None or (match[1], match[2]) not in declared:
        return None
    try:
        return (match[1], match[2]), date.fromisoformat(match[3])
    except ValueError:
        return None
