"""Reading a lake: which days there are, what their files say of themselves, and their rows.

How one file is read, and refused where it is not what its place says, is in `parquet_reader.py`.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pyarrow as pa

from analytics_assets.errors import UnusableFileError
from analytics_assets.lake.confirmations import Confirmations, last_request
from analytics_assets.lake.files import Files, folder_name
from analytics_assets.lake.footer import Footer
from analytics_assets.lake.listing import ListedFile
from analytics_assets.lake.parquet_reader import LEAST_BYTES, DayFile
from analytics_assets.lake.table import Table

if TYPE_CHECKING:
    import pandas as pd

_FILE = "data.parquet"
_DAY = re.compile(r"dt=(\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True)
class StoredDay:
    """A day that stands in the lake.

    Attributes:
        path: Where.
        rows: Rows of the day.
        size: Bytes of the file.
        footer: What the file says of itself.
        is_changed: True if this load wrote the file; False where an equal day was stored.
        mark: Another one once the file has been written again (`ListedFile.mark`).
    """

    path: str
    rows: int
    size: int
    footer: Footer
    is_changed: bool
    mark: str = field(default="", compare=False)


class LakeReader:
    """One folder or bucket of Parquet files, to be read."""

    def __init__(self, root: str) -> None:
        """Opens the lake at a local path or an fsspec URL; nothing is read or written yet.

        Raises:
            PermanentError: The URL is of no known kind, or what opens it is not installed.
        """
        self.files = Files(root)
        self.root = self.files.root
        self.confirmations: Confirmations | None = None

    def path(self, account: str, table: str, day: date) -> str:
        """Where a day of a table stands.

        Raises:
            PermanentError: A name would lead out of the lake.
        """
        return f"{self.folder(account, table)}/dt={day.isoformat()}/{_FILE}"

    def folder(self, account: str, table: str) -> str:
        """The folder of a table."""
        return f"{self.root}/{folder_name(account)}/{folder_name(table)}"

    def stored_day(self, account: str, table: str, day: date) -> StoredDay | None:
        """What stands for a day, or None.

        Raises:
            UnusableFileError: The file there is damaged, or belongs to another table or day.
        """
        place = self.place(account, table, day)
        try:
            listed = self.files.listed_file(place.path)
            metadata, footer = place.described()
        except FileNotFoundError:
            return None
        named = self.files.named(place.path)
        return StoredDay(named, metadata.num_rows, listed.size, footer, is_changed=False, mark=listed.mark)

    def usable(self, account: str, table: str, day: date) -> StoredDay | None:
        """As `stored`, and None also for a file that cannot be used: a load replaces it as it stores a missing day."""
        try:
            return self.stored_day(account, table, day)
        except UnusableFileError:
            return None

    def confirmed(self, account: str, table: str, days: Collection[date]) -> Mapping[date, Footer]:
        """The last confirmations of some days of a raw table, for `last_request`; none where the lake has no place for them."""
        return {} if self.confirmations is None or not days else self.confirmations.read(account, table, days)

    def last_request(self, account: str, table: str, day: date, stored: Footer) -> Footer:
        """The footer of a raw day with the last request that returned its content; of many days `confirmed` reads all at once."""
        return last_request(stored, self.confirmed(account, table, [day]).get(day))

    def days(self, account: str, table: str) -> list[date]:
        """The days that stand, oldest first. A file too short to be one, as a power cut can leave, is a missing day."""
        return sorted(day for day, one in self.listed(account, table).items() if one.size >= LEAST_BYTES)

    def listed(self, account: str, table: str) -> dict[date, ListedFile]:
        """What a listing says of the file of each day, whatever is in it; nothing is read."""
        folder = self.folder(account, table)
        found = ((_day(path, folder), one) for path, one in self.files.listed(folder).items())
        return {day: one for day, one in found if day is not None}

    def marks(self, account: str, table: str) -> dict[date, str]:
        """Of each day that stands what its file is known by (`ListedFile.mark`), oldest first; nothing is read for it."""
        return {day: one.mark for day, one in sorted(self.listed(account, table).items())}

    def read(
        self, account: str, table: Table, days: Iterable[date] | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Days of a table as Arrow, all that stand by default; days that do not stand are left out.

        Columns declared later than a file was written are null.

        Raises:
            UnusableFileError: A file there is damaged, or belongs to another table or day.
        """
        schema = table.schema if columns is None else pa.schema([table.schema.field(name) for name in columns])
        parts = []
        for day in sorted(set(self.listed(account, table.name) if days is None else days)):
            with suppress(FileNotFoundError):
                parts.append(self.place(account, table.name, day).read(table, columns))
        if not parts:
            return schema.empty_table()
        held = pa.schema(
            [field.with_nullable(any(part.schema.field(field.name).nullable for part in parts)) for field in schema]
        )
        return pa.concat_tables([part.cast(held) for part in parts])

    def held(self, account: str, table: str, day: date) -> pa.Table | None:
        """A day as its file has it, whatever its table declares by now; None where it does not stand. Raises as `read`."""
        try:
            return self.place(account, table, day).read()
        except FileNotFoundError:
            return None

    def read_pandas(self, account: str, table: Table, days: Iterable[date] | None = None) -> "pd.DataFrame":
        """As `read`, as a data frame with Arrow types: null stays null, decimals stay decimals."""
        import pandas as pd  # noqa: PLC0415 - a fifth of a second in each process that loads the definitions and reads no frame

        return self.read(account, table, days).to_pandas(types_mapper=pd.ArrowDtype)

    def place(self, account: str, table: str, day: date) -> DayFile:
        """The file of a day, whether there is one or not."""
        return DayFile(self.files, self.path(account, table, day), account, table, day)


def _day(path: PurePosixPath, folder: str) -> date | None:
    """The day whose file has this path in the folder of a table, or None."""
    named = _DAY.fullmatch(path.parent.name)
    is_ours = path.name == _FILE and path.parent.parent == PurePosixPath(folder)
    with suppress(ValueError):
        return date.fromisoformat(named[1]) if named and is_ours else None
    return None
