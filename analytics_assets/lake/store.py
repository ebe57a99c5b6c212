"""The lake: files promoted whole, and read back.

A day of a table is `<root>/<account>/<table>/dt=YYYY-MM-DD/data.parquet`; DuckDB, Polars, Spark and Athena read that as it is.
The footer says what was asked, when and by which attempt family. How a file appears whole is in `files.py`; keep vendors and Dagster out of here.
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from analytics_assets.errors import PermanentError
from analytics_assets.lake.content import content_hash
from analytics_assets.lake.files import Files, folder_name
from analytics_assets.lake.footer import Footer, encoded, footer_of, is_made_from
from analytics_assets.lake.parquet import parquet
from analytics_assets.lake.quarantine import Quarantine
from analytics_assets.lake.table import Table, ValidDay

if TYPE_CHECKING:
    import pandas as pd

_FILE = "data.parquet"
_DAY = re.compile(r"dt=(\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True)
class Landed:
    """A day that stands in the lake.

    Attributes:
        path: Where.
        rows: Rows of the day.
        size: Bytes of the file.
        footer: What the file says of itself.
        is_changed: Whether this landing wrote the file; False where an equal day stood there.
    """

    path: str
    rows: int
    size: int
    footer: Footer
    is_changed: bool


@dataclass(frozen=True)
class Packed:
    """A valid day as a file that nobody sees yet.

    Attributes:
        path: Where it will stand.
        rows: Rows of the day.
        footer: What the file says of itself.
        standing: What stood there when it was packed.
        file: The file; None where an equal day stood there.
    """

    path: str
    rows: int
    footer: Footer
    standing: Landed | None
    file: pa.Buffer | None


class Lake:
    """One folder or bucket of Parquet files."""

    def __init__(self, root: str) -> None:
        """Opens the lake at a local path or an fsspec URL; nothing is read or written yet.

        Raises:
            PermanentError: The URL is of no known kind, or what opens it is not installed.
        """
        self.files = Files(root)
        self.root = self.files.root
        self.quarantine = Quarantine(self.files)

    def path(self, account: str, table: str, day: date) -> str:
        """Where a day of a table stands.

        Raises:
            PermanentError: A name would lead out of the lake.
        """
        return f"{self.folder(account, table)}/dt={day.isoformat()}/{_FILE}"

    def folder(self, account: str, table: str) -> str:
        """The folder of a table."""
        return f"{self.root}/{folder_name(account)}/{folder_name(table)}"

    def land(
        self,
        account: str,
        table: Table,
        day: date,
        content: pa.Table | ValidDay,
        *,
        asked: str = "",
        family: str = "",
        requested_at: datetime | None = None,
        is_sandbox: bool = False,
    ) -> Landed:
        """Makes a valid day visible, whole. An equal day with an equal footer is left as it is, byte for byte.

        Raises:
            UnexpectedPayloadError: The content is not a valid day of the table; what stood there stays.
            PermanentError: What stands there is of the other mode, or no file of a lake.
        """
        about = Footer("", asked, family, requested_at, is_sandbox)
        standing = self.landed(account, table.name, day)
        return self.promote(self.pack(account, table, day, content, about, standing=standing))

    def pack(
        self,
        account: str,
        table: Table,
        day: date,
        content: pa.Table | ValidDay,
        about: Footer,
        *,
        standing: Landed | None,
        raw: Footer | None = None,
    ) -> Packed:
        """A day ready to be made visible over `standing`; raises as `land`, and writes nothing.

        Args:
            account: Account of the table.
            table: The table.
            day: The day.
            content: Its rows. What comes as a `ValidDay` of this table and day is not looked at again.
            about: The footer as far as it does not follow from the other arguments; a `content_hash` that it has is believed.
            standing: The existing day.
            raw: Footer of the raw day that the content was made from.
        """
        content = _valid(table, day, content)
        footer = msgspec.structs.replace(
            about,
            content_hash=about.content_hash or content_hash(table, content),
            account=account,
            table=table.name,
            day=day,
            raw_hash="" if raw is None else raw.content_hash,
            raw_requested_at=None if raw is None else raw.requested_at,
        )
        if standing is not None:
            refuse_other_mode(standing, is_sandbox=footer.is_sandbox)
        is_same = standing is not None and _is_same(standing.footer, footer, raw)
        file = None if is_same else parquet(content, encoded(footer))
        return Packed(self.path(account, table.name, day), content.num_rows, footer, standing, file)

    def promote(self, packed: Packed) -> Landed:
        """Makes a packed day visible, whole; where an equal one stands, that stays."""
        if packed.file is None:
            assert packed.standing is not None, "only an equal day needs no file"
            return packed.standing
        self.files.promote(packed.path, packed.file)
        return Landed(self.files.named(packed.path), packed.rows, packed.file.size, packed.footer, is_changed=True)

    def landed(self, account: str, table: str, day: date) -> Landed | None:
        """What stands for a day, or None.

        Raises:
            PermanentError: The file there was not written by a lake.
        """
        path = self.path(account, table, day)
        try:
            size = self.files.size(path)
            with self.files.opened(path) as file:
                metadata = pq.read_metadata(file)
            footer = footer_of(metadata)
        except FileNotFoundError:
            return None
        except (pa.ArrowInvalid, KeyError, msgspec.DecodeError) as error:
            raise PermanentError(
                f"{self.files.named(path)} is not a file of this lake, or a damaged one. "
                "`analytics-assets lake verify --ask-again` puts it aside and asks for the day again."
            ) from error
        return Landed(self.files.named(path), metadata.num_rows, size, footer, is_changed=False)

    def days(self, account: str, table: str) -> list[date]:
        """The days that stand, oldest first."""
        folder = self.folder(account, table)
        found = (_day(path, folder) for path in self.files.under(folder))
        return sorted(day for day in found if day is not None)

    def marks(self, account: str, table: str) -> dict[date, str]:
        """Of each day that stands what its file is known by (`Listed.mark`), oldest first; nothing is read for it."""
        folder = self.folder(account, table)
        found = ((_day(path, folder), one.mark) for path, one in self.files.listed(folder).items())
        return dict(sorted((day, mark) for day, mark in found if day is not None))

    def read(
        self, account: str, table: Table, days: Iterable[date] | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Days of a table as Arrow, all that stand by default; days that do not stand are left out.

        Columns declared later than a file was written are null.
        """
        schema = table.schema if columns is None else pa.schema([table.schema.field(name) for name in columns])
        parts = []
        for day in self.days(account, table.name) if days is None else sorted(set(days)):
            with suppress(FileNotFoundError):
                parts.append(self._read(self.path(account, table.name, day), schema))
        if not parts:
            return schema.empty_table()
        held = pa.schema(
            [field.with_nullable(any(part.schema.field(field.name).nullable for part in parts)) for field in schema]
        )
        return pa.concat_tables([part.cast(held) for part in parts])

    def held(self, account: str, table: str, day: date) -> pa.Table | None:
        """A day as its file has it, whatever its table declares by now; None where it does not stand."""
        try:
            with self.files.opened(self.path(account, table, day)) as file:
                return pq.ParquetFile(file).read()
        except FileNotFoundError:
            return None

    def read_pandas(self, account: str, table: Table, days: Iterable[date] | None = None) -> "pd.DataFrame":
        """As `read`, as a data frame with Arrow types: null stays null, decimals stay decimals."""
        import pandas as pd  # noqa: PLC0415 - a fifth of a second in each process that loads the definitions and reads no frame

        return self.read(account, table, days).to_pandas(types_mapper=pd.ArrowDtype)

    def empty(self, account: str, table: str, day: date, *, before: datetime, now: datetime) -> bool:
        """Takes the rows of a day away that was asked for before an instant; False where it was asked for anew meanwhile.

        The file stays and says what it held, when that was asked for, and that it is gone.
        """
        standing, held = self.landed(account, table, day), self.held(account, table, day)
        if standing is None or held is None:
            return False
        if standing.footer.requested_at is None or standing.footer.requested_at >= before:
            return False
        footer = msgspec.structs.replace(standing.footer, emptied_at=now, emptied_rows=standing.rows)
        file = parquet(held.schema.empty_table(), encoded(footer))
        self.files.promote(self.path(account, table, day), file)
        return True

    def _read(self, path: str, schema: pa.Schema) -> pa.Table:
        with self.files.opened(path) as file:
            held = pq.ParquetFile(file)
            known = [name for name in schema.names if name in held.schema_arrow.names]
            part = held.read(columns=known)
            rows = held.metadata.num_rows
        columns = {
            name: part[name] if name in known else pa.nulls(rows, schema.field(name).type) for name in schema.names
        }
        fields = [field if field.name in known else field.with_nullable(nullable=True) for field in schema]
        return pa.table(columns).cast(pa.schema(fields))


def refuse_other_mode(standing: Landed, *, is_sandbox: bool) -> None:
    """Keeps invented numbers and real ones apart.

    Raises:
        PermanentError: What stands is invented and what comes is not, or the other way round.
    """
    if standing.footer.is_sandbox != is_sandbox:
        held, new = ("sandbox", "live") if standing.footer.is_sandbox else ("live", "sandbox")
        raise PermanentError(
            f"{standing.path} holds {held} numbers; {new} numbers are not put in their place. Set ANALYTICS_LAKE to another folder."
        )


def _day(path: PurePosixPath, folder: str) -> date | None:
    """The day whose file has this path in the folder of a table, or None."""
    named = _DAY.fullmatch(path.parent.name)
    is_ours = path.name == _FILE and path.parent.parent == PurePosixPath(folder)
    return date.fromisoformat(named[1]) if named and is_ours else None


def _valid(table: Table, day: date, content: pa.Table | ValidDay) -> pa.Table:
    if not isinstance(content, ValidDay):
        return table.validated(content, day)
    is_known = content.table is table and content.day == day
    return content.content if is_known else table.validated(content.content, day)


def _is_same(standing: Footer, new: Footer, raw: Footer | None) -> bool:
    """Whether a file need not be written: same content, for a snapshot of the same instant, and for answers kept as sent the same asking too."""
    if not new.asked:
        is_known = standing.answers in ("", new.answers) and (raw is None or is_made_from(standing, raw, new.table))
        is_content = standing.content_hash == new.content_hash and standing.is_sandbox == new.is_sandbox
        return is_content and standing.requested_at == new.requested_at and is_known
    # Files of earlier versions do not name their account, table and day.
    place = {"account": new.account, "table": new.table, "day": new.day}
    return (standing if standing.table else msgspec.structs.replace(standing, **place)) == new
