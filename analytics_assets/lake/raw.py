"""Answers kept as sent: the raw table of a stream that reads plain endpoints, one row a response.

Typed tables can be made again from it at any time without a request. Reports, whose one task answers for many days, keep a row a group
instead (`sources/airbridge/tables.py`).
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import msgspec
import pyarrow as pa

from analytics_assets.http.meter import spent
from analytics_assets.http.response import JsonResponse, Response
from analytics_assets.lake.table import DATE, MOMENT, Column, Table


@dataclass(frozen=True)
class RawDay:
    """What was read for one day, before anything is made of it.

    Attributes:
        content: Rows of the stream's raw table.
        requested_at: Instant of the first request; for a report, the instant its task was requested.
        notes: What the metadata of the day should say of the reading, such as unknown fields.
        spent: Requests, repeats and seconds waited for the day, as metadata by name.
        responses: The decoded responses that the rows were made of, in order; empty where only the rows are at hand.
    """

    content: pa.Table
    requested_at: datetime
    notes: dict[str, Any]
    spent: Mapping[str, float] = field(default_factory=dict)
    responses: Sequence[Response[Any]] = ()


def raw_table(name: str, description: str, docs_url: str) -> Table:
    """The raw table of a stream that reads plain endpoints."""
    return Table(
        name=name,
        description=f"{description} One row a response, as sent; typed tables are made from it without a request.",
        docs_url=docs_url,
        key=("part",),
        columns=(
            Column(DATE, pa.date32(), "The day of the partition, as the vendor counts days."),
            Column("part", pa.int32(), "Position of the response within the day, from 0.", unit="position"),
            Column("endpoint", pa.string(), "Method and path template."),
            Column("path", pa.string(), "The path requested."),
            Column("params", pa.string(), "The query as a JSON object, without what identifies the account."),
            Column("status", pa.int16(), "HTTP status.", unit="HTTP status code"),
            Column("body", pa.large_string(), "The body as sent, JSON text; half a character is U+FFFD."),
            Column("requested_at", MOMENT, "Instant the response was requested.", is_observation=True),
            Column("answered_at", MOMENT, "Instant the response was complete.", is_observation=True),
            Column("attempts", pa.int16(), "Attempts it took.", is_observation=True, unit="attempts"),
        ),
    )


def raw_day(table: Table, day: date, answers: Sequence[JsonResponse], notes: dict[str, Any] | None = None) -> RawDay:
    """Answers of one day, in the order given, as rows of `table`; the notes name the repaired texts, where there are any.

    Where all of them are decoded, the day keeps them, so that no body is decoded again for its typed tables.
    """
    rows = (
        {
            DATE: day,
            "part": part,
            "endpoint": answer.endpoint,
            "path": answer.path,
            "params": msgspec.json.encode(dict(answer.params)).decode(),
            "status": answer.status,
            "body": answer.body.decode(),
            "requested_at": answer.requested_at,
            "answered_at": answer.answered_at,
            "attempts": answer.attempts,
        }
        for part, answer in enumerate(answers)
    )
    requested_at = min(answer.requested_at for answer in answers)
    decoded = [answer for answer in answers if isinstance(answer, Response)]
    return RawDay(
        table.rows(rows),
        requested_at,
        {**(notes or {}), **repaired(answers)},
        spent_on(answers),
        decoded if len(decoded) == len(answers) else (),
    )


def spent_on(answers: Collection[JsonResponse]) -> dict[str, float]:
    """Requests, repeats and seconds waited of some answers."""
    requests = sum(answer.attempts for answer in answers)
    return spent(requests, requests - len(answers), sum(answer.waited_s for answer in answers))


def repaired(answers: Iterable[JsonResponse]) -> dict[str, int]:
    """How many texts of the responses hold U+FFFD in place of half a character, as a note; empty without any."""
    texts = sum(answer.repaired for answer in answers)
    return {"repaired_texts": texts} if texts else {}


def request_hash(*parts: Any) -> str:
    """A short name for what is asked: equal for equal parts, whatever the order of their keys."""
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:16]


def stored_responses(content: pa.Table) -> Iterable[JsonResponse]:
    """The responses in a raw day, in order."""
    names = ("endpoint", "path", "params", "status", "body", "requested_at", "answered_at", "attempts")
    for row in content.sort_by("part").select(names).to_pylist():
        params = msgspec.json.decode(row["params"], type=dict[str, str])
        yield JsonResponse(**{**row, "params": tuple(params.items()), "body": row["body"].encode()})


def bodies(content: pa.Table) -> Iterable[tuple[str, dict[str, str], str]]:
    """Endpoint, query and body of each kept answer, in order."""
    ordered = content.sort_by("part")
    for endpoint, params, body in zip(
        ordered["endpoint"].to_pylist(), ordered["params"].to_pylist(), ordered["body"].to_pylist(), strict=True
    ):
        yield endpoint, msgspec.json.decode(params, type=dict[str, str]), body
