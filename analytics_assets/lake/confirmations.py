"""Raw days that a later response confirmed: the response equals the stored day, so the file stays, and only its request is recorded.

`state/confirmations.py` stores the records; `orchestration/lake_binding.py` connects both.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any, Protocol

import msgspec
import pyarrow as pa

from analytics_assets.lake.footer import Footer
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.table import ValidDay


class Confirmations(Protocol):
    """The last confirmation of each raw day of a lake, as the footer that the file would have been given."""

    def read(self, account: str, table: str, days: Collection[date]) -> Mapping[date, Footer]:
        """The confirmations of some days of a raw table."""

    def write(self, account: str, table: str, day: date, footer: Footer) -> None:
        """Records a confirmation, unless a later one of the same content is recorded."""


def last_request(stored: Footer, confirmation: Footer | None) -> Footer:
    """The footer of a stored raw day with the last request that returned its content.

    A confirmation counts only for the same content, request and mode, and only if it is not older than the file.
    """
    if confirmation is None or confirmation.requested_at is None or stored.emptied_at is not None:
        return stored
    is_same = (stored.content_hash, stored.request_hash, stored.is_sandbox) == (
        confirmation.content_hash,
        confirmation.request_hash,
        confirmation.is_sandbox,
    )
    is_later = stored.requested_at is None or confirmation.requested_at >= stored.requested_at
    if not (is_same and is_later):
        return stored
    return msgspec.structs.replace(
        stored, attempt_group=confirmation.attempt_group, requested_at=confirmation.requested_at
    )


def is_older(raw: RawDay, last: Footer) -> bool:
    """True if a response is older than the last request of the existing raw day: a day is only ever replaced by a later one."""
    return last.requested_at is not None and raw.requested_at < last.requested_at


def is_repeated(existing: pa.Table, response: ValidDay, remarks: Callable[[pa.Table], Any]) -> bool:
    """True if a response has the rows and remarks of the existing raw day, so that its file can stay.

    Observation columns, such as instants, differ with each response. They are not compared; the `remarks` of the stream are.
    """
    table, content = response.table, response.content
    if (existing.schema.names, existing.schema.types) != (table.schema.names, table.schema.types):
        return False
    is_equal = existing.select(table.content_names).equals(content.select(table.content_names))
    return is_equal and bool(remarks(existing) == remarks(content))
