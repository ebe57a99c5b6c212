"""The footer of a file of the lake: what was asked, when and by which attempts, so that the lake needs no record beside it.

It is a piece of JSON in the metadata of the Parquet file. What the columns hold is declared in `table.py`.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

import msgspec
import pyarrow.parquet as pq

_KEY: Final = b"analytics_assets"
# Names in the files, where they differ from those here; files that are stored keep theirs.
_NAMES: Final = {"request_hash": "asked", "attempt_group": "family", "raw_request_hash": "answers"}


class Footer(msgspec.Struct, frozen=True, omit_defaults=True, rename=_NAMES):
    """What a file says of itself.

    Attributes:
        content_hash: Data version of the day.
        request_hash: Hash of the request the day was read with; empty for tables made from other tables.
        attempt_group: Attempts that belong together: a run and its re-executions, or a backfill.
        requested_at: Instant the response was requested; for a report, the instant its task was requested. Raw tables and snapshots have it. A later
            request that returned the same raw day is a confirmation (`confirmations.py`).
        is_sandbox: True if the numbers are invented.
        emptied_at: Instant at which an earlier version removed the rows, or None. Such a day counts as one without raw.
        raw_request_hash: Of a table made from responses, hash of the request they were given to; empty where not kept.
        account: Account of the table; empty in files of earlier versions, as are all fields below.
        table: Name of the table.
        day: Day of the file.
        raw_hash: Of a typed table, `content_hash` of the raw day it was made from. No instant: an equal day has equal bytes in every lake.
        losses: Rows that tables had before most of them were lost to another response to the same request, by table, where a person accepted that;
            of a raw table for all tables made from it, of a typed table its own.
        typed: Of a raw table, `content_hash` of each table made from it, by name, also of those that were equal and not written again.
    """

    content_hash: str
    request_hash: str = ""
    attempt_group: str = ""
    requested_at: datetime | None = None
    is_sandbox: bool = False
    emptied_at: datetime | None = None
    raw_request_hash: str = ""
    account: str = ""
    table: str = ""
    day: date | None = None
    raw_hash: str = ""
    typed: Mapping[str, str] = {}
    losses: Mapping[str, int] = {}


def encoded(footer: Footer) -> dict[bytes, bytes]:
    """The footer as metadata of a Parquet file."""
    return {_KEY: msgspec.json.encode(footer)}


def footer_of(metadata: pq.FileMetaData) -> Footer:
    """What a file says of itself; raises `KeyError` or `msgspec.DecodeError` where it says nothing that a lake has written."""
    return msgspec.json.decode((metadata.metadata or {})[_KEY], type=Footer)


def belongs_to(typed: Footer, raw: Footer, table: str) -> bool:
    """True if a file of a typed table belongs to a raw day: it was made from it, or equals what was made from it.

    Also true where the raw file does not say what was made from it, as files of earlier versions do not.
    """
    if (known := raw.typed.get(table)) is None or typed.content_hash == known:
        return True
    return typed.raw_hash == raw.content_hash
