"""The lake: days stored whole, and read back (`reader.py`).

A day of a table is `<root>/<account>/<table>/dt=YYYY-MM-DD/data.parquet`; DuckDB, Polars, Spark and Athena read that as it is.
The footer says what was asked, when and by which attempt family. How a file appears whole is in `files.py`; keep vendors and Dagster out of here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
import pyarrow as pa

from analytics_assets.errors import LakeError, PermanentError, UnusableFileError
from analytics_assets.lake.content import content_hash
from analytics_assets.lake.files import Staged
from analytics_assets.lake.footer import Footer, belongs_to, encoded
from analytics_assets.lake.parquet import parquet
from analytics_assets.lake.parquet_reader import DayFile
from analytics_assets.lake.quarantine import Quarantine
from analytics_assets.lake.reader import LakeReader, StoredDay
from analytics_assets.lake.table import Table, ValidDay

# `StoredDay` is what reading and storing a day both return.
__all__ = ["Lake", "Packed", "ReplacedError", "StoredDay", "refuse_other_mode"]


@dataclass(frozen=True)
class Packed:
    """A valid day as a file that nobody sees yet.

    Attributes:
        path: Where it will stand.
        rows: Rows of the day.
        footer: What the file says of itself.
        existing: What stood there when it was packed.
        file: The file; None where an equal day stood there.
        last: Of a raw day, the footer of `existing` with its last request when the day was packed.
        confirms: True if the response equals the existing raw day and only its request has to be recorded.
    """

    path: str
    rows: int
    footer: Footer
    existing: StoredDay | None
    file: pa.Buffer | None
    last: Footer | None = None
    confirms: bool = False

    def existing_day(self) -> StoredDay:
        """The equal day that stood there.

        Raises:
            LakeError: There was none, so there would have to be a file.
        """
        if self.existing is None:
            raise LakeError(
                f"{self.path} has neither rows to write nor an existing file.", remedy="This is a fault of the program."
            )
        return self.existing


class ReplacedError(Exception):
    """A file that a day was made from or compared with has been replaced since; names its path."""


class Lake(LakeReader):
    """One folder or bucket of Parquet files."""

    def __init__(self, root: str) -> None:
        """Opens the lake as its reader does."""
        super().__init__(root)
        self.quarantine = Quarantine(self.files)

    def store_day(
        self,
        account: str,
        table: Table,
        day: date,
        content: pa.Table | ValidDay,
        *,
        request_hash: str = "",
        attempt_group: str = "",
        requested_at: datetime | None = None,
        is_sandbox: bool = False,
    ) -> StoredDay:
        """Makes a valid day visible, whole. An equal day with an equal footer is left as it is, byte for byte.

        Raises:
            UnexpectedPayloadError: The content is not a valid day of the table; what stood there stays.
            PermanentError: What stands there is of the other mode, or no file of a lake.
        """
        about = Footer("", request_hash, attempt_group, requested_at, is_sandbox)
        existing = self.stored_day(account, table.name, day)
        return self.store_packed(self.pack(account, table, day, content, about, existing=existing))

    def pack(
        self,
        account: str,
        table: Table,
        day: date,
        content: pa.Table | ValidDay,
        about: Footer,
        *,
        existing: StoredDay | None,
        raw: Footer | None = None,
        last: Footer | None = None,
        repeats: bool = False,
    ) -> Packed:
        """A day ready to be made visible over `existing`; raises as `store_day`, and writes nothing.

        Args:
            account: Account of the table.
            table: The table.
            day: The day.
            content: Its rows. What comes as a `ValidDay` of this table and day is not looked at again.
            about: The footer as far as it does not follow from the other arguments; a `content_hash` that it has is believed.
            existing: The existing day.
            raw: Footer of the raw day that the content was made from.
            last: As in `Packed`.
            repeats: True if the rows and remarks of `existing` were compared and are those of the content.
        """
        content = _valid(table, day, content)
        footer = msgspec.structs.replace(
            about,
            content_hash=about.content_hash or content_hash(table, content),
            account=account,
            table=table.name,
            day=day,
            raw_hash="" if raw is None else raw.content_hash,
        )
        if existing is not None:
            refuse_other_mode(existing, is_sandbox=footer.is_sandbox)
        is_same = existing is not None and _is_same(existing.footer, footer, raw)
        confirms = repeats and existing is not None and _is_repeated(existing.footer, footer)
        file = None if is_same or confirms else parquet(content, encoded(footer))
        path = self.path(account, table.name, day)
        return Packed(path, content.num_rows, footer, existing, file, last, confirms and not is_same)

    def store_packed(self, packed: Packed) -> StoredDay:
        """Makes a packed day visible, whole, whatever is there by now; where an equal one was found, that stays."""
        with self.staged([packed]) as staged:
            stored = self.publish(packed, staged, unchanged={})
            staged.sync()
        return stored

    @contextmanager
    def staged(self, packed: Iterable[Packed]) -> Iterator[Staged]:
        """Packed days on the disk, not visible yet; a day counts as stored after `sync`."""
        with self.files.staged({one.path: one.file for one in packed if one.file is not None}) as staged:
            yield staged

    def publish(self, packed: Packed, staged: Staged, *, unchanged: Mapping[str, str | None]) -> StoredDay:
        """Makes a staged day visible, if nothing that it was made from or compared with has been replaced since.

        On a disk no other writer comes between the comparison and the renaming: both happen under the locks of these files' folders.

        Args:
            packed: The day.
            staged: Where it was staged.
            unchanged: Marks of the files that have to be as they were, by path, None for a file that did not exist.

        Raises:
            ReplacedError: A file was replaced.
        """
        with self.files.locked(unchanged):
            for path, mark in unchanged.items():
                if self.files.mark(path) != mark:
                    raise ReplacedError(self.files.named(path))
            if packed.file is None:
                return packed.existing_day()
            self._refuse_confirmed(packed)
            staged.publish(packed.path)
            mark = self.files.mark(packed.path) or ""
        named = self.files.named(packed.path)
        return StoredDay(named, packed.rows, packed.file.size, packed.footer, is_changed=True, mark=mark)

    def confirm(self, packed: Packed) -> None:
        """Records the request of a raw day that equals the existing one; nothing is written to the lake.

        Raises:
            ReplacedError: The existing day is another one by now.
        """
        footer, path = packed.footer, packed.path
        if self.confirmations is None or footer.day is None:
            return
        with self.files.locked([path]):
            if self.files.mark(path) != packed.existing_day().mark:
                raise ReplacedError(self.files.named(path))
            self.confirmations.write(footer.account, footer.table, footer.day, footer)

    def _refuse_confirmed(self, packed: Packed) -> None:
        """Raises `ReplacedError` if another process has confirmed the existing raw day since this one was packed."""
        existing, footer = packed.existing, packed.footer
        if existing is None or packed.last is None or footer.day is None:
            return
        if self.last_request(footer.account, footer.table, footer.day, existing.footer) != packed.last:
            raise ReplacedError(self.files.named(packed.path))

    def take(self, account: str, table: str, day: date, *, mark: str | None, seen_at: datetime) -> str:
        """Moves the file of a day to the quarantine if it is still the one of this mark; returns where it is then.

        Raises:
            ReplacedError: It is another one by now.
        """
        path = self.path(account, table, day)
        with self.files.locked([path]):
            if self.files.mark(path) != mark:
                raise ReplacedError(self.files.named(path))
            return self.quarantine.take(account, table, day, path, seen_at=seen_at)

    def keep_copy(self, account: str, table: str, day: date, *, mark: str | None, seen_at: datetime) -> str | None:
        """Keeps a copy of the file of a day in the quarantine before it is replaced, if it is still the one of this mark; returns where.

        Raises:
            ReplacedError: It is another one by now.
        """
        path = self.path(account, table, day)
        with self.files.locked([path]):
            if self.files.mark(path) != mark:
                raise ReplacedError(self.files.named(path))
            return None if mark is None else self.quarantine.copy(account, table, day, path, seen_at=seen_at)

    def take_unusable(
        self,
        account: str,
        table: str,
        day: date,
        *,
        examine: Callable[[DayFile], object] = DayFile.read,
        seen_at: datetime,
    ) -> str | None:
        """Moves the file of a day to the quarantine if `examine` raises `UnusableFileError`; returns where it is then, or None."""
        place = self.place(account, table, day)
        with self.files.locked([place.path]):
            try:
                examine(place)
            except FileNotFoundError:
                return None
            except UnusableFileError:
                return self.quarantine.take(account, table, day, place.path, seen_at=seen_at)
        return None


def refuse_other_mode(existing: StoredDay, *, is_sandbox: bool) -> None:
    """Keeps invented numbers and real ones apart.

    Raises:
        PermanentError: What stands is invented and what comes is not, or the other way round.
    """
    if existing.footer.is_sandbox != is_sandbox:
        held, new = ("sandbox", "live") if existing.footer.is_sandbox else ("live", "sandbox")
        raise PermanentError(
            f"{existing.path} holds {held} numbers; {new} numbers are not put in their place.",
            remedy="Set ANALYTICS_LAKE to another folder.",
        )


def _valid(table: Table, day: date, content: pa.Table | ValidDay) -> pa.Table:
    if not isinstance(content, ValidDay):
        return table.validated(content, day)
    is_known = content.table is table and content.day == day
    return content.content if is_known else table.validated(content.content, day)


def _is_repeated(existing: Footer, new: Footer) -> bool:
    """True if two footers differ in nothing but the request: its instant and its attempt group."""
    return msgspec.structs.replace(existing, attempt_group=new.attempt_group, requested_at=new.requested_at) == new


def _is_same(existing: Footer, new: Footer, raw: Footer | None) -> bool:
    """True if a file need not be written: same content, for a snapshot of the same instant, and for responses kept as sent the same asking too."""
    if not new.request_hash:
        is_known = existing.raw_request_hash in ("", new.raw_request_hash) and (
            raw is None or belongs_to(existing, raw, new.table)
        )
        is_content = existing.content_hash == new.content_hash and existing.is_sandbox == new.is_sandbox
        return is_content and existing.requested_at == new.requested_at and is_known
    # Files of earlier versions do not name their account, table and day.
    place = {"account": new.account, "table": new.table, "day": new.day}
    return (existing if existing.table else msgspec.structs.replace(existing, **place)) == new
