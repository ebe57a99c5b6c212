"""Rows of a day as valid days of their tables; where they are not valid, the rows that were read are kept as evidence."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pyarrow as pa

from analytics_assets.errors import Evidence, PermanentError, UnexpectedPayloadError
from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.stream import Stream
from analytics_assets.lake.table import ValidDay


def valid_raw(stream: Stream, day: date, raw: RawDay) -> ValidDay:
    """The raw day just read; where it is not valid, its rows are the evidence."""
    if stream.raw is None:
        raise PermanentError(
            f"{stream.account} {day}: rows were fetched for a stream without a raw table to store them in."
        )
    try:
        return stream.raw.valid_day(raw.content, day)
    except UnexpectedPayloadError as error:
        error.evidence = error.evidence or evidence_of(stream, day, raw.content)
        raise


def valid_typed(
    stream: Stream, day: date, content: pa.Table | None
) -> tuple[Mapping[str, ValidDay], dict[str, Mapping[str, Any]]]:
    """The typed tables of the day, each a valid one, and their figures; where they are not valid, the raw rows are the evidence."""
    try:
        typed = stream.transform(day, content)
        made = {table.name: table.valid_day(typed[table.name].content, day) for table in stream.typed}
        return made, {table.name: typed[table.name].figures for table in stream.typed}
    except UnexpectedPayloadError as error:
        if content is not None:
            error.evidence = error.evidence or evidence_of(stream, day, content)
        raise


def evidence_of(stream: Stream, day: date, content: pa.Table) -> Evidence:
    """The raw rows of a day, where an error does not name the answer itself."""
    return Evidence(f"{stream.account}/{day}", body="\n".join(map(str, content.to_pylist())))
