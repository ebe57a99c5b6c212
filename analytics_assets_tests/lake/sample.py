"""One table of every kind of column, and rows of it. Keep expectations in the tests."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from analytics_assets.lake.store import Lake, StoredDay
from analytics_assets.lake.table import DATE, MOMENT, MONEY, Column, Table

DAY = date(2026, 3, 1)
NEXT = date(2026, 3, 2)
NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)

TABLE = Table(
    name="revenue",
    description="One row a campaign and country.",
    key=("campaign", "country"),
    columns=(
        Column(DATE, pa.date32(), "The day."),
        Column("campaign", pa.string(), "Name."),
        Column("country", pa.string(), "ISO code.", nullable=True),
        Column("revenue", MONEY, "Money, in the currency beside it.", nullable=True),
        Column("currency", pa.string(), "ISO code.", nullable=True),
        Column("clicks", pa.int64(), "Count.", nullable=True),
        Column("share", pa.float64(), "Of all clicks.", nullable=True),
        Column("masked", pa.bool_(), "True if the vendor hid the number.", nullable=True),
        Column("codes", pa.list_(pa.string()), "Notification codes.", nullable=True),
        Column("seen_on", pa.date32(), "Day of the first click.", nullable=True),
        Column("seen_at", MOMENT, "Instant of the first click.", nullable=True),
        Column("raw", pa.large_string(), "As sent.", nullable=True),
        Column("fetched_at", MOMENT, "Instant of the reading.", is_observation=True),
    ),
)


def row(**changes: Any) -> dict[str, Any]:
    """A whole row of `TABLE`, with what the test is about changed."""
    return {
        "date": DAY,
        "campaign": "spring",
        "country": "KR",
        "revenue": Decimal("123456789012.123456"),
        "currency": "KRW",
        "clicks": 7,
        "share": 0.25,
        "masked": False,
        "codes": ["a", None, "b"],
        "seen_on": DAY,
        "seen_at": NOON,
        "raw": '{"a": "ü"}',
        "fetched_at": NOON,
        **changes,
    }


def empty_row(**changes: Any) -> dict[str, Any]:
    """A row of `TABLE` with null wherever null is allowed."""
    nothing = {column.name: None for column in TABLE.columns if column.nullable}
    return row(**{**nothing, **changes})


def land(lake: Lake, *rows: dict[str, Any], day: date = DAY, table: Table = TABLE) -> StoredDay:
    """Lands rows as a day of the account `airbridge`."""
    return lake.store_day("airbridge", table, day, table.rows(rows))


def files(lake: Lake) -> list[str]:
    """Every file of the lake, by its path within."""
    return sorted(path.removeprefix(f"{lake.root}/") for path in lake.files.fs.find(lake.root))
