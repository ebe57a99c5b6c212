"""What there is in a lake, file by file, and whether each is what its table declares, to its last byte.

A file is read whole once. Its rows have to be a valid day of its table as a landing wants it (`lake/table.py`) and to hash to what the footer
says. Columns that were declared later are null and may be missing. Keep Dagster out of here (`record.py`) and remedies too (`verification.py`).
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
    """A file is not what its table declares; says in which way."""


class EarlierError(Exception):
    """A file is whole, and was stored for an earlier definition of its table; says in which way.

    Attributes:
        stored: The file.
    """

    def __init__(self, difference: str, stored: StoredDay) -> None:
        super().__init__(f"stored for an earlier definition of this report: {difference}")
        self.stored = stored


class OutdatedError(Exception):
    """A file has columns that an earlier version of this program named or typed otherwise; says which."""


class ForeignError(Exception):
    """A file holds numbers of the other mode."""


@dataclass
class Inventory:
    """The files of a lake.

    Attributes:
        days: The days that stand of each declared table, by account and table, oldest first.
        strangers: Files that no declared table has there.
        leftovers: Files of writers that were killed, or are at work.
        quarantined: How many are kept in the quarantine.
    """

    days: Mapping[Name, Sequence[date]]
    strangers: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    quarantined: int = 0


def inventory(lake: Lake, declared: Mapping[Name, Table]) -> Inventory:
    """Lists a lake. Other names that begin with `_` are not tables of accounts: the lake's identity, growth tables, and monthly copies of earlier versions.

    Raises:
        LakeError: It cannot be listed.
    """
    days: dict[Name, list[date]] = {name: [] for name in declared}
    found = Inventory(days)
    for path in sorted(lake.files.under(lake.root)):
        name = str(path).removeprefix(lake.root).lstrip("/")
        if name.startswith(_QUARANTINE):
            found.quarantined += 1
        elif is_leftover(path.name):
            found.leftovers.append(name)
        elif (standing := _standing(name, declared)) is not None:
            days[standing[0]].append(standing[1])
        elif not name.startswith("_"):
            found.strangers.append(name)
    return found


def examined(lake: Lake, account: str, table: Table, day: date, *, is_sandbox: bool) -> StoredDay | None:
    """What stands for a day, read to its end and found right; None where it has gone meanwhile.

    Raises:
        DamagedError: It is not right.
        EarlierError: It is right, and its table had another definition when it was stored.
        OutdatedError: An earlier version of this program wrote it, with other columns.
        ForeignError: Its numbers are invented and those of the lake are not, or the other way round.
        LakeError: The lake cannot be read.
    """
    path = lake.path(account, table.name, day)
    body = _body(lake, path)
    if body is None:
        return None
    footer, content = _read(body)
    if footer.table and (footer.account, footer.table, footer.day) != (account, table.name, day):
        other_day = f" {footer.day}" if footer.day != day else ""
        raise DamagedError(f"it is the file of {footer.account}/{footer.table}{other_day}")
    if footer.is_sandbox != is_sandbox:
        kind, wanted = ("sandbox", "live") if footer.is_sandbox else ("live", "sandbox")
        raise ForeignError(f"it holds {kind} numbers, and ANALYTICS_MODE is {wanted}")
    if columns := earlier_columns(content.schema):
        raise OutdatedError(f"an earlier version wrote its columns {', '.join(columns)}")
    stored = StoredDay(lake.files.named(path), content.num_rows, len(body), footer, is_changed=False)
    try:
        _judge(table, day, content, footer)
    except DamagedError as error:
        if (difference := _difference(table, content)) and _is_whole(table, day, content, footer):
            raise EarlierError(difference, stored) from error
        raise
    return stored


def _judge(table: Table, day: date, content: pa.Table, footer: Footer) -> None:
    held = _as_held(table, content)
    valid = _valid(held, day, content)
    # The footer of a day whose time was over says what its rows were, and that they are gone.
    is_as_said = not valid.num_rows if footer.emptied_at else content_hash(held, valid) == footer.content_hash
    if not is_as_said:
        raise DamagedError("its content is not what its footer says: it was changed after it had landed")


def _difference(table: Table, content: pa.Table) -> str:
    """In which way the columns of a file are not those its table declares; empty where they are."""
    held, declared = content.schema, table.schema
    found = {
        "no longer declared": [name for name in held.names if name not in declared.names],
        "declared since": [name for name in declared.names if name not in held.names],
        "of another type by now": [
            name for name in held.names if name in declared.names and held.field(name).type != declared.field(name).type
        ],
    }
    told = [f"{', '.join(names)} {words}" for words, names in found.items() if names]
    if not told and held.names != declared.names:
        told = ["its columns have another order by now"]
    return "; ".join(told)


def _is_whole(table: Table, day: date, content: pa.Table, footer: Footer) -> bool:
    """Whether a file holds what its footer says of its own columns, for its own day, whatever its table declares by now."""
    if DATE not in content.schema.names or set(content[DATE].unique().to_pylist()) - {day}:
        return False
    if footer.emptied_at:
        return not content.num_rows
    known = {column.name: column for column in table.columns}
    columns = [
        Column(
            field.name,
            _plain_type(field.type),
            "",
            is_observation=field.name in known and known[field.name].is_observation,
        )
        for field in content.schema
    ]
    return content_hash(replace(table, columns=columns), content) == footer.content_hash


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """Parquet names the inside of a list otherwise than Arrow, which the content hash would notice."""
    return pa.list_(kind.value_type) if pa.types.is_list(kind) else kind


def _body(lake: Lake, path: str) -> bytes | None:
    """The bytes of a file, or None where there is none.

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


def _read(body: bytes) -> tuple[Footer, pa.Table]:
    try:
        held = pq.ParquetFile(pa.BufferReader(body), page_checksum_verification=True)
        footer = footer_of(held.metadata)
        return footer, held.read()
    except (KeyError, msgspec.DecodeError) as error:
        raise DamagedError("it was not written by a lake: its footer says nothing of a day") from error
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DamagedError(f"it cannot be read to its end ({str(error).strip().rstrip('.')})") from error


def _as_held(table: Table, content: pa.Table) -> Table:
    """The declaration as far as a file has it: what was declared later is null there, whatever the declaration says by now.

    Raises:
        DamagedError: The file has a column of another type, one that is not declared, or lacks one that tells rows apart.
    """
    types = {column.name: column.type for column in table.columns}
    other = [name for name in content.schema.names if name in types and content.schema.field(name).type != types[name]]
    if other:
        told = ", ".join(f"{name} is {content.schema.field(name).type} and not {types[name]}" for name in other)
        raise DamagedError(f"columns are of other types than its table declares: {told}")
    if strange := [name for name in content.schema.names if name not in types]:
        raise DamagedError(f"columns are not declared by its table: {', '.join(strange)}")
    if lacking := [name for name in ("date", *table.key) if name not in content.schema.names]:
        raise DamagedError(f"columns are missing that tell its rows apart: {', '.join(lacking)}")
    return replace(table, columns=[column for column in table.columns if column.name in content.schema.names])


def _valid(table: Table, day: date, content: pa.Table) -> pa.Table:
    try:
        return table.validated(content.select(table.schema.names), day)
    except UnexpectedPayloadError as error:
        raise DamagedError(f"its rows are not valid: {error.message.removesuffix('.')}") from error


def _standing(name: str, declared: Mapping[Name, Table]) -> tuple[Name, date] | None:
    found = _DAY_FILE.fullmatch(name)
    if found is None or (found[1], found[2]) not in declared:
        return None
    try:
        return (found[1], found[2]), date.fromisoformat(found[3])
    except ValueError:
        return None
