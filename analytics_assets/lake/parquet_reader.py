"""Reading the file of a day, with proof that it is what its place says: whole, of this account and table, and of this day.

Every error here names path and day, and is a `UnusableFileError`; a disk or bucket that fails is a `LakeError` (`files.py`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from analytics_assets.errors import EarlierSchemaError, UnusableFileError
from analytics_assets.lake.files import Files
from analytics_assets.lake.footer import Footer, footer_of
from analytics_assets.lake.table import DATE, Table

# A Parquet file begins and ends with its name and the length of its footer; nothing shorter is one.
LEAST_BYTES: Final = 12
# What an earlier version wrote. No table declares such columns now, so a file that has one is of that version.
EARLIER_NAMES: Final = frozenset({"group", "interval"})
_EARLIER_AMOUNT: Final = pa.decimal128(38, 9)
CONVERT: Final = 'Convert the lake, as described in docs/lake.md under "A lake of an earlier version"'


@dataclass(frozen=True)
class DayFile:
    """The place of a day, with what is expected there.

    Attributes:
        files: The files of the lake.
        path: Path of the file.
        account: Account of the table.
        table: Name of the table.
        day: The day.
    """

    files: Files
    path: str
    account: str
    table: str
    day: date

    @contextmanager
    def opened(self) -> Iterator[tuple[pq.ParquetFile, Footer]]:
        """The file and its footer; what is read from it meanwhile has its checksums compared.

        Raises:
            FileNotFoundError: There is no such file.
            UnusableFileError: It is damaged, belongs elsewhere, or has the columns of an earlier version.
            LakeError: The lake cannot be read.
        """
        with self.files.opened(self.path) as file, self._errors():
            parquet = pq.ParquetFile(file, page_checksum_verification=True)
            footer = self._footer(parquet.metadata)
            yield parquet, footer

    def described(self) -> tuple[pq.FileMetaData, Footer]:
        """What the file says of itself, without its rows; raises as `opened`."""
        with self.files.opened(self.path) as file, self._errors():
            metadata = pq.read_metadata(file)
            return metadata, self._footer(metadata)

    def read(self, table: Table | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows with columns of a table, all by default, null where the file is older than a column; without a table as the file has them.

        Raises as `opened`.
        """
        with self.opened() as (parquet, footer):
            if table is None:
                return parquet.read()
            names = parquet.schema_arrow.names
            # Its footer names no table, and columns that it lacks would be taken for later ones.
            if not footer.table and table.key and set(table.key).isdisjoint(names):
                raise self.error(f"it has no column of the key of {table.name} ({', '.join(table.key)})")
            schema = table.schema if columns is None else pa.schema([table.schema.field(name) for name in columns])
            part, rows = (
                parquet.read(columns=[name for name in schema.names if name in names]),
                parquet.metadata.num_rows,
            )
        filled = [part[field.name] if field.name in names else pa.nulls(rows, field.type) for field in schema]
        fields = [field if field.name in names else field.with_nullable(nullable=True) for field in schema]
        return pa.table(filled, names=schema.names).cast(pa.schema(fields))

    def _footer(self, metadata: pq.FileMetaData) -> Footer:
        footer = footer_of(metadata)
        if footer.table and (footer.account, footer.table, footer.day) != (self.account, self.table, self.day):
            raise self.error(f"it is the file of {footer.account}/{footer.table} {footer.day}")
        if not footer.table and (other := _other_days(metadata, self.day)):
            raise self.error(f"its rows are of {', '.join(map(str, other))}")
        if columns := earlier_columns(metadata.schema.to_arrow_schema()):
            raise EarlierSchemaError(
                f"{self.files.named(self.path)} cannot be used: an earlier version wrote its columns {', '.join(columns)}.",
                remedy=f"{CONVERT}.",
                table=self.table,
                rows=metadata.num_rows,
                day=self.day,
            )
        return footer

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (KeyError, msgspec.DecodeError) as error:
            raise self.error("it was not written by a lake: its footer says nothing of a day") from error
        except (pa.ArrowException, OSError) as error:
            # Arrow's own errors of reading are plain OSError without a number; those of disks and networks are not.
            if isinstance(error, OSError) and (type(error) is not OSError or error.errno is not None):
                raise
            raise self.error(f"it cannot be read to its end ({str(error).strip().rstrip('.')})") from error

    def error(self, why: str) -> UnusableFileError:
        """The error of a file that cannot be used; `why` follows the path and the day."""
        command = f"analytics-assets load {self.account} --from {self.day} --to {self.day}"
        return UnusableFileError(
            f"{self.files.named(self.path)} cannot be used: {why}.",
            remedy=f"Materialize the day, as with `{command}`: the file moves to the quarantine, and the day is stored again.",
            table=self.table,
            day=self.day,
        )


def earlier_columns(schema: pa.Schema) -> list[str]:
    """The columns of a file that an earlier version named or typed otherwise."""
    return [field.name for field in schema if field.name in EARLIER_NAMES or field.type == _EARLIER_AMOUNT]


def _other_days(metadata: pq.FileMetaData, day: date) -> list[Any]:
    """The least and greatest day of the rows, where they are not the day; none where the file has no rows, or keeps no statistics."""
    names = metadata.schema.names
    if DATE not in names:
        return ["no day: there is no column date"]
    found: set[Any] = set()
    for number in range(metadata.num_row_groups):
        statistics = metadata.row_group(number).column(names.index(DATE)).statistics
        if statistics is not None and statistics.has_min_max:
            found |= {statistics.min, statistics.max}
    return sorted(found - {day}, key=str)
