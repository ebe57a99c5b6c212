"""Ten transforms and eight clients with a bug each, made wrong in one way. The oracles must catch every one.

A transform's bug takes what the true one made and spoils it the way a wrong line would have; a client's takes what was sent. `test_fuzz.py` runs them.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from analytics_assets.http.response import Response
from analytics_assets.lake.stream import Stream, Typed
from analytics_assets_tests.fuzz.sent import Sent
from analytics_assets_tests.fuzz.wire import Flaw

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Bug:
    """A wrong line.

    Attributes:
        words: What it does wrong.
        scene: The stream it is planted in.
        table: The table it spoils.
        spoilt: The rows it makes of the right ones.
    """

    words: str
    scene: str
    table: str
    spoilt: Callable[[Rows], Rows]

    def plant(self, stream: Stream) -> Stream:
        """The stream with the bug in its transform; other streams of the scene as they are."""
        if self.table not in {table.name for table in stream.typed}:
            return stream

        def spoilt(tables: Mapping[str, Typed]) -> Mapping[str, Typed]:
            made = dict(tables)
            right = made[self.table]
            rows = self.spoilt(right.content.to_pylist())
            made[self.table] = replace(right, content=pa.Table.from_pylist(rows, schema=right.content.schema))
            return made

        def of_rows(day: date, raw: pa.Table | None) -> Mapping[str, Typed]:
            return spoilt(stream.transform(day, raw))

        def of_responses(day: date, responses: Sequence[Response[Any]]) -> Mapping[str, Typed]:
            assert stream.transform_responses is not None
            return spoilt(stream.transform_responses(day, responses))

        return replace(stream, transform=of_rows, transform_responses=stream.transform_responses and of_responses)


def _each(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Rows], Rows]:
    return lambda rows: [row | change(row) for row in rows]


def _without_doubles(*key: str) -> Callable[[Rows], Rows]:
    return lambda rows: list({tuple(row[name] for name in key): row for row in rows}.values())


def _off_by_one(rows: Rows) -> Rows:
    """Each value under the interval before it, the first lost."""
    return [row | {"value": after["value"]} for row, after in zip(rows, [*rows[1:], *rows[-1:]], strict=True)]


def _cut_to_32_bits(number: int | None) -> int | None:
    return None if number is None else (number + 2**31) % 2**32 - 2**31


BUGS = (
    Bug(
        "money is rounded to cents",
        "airbridge revenue",
        "revenue_cohorts",
        _each(lambda row: {"value": row["value"] and round(row["value"], 2).quantize(Decimal("1e-9"))}),
    ),
    Bug(
        "a masked value loses its flag",
        "airbridge revenue",
        "revenue_cohorts",
        _each(lambda row: {"is_masked": False}),
    ),
    Bug("values stand one interval early", "airbridge buyers", "buyers_cohorts", _off_by_one),
    Bug(
        "cost and revenue are swapped",
        "airbridge revenue",
        "revenue_cohort_totals",
        _each(lambda row: {"cost": row["revenue"], "revenue": row["cost"]}),
    ),
    Bug("the last row is dropped", "bento ads", "ads_chart", lambda rows: rows[:-1]),
    Bug(
        "money is in the other currency",
        "bento ads",
        "ads_attribution",
        _each(lambda row: {"currency": {"USD": "EUR", "EUR": "USD"}.get(row["currency"], "USD")}),
    ),
    Bug(
        "counts are cut to 32 bits",
        "bento audience",
        "audience_counts",
        _each(lambda row: {"user_count": _cut_to_32_bits(row["user_count"])}),
    ),
    Bug("null is zero", "statsig values", "metric_values", _each(lambda row: {"numerator": row["numerator"] or 0.0})),
    Bug(
        "what stands twice is taken once",
        "bento ads",
        "ads_attribution",
        _without_doubles("dimension", "revenue_mode", "key", "currency"),
    ),
    Bug(
        "the day is that of another field",
        "statsig definitions",
        "event_metrics",
        _each(lambda row: {"date": row["observed_at"].date() + timedelta(days=1)}),
    ),
)

_HALF = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_TOTAL = re.compile(rb'"totalItems": ?\d+')
_MARK = b"\xef\xbb\xbf"


def _ends_at_an_empty_page(sent: Sent) -> Sent:
    try:
        body = json.loads(sent.body)
    except ValueError:
        return sent
    if not isinstance(body, dict) or body.get("data") != [] or not isinstance(body.get("pagination"), dict):
        return sent
    body["pagination"]["nextPage"] = None
    return replace(sent, body=json.dumps(body).encode())


def _without_total(sent: Sent) -> Sent:
    return replace(sent, body=_TOTAL.sub(b'"totalItems":null', sent.body))


# By what is wrong: the stream it shows in, and the flaw.
CLIENT_BUGS = {
    "an empty page ends the list": ("statsig values", Flaw(read=_ends_at_an_empty_page)),
    "half a character is left out": (
        "airbridge catalog",
        Flaw(read=lambda sent: replace(sent, body=_HALF.sub(b"", sent.body))),
    ),
    "half a character costs the whole body": (
        "bento ads",
        Flaw(read=lambda sent: replace(sent, body=sent.body[:-1]) if _HALF.search(sent.body) else sent),
    ),
    "a byte order mark costs the whole body": (
        "statsig definitions",
        Flaw(read=lambda sent: replace(sent, body=sent.body[:-1]) if sent.body.startswith(_MARK) else sent),
    ),
    "a total is not read": ("statsig values", Flaw(read=_without_total)),
    "a total that was right is not believed": ("statsig values after others", Flaw(read=_without_total)),
    "a far smaller response replaces a day": ("statsig values", Flaw(accepts_losses=True)),
    "a Retry-After pauses for a day": ("bento audience", Flaw(paused=lambda _seconds: 86_400.0)),
}
