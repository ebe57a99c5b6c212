"""A day on its way into the lake: while it is made (`prepare.py`), and when it needs only to be published (`load.py`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.errors import Evidence, PermanentError, UnexpectedPayloadError
from analytics_assets.http.response import Response
from analytics_assets.lake.footer import Footer
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.store import Packed, StoredDay
from analytics_assets.lake.stream import Stream
from analytics_assets.lake.table import Table, ValidDay


@dataclass(frozen=True)
class PreparedDay:
    """A day that needs only to be promoted.

    Attributes:
        day: The day.
        raw: What was read, as given.
        files: The tables to promote, by name, in this order.
        figures: Numbers and notes of each table, by table name.
        requested_at: Instant its raw was requested, where the stream has raw.
        existing_files: What stood in its tables when it was made.
        outgrown: Table whose standing rows it cannot hold any more, and of which there is no other copy, or None.
        is_loss: True if the raw day that it replaces has to be kept, because most rows of the day are not in the new one.
    """

    day: date
    raw: RawDay | None
    files: Mapping[str, Packed]
    figures: Mapping[str, Mapping[str, Any]]
    requested_at: datetime | None
    existing_files: Mapping[str, StoredDay | None]
    outgrown: str | None = None
    is_loss: bool = False


@dataclass
class Draft:
    """A day while it is made.

    Attributes:
        stream: Its stream.
        day: The day.
        existing_files: The existing files.
        existing: The existing raw day, where the stream has raw.
        fresh: The raw day that was read; None where the existing one is used.
        content: The raw rows that are used.
        source: Footer of the raw day that is used; without the hashes of typed tables where it was read just now.
        last: Footer of the existing raw day with its last request.
        raw_request_hash: Hash of the request that it answers.
        typed: The typed tables, by name.
        figures: Numbers and notes of each table, by name.
        hashes: Content hash of each table that is made, by name.
        contents: What is to be stored beside raw, by table: its declaration, rows and footer, in this order.
        outgrown: As in `PreparedDay`.
    """

    stream: Stream
    day: date
    existing_files: Mapping[str, StoredDay | None]
    existing: StoredDay | None
    fresh: ValidDay | None
    content: pa.Table | None
    source: Footer | None
    last: Footer | None
    raw_request_hash: str
    typed: Mapping[str, ValidDay]
    figures: dict[str, Mapping[str, Any]]
    hashes: dict[str, str]
    contents: dict[str, tuple[Table, ValidDay, Footer]] = field(default_factory=dict)
    outgrown: str | None = None


def valid_raw(stream: Stream, day: date, raw: RawDay) -> ValidDay:
    """The raw day just read; where it is not valid, its rows are the evidence."""
    if stream.raw is None:
        raise PermanentError(
            f"{stream.account}: rows were fetched for a stream without a raw table to store them in.",
            remedy="This is a fault of the program.",
            day=day,
        )
    try:
        return stream.raw.valid_day(raw.content, day)
    except UnexpectedPayloadError as error:
        error.day = error.day or day
        error.evidence = evidence_of(raw.content)
        raise


def valid_typed(
    stream: Stream, day: date, content: pa.Table | None, responses: Sequence[Response[Any]] = ()
) -> tuple[Mapping[str, ValidDay], dict[str, Mapping[str, Any]]]:
    """The typed tables of the day, each a valid one, and their figures; where they are not valid, the raw rows are the evidence.

    `responses` are the decoded responses of the rows, where they are at hand.
    """
    try:
        if stream.transform_responses is not None and responses:
            typed = stream.transform_responses(day, responses)
        else:
            typed = stream.transform(day, content)
        made = {table.name: table.valid_day(typed[table.name].content, day) for table in stream.typed}
        return made, {table.name: typed[table.name].figures for table in stream.typed}
    except UnexpectedPayloadError as error:
        error.day = error.day or day
        if content is not None:
            error.evidence = error.evidence or evidence_of(content)
        raise


def evidence_of(content: pa.Table) -> Evidence:
    """The raw rows of a day and their endpoints, for an error that does not name one response."""
    endpoints = pc.unique(content["endpoint"]).to_pylist() if "endpoint" in content.schema.names else []
    return Evidence(", ".join(endpoints), body="\n".join(map(str, content.to_pylist())))
