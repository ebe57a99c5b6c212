"""The footer of a file of the lake: what was asked, when and by which attempts, so that the lake needs no record beside it.

It is a piece of JSON in the metadata of the Parquet file. What the columns hold is declared in `table.py`.
"""

from datetime import datetime
from typing import Final

import msgspec
import pyarrow.parquet as pq

_KEY: Final = b"analytics_assets"


class Footer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a file says of itself.

    Attributes:
        content_hash: Data version of the day.
        asked: Hash of the request the day was read with; empty for tables made from other tables.
        family: Attempts that belong together: a run and its re-executions, or a backfill.
        requested_at: Instant the answer was requested; for a report, the instant its task was requested. Raw tables and snapshots have it.
        is_sandbox: Whether the numbers are invented.
        emptied_at: Instant the rows were taken away because their time was over, or None; everything else stays as it was.
        emptied_rows: How many they were.
        answers: Of a table made from answers, hash of the request they were given to; empty where not kept.
    """

    content_hash: str
    asked: str = ""
    family: str = ""
    requested_at: datetime | None = None
    is_sandbox: bool = False
    emptied_at: datetime | None = None
    emptied_rows: int = 0
    answers: str = ""


def encoded(footer: Footer) -> dict[bytes, bytes]:
    """The footer as metadata of a Parquet file."""
    return {_KEY: msgspec.json.encode(footer)}


def footer_of(metadata: pq.FileMetaData) -> Footer:
    """What a file says of itself; raises `KeyError` or `msgspec.DecodeError` where it says nothing that a lake has written."""
    return msgspec.json.decode((metadata.metadata or {})[_KEY], type=Footer)
