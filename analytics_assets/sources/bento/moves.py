"""By how much another reading moved a day of attribution: figures beside the numbers of rows that changed. Pure.

Bento counts a signup for a click of the days before it (`attribution.windowDays`, 7 in the sample on https://bentonow.com/stats), so
recent days still change. No history of the moves is kept: what a day holds is its last reading, and each materialization says what it moved.
Keep rows of a day out of here (`transform.py`).
"""

from typing import Any

import pyarrow as pa

from analytics_assets.lake.table import Table
from analytics_assets.sources.bento.tables import ADS_ATTRIBUTION, ADS_TOTALS

# Cents by key and currency; rows of totals have no key.
Cents = dict[tuple[Any, str], int | None]
_COUNTS = ("signups", "customers")


def ads_moved(table: Table, before: pa.Table, after: pa.Table, *, dimension: str, mode: str) -> dict[str, int]:
    """Figures of the answer by `dimension` in `mode`, the one whose totals are the day's figures.

    Totals: `signups_moved`, `customers_moved` and `revenue_cents_<CUR>_moved`, the new number less the old. Attribution:
    `revenue_cents_<CUR>_shifted`, what its keys won and lost, added up without the sign: revenue that only changes its source moves no total.
    No row means none; a number that is not known on either side gives no figure.
    """
    if table.name not in {ADS_TOTALS.name, ADS_ATTRIBUTION.name}:
        return {}
    old, new = (
        [row for row in content.to_pylist() if (row["dimension"], row["revenue_mode"]) == (dimension, mode)]
        for content in (before, after)
    )
    moves: dict[str, int | None] = {}
    if table.name == ADS_TOTALS.name:
        moves |= {f"{name}_moved": _moved(_count(old, name), _count(new, name)) for name in _COUNTS}
        moves |= {f"revenue_cents_{currency}_moved": move for (_, currency), move in _each(_cents(old), _cents(new))}
    else:
        for (_, currency), move in _each(_cents(old), _cents(new)):
            name = f"revenue_cents_{currency}_shifted"
            known = moves.get(name, 0)
            moves[name] = None if known is None or move is None else known + abs(move)
    return {name: move for name, move in moves.items() if move is not None}


def _each(old: Cents, new: Cents) -> list[tuple[tuple[Any, str], int | None]]:
    """The move of every key and currency of either reading, in order of both."""
    return [(key, _moved(old.get(key, 0), new.get(key, 0))) for key in dict.fromkeys([*old, *new])]


def _cents(rows: list[dict[str, Any]]) -> Cents:
    return {(row.get("key"), row["currency"]): row["revenue_cents"] for row in rows}


def _count(rows: list[dict[str, Any]], name: str) -> int | None:
    """A count that repeats on each currency row, once."""
    return next((row[name] for row in rows if row["is_main_currency"]), 0)


def _moved(old: int | None, new: int | None) -> int | None:
    return None if old is None or new is None else new - old
