"""Ten transforms with a bug each: copies of the package's, made wrong in one way. The oracles must catch every one.

Each takes what the true transform made and spoils it the way a wrong line would have. Keep catching out of here (`test_fuzz.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from analytics_assets.lake.stream import Stream, Typed

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

        def wrong(day: date, raw: pa.Table | None) -> Mapping[str, Typed]:
            made = dict(stream.transform(day, raw))
            right = made[self.table]
            rows = self.spoilt(right.content.to_pylist())
            made[self.table] = replace(right, content=pa.Table.from_pylist(rows, schema=right.content.schema))
            return made

        return replace(stream, transform=wrong)


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
